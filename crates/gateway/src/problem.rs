//! A fault as an answer, in the caller's dialect.

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use wire::{Fault, SurfaceId};

use crate::exchange::Arrival;
use crate::server::OutBody;

const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Renders a fault. This is where it is logged, if it is ours.
pub fn answer(surface: SurfaceId, fault: &Fault, arrival: Arrival) -> Response<OutBody> {
    let request_id = arrival.id.to_string();
    if let Fault::Internal { source } = fault {
        tracing::error!(request_id, error = %source, "internal error");
    }
    let (status, body) = surface.surface().encode_fault(fault, &request_id);
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CACHE_CONTROL, NO_STORE);
    if let Some(wait) = fault.retry_after() {
        // Rounded up: a client that comes a moment early is turned away again.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        headers.insert(RETRY_AFTER, seconds.into());
    }
    match fault {
        Fault::Unauthenticated { .. } => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Fault::MethodNotAllowed { allowed, .. } => {
            headers.insert(ALLOW, HeaderValue::from_static(allowed));
        }
        // The gateway has tried again already, or trying again cannot help.
        Fault::Upstream(_) | Fault::Unreachable { .. } | Fault::Timeout { .. } | Fault::BadAnswer { .. }
            if status != StatusCode::TOO_MANY_REQUESTS =>
        {
            headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        _ => {}
    }
    response
}

/// 421: the `Host` is not ours.
pub fn misdirected(surface: SurfaceId, arrival: Arrival) -> Response<OutBody> {
    let why = "this gateway does not answer to that Host; use 127.0.0.1 or localhost, or list the name under \
               server.allowed_hosts";
    let mut response = answer(surface, &Fault::malformed(None, why), arrival);
    *response.status_mut() = StatusCode::MISDIRECTED_REQUEST;
    response
}
