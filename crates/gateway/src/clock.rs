//! The only place that asks the time or throws dice.

use std::time::{SystemTime, UNIX_EPOCH};

pub use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout, timeout_at};
use uuid::Uuid;

/// Monotonic time, for durations and deadlines.
pub fn now() -> Instant {
    Instant::now()
}

/// Wall-clock time in microseconds since 1970, for records. Never negative.
pub fn wall_micros() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
}

/// Wall-clock time as the system states it.
pub fn system() -> SystemTime {
    SystemTime::now()
}

/// Wall-clock time in seconds since 1970.
pub fn wall_seconds() -> u64 {
    u64::try_from(wall_micros() / 1_000_000).unwrap_or_default()
}

/// Wall-clock time as the store keeps it.
pub fn wall() -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(wall_micros()).unwrap_or_default()
}

/// A new id: sorted by time, and random enough to serve as a throw of dice.
pub fn request_id() -> Uuid {
    Uuid::now_v7()
}

/// A throw of dice, from the random part of an id.
pub fn dice(id: Uuid) -> u64 {
    id.as_u64_pair().1
}
