//! A fault as an answer, in the caller's dialect.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use wire::{Fault, RawObject, SurfaceId};

use crate::arrival::Arrival;
use crate::body::OutBody;
use crate::exchange::{Failed, Tried};

const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-gateway-attempts");
const PROVIDER: HeaderName = HeaderName::from_static("x-gateway-provider");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Renders a fault.
pub fn answer(surface: SurfaceId, fault: &Fault, arrival: Arrival) -> Response<OutBody> {
    let (status, body) = render(surface, fault, arrival);
    with_headers(fault, status, body)
}

/// What went wrong, as RFC 9457 has it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct Details<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: Option<&'static str>,
    /// The HTTP status.
    status: u16,
    /// What, and what to do about it.
    detail: String,
    /// The same for every problem of a kind, and for good.
    code: &'static str,
    /// The field or parameter that is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// The id of the request.
    instance: &'a str,
}

/// Renders a fault as RFC 9457 has it, for the administration.
pub fn details(fault: &Fault, arrival: Arrival) -> Response<OutBody> {
    let request_id = arrival.id.to_string();
    log(fault, &request_id);
    let status = fault.status();
    let details = Details {
        kind: "about:blank",
        title: status.canonical_reason(),
        status: status.as_u16(),
        detail: fault.client_message(&request_id),
        code: fault.code(),
        field: fault.param(),
        instance: &request_id,
    };
    let body = serde_json::to_vec(&details).expect("a plain struct is always JSON");
    let mut response = with_headers(fault, status, body.into());
    response.headers_mut().insert(CONTENT_TYPE, PROBLEM);
    response
}

/// This is where a fault is logged, if it is ours.
fn render(surface: SurfaceId, fault: &Fault, arrival: Arrival) -> (StatusCode, Bytes) {
    let request_id = arrival.id.to_string();
    log(fault, &request_id);
    surface.surface().encode_fault(fault, &request_id)
}

fn log(fault: &Fault, request_id: &str) {
    if let Fault::Internal { source } = fault {
        tracing::error!(request_id, error = %source, "internal error");
    }
}

fn with_headers(fault: &Fault, status: StatusCode, body: Bytes) -> Response<OutBody> {
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
        // The body, or the rest of it, may be still to come, and nobody will read it.
        Fault::TooLarge { .. } | Fault::MediaType { .. } | Fault::Overloaded | Fault::Draining => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        // The gateway has tried again already, or trying again cannot help.
        Fault::Upstream(_)
        | Fault::Unreachable { .. }
        | Fault::Timeout { .. }
        | Fault::OutOfTime { .. }
        | Fault::BadAnswer { .. }
            if status != StatusCode::TOO_MANY_REQUESTS =>
        {
            headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        _ => {}
    }
    response
}

/// Renders the fault of a request that targets were tried for, and says which.
pub fn of_failed(surface: SurfaceId, failed: &Failed, arrival: Arrival) -> Response<OutBody> {
    let (status, body) = render(surface, &failed.fault, arrival);
    let mut response = with_headers(&failed.fault, status, with_attempts(body, &failed.tried));
    let headers = response.headers_mut();
    headers.insert(ATTEMPTS, failed.tried.len().into());
    if let Some(Ok(provider)) = whose(failed).map(HeaderValue::from_str) {
        headers.insert(PROVIDER, provider);
    }
    response
}

/// Who speaks in the error: its author, else the one tried last.
fn whose(failed: &Failed) -> Option<&str> {
    match &failed.fault {
        Fault::Upstream(stated) if !stated.provider.is_empty() => Some(&stated.provider),
        _ => failed.tried.last().map(|last| &*last.target.provider.id),
    }
}

/// Adds who was tried, with which end, beside the error.
fn with_attempts(body: Bytes, tried: &[Tried]) -> Bytes {
    if tried.is_empty() {
        return body;
    }
    match RawObject::parse(body.clone()) {
        Ok(mut object) => {
            object.set("attempts", &tried);
            object.into_bytes()
        }
        // Every surface renders errors as JSON objects; one that did not would still be an answer.
        Err(_) => body,
    }
}

/// A fault as it is told where there is no HTTP.
pub struct Refusal {
    #[allow(missing_docs)]
    pub status: StatusCode,
    /// The surface's error object.
    pub body: Bytes,
}

/// Renders the fault of a request that came over a socket.
pub fn refusal(surface: SurfaceId, fault: &Fault, tried: &[Tried], arrival: Arrival) -> Refusal {
    let (status, body) = render(surface, fault, arrival);
    Refusal { status, body: with_attempts(body, tried) }
}

/// 421: the `Host` is not ours.
pub fn misdirected(surface: SurfaceId, arrival: Arrival) -> Response<OutBody> {
    let why = "this gateway does not answer to that Host; use 127.0.0.1 or localhost, or list the name under \
               server.allowed_hosts";
    let mut response = answer(surface, &Fault::malformed(None, why), arrival);
    *response.status_mut() = StatusCode::MISDIRECTED_REQUEST;
    response
}
