//! Egress proxies: a URL, taken apart once. How they are spoken to stands in `proxy/tunnel.rs`.
//!
//! Not here: which provider uses which proxy. No variable of the environment is read.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use percent_encoding::percent_decode_str;
use rustls::pki_types::ServerName;

pub(crate) mod tunnel;

/// A proxy between us and providers.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    pub(crate) scheme: Scheme,
    /// Lower case, without the brackets of an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
    credentials: Option<Credentials>,
}

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Http,
    /// HTTP inside TLS.
    Https,
    /// Names are looked up here.
    Socks5,
    /// Names are looked up by the proxy.
    Socks5h,
}

impl Scheme {
    const ALL: [(&'static str, Scheme, u16); 4] = [
        ("http", Scheme::Http, 80),
        ("https", Scheme::Https, 443),
        ("socks5", Scheme::Socks5, 1080),
        ("socks5h", Scheme::Socks5h, 1080),
    ];

    pub(crate) fn is_http(self) -> bool {
        matches!(self, Scheme::Http | Scheme::Https)
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, scheme, _)| *scheme == self).map_or("", |(name, ..)| name)
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Credentials {
    user: String,
    password: String,
}

impl Proxy {
    /// Takes `scheme://[user:password@]host[:port]` apart; user and password may be percent-encoded. The error is a
    /// sentence about the URL and does not repeat it: a URL may hold a password.
    pub fn parse(url: &str) -> Result<Arc<Self>, String> {
        let uri: Uri = url.parse().map_err(|_| "not the URL of a proxy, like http://host:3128".to_owned())?;
        let (_, scheme, usual) = *Scheme::ALL
            .iter()
            .find(|(name, ..)| uri.scheme_str() == Some(name))
            .ok_or("the scheme of a proxy must be http, https, socks5 or socks5h")?;
        if !matches!(uri.path_and_query().map(|path| path.as_str()), None | Some("/" | "")) {
            return Err("the URL of a proxy has no path".into());
        }
        let authority = uri.authority().ok_or("the URL names no host")?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let port = authority.port_u16().unwrap_or(usual);
        if host.is_empty() || port == 0 {
            return Err("the URL of a proxy needs a host, and a port that is not 0".into());
        }
        if scheme == Scheme::Https && ServerName::try_from(host.as_str()).is_err() {
            return Err("the host of the proxy cannot stand in a certificate".into());
        }
        let credentials = authority.as_str().rsplit_once('@').map(|(userinfo, _)| credentials(userinfo));
        Ok(Arc::new(Proxy { scheme, host, port, credentials: credentials.transpose()? }))
    }

    /// Value of `proxy-authorization`, where there are credentials.
    pub(crate) fn authorization(&self) -> Option<String> {
        let Credentials { user, password } = self.credentials.as_ref()?;
        Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }

    fn login(&self) -> Option<(&str, &str)> {
        self.credentials.as_ref().map(|known| (known.user.as_str(), known.password.as_str()))
    }
}

/// Without credentials.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Without credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        write!(f, "{}://{host}:{}", self.scheme.name(), self.port)
    }
}

/// SOCKS5 carries 1 to 255 bytes of each (RFC 1929).
fn credentials(userinfo: &str) -> Result<Credentials, String> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decoded = |text| percent_decode_str(text).decode_utf8().map(|text| text.into_owned());
    let unfit = "user name or password of the proxy cannot be used: 1 to 255 characters, none of control";
    let (Ok(user), Ok(password)) = (decoded(user), decoded(password)) else { return Err(unfit.into()) };
    let fits = |text: &str| (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
    if fits(&user) && fits(&password) { Ok(Credentials { user, password }) } else { Err(unfit.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_a_proxy_and_is_shown_without_its_password() {
        for (url, shown, login) in [
            ("http://Proxy:3128", "http://proxy:3128", None),
            ("https://p.example/", "https://p.example:443", None),
            ("socks5://u:canary@127.0.0.1", "socks5://127.0.0.1:1080", Some(("u", "canary"))),
            ("socks5h://a%40b:c%3Ad@[::1]:9", "socks5h://[::1]:9", Some(("a@b", "c:d"))),
        ] {
            let proxy = Proxy::parse(url).unwrap();
            assert_eq!((proxy.to_string().as_str(), proxy.login()), (shown, login), "{url}");
            assert!(!format!("{proxy:?}").contains("canary"));
        }
    }

    #[test]
    fn what_cannot_be_a_proxy_is_refused_with_its_reason_and_without_its_password() {
        for (url, reason) in [
            ("ftp://u:canary@a", "scheme"),
            ("a:80", "scheme"),
            ("http://a/b", "no path"),
            ("http://a:0", "port"),
            ("http://canary@a", "password"),
            ("http://u:can%0Aary@a", "password"),
        ] {
            let why = Proxy::parse(url).expect_err(url);
            assert!(why.contains(reason) && !why.contains("canary"), "{url}: {why}");
        }
    }
}
