//! Credentials on requests.

use http::{HeaderMap, HeaderName, HeaderValue};
use wire::Fault;

/// How a provider wants to see its key: a header, and what stands before the key in it (`Bearer `).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// The header's name.
    pub header: HeaderName,
    /// Text before the key, with its space; may be empty.
    pub prefix: String,
}

impl Scheme {
    /// Puts the key into the headers, in place of one that is there, marked so that it is never printed.
    pub fn authorize(&self, headers: &mut HeaderMap, secret: &str) -> Result<(), Fault> {
        let text = [self.prefix.as_str(), secret].concat();
        if secret.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return Err(unfit());
        }
        let mut value = HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).map_err(|_| unfit())?;
        value.set_sensitive(true);
        headers.insert(self.header.clone(), value);
        Ok(())
    }
}

fn unfit() -> Fault {
    let why = "the key configured for this provider is empty or has characters that no key has, such as a line break; \
               configure it again";
    Fault::NoTarget { why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer() -> Scheme {
        Scheme { header: http::header::AUTHORIZATION, prefix: "Bearer ".into() }
    }

    #[test]
    fn the_key_stands_behind_the_prefix_and_is_not_printed() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("Bearer of-the-client"));
        bearer().authorize(&mut headers, "sk-canary").unwrap();
        assert_eq!(headers.get_all("authorization").iter().collect::<Vec<_>>(), ["Bearer sk-canary"]);
        assert!(!format!("{headers:?}").contains("canary"));
    }

    #[test]
    fn a_key_that_would_break_the_head_is_refused_without_being_shown() {
        for secret in ["canary\r\nx-injected: 1", "canary\n", "canary\0", "canäry", "canary\t", ""] {
            let mut headers = HeaderMap::new();
            let fault = bearer().authorize(&mut headers, secret).unwrap_err();
            assert!(headers.is_empty());
            assert!(
                !fault.to_string().contains("can") && !format!("{fault:?}").contains("canary"),
                "{fault}"
            );
        }
    }
}
