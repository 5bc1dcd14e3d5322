//! Base URLs: an API's root, with or without its version, or the complete endpoint. All reach the same place.

use upstream::Place;
use wire::WireId;

/// A path segment such as `v1`, `v1beta` or `v4`.
fn is_version(segment: &str) -> bool {
    let rest = segment.strip_prefix('v').unwrap_or_default();
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest.chars().all(|c| c.is_ascii_alphanumeric())
}

/// The complete URL for a base URL; `path` is where the catalogue has this wire's endpoint.
///
/// A complete endpoint stays as it is (LLM-Bridge's form). Of a root, whatever it shares with the beginning of `path` is
/// not repeated; a root that has a version of its own gets only the operation. `Err`: what would be right.
pub(super) fn complete_url(base: &str, wire: WireId, path: &str) -> Result<String, &'static str> {
    check(base)?;
    let (address, query) =
        base.split_once('?').map_or((base, None), |(address, query)| (address, Some(query)));
    if address.ends_with(wire.operation_path()) {
        return Ok(base.to_owned());
    }
    let address = address.trim_end_matches('/');
    let host_end = address.find("://").map_or(0, |at| at + 3);
    let path_start = address[host_end..].find('/').map_or(address.len(), |at| host_end + at);
    let (origin, root) = address.split_at(path_start);
    let completed = format!("{origin}{}", joined(root, wire, path));
    Ok(query.map_or(completed.clone(), |query| format!("{completed}?{query}")))
}

fn joined(root: &str, wire: WireId, path: &str) -> String {
    let shared = (1..path.len())
        .rev()
        .filter(|at| path.as_bytes()[*at] == b'/')
        .find(|at| root.ends_with(&path[..*at]));
    if let Some(at) = shared {
        return format!("{root}{}", &path[at..]);
    }
    let mut segments = root.split('/').filter(|segment| !segment.is_empty());
    let versioned = match wire.roots_go_on_after_version() {
        true => segments.any(is_version),
        false => segments.next_back().is_some_and(is_version),
    };
    format!("{root}{}", if versioned { wire.operation_path() } else { path })
}

fn check(base: &str) -> Result<(), &'static str> {
    const WANTED: &str = "an http or https URL such as https://api.example.com/v1";
    let uri: http::Uri = base.parse().map_err(|_| WANTED)?;
    let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    let authority = uri
        .authority()
        .is_some_and(|authority| !authority.host().is_empty() && !authority.as_str().contains('@'));
    if !scheme || !authority || base.contains('#') {
        return Err(WANTED);
    }
    Ok(())
}

/// Host and port of a URL, the usual port of its scheme when it names none.
pub(super) fn host_and_port(url: &str) -> Option<(String, u16)> {
    let uri: http::Uri = url.parse().ok()?;
    let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    Some((host.to_lowercase(), uri.port_u16().unwrap_or(usual)))
}

/// The host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What kind of place a host that is an address, or `localhost`, stands for.
pub(super) fn stated_place(host: &str) -> Option<Place> {
    if host == "localhost" { Some(Place::Private) } else { host.parse().ok().map(Place::of) }
}

/// Ends of names that no public server has.
/// Sources: RFC 6761, RFC 6762, RFC 8375, ICANN's reservation of `.internal` of 2024-07-29; `svc` is of Kubernetes.
const PRIVATE_ENDS: [&str; 6] = [".localhost", ".local", ".home.arpa", ".internal", ".lan", ".svc"];

/// Whether only a private network can have the host: an address of one, a name without a dot as of a container, or one
/// with an end that is kept for that.
pub(super) fn is_of_private_network(host: &str) -> bool {
    let name = host.trim_end_matches('.');
    match stated_place(name) {
        Some(place) => place == Place::Private,
        None => !name.contains('.') || PRIVATE_ENDS.iter().any(|end| name.ends_with(end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENAI: &str = "/v1/chat/completions";
    const GROQ: &str = "/openai/v1/chat/completions";
    const GOOGLE: &str = "/v1beta/openai/chat/completions";
    const DEEPSEEK: &str = "/chat/completions";

    #[test]
    fn root_version_and_endpoint_reach_the_same_place() {
        for (base, path, expected) in [
            ("https://api.openai.com", OPENAI, "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/", OPENAI, "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/v1", OPENAI, "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/v1/", OPENAI, "https://api.openai.com/v1/chat/completions"),
            (
                "https://api.openai.com/v1/chat/completions",
                OPENAI,
                "https://api.openai.com/v1/chat/completions",
            ),
            ("http://127.0.0.1:9000", OPENAI, "http://127.0.0.1:9000/v1/chat/completions"),
            ("http://[::1]:9000/v1", OPENAI, "http://[::1]:9000/v1/chat/completions"),
            ("https://proxy.example/team/a", OPENAI, "https://proxy.example/team/a/v1/chat/completions"),
            ("https://api.groq.com", GROQ, "https://api.groq.com/openai/v1/chat/completions"),
            ("https://api.groq.com/openai", GROQ, "https://api.groq.com/openai/v1/chat/completions"),
            ("https://api.groq.com/openai/v1", GROQ, "https://api.groq.com/openai/v1/chat/completions"),
            ("http://127.0.0.1:9000/v1", GROQ, "http://127.0.0.1:9000/v1/chat/completions"),
            ("https://g.example", GOOGLE, "https://g.example/v1beta/openai/chat/completions"),
            ("https://g.example/v1beta", GOOGLE, "https://g.example/v1beta/openai/chat/completions"),
            ("https://g.example/v1beta/openai/", GOOGLE, "https://g.example/v1beta/openai/chat/completions"),
            (
                "https://g.example/v1beta/chat/completions",
                GOOGLE,
                "https://g.example/v1beta/chat/completions",
            ),
            ("https://api.deepseek.com", DEEPSEEK, "https://api.deepseek.com/chat/completions"),
            ("https://api.deepseek.com/v1", DEEPSEEK, "https://api.deepseek.com/v1/chat/completions"),
            ("https://api.deepseek.com/beta", DEEPSEEK, "https://api.deepseek.com/beta/chat/completions"),
            ("https://z.example/api/paas/v4", OPENAI, "https://z.example/api/paas/v4/chat/completions"),
            ("https://g.example/v1beta/openai", OPENAI, "https://g.example/v1beta/openai/chat/completions"),
            (
                "https://c.example/v1/acct/gw/openai",
                OPENAI,
                "https://c.example/v1/acct/gw/openai/chat/completions",
            ),
            (
                "https://a.example/v1?api-version=1",
                OPENAI,
                "https://a.example/v1/chat/completions?api-version=1",
            ),
        ] {
            assert_eq!(
                complete_url(base, WireId::OpenAiChat, path).as_deref(),
                Ok(expected),
                "{base} {path}"
            );
        }
    }

    #[test]
    fn roots_of_anthropic_messages_are_completed_as_its_clients_do() {
        for (base, expected) in [
            ("https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
            ("https://api.anthropic.com/v1", "https://api.anthropic.com/v1/messages"),
            ("https://api.anthropic.com/v1/messages", "https://api.anthropic.com/v1/messages"),
            ("https://api.deepseek.com/anthropic", "https://api.deepseek.com/anthropic/v1/messages"),
            ("https://c.example/v1/acct/gw/anthropic", "https://c.example/v1/acct/gw/anthropic/v1/messages"),
        ] {
            let completed = complete_url(base, WireId::AnthropicMessages, "/v1/messages");
            assert_eq!(completed.as_deref(), Ok(expected), "{base}");
        }
    }

    #[test]
    fn a_complete_endpoint_stays_as_it_is_with_its_query() {
        let azure = "https://x.example/openai/deployments/d/chat/completions?api-version=2024-10-21";
        assert_eq!(complete_url(azure, WireId::OpenAiChat, OPENAI).as_deref(), Ok(azure));
    }

    #[test]
    fn what_is_no_url_of_an_api_is_refused() {
        for base in [
            "",
            "api.openai.com/v1",
            "ftp://x.example",
            "https://",
            "https://user:pw@x.example",
            "https://x.example/#a",
        ] {
            assert!(complete_url(base, WireId::OpenAiChat, OPENAI).is_err(), "{base}");
        }
    }

    #[test]
    fn hosts_that_only_a_private_network_can_have_are_known() {
        for host in [
            "localhost",
            "127.0.0.9",
            "::1",
            "10.1.2.3",
            "fd00::1",
            "0.0.0.0",
            "ollama",
            "nas.lan",
            "vllm.default.svc",
        ] {
            assert!(is_of_private_network(host), "{host}");
        }
        for host in ["api.openai.com", "8.8.8.8", "169.254.169.254", "lan.example", "fe80::1"] {
            assert!(!is_of_private_network(host), "{host}");
        }
    }
}
