//! Where a request goes: a URL, taken apart once.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use rustls::pki_types::ServerName;

use crate::address::Reach;
use crate::proxy::Proxy;

/// Scheme, host, port, the proxy before it and where its name may lead: connections to the same origin are
/// interchangeable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) tls: bool,
    /// Lower case, without the brackets of an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) proxy: Option<Arc<Proxy>>,
    pub(crate) reach: Reach,
}

impl Origin {
    /// The HTTP proxy that requests are written to, instead of to the provider.
    pub(crate) fn http_proxy(&self) -> Option<&Proxy> {
        self.proxy.as_deref().filter(|proxy| proxy.scheme.is_http() && !self.tls)
    }
}

/// What is asked of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
        }
    }
}

/// The URL of one operation of a provider.
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) origin: Arc<Origin>,
    /// Whom the certificate must name; present exactly when the scheme is `https`.
    pub(crate) server_name: Option<ServerName<'static>>,
    /// Request line and `host`, as sent.
    pub(crate) prefix: Box<[u8]>,
    pub(crate) method: Method,
    target: String,
    /// As it stands in the header.
    host: Arc<str>,
}

impl Endpoint {
    /// Takes an absolute `http` or `https` URL apart. The error is a sentence about the URL and does not repeat it:
    /// a URL may hold a key.
    pub fn parse(url: &str) -> Result<Arc<Self>, String> {
        if url.contains('#') {
            return Err("a URL of a provider has no fragment ('#')".into());
        }
        let uri: Uri = url.parse().map_err(|error| format!("not a URL: {error}"))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(other) => return Err(format!("the scheme must be http or https, not '{other}'")),
            None => return Err("a URL of a provider begins with http:// or https://".into()),
        };
        let (host, port) = (host(&uri)?, port(&uri, tls)?);
        let origin = Origin { tls, host, port, proxy: None, reach: Reach::default() };
        let endpoint = Endpoint {
            prefix: Box::default(),
            server_name: if tls { Some(server_name(&origin.host)?) } else { None },
            method: Method::Post,
            target: uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            host: host_header(&uri, &origin).into(),
            origin: Arc::new(origin),
        };
        Ok(endpoint.finished())
    }

    /// Another path and query at the same origin; connections are shared. `target` begins with a slash and holds
    /// nothing but what a URL may hold.
    #[must_use]
    pub fn at(&self, target: &str) -> Arc<Self> {
        Endpoint { target: target.to_owned(), ..self.clone() }.finished()
    }

    /// The same, to be read with a GET, which carries no body.
    #[must_use]
    pub fn to_read(&self) -> Arc<Self> {
        Endpoint { method: Method::Get, ..self.clone() }.finished()
    }

    /// The same, through a proxy; its connections are kept apart from others.
    #[must_use]
    pub fn via(&self, proxy: Arc<Proxy>) -> Arc<Self> {
        let origin = Origin { proxy: Some(proxy), ..Origin::clone(&self.origin) };
        Endpoint { origin: Arc::new(origin), ..self.clone() }.finished()
    }

    /// The same, with another word on where its name may lead.
    #[must_use]
    pub fn reaching(&self, reach: Reach) -> Arc<Self> {
        let origin = Origin { reach, ..Origin::clone(&self.origin) };
        Endpoint { origin: Arc::new(origin), ..self.clone() }.finished()
    }

    fn finished(self) -> Arc<Self> {
        Arc::new(Endpoint { prefix: self.written_prefix(), ..self })
    }

    /// Plain HTTP goes through an HTTP proxy as a request to it (RFC 9112, 3.2.2), everything else as to the provider.
    fn written_prefix(&self) -> Box<[u8]> {
        let Endpoint { target, host, .. } = self;
        let method = self.method.name();
        let prefix = match self.origin.http_proxy() {
            None => format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n"),
            Some(proxy) => {
                let login = proxy.authorization().map(|value| format!("proxy-authorization: {value}\r\n"));
                let login = login.unwrap_or_default();
                format!("{method} http://{host}{target} HTTP/1.1\r\nhost: {host}\r\n{login}")
            }
        };
        prefix.into_bytes().into_boxed_slice()
    }

    /// Host and port, as a proxy is told.
    pub(crate) fn authority(&self) -> String {
        let (host, port) = (self.host(), self.port());
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// Path and query, as sent.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The host, in lower case; an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.origin.host
    }

    /// The port, also when the URL leaves it to the scheme.
    pub fn port(&self) -> u16 {
        self.origin.port
    }

    /// The scheme is `https`.
    pub fn is_tls(&self) -> bool {
        self.origin.tls
    }
}

/// Without the query, which may hold a key.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { tls, host, port, .. } = &*self.origin;
        let scheme = if *tls { "https" } else { "http" };
        let path = self.target.split('?').next().unwrap_or_default();
        write!(f, "{scheme}://{host}:{port}{path}")
    }
}

fn host(uri: &Uri) -> Result<String, String> {
    let authority = uri.authority().ok_or("the URL names no host")?;
    if authority.as_str().contains('@') {
        return Err("a URL of a provider has no user name or password; the key is configured apart".into());
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    if host.is_empty() { Err("the URL names no host".into()) } else { Ok(host) }
}

fn port(uri: &Uri, tls: bool) -> Result<u16, String> {
    let stated = uri.authority().map(|authority| authority.as_str()).and_then(|text| text.rsplit_once(':'));
    match (uri.port_u16(), stated) {
        (Some(0), _) => Err("the port 0 cannot be connected to".into()),
        (Some(port), _) => Ok(port),
        // A colon inside the brackets of an IPv6 address is not followed by a port.
        (None, Some((_, text))) if !text.ends_with(']') => Err(format!("'{text}' is not a port")),
        (None, _) => Ok(if tls { 443 } else { 80 }),
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(host.to_owned()).map_err(|_| format!("'{host}' cannot stand in a certificate"))
}

/// The host as the URL writes it; the port only when it is not the scheme's.
fn host_header(uri: &Uri, origin: &Origin) -> String {
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    let default = if origin.tls { 443 } else { 80 };
    if origin.port == default { host } else { format!("{host}:{}", origin.port) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_an_origin_and_a_request_line() {
        let table = [
            (
                "https://API.x.com/v1/chat?a=b",
                "api.x.com",
                443,
                "POST /v1/chat?a=b HTTP/1.1\r\nhost: api.x.com\r\n",
            ),
            ("http://127.0.0.1:8080", "127.0.0.1", 8080, "POST / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\n"),
            ("http://[::1]:80/x", "::1", 80, "POST /x HTTP/1.1\r\nhost: [::1]\r\n"),
            ("https://[::1]/x", "::1", 443, "POST /x HTTP/1.1\r\nhost: [::1]\r\n"),
        ];
        for (url, host, port, prefix) in table {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!((endpoint.host(), endpoint.port()), (host, port), "{url}");
            assert_eq!(endpoint.is_tls(), url.starts_with("https"));
            assert_eq!(String::from_utf8_lossy(&endpoint.prefix), prefix);
        }
    }

    #[test]
    fn what_cannot_be_a_provider_is_refused_with_its_reason() {
        let table = [
            ("ftp://a/b", "http or https"),
            ("/v1/chat", "begins with http"),
            ("api.x.com", "begins with http"),
            ("https://user:secret@a/b", "user name"),
            ("https://a/b#c", "fragment"),
            ("https://a:0/b", "port 0"),
            ("https://a:99999/b", "port"),
            ("https://a:/b", "port"),
            ("https://a b/c", "not a URL"),
            ("https:///b", "URL"),
            ("http://a/\r\nx: y", "not a URL"),
        ];
        for (url, reason) in table {
            let why = Endpoint::parse(url).expect_err(url);
            assert!(why.contains(reason), "{url}: {reason:?} is not in {why:?}");
            assert!(!why.contains("secret"));
        }
    }

    #[test]
    fn debug_leaves_the_query_out() {
        let endpoint = Endpoint::parse("https://a/b?key=secret").unwrap();
        assert_eq!(format!("{endpoint:?}"), "https://a:443/b");
    }
}
