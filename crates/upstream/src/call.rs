//! What is sent, where, and what comes back.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

use crate::body::Body;
use crate::endpoint::Endpoint;
use crate::in_process::InProcess;

/// One request to a provider.
#[derive(Clone)]
pub struct Call {
    /// The provider's id, for the text of faults.
    pub provider: Arc<str>,
    #[expect(missing_docs, reason = "the type says it")]
    pub to: Destination,
    /// Sent as they are, in this order, but for those that frame the message or govern the connection (`host`,
    /// `content-length`, `accept-encoding`, ...), which are ours.
    pub headers: HeaderMap,
    /// Sent one after the other, not copied together.
    pub body: Vec<Bytes>,
    #[expect(missing_docs, reason = "the type says it")]
    pub timeouts: Timeouts,
}

/// Where a call goes.
#[derive(Clone)]
pub enum Destination {
    /// Over HTTP/1.1: as a POST, or as a GET, whose body is not sent ([`Endpoint::to_read`]).
    Http(Arc<Endpoint>),
    /// To a provider within this process; no deadline applies.
    InProcess(Arc<dyn InProcess>),
}

/// How long a provider may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a fresh connection stands: look-up, TCP and TLS together.
    pub connect: Duration,
    /// From the first byte of the request until the whole head of the answer is there, however it trickles.
    pub head: Duration,
    /// Silence within the body, while somebody waits for it.
    pub idle: Duration,
    /// Everything, from the call to the last byte.
    pub total: Option<Duration>,
}

/// The head of an answer, and its body as it comes. Any status, also 3xx: redirects are not followed.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status, 200 to 599.
    pub status: u16,
    #[expect(missing_docs, reason = "the name says it")]
    pub headers: HeaderMap,
    #[expect(missing_docs, reason = "the type says it")]
    pub body: Body,
}
