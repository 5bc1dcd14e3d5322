//! An upstream's refusal: what it says, how long it asks to wait, and nothing of our key.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use memchr::memmem;
use wire::Fault;
use wire::dialect::Wire;

use crate::clock;

/// Bytes of an upstream's error body that are looked at.
const ERROR_BODY: usize = 64 * 1024;
/// A longer wait than a day is not believed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(86_400);

/// An answer with a status other than 2xx.
pub async fn refusal(wire: &dyn Wire, reply: upstream::Reply) -> Fault {
    if (300..400).contains(&reply.status) {
        let why = format!("it redirects (HTTP {}), and redirects are not followed", reply.status);
        return Fault::BadAnswer { provider: String::new(), why };
    }
    let retry_after = retry_after(&reply.headers);
    match reply.body.collect(ERROR_BODY).await {
        Ok(body) => wire.decode_fault(reply.status, retry_after, &body),
        // The status alone says enough.
        Err(_) => wire.decode_fault(reply.status, retry_after, b""),
    }
}

/// `retry-after-ms`, or `retry-after` in seconds or as a date. Absurd values are dropped.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let wait = if let Some(millis) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        Duration::try_from_secs_f64(millis / 1000.0).ok()?
    } else {
        let value = text("retry-after")?;
        match value.parse::<f64>() {
            Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
            Err(_) => until(value)?,
        }
    };
    (wait <= MAX_RETRY_AFTER).then_some(wait)
}

/// Time until an HTTP date; none for one that is past.
fn until(date: &str) -> Option<Duration> {
    let at = httpdate::parse_http_date(date).ok()?;
    Some(at.duration_since(clock::system()).unwrap_or_default())
}

/// An upstream that repeats our key in its error does not get it through to the client, whatever the key looks like.
/// `key` is the header that it went up in.
pub fn without_key(mut fault: Fault, key: Option<&HeaderValue>) -> Fault {
    if let (Fault::Upstream(stated), Some(key)) = (&mut fault, key)
        && let Some(secret) = key.to_str().ok().and_then(|value| value.rsplit(' ').next())
    {
        stated.message = stated.message.replace(secret, "***");
        let repeats = |body: &Bytes| memmem::find(body, secret.as_bytes()).is_some();
        stated.original = stated.original.take().filter(|body| !repeats(body));
    }
    fault
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn wait(name: &'static str, value: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        retry_after(&headers)
    }

    #[test]
    fn a_key_that_an_upstream_repeats_is_masked() {
        let key = HeaderValue::from_static("Bearer odd-key-without-a-shape");
        let fault = wire::fault::UpstreamFault {
            provider: "p".into(),
            status: 400,
            class: wire::fault::Class::BadRequest,
            message: "no such key: odd-key-without-a-shape".into(),
            param: None,
            code: None,
            retry_after: None,
            original: Some(Bytes::from_static(b"{\"error\":\"odd-key-without-a-shape\"}")),
        };
        let Fault::Upstream(masked) = without_key(fault.into(), Some(&key)) else {
            panic!("still the upstream's")
        };
        assert_eq!((masked.message.as_str(), masked.original), ("no such key: ***", None));
    }

    #[test]
    fn retry_after_is_read_in_every_form_and_absurd_ones_are_dropped() {
        assert_eq!(wait("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(wait("retry-after", "1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(wait("retry-after-ms", "250"), Some(Duration::from_millis(250)));
        assert_eq!(wait("retry-after", "1555200"), None);
        assert_eq!(wait("retry-after", "-3"), None);
        assert_eq!(wait("retry-after", "soon"), None);
        assert_eq!(wait("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO));
    }
}
