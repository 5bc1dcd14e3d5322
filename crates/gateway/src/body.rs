//! Bodies in both directions.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, EXPECT};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use wire::Fault;

use crate::clock;
use crate::exchange::Relay;

/// Silence while a request's body is being sent, after which it is given up.
const BODY_IDLE: Duration = Duration::from_secs(30);
/// A body may take so long, and a second more for each so many bytes of it: who drips holds nothing for long.
/// Source of the rate: the default of Apache's mod_reqtimeout, read 2026-11-25.
const BODY_TIME: Duration = Duration::from_secs(10);
const BODY_BYTES_A_SECOND: f64 = 500.0;

/// What is read, and how long, of a body that nobody wants: those of most requests, which arrive along with their head.
const UNWANTED_LIMIT: usize = 64 * 1024;
const UNWANTED_TIME: Duration = Duration::from_millis(200);

/// Body of an answer. A stream that breaks ends in its dialect's error event; it fails only where clients of the dialect
/// take any end for a clean one.
pub enum OutBody {
    /// Known whole; several pieces when an answer was spliced.
    Whole(VecDeque<Bytes>),
    /// Arrives from an upstream.
    Stream(Box<Relay>),
    /// Made by a library.
    Boxed(BoxBody<Bytes, Infallible>),
}

impl OutBody {
    /// No bytes at all.
    pub fn empty() -> Self {
        OutBody::Whole(VecDeque::new())
    }
}

impl From<Bytes> for OutBody {
    fn from(bytes: Bytes) -> Self {
        Vec::from([bytes]).into()
    }
}

impl From<Vec<Bytes>> for OutBody {
    fn from(pieces: Vec<Bytes>) -> Self {
        OutBody::Whole(pieces.into_iter().filter(|piece| !piece.is_empty()).collect())
    }
}

/// The upstream failed in mid-stream; the connection to the client is cut, so that the client notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenOff;

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the upstream broke off, and so does the answer")
    }
}

impl std::error::Error for BrokenOff {}

impl Body for OutBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut *self {
            OutBody::Whole(pieces) => Poll::Ready(pieces.pop_front().map(|piece| Ok(Frame::data(piece)))),
            OutBody::Stream(relay) => {
                relay.poll_bytes(cx).map(|bytes| bytes.map(|bytes| bytes.map(Frame::data)))
            }
            OutBody::Boxed(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            OutBody::Whole(pieces) => pieces.is_empty(),
            OutBody::Stream(_) => false,
            OutBody::Boxed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            OutBody::Whole(pieces) => {
                SizeHint::with_exact(pieces.iter().map(|piece| piece.len() as u64).sum())
            }
            OutBody::Stream(_) => SizeHint::default(),
            OutBody::Boxed(body) => body.size_hint(),
        }
    }
}

/// Reads a request's body, never more than `limit` bytes of it: a larger one is refused by its announced length, or
/// as soon as it passes the limit.
///
/// # Errors
/// `TooLarge`, or `Malformed` when the client breaks off or stalls.
pub async fn read_limited(mut body: Incoming, limit: usize) -> Result<Bytes, Fault> {
    let announced = body.size_hint().lower();
    if announced > limit as u64 {
        return Err(Fault::TooLarge { limit: limit as u64 });
    }
    let began = clock::now();
    let Some(first) = next_piece(&mut body, BODY_TIME).await? else { return Ok(Bytes::new()) };
    if body.is_end_stream() && first.len() <= limit {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(announced as usize);
    let mut next = Some(first);
    while let Some(piece) = next {
        if whole.len() + piece.len() > limit {
            return Err(Fault::TooLarge { limit: limit as u64 });
        }
        whole.extend_from_slice(&piece);
        let earned = Duration::from_secs_f64(whole.len() as f64 / BODY_BYTES_A_SECOND);
        let left = (BODY_TIME + earned).saturating_sub(clock::now() - began);
        next = next_piece(&mut body, left).await?;
    }
    Ok(whole.freeze())
}

/// An answer to a request whose body nobody has read. Where it cannot be passed over, the connection ends.
pub async fn turned_away(request: Request<Incoming>, answer: Response<OutBody>) -> Response<OutBody> {
    if pass_over(request).await { answer } else { last(answer) }
}

/// An answer behind which the connection ends, since the body before it was not read to its end. It says so: a client that
/// took the connection for open would see its next request fail.
pub fn last(mut answer: Response<OutBody>) -> Response<OutBody> {
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// Reads a body that nobody wants, and says whether it is over: then its connection can be used again. A large or slow
/// one is not waited for, nor one that is only sent on demand.
pub async fn pass_over(request: Request<Incoming>) -> bool {
    let on_demand = request.headers().contains_key(EXPECT);
    let body = request.into_body();
    if body.is_end_stream() {
        return true;
    }
    if on_demand || body.size_hint().lower() > UNWANTED_LIMIT as u64 {
        return false;
    }
    matches!(clock::timeout(UNWANTED_TIME, read_limited(body, UNWANTED_LIMIT)).await, Ok(Ok(_)))
}

async fn next_piece(body: &mut Incoming, within: Duration) -> Result<Option<Bytes>, Fault> {
    loop {
        let frame = match clock::timeout(within.min(BODY_IDLE), body.frame()).await {
            Ok(None) => return Ok(None),
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) => {
                return Err(Fault::malformed(None, "the request body ended before it was complete"));
            }
            Err(_) => return Err(Fault::malformed(None, "the request body did not arrive in time")),
        };
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
}

/// JSON, and not compressed. A page of another origin cannot send JSON without a preflight, which is what keeps forms
/// of strangers out of a gateway without keys.
pub fn demand_json(headers: &HeaderMap) -> Result<(), Fault> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let is_json = media_type.eq_ignore_ascii_case("application/json") || media_type.ends_with("+json");
    if !is_json {
        let why = format!("the body must be sent as 'Content-Type: application/json', not '{media_type}'");
        return Err(Fault::MediaType { why });
    }
    match headers.get(CONTENT_ENCODING).map(http::HeaderValue::as_bytes) {
        None | Some(b"identity") => Ok(()),
        Some(_) => {
            Err(Fault::MediaType { why: "compressed request bodies are not accepted; send it plain".into() })
        }
    }
}
