//! What has been seen of providers decides who is asked; on a clock that is passed in.

use std::sync::Arc;
use std::time::Duration;

use policy::{
    BreakerSettings, Budget, Choice, Health, KeyId, Model, Next, Pace, Provider, Reason, Snapshot, Standing,
    Verdict, plan,
};
use proptest::prelude::*;
use wire::Fault;
use wire::fault::{Class, UpstreamFault};

use super::support::{ask, provider};

const KEY: KeyId = KeyId::CONFIGURED;
const DAY: u64 = 86_400;

fn stated(class: Class, retry_after: Option<Duration>) -> Fault {
    UpstreamFault {
        provider: "a".into(),
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

fn name(text: &str) -> Arc<str> {
    text.into()
}

/// Every provider has the configured key.
struct At<'a>(&'a Health, Duration);

impl Standing for At<'_> {
    fn unavailable(&self, _: usize, _: &Provider, _: &str) -> Option<Reason> {
        None
    }

    fn verdict(&self, provider: &Provider, model: &Model, _: &str, _: Option<&Arc<str>>) -> Verdict {
        self.0.verdict(&provider.id, &model.id, &[KEY], self.1)
    }

    fn pace(&self, provider: &Provider, model: &Model) -> Pace {
        self.0.pace(&provider.id, &model.id)
    }
}

fn fails(health: &mut Health, (of, model): (&str, &str), fault: &Fault, now: Duration) {
    health.begin(&name(of), &name(model), now);
    health.failed(&name(of), &name(model), Some(KEY), fault, now);
    health.end(&name(of), &name(model));
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_bad_model_locks_neither_its_provider_nor_its_key() {
    let mut health = Health::default();
    for class in [Class::Server, Class::Overloaded, Class::Timeout, Class::RateLimit, Class::Permission] {
        (0..20).for_each(|_| fails(&mut health, ("a", "bad"), &stated(class, None), seconds(1)));
    }
    assert_ne!(health.verdict(&name("a"), &name("bad"), &[KEY], seconds(1)), Verdict::Well);
    assert_eq!(health.verdict(&name("a"), &name("good"), &[KEY], seconds(1)), Verdict::Well);
}

#[test]
fn a_provider_that_cannot_be_reached_rests_with_all_its_models() {
    let mut health = Health::default();
    let fault = Fault::Unreachable { provider: "a".into(), why: String::new() };
    for model in ["m0", "m1", "m2", "m3", "m4"] {
        fails(&mut health, ("a", model), &fault, seconds(0));
    }
    let verdict = health.verdict(&name("a"), &name("m9"), &[KEY], seconds(1));
    assert_eq!(verdict, Verdict::Resting(Reason::BreakerOpen(seconds(29))));
    assert_eq!(health.verdict(&name("b"), &name("m0"), &[KEY], seconds(1)), Verdict::Well);
}

#[test]
fn a_client_that_asks_nonsense_opens_nothing() {
    let mut health = Health::default();
    for class in [Class::BadRequest, Class::TooLarge, Class::Unprocessable, Class::NotFound] {
        (0..100).for_each(|_| fails(&mut health, ("a", "m"), &stated(class, None), seconds(0)));
    }
    assert_eq!(health.breakers().count(), 0);
    assert_eq!(health.verdict(&name("a"), &name("m"), &[KEY], seconds(0)), Verdict::Well);
}

#[test]
fn one_key_of_a_pool_is_enough_and_a_refused_one_is_the_last_resort() {
    let mut health = Health::default();
    let keys = [KeyId(1), KeyId(2)];
    let (a, m) = (name("a"), name("m"));
    health.failed(&a, &m, Some(keys[0]), &stated(Class::RateLimit, Some(seconds(20))), seconds(0));
    assert_eq!(health.verdict(&a, &m, &keys, seconds(1)), Verdict::Well);
    health.failed(&a, &m, Some(keys[1]), &stated(Class::RateLimit, Some(seconds(9))), seconds(0));
    let resting = Verdict::Resting(Reason::CoolingDown(seconds(8)));
    assert_eq!(health.verdict(&a, &m, &keys, seconds(1)), resting);
    health.failed(&a, &m, Some(keys[1]), &stated(Class::Auth, None), seconds(2));
    assert_eq!(health.verdict(&a, &m, &keys, seconds(2)), Verdict::LastResort);
    health.credentials_changed();
    assert_eq!(health.verdict(&a, &m, &keys, seconds(2)), Verdict::Well);
}

#[test]
fn a_skipped_first_choice_makes_the_others_fallbacks_and_nobody_left_says_how_long_to_wait() {
    let world = Snapshot::new(vec![provider("a", &["m"]), provider("b", &["m"])]);
    let mut health = Health::default();
    (0..5).for_each(|_| fails(&mut health, ("a", "m"), &stated(Class::Server, None), seconds(0)));
    let made = plan(&ask(Some("m")), &world, &At(&health, seconds(1))).unwrap();
    assert_eq!((&*made.targets()[0].provider.id, made.targets()[0].reason), ("b", Choice::Fallback));
    assert_eq!(made.skipped()[0].why, Reason::BreakerOpen(seconds(29)));
    (0..5).for_each(|_| fails(&mut health, ("b", "m"), &stated(Class::Server, None), seconds(5)));
    let fault = plan(&ask(Some("m")), &world, &At(&health, seconds(10))).unwrap_err();
    assert_eq!((fault.status().as_u16(), fault.retry_after()), (503, Some(seconds(20))), "{fault}");
    assert!(plan(&ask(Some("m")), &world, &At(&health, seconds(30))).is_ok(), "a probe may go");
}

#[test]
fn an_outage_of_a_minute_at_200_requests_a_second_gets_no_tenth_more_than_was_asked() {
    let world = Snapshot::new(vec![provider("a", &["m"])]);
    for enabled in [true, false] {
        let mut health = Health::new(BreakerSettings { enabled, ..BreakerSettings::default() });
        let mut budget = Budget::default();
        let (mut asked, mut sent) = (0_u32, 0_u32);
        for tick in 0..60 * 200_u64 {
            let now = Duration::from_millis(tick * 5);
            asked += 1;
            budget.pay_in();
            let Ok(mut made) = plan(&ask(Some("m")), &world, &At(&health, now)) else { continue };
            let mut next = made.first();
            while let Next::Try(_) | Next::Wait { .. } = next {
                sent += 1;
                let fault = stated(Class::Server, None);
                fails(&mut health, ("a", "m"), &fault, now);
                next = made.after(fault, tick, &mut budget);
            }
        }
        assert!(sent <= asked + asked / 10, "{sent} sent for {asked}");
        assert!(!enabled || sent < 40, "an open breaker lets probes through and nothing else: {sent}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A key has a quota that is used up and comes back. Whatever the provider says of the wait, and however often it is
    /// asked meanwhile, the key is in use again a minute after at the latest, and at once where the hint was right.
    #[test]
    fn no_key_is_locked_out_beyond_its_quotas_reset(
        reset in 1..DAY,
        honest in any::<bool>(),
        hint in prop::option::of(0..20 * DAY),
        period in 5_u64..120,
    ) {
        let mut health = Health::default();
        let (a, m) = (name("a"), name("m"));
        let mut answered = None;
        for now in (0..2 * DAY).step_by(usize::try_from(period).unwrap()).map(seconds) {
            if health.verdict(&a, &m, &[KEY], now) != Verdict::Well {
                continue;
            }
            if now >= seconds(reset) {
                answered = Some(now);
                break;
            }
            let hint = if honest { Some(seconds(reset) - now) } else { hint.map(seconds) };
            fails(&mut health, ("a", "m"), &stated(Class::RateLimit, hint), now);
        }
        let late = answered.expect("it comes back within two days") - seconds(reset);
        let trust = if honest { 0 } else if hint.is_some() { 600 } else { 60 };
        prop_assert!(late <= seconds(trust + period), "{late:?} after its reset");
    }

    /// A day of traffic in which one of three models is ill for a while: the others are always asked, and the ill one is
    /// asked again soon after it is well.
    #[test]
    fn in_a_day_with_an_outage_only_what_is_ill_rests(from in 0..DAY / 2, length in 60..DAY / 4, step in 7_u64..30) {
        let mut health = Health::default();
        let a = name("a");
        let mut back = None;
        for now in (0..DAY).step_by(usize::try_from(step).unwrap()).map(seconds) {
            let ill = now >= seconds(from) && now < seconds(from + length);
            for model in ["m0", "m1", "m2"].map(name) {
                let verdict = health.verdict(&a, &model, &[KEY], now);
                if &*model != "m0" {
                    prop_assert_eq!(verdict, Verdict::Well);
                }
                if verdict != Verdict::Well {
                    continue;
                }
                if ill && &*model == "m0" {
                    fails(&mut health, ("a", "m0"), &stated(Class::Server, None), now);
                    continue;
                }
                health.begin(&a, &model, now);
                health.answering(&a, &model, Some(KEY), (seconds(1), true), now);
                health.succeeded(&a, &model, now);
                health.end(&a, &model);
                if &*model == "m0" && now >= seconds(from + length) && back.is_none() {
                    back = Some(now);
                }
            }
        }
        let late = back.expect("it is asked again") - seconds(from + length);
        prop_assert!(late <= seconds(30 + step), "{late:?}");
        prop_assert_eq!(health.breakers().count(), 0);
        prop_assert_eq!(health.pace(&a, &name("m0")).in_flight, 0);
        prop_assert_eq!(health.pace(&a, &name("m1")).first_token, Some(seconds(1)));
    }
}
