//! Whether the same target is worth another try, and after how long.

use std::time::Duration;

use wire::fault::{Blame, Fault};

/// Tries of one request in all, over all its targets, beyond which nothing is tried twice.
const MOST_ATTEMPTS: u32 = 3;

/// The longest that a client is held between tries, in sum; a longer wait is its own to plan.
const LONGEST_HELD: Duration = Duration::from_secs(2);

/// The first pause before jitter; doubled with each attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How long to wait before the same target is tried again; `None`: do not.
///
/// Only an error that the upstream stated itself is worth it. A refused connection or a failed handshake seldom heals in
/// a second, and after a timeout or a broken answer the work may have been done and billed.
pub(super) fn pause(fault: &Fault, attempts: u32, held: Duration, dice: u64) -> Option<Duration> {
    let stated = matches!(fault, Fault::Upstream(_)) && fault.blame() == Blame::Upstream;
    if !stated || attempts >= MOST_ATTEMPTS {
        return None;
    }
    let pause = jittered(FIRST_PAUSE * 2_u32.pow(attempts.saturating_sub(1)), dice);
    let pause = pause.max(fault.retry_after().unwrap_or_default());
    (held.checked_add(pause)? <= LONGEST_HELD).then_some(pause)
}

/// Between half and all of the pause, so that clients which failed together do not come back together.
fn jittered(pause: Duration, dice: u64) -> Duration {
    let share = 500 + (dice % 501) as u32;
    pause * share / 1000
}

#[cfg(test)]
mod tests {
    use wire::fault::{Class, Phase, UpstreamFault};

    use super::*;

    fn stated(class: Class, retry_after: Option<u64>) -> Fault {
        let retry_after = retry_after.map(Duration::from_secs);
        UpstreamFault {
            provider: "acme".into(),
            status: 500,
            class,
            message: String::new(),
            param: None,
            code: None,
            retry_after,
            original: None,
        }
        .into()
    }

    fn millis(fault: &Fault, attempts: u32, held: u64, dice: u64) -> Option<u128> {
        pause(fault, attempts, Duration::from_millis(held), dice).map(|pause| pause.as_millis())
    }

    #[test]
    fn pauses_double_and_are_jittered_by_the_dice() {
        let fault = stated(Class::Server, None);
        assert_eq!(millis(&fault, 1, 0, 0), Some(125));
        assert_eq!(millis(&fault, 1, 0, 500), Some(250));
        assert_eq!(millis(&fault, 2, 0, 500), Some(500));
    }

    #[test]
    fn three_attempts_are_the_most() {
        assert_eq!(millis(&stated(Class::Server, None), 3, 0, 0), None);
    }

    #[test]
    fn a_short_retry_after_is_honoured_and_a_long_one_ends_it() {
        assert_eq!(millis(&stated(Class::RateLimit, Some(1)), 1, 0, 0), Some(1000));
        assert_eq!(millis(&stated(Class::RateLimit, Some(3)), 1, 0, 0), None);
        assert_eq!(millis(&stated(Class::RateLimit, Some(u64::MAX)), 1, 1, 0), None);
    }

    #[test]
    fn a_client_is_not_held_longer_than_two_seconds_in_all() {
        assert_eq!(millis(&stated(Class::RateLimit, Some(1)), 2, 1000, 0), Some(1000));
        assert_eq!(millis(&stated(Class::RateLimit, Some(1)), 2, 1001, 0), None);
    }

    #[test]
    fn only_an_error_that_the_upstream_stated_is_worth_another_try() {
        let provider = || "acme".to_owned();
        let why = || "TLS: unknown issuer".to_owned();
        let after = Duration::from_secs(5);
        for fault in [
            Fault::Unreachable { provider: provider(), why: why() },
            Fault::Timeout { provider: provider(), phase: Phase::Connect, after },
            Fault::Cut { provider: provider(), why: why() },
            Fault::BadAnswer { provider: provider(), why: why() },
            stated(Class::Auth, None),
            stated(Class::NotFound, None),
        ] {
            assert_eq!(millis(&fault, 1, 0, 0), None, "{fault:?}");
        }
    }
}
