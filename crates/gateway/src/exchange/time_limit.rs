//! How long a client is willing to wait, for a request as a whole: `x-gateway-timeout-ms`, over MCP an argument.
//!
//! The deadlines of connections, heads and pauses are `upstream`'s and hold besides: the earliest of all cuts. Those say
//! something of the provider; this one does not, so that an impatient client opens no breaker for others.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use wire::Fault;

use crate::arrival::Arrival;
use crate::clock::{self, Instant, Sleep};

const HEADER: HeaderName = HeaderName::from_static("x-gateway-timeout-ms");

/// When a client's patience ends.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimit {
    limit: Duration,
    until: Instant,
}

impl TimeLimit {
    /// A limit beyond this is a mistake: a day, in milliseconds.
    pub const MOST: u64 = 86_400_000;

    /// What a request says of it, counted from its arrival; `None`: nothing.
    ///
    /// # Errors
    /// `Malformed`, naming the header: it is there twice, or is not a whole number of milliseconds, 1 to a day's.
    pub fn of(headers: &HeaderMap, arrival: Arrival) -> Result<Option<Self>, Fault> {
        let mut values = headers.get_all(&HEADER).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let limit = milliseconds(value).filter(|_| values.next().is_none());
        let limit = limit.and_then(|number| Self::from_millis(number, arrival)).ok_or_else(|| {
            let why = format!(
                "{HEADER} must be there once, as a whole number of milliseconds, 1 to {}",
                Self::MOST
            );
            Fault::malformed(HEADER.to_string(), why)
        })?;
        Ok(Some(limit))
    }

    /// So many milliseconds from the arrival on; `None`: that is no limit, or beyond [`Self::MOST`].
    pub fn from_millis(number: u64, arrival: Arrival) -> Option<Self> {
        let limit = (1..=Self::MOST).contains(&number).then(|| Duration::from_millis(number))?;
        Some(Self { limit, until: arrival.at + limit })
    }

    /// What comes of some work. It is dropped when the limit passes, and not begun where that has passed already.
    ///
    /// # Errors
    /// `OutOfTime`.
    pub async fn within<T>(self, work: impl Future<Output = T>) -> Result<T, Fault> {
        if clock::now() >= self.until {
            return Err(self.fault());
        }
        clock::timeout_at(self.until, work).await.map_err(|_| self.fault())
    }

    /// Rings when the limit passes.
    pub(super) fn alarm(self) -> Alarm {
        Alarm { limit: self, timer: Box::pin(clock::sleep_until(self.until)) }
    }

    fn fault(self) -> Fault {
        Fault::OutOfTime { limit: self.limit }
    }
}

/// Digits only: a sign or a unit is not guessed at.
fn milliseconds(value: &HeaderValue) -> Option<u64> {
    let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok()
}

/// The limit of an answer that has begun.
pub(super) struct Alarm {
    limit: TimeLimit,
    timer: Pin<Box<Sleep>>,
}

impl Alarm {
    /// The fault in which the answer ends, when the limit has passed. Not to be asked again after that.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        self.timer.as_mut().poll(cx).map(|()| self.limit.fault())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn limit(values: &[&'static str]) -> Result<Option<Duration>, Fault> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_static(value));
        }
        Ok(TimeLimit::of(&headers, Arrival::now())?.map(|limit| limit.limit))
    }

    fn of(millis: u64) -> TimeLimit {
        let limit = Duration::from_millis(millis);
        TimeLimit { limit, until: clock::now() + limit }
    }

    #[test]
    fn a_limit_is_one_whole_number_of_milliseconds_up_to_a_day() {
        assert_eq!(limit(&[]).unwrap(), None);
        assert_eq!(limit(&["1"]).unwrap(), Some(Duration::from_millis(1)));
        assert_eq!(limit(&["86400000"]).unwrap(), Some(Duration::from_secs(86_400)));
        for wrong in ["", "0", "+5", "-1", "1.5", "2s", "5,6", "86400001", "99999999999999999999999"] {
            let fault = limit(&[wrong]).unwrap_err();
            assert_eq!((fault.status().as_u16(), fault.param()), (400, Some(HEADER.as_str())), "{wrong}");
        }
        assert!(limit(&["5", "5"]).is_err(), "which of them would hold?");
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_dropped_when_the_limit_passes_and_not_begun_after_it() {
        let limit = of(1000);
        assert_eq!(limit.within(clock::sleep(Duration::from_millis(900))).await.ok(), Some(()));
        let fault = limit.within(clock::sleep(Duration::from_millis(200))).await.unwrap_err();
        assert_eq!((fault.status().as_u16(), fault.code()), (504, "time_limit"));
        assert!(fault.to_string().contains("1000 ms"), "{fault}");
        let begun = limit.within(async { panic!("it is too late to begin") }).await;
        assert!(matches!(begun, Err(Fault::OutOfTime { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn an_alarm_rings_when_the_limit_passes() {
        let began = clock::now();
        let mut alarm = of(1500).alarm();
        let fault = poll_fn(|cx| alarm.poll(cx)).await;
        assert_eq!((clock::now() - began).as_millis(), 1500);
        assert!(matches!(fault, Fault::OutOfTime { limit } if limit.as_millis() == 1500));
    }
}
