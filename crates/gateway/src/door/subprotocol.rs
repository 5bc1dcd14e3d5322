//! The sub-protocols that a client of a socket offers: one is spoken, and a key may stand among them, since a page in a
//! browser can set nothing else.

use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderValue};

/// What stands before a key. The first is how OpenAI's clients for the browser send theirs (realtime guide, WebSocket).
const KEY_PREFIXES: [&str; 2] = ["openai-insecure-api-key.", "api-key."];

/// The keys among the offered sub-protocols.
pub(super) fn keys(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    offered(headers).filter_map(|name| key_in(name).map(str::as_bytes))
}

/// The sub-protocol to agree on: the first that is not a key. A browser drops a connection on which it offered some
/// and got none back.
pub fn spoken(headers: &HeaderMap) -> Option<HeaderValue> {
    let name = offered(headers).find(|name| key_in(name).is_none())?;
    HeaderValue::from_str(name).ok()
}

fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|name| !name.is_empty())
}

fn key_in(name: &str) -> Option<&str> {
    KEY_PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_and_never_agreed_on() {
        let mut headers = HeaderMap::new();
        headers.append(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("api-key.abc , llm-gateway"));
        assert_eq!(keys(&headers).collect::<Vec<_>>(), [b"abc"]);
        assert_eq!(spoken(&headers).unwrap(), "llm-gateway");
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("openai-insecure-api-key.x"));
        assert_eq!((keys(&headers).count(), spoken(&headers)), (1, None));
    }
}
