//! The `Host` rule: a page of a stranger that resolves its own name to this machine must not reach us.

use std::net::IpAddr;

use http::{HeaderMap, Uri, Version, header};

/// Which `Host` headers are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRule {
    /// Bound to loopback: only loopback names and the listed ones.
    loopback_only: bool,
    allowed: Vec<String>,
}

/// Why a request is refused before anything else is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostVerdict {
    #[allow(missing_docs)]
    Fine,
    /// 400: no host, two, or a target that a proxy would get.
    Malformed(&'static str),
    /// 421: a name that is not ours.
    Misdirected,
}

impl HostRule {
    /// `allowed` are names besides the loopback ones, without port.
    pub fn new(bound_to: IpAddr, allowed: &[String]) -> Self {
        let allowed = allowed.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { loopback_only: bound_to.is_loopback(), allowed }
    }

    /// Judges one request. Those of HTTP/1.0 need no host: health checks leave it out, pages of strangers cannot.
    pub fn judge(&self, version: Version, uri: &Uri, headers: &HeaderMap) -> HostVerdict {
        if uri.authority().is_some() {
            return HostVerdict::Malformed("this is not a proxy: send the path alone in the request line");
        }
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            if version == Version::HTTP_10 && !headers.contains_key(header::HOST) {
                return HostVerdict::Fine;
            }
            return HostVerdict::Malformed("exactly one Host header is needed");
        };
        let Some(name) = host.to_str().ok().and_then(name_of) else {
            return HostVerdict::Malformed("the Host header is not a host name");
        };
        if !self.loopback_only || is_loopback(name) || self.is_allowed(name) {
            return HostVerdict::Fine;
        }
        HostVerdict::Misdirected
    }

    fn is_allowed(&self, name: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
    }
}

/// The host without its port; `None` for anything with user information or a path in it.
fn name_of(host: &str) -> Option<&str> {
    if host.contains(['@', '/', '\\', ' ']) {
        return None;
    }
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').map(|(name, _)| name);
    }
    Some(host.split_once(':').map_or(host, |(name, _)| name))
}

fn is_loopback(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(host: &str) -> HostVerdict {
        let rule = HostRule::new([127, 0, 0, 1].into(), &["gateway.example".to_owned()]);
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        rule.judge(Version::HTTP_11, &Uri::from_static("/v1/models"), &headers)
    }

    #[test]
    fn loopback_names_and_listed_ones_are_answered() {
        for host in
            ["127.0.0.1:3456", "localhost", "LOCALHOST:1", "[::1]:3456", "127.9.9.9", "gateway.example:80"]
        {
            assert_eq!(judge(host), HostVerdict::Fine, "{host}");
        }
    }

    #[test]
    fn other_names_are_misdirected_and_odd_ones_malformed() {
        for host in ["evil.example", "localhost.evil.example", "0.0.0.0", "10.0.0.1"] {
            assert_eq!(judge(host), HostVerdict::Misdirected, "{host}");
        }
        for host in ["user@localhost", "localhost/x"] {
            assert!(matches!(judge(host), HostVerdict::Malformed(_)), "{host}");
        }
    }

    #[test]
    fn only_the_oldest_clients_may_leave_the_host_out() {
        let rule = HostRule::new([127, 0, 0, 1].into(), &[]);
        let judge = |version| rule.judge(version, &Uri::from_static("/"), &HeaderMap::new());
        assert_eq!(judge(Version::HTTP_10), HostVerdict::Fine);
        assert!(matches!(judge(Version::HTTP_11), HostVerdict::Malformed(_)));
    }

    #[test]
    fn two_hosts_and_a_proxy_target_are_malformed() {
        let rule = HostRule::new([127, 0, 0, 1].into(), &[]);
        let judge = |uri, headers: &HeaderMap| rule.judge(Version::HTTP_10, &Uri::from_static(uri), headers);
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, "localhost".parse().unwrap());
        headers.append(header::HOST, "evil.example".parse().unwrap());
        assert!(matches!(judge("/", &headers), HostVerdict::Malformed(_)));
        assert!(matches!(judge("http://localhost/", &HeaderMap::new()), HostVerdict::Malformed(_)));
    }
}
