//! Which web pages may read answers (SAFETY.md section 3).

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HOST, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue};

/// The rule of this gateway. Credentials (cookies) are never allowed: the bearer token is the protection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cors {
    /// No page of another origin: without a key, any page could spend the user's credentials.
    Closed,
    /// Every page; a key is needed anyway.
    Any,
    /// These origins.
    Listed(Vec<String>),
}

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
/// Those that are read here; and, since no header gives away more than the key does, whatever SDKs in pages tell of
/// themselves besides (`x-stainless-*`, `x-goog-api-client`). `*` does not stand for `Authorization` (Fetch standard,
/// "CORS-preflight fetch", read 2026-11-25).
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Content-Type, Authorization, X-Project, X-Correlation-ID, x-api-key, x-gateway-tags, x-gateway-timeout-ms, \
     x-gateway-no-fallback, x-gateway-explain, mcp-session-id, mcp-protocol-version, *",
);
const EXPOSED: HeaderValue = HeaderValue::from_static("*");
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("86400");

impl Cors {
    /// `listed` is `LLM_GATEWAY_CORS_ORIGINS`: empty means the default, which depends on whether a key is needed.
    pub fn new(listed: &[String], key_needed: bool) -> Self {
        match listed {
            [] if key_needed => Cors::Any,
            [] => Cors::Closed,
            origins if key_needed && origins.iter().any(|origin| origin == "*") => Cors::Any,
            origins => {
                let named = origins.iter().filter(|origin| !matches!(origin.as_str(), "*" | "null"));
                Cors::Listed(named.cloned().collect())
            }
        }
    }

    /// Adds what lets the page that sent `request` read the answer.
    pub fn allow(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        let Some(origin) = request.get(ORIGIN) else { return };
        match self {
            Cors::Closed => return,
            Cors::Any => {
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Cors::Listed(_) => {
                answer.append(VARY, HeaderValue::from_static("origin"));
                if !self.lists(origin) {
                    return;
                }
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            }
        }
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }

    /// Whether the page that asks for a socket may have one: what a page may read over HTTP, it may open. Browsers ask
    /// for sockets without a preflight, so that the answer's headers protect nothing.
    pub fn admits_socket(&self, request: &HeaderMap) -> bool {
        let Some(origin) = request.get(ORIGIN) else { return true };
        let is_ours = || is_of_host(origin.as_bytes(), request.get(HOST).map(HeaderValue::as_bytes));
        match self {
            Cors::Any => true,
            Cors::Closed => is_ours(),
            Cors::Listed(origins) => {
                origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes()) || is_ours()
            }
        }
    }

    /// Whether this origin is listed by name.
    pub fn lists(&self, origin: &HeaderValue) -> bool {
        match self {
            Cors::Listed(origins) => origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes()),
            Cors::Closed | Cors::Any => false,
        }
    }

    /// Adds what a preflight asks for besides.
    pub fn allow_preflight(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        self.allow(request, answer);
        if answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
            answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
        }
    }
}

/// Whether a page comes from the very host that it asks, as the gateway's own do.
fn is_of_host(origin: &[u8], host: Option<&[u8]>) -> bool {
    let named = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
    named.is_some() && named == host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(cors: &Cors, origin: &'static str) -> Option<String> {
        let mut request = HeaderMap::new();
        request.insert(ORIGIN, HeaderValue::from_static(origin));
        let mut answer = HeaderMap::new();
        cors.allow(&request, &mut answer);
        answer.get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn without_a_key_strangers_are_shut_out_even_by_a_star() {
        assert_eq!(allowed(&Cors::new(&[], false), "https://evil.example"), None);
        assert_eq!(allowed(&Cors::new(&["*".into()], false), "https://evil.example"), None);
        assert_eq!(allowed(&Cors::new(&["null".into()], false), "null"), None);
    }

    #[test]
    fn with_a_key_every_page_may_ask_unless_a_list_says_otherwise() {
        assert_eq!(allowed(&Cors::new(&[], true), "https://app.example").as_deref(), Some("*"));
        let listed = Cors::new(&["https://app.example".into()], true);
        assert_eq!(allowed(&listed, "https://app.example").as_deref(), Some("https://app.example"));
        assert_eq!(allowed(&listed, "https://evil.example"), None);
    }

    #[test]
    fn a_socket_is_opened_to_our_own_pages_and_to_those_that_may_read_answers() {
        let admits = |cors: Cors, origin: &'static str| {
            let mut request = HeaderMap::new();
            request.insert(ORIGIN, HeaderValue::from_static(origin));
            request.insert(HOST, HeaderValue::from_static("127.0.0.1:3456"));
            cors.admits_socket(&request)
        };
        assert!(admits(Cors::Any, "https://page.example"));
        assert!(admits(Cors::Closed, "http://127.0.0.1:3456"));
        for stranger in ["https://page.example", "null", "http://127.0.0.1:3457", "file://"] {
            assert!(!admits(Cors::Closed, stranger), "{stranger}");
        }
        let listed = || Cors::Listed(vec!["https://page.example".into()]);
        assert!(admits(listed(), "https://page.example"));
        assert!(!admits(listed(), "https://other.example"));
        assert!(Cors::Closed.admits_socket(&HeaderMap::new()));
    }
}
