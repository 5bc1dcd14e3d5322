//! The moment at which a request came in, and the ids it goes by.

use http::HeaderValue;
use uuid::Uuid;

use crate::clock::{self, Instant};

/// When a request came, and under which id.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// Our id of the request.
    pub id: Uuid,
    /// Monotonic.
    pub at: Instant,
    /// Wall clock.
    pub wall: jiff::Timestamp,
}

impl Arrival {
    /// A request that arrives at this moment.
    pub fn now() -> Self {
        Self { id: clock::request_id(), at: clock::now(), wall: clock::wall() }
    }
}

/// An id that may be stored and echoed: `[A-Za-z0-9._-]{1,64}`.
pub fn is_plain_id(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (1..=64).contains(&bytes.len()) && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
}
