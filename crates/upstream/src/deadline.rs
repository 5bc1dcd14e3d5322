//! Deadlines, and the one timer that watches them. The only place of this crate that asks the time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};
use wire::Fault;
use wire::fault::Phase;

/// Now, on the monotonic clock of the runtime.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// When something must have happened, and what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    phase: Phase,
    /// The bound that `at` comes from.
    after: Duration,
}

impl Deadline {
    pub(crate) fn new(from: Instant, after: Duration, phase: Phase) -> Self {
        // An `after` beyond what the clock can say means "never"; 30 years come close.
        let at = from.checked_add(after).unwrap_or_else(|| from + Duration::from_secs(30 * 365 * 86_400));
        Deadline { at, phase, after }
    }

    /// The one that comes first.
    pub(crate) fn or_sooner(self, other: Option<Deadline>) -> Self {
        other.filter(|other| other.at < self.at).unwrap_or(self)
    }

    pub(crate) fn fault(&self, provider: &str) -> Fault {
        Fault::Timeout { provider: provider.to_owned(), phase: self.phase, after: self.after }
    }
}

/// A timer for a deadline that moves. It is set on the first wait, again only when it has run out early or the
/// deadline moved closer; so a deadline that each chunk puts off costs nothing a chunk.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Ready once `deadline` has passed.
    pub(crate) fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if deadline < sleep.deadline() {
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if deadline <= sleep.deadline() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_put_off_again_and_again_rings_after_the_last_one() {
        let (start, mut alarm) = (now(), Alarm::default());
        for second in 1..=5 {
            let deadline = start + Duration::from_secs(second + 2);
            let step = tokio::time::timeout(Duration::from_secs(1), poll_fn(|cx| alarm.poll(deadline, cx)));
            assert!(step.await.is_err(), "second {second}");
        }
        poll_fn(|cx| alarm.poll(start + Duration::from_secs(7), cx)).await;
        assert_eq!(now() - start, Duration::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_moves_closer_rings_sooner() {
        let (start, mut alarm) = (now(), Alarm::default());
        let far = poll_fn(|cx| alarm.poll(start + Duration::from_secs(600), cx));
        assert!(tokio::time::timeout(Duration::from_secs(1), far).await.is_err());
        poll_fn(|cx| alarm.poll(start + Duration::from_secs(3), cx)).await;
        assert_eq!(now() - start, Duration::from_secs(3));
    }

    #[test]
    fn the_sooner_deadline_names_the_fault() {
        let total = Deadline::new(now(), Duration::from_secs(1), Phase::Total);
        let idle = Deadline::new(now(), Duration::from_secs(5), Phase::Idle);
        assert_eq!(
            idle.or_sooner(Some(total)).fault("acme").to_string(),
            "acme did not finish its answer within 1 s"
        );
        assert_eq!(idle.or_sooner(None).at, idle.at);
        assert!(Deadline::new(now(), Duration::MAX, Phase::Head).at > idle.at);
    }
}
