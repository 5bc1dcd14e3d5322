//! How each provider is reached: file and environment put together.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use upstream::{Proxy, Reach};

use super::discovery;
use super::endpoint::{host_and_port, is_loopback, is_of_private_network};
use super::environment::Environment;
use super::file::{GlobalProxy, ProviderSettings, ProxyChoice};
use super::report::Report;
use super::upstreams::Upstream;
use crate::egress::Egress;

/// What deciding needs to look at.
pub(super) struct Ways<'a> {
    pub(super) global: &'a GlobalProxy,
    pub(super) environment: &'a Environment<'a>,
}

impl Ways<'_> {
    /// How a provider is reached.
    pub(super) fn of(&self, upstream: &Upstream, report: &mut Report) -> Egress {
        Egress {
            proxy: self.proxy(upstream, report),
            reach: reach(upstream),
            list: discovery::list(upstream, report),
        }
    }

    /// The provider's own word counts, then that it requires a proxy, then what holds for everyone; a server on this
    /// machine is then reached without one.
    fn proxy(&self, upstream: &Upstream, report: &mut Report) -> Option<Arc<Proxy>> {
        let url = upstream.endpoints.first()?.url.as_str();
        let (host, port) = host_and_port(url)?;
        let settings = upstream.settings.as_ref();
        let own = settings.map(|settings| settings.proxy.clone()).unwrap_or_default();
        let choice = match (own, settings.and_then(|settings| settings.requires_proxy)) {
            (ProxyChoice::Unsaid, Some(true)) => self.global.required(url.starts_with("https:")),
            (ProxyChoice::Unsaid, Some(false)) => ProxyChoice::Direct,
            (ProxyChoice::Unsaid, None) if is_loopback(&host) => ProxyChoice::Direct,
            (ProxyChoice::Unsaid, None) => self.global.everyone.clone(),
            (own, _) => own,
        };
        match choice {
            ProxyChoice::Through(proxy) => Some(proxy),
            ProxyChoice::Environment => self.of_environment(url, &host, port, report),
            ProxyChoice::Unsaid | ProxyChoice::Direct => None,
        }
    }

    /// As curl and most programs read these variables; the spelling in capitals first.
    fn of_environment(&self, url: &str, host: &str, port: u16, report: &mut Report) -> Option<Arc<Proxy>> {
        let text = |name: &str| {
            let lower = name.to_ascii_lowercase();
            self.environment.text(name).or_else(|| self.environment.text(&lower))
        };
        if is_loopback(host) || text("NO_PROXY").is_some_and(|list| is_exempt(&list, host, port)) {
            return None;
        }
        let of_scheme = if url.starts_with("https:") { "HTTPS_PROXY" } else { "HTTP_PROXY" };
        let (name, found) =
            [of_scheme, "ALL_PROXY"].into_iter().find_map(|name| Some((name, text(name)?)))?;
        let found = if found.contains("://") { found } else { format!("http://{found}") };
        Proxy::parse(&found).map_err(|why| report.invalid(format!("{name}: {why}"))).ok()
    }
}

/// An entry is `*`, a network (`10.0.0.0/8`), an address, a host or the end of one, with or without its leading dot, and
/// perhaps a port. A network holds for hosts that are written as addresses: no name is looked up for it.
fn is_exempt(list: &str, host: &str, port: u16) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    let is_it = |entry: &str| match (entry.parse::<IpNet>(), address) {
        (Ok(network), address) => address.is_some_and(|address| network.contains(&address)),
        (Err(_), _) => names(entry, host, port),
    };
    list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(is_it)
}

/// Whether an entry that is no network means this host at this port.
fn names(entry: &str, host: &str, port: u16) -> bool {
    let entry = entry.to_ascii_lowercase();
    let (entry, of_port) = match entry.rsplit_once(':') {
        Some((name, digits)) if !name.contains(':') => (name, digits.parse().ok()),
        _ => (entry.as_str(), None),
    };
    let name = entry.trim_start_matches("*.").trim_start_matches('.');
    let ends = || host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    of_port.is_none_or(|of_port: u16| of_port == port) && (entry == "*" || (!name.is_empty() && ends()))
}

/// A name that only a private network can have is meant to lead there when the operator wrote it.
fn reach(upstream: &Upstream) -> Reach {
    let allowed = upstream.settings.as_ref().and_then(|settings: &ProviderSettings| settings.allow_private);
    let host = upstream.endpoints.first().and_then(|endpoint| host_and_port(&endpoint.url));
    let is_meant = || host.is_some_and(|(host, _)| is_of_private_network(&host));
    if allowed.unwrap_or_else(is_meant) { Reach::Private } else { Reach::Public }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_exempt_by_name_by_end_by_network_by_port_and_all_at_once() {
        for (list, host, expected) in [
            ("*", "a.example", true),
            ("a.example", "a.example", true),
            ("example", "a.example", true),
            (".example, x", "a.example", true),
            ("*.Example", "a.example", true),
            ("ple", "a.example", false),
            ("a.example:443", "a.example", true),
            ("a.example:80", "a.example", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("::1", "::1", true),
            ("10.0.0.0/8", "10.200.3.4", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("x, 192.168.7.1/24", "192.168.7.200", true),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "10.0.0.1", false),
            ("10.0.0.0/8", "a10.example", false),
            ("10.0.0.0/33", "10.0.0.1", false),
            (" , ", "a.example", false),
            (".", "a.example", false),
        ] {
            assert_eq!(is_exempt(list, host, 443), expected, "{list} {host}");
        }
    }
}
