//! The answer to the client: status, the gateway's headers, body.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use wire::dialect::Echo;
use wire::frame::Framing;

use super::admit::Inbound;
use super::meter::{Meter, codes};
use super::relay::Relay;
use crate::body::OutBody;

/// What the client gets.
pub struct Answer {
    #[allow(missing_docs)]
    pub status: StatusCode,
    #[allow(missing_docs)]
    pub headers: HeaderMap,
    #[allow(missing_docs)]
    pub body: OutBody,
}

const PROVIDER: HeaderName = HeaderName::from_static("x-gateway-provider");
const MODEL: HeaderName = HeaderName::from_static("x-gateway-model");
const REQUESTED_MODEL: HeaderName = HeaderName::from_static("x-gateway-requested-model");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-gateway-attempts");
const WARNINGS: HeaderName = HeaderName::from_static("x-gateway-warnings");
const OVERHEAD_MS: HeaderName = HeaderName::from_static("x-gateway-overhead-ms");
const COST_USD: HeaderName = HeaderName::from_static("x-gateway-cost-usd");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
/// Asks proxies in front of us (nginx) not to collect a stream before passing it on.
const UNBUFFERED: HeaderValue = HeaderValue::from_static("no");

impl Answer {
    pub(super) fn whole(inbound: &Inbound, mut meter: Meter, echo: &Echo, pieces: Vec<Bytes>) -> Self {
        let mut headers = routing_headers(inbound, &meter, echo);
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(CACHE_CONTROL, NO_STORE);
        if let Some(nanos) = echo.cost_nanos {
            headers.insert(COST_USD, header_text(&policy::Money::from_nanos(nanos).to_string()));
        }
        meter.first_byte();
        meter.complete(200);
        Self { status: StatusCode::OK, headers, body: pieces.into() }
    }

    pub(super) fn stream(inbound: &Inbound, meter: Meter, echo: &Echo, relay: Relay) -> Self {
        let mut headers = routing_headers(inbound, &meter, echo);
        if let Some(model) = relay.model() {
            headers.insert(MODEL, header_text(model));
        }
        let is_sse = echo.framing == Framing::Sse;
        headers.insert(CONTENT_TYPE, if is_sse { EVENT_STREAM } else { JSON });
        headers.insert(CACHE_CONTROL, NO_CACHE);
        headers.insert(ACCEL_BUFFERING, UNBUFFERED);
        Self {
            status: StatusCode::OK,
            headers,
            body: OutBody::Stream(Box::new(relay.until(inbound.time_limit).begin(meter))),
        }
    }
}

/// What every answer says about its way through the gateway.
fn routing_headers(inbound: &Inbound, meter: &Meter, echo: &Echo) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(PROVIDER, header_text(&echo.resolved_provider));
    headers.insert(MODEL, header_text(meter.model_answered().unwrap_or(&echo.resolved_model)));
    if let Some(model) = &inbound.peek.model {
        headers.insert(REQUESTED_MODEL, header_text(model));
    }
    headers.insert(ATTEMPTS, meter.attempts().into());
    headers.insert(OVERHEAD_MS, millis(meter.overhead()));
    if !meter.losses().is_empty() {
        headers.insert(WARNINGS, header_text(&codes(meter.losses())));
    }
    headers
}

/// Milliseconds with three digits.
fn millis(duration: Duration) -> HeaderValue {
    let micros = duration.as_micros();
    header_text(&format!("{}.{:03}", micros / 1000, micros % 1000))
}

/// Text as a header; what a header cannot hold becomes `?`.
fn header_text(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| {
        let plain: String = text.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect();
        HeaderValue::from_str(&plain).unwrap_or_else(|_| HeaderValue::from_static("?"))
    })
}
