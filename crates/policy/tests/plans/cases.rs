//! What a route does in one case only: prompts that are too long, declined ones, conversations that go on, silence.

use std::sync::Arc;
use std::time::Duration;

use policy::{
    Ask, Budget, Choice, Condition, KeyId, Member, Modality, Needs, Next, Pin, Plan, Provider, Reason, Route,
    Snapshot, Standing, Strategy, plan,
};
use wire::Fault;
use wire::fault::{Class, UpstreamFault};

use super::support::{ask, provider, targets};

fn member(provider: &str) -> Member {
    Member { provider: Some(provider.to_owned()), ..Member::default() }
}

fn route(members: &[&str]) -> Route {
    let members = members.iter().map(|name| member(name)).collect();
    Route { name: "smart".into(), members, ..Route::default() }
}

fn world(route: Route) -> Snapshot {
    let providers = ["a", "b", "c", "d"].map(|id| provider(id, &["m"]));
    Snapshot::new(providers.into()).with_routes(vec![route])
}

/// Everybody is available; one conversation has been answered before.
#[derive(Default)]
struct Live {
    pin: Option<(u64, Pin)>,
}

impl Standing for Live {
    fn unavailable(&self, _: usize, _: &Provider, _: &str) -> Option<Reason> {
        None
    }

    fn keys_named(&self, provider: &Provider, _: &str, name: &str) -> Vec<KeyId> {
        let known = [("a", "one", KeyId(1)), ("a", "two", KeyId(2))];
        let is_it = |known: &&(&str, &str, KeyId)| (known.0, known.1) == (&*provider.id, name);
        known.iter().filter(is_it).map(|(_, _, id)| *id).collect()
    }

    fn pinned(&self, _: &Arc<str>, session: u64) -> Option<Pin> {
        self.pin.as_ref().filter(|(of, _)| *of == session).map(|(_, pin)| pin.clone())
    }
}

fn stated(class: Class, code: Option<&str>) -> Fault {
    Fault::from(UpstreamFault {
        provider: "a".into(),
        status: 400,
        class,
        message: String::new(),
        param: None,
        code: code.map(str::to_owned),
        retry_after: None,
        original: None,
    })
}

fn smart(route: Route) -> Plan {
    plan(&ask(Some("smart")), &world(route), &Live::default()).expect("a plan")
}

/// Who is tried after whom, when each fails in this way.
fn tried(mut plan: Plan, fault: impl Fn() -> Fault) -> Vec<String> {
    let mut tried = Vec::new();
    let mut next = plan.first();
    while let Next::Try(target) = next {
        tried.push(target.provider.id.to_string());
        next = plan.after(fault(), 0, &mut Budget::default());
    }
    tried
}

#[test]
fn a_reserve_is_tried_in_its_own_case_and_in_no_other() {
    let route =
        || Route { when_too_long: vec![member("c")], when_refused: vec![member("d")], ..route(&["a", "b"]) };
    let unreachable = || Fault::Unreachable { provider: "a".into(), why: String::new() };
    assert_eq!(tried(smart(route()), unreachable), ["a", "b"]);
    assert_eq!(tried(smart(route()), || stated(Class::ContextTooLong, None)), ["a", "b", "c"]);
    assert_eq!(tried(smart(route()), || stated(Class::BadRequest, Some("content_filter"))), ["a", "d"]);
    assert_eq!(tried(smart(route()), || stated(Class::BadRequest, Some("bad"))), ["a"]);
    let reasons: Vec<Choice> = smart(route()).targets().iter().map(|target| target.reason).collect();
    assert_eq!(reasons, [Choice::Route, Choice::Fallback, Choice::WhenTooLong, Choice::WhenRefused]);
}

#[test]
fn only_targets_with_somebody_behind_them_pass_refusals_on() {
    let passes =
        |plan: Plan| plan.targets().iter().map(|target| target.passes_refusals_on).collect::<Vec<_>>();
    assert_eq!(passes(smart(route(&["a", "b"]))), [false, false]);
    let with_two = Route { when_refused: vec![member("c"), member("d")], ..route(&["a"]) };
    assert_eq!(passes(smart(with_two)), [true, true, false]);
}

#[test]
fn strict_wants_no_reserve_either() {
    let with_reserve = world(Route { when_refused: vec![member("d")], ..route(&["a", "b"]) });
    let strict = Ask { strict: true, ..ask(Some("smart")) };
    let made = plan(&strict, &with_reserve, &Live::default()).unwrap();
    assert!(!made.targets()[0].passes_refusals_on);
    assert_eq!(targets(Ok(made)), ["a:m"]);
}

#[test]
fn a_conversation_goes_back_to_who_answered_it_with_the_same_key_and_says_so() {
    let sticky = Route {
        sticky: Some(Duration::from_secs(60)),
        strategy: Strategy::RoundRobin,
        ..route(&["a", "b", "c"])
    };
    let world = world(sticky);
    let pin = Pin { provider: "c".into(), model: "m".into(), key: Some(KeyId(7)) };
    let live = Live { pin: Some((1, pin)) };
    let of = |session| plan(&Ask { session, ..ask(Some("smart")) }, &world, &live).unwrap();
    let made = of(Some(1));
    assert_eq!((made.targets()[0].reason, made.targets()[0].warm_key), (Choice::Sticky, Some(KeyId(7))));
    assert!(!made.targets()[0].is_fallback() && made.targets()[1].is_fallback());
    assert!(made.explain(&world)[0].contains("prompt in the cache"));
    assert_eq!(targets(Ok(made)), ["c:m", "a:m", "b:m"]);
    for other in [Some(2), None] {
        assert_eq!(targets(Ok(of(other)))[0], "a:m");
    }
}

#[test]
fn a_member_with_a_key_is_a_target_of_its_own_and_one_that_is_missing_is_told() {
    let keyed = |key: &str| Member { key: Some(key.into()), ..member("a") };
    let pool = Route { members: vec![keyed("one"), keyed("two"), keyed("three")], ..route(&[]) };
    let pool = Route { sticky: Some(Duration::from_secs(60)), ..pool };
    let world = world(pool);
    let pin = Pin { provider: "a".into(), model: "m".into(), key: Some(KeyId(2)) };
    let live = Live { pin: Some((1, pin)) };
    let keys = |session| {
        let made = plan(&Ask { session, ..ask(Some("smart")) }, &world, &live).unwrap();
        made.targets().iter().map(|target| target.key.as_deref().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(None), ["one", "two"]);
    assert_eq!(keys(Some(1)), ["two", "one"]);
    let made = plan(&ask(Some("smart")), &world, &live).unwrap();
    assert!(made.skipped().iter().any(|skipped| skipped.why == Reason::NoSuchKey));
    assert!(made.explain(&world)[0].contains("key one"));
}

#[test]
fn the_target_beside_is_the_next_regular_one_and_is_paid_for() {
    let hedged = |members| Route {
        hedge: Some(Duration::from_millis(300)),
        when_refused: vec![member("d")],
        ..route(members)
    };
    let mut budget = Budget::default();
    let mut plan = smart(hedged(&["a", "b"]));
    assert_eq!(plan.hedge(), Some(Duration::from_millis(300)));
    assert_eq!(&*plan.beside(&mut budget).unwrap().provider.id, "b");
    assert!(plan.beside(&mut budget).is_none(), "a reserve waits for its case");
    assert!(smart(hedged(&["a"])).beside(&mut budget).is_none());
    let granted = (0..100).filter(|_| smart(hedged(&["a", "b"])).beside(&mut budget).is_some()).count();
    assert!(granted < 20, "{granted}");
}

#[test]
fn everything_that_a_condition_mentions_has_to_be_true() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let tags = texts(&["batch"]);
    let fitting = || Ask {
        key: Some("CI-7"),
        tags: &tags,
        size: 500,
        needs: Needs { images: true, tools: true, ..Needs::default() },
        project: "alpha",
        ..ask(Some("gpt-4o"))
    };
    let when = Condition {
        models: texts(&["gpt-*"]),
        projects: texts(&["alpha"]),
        keys: texts(&["ci-?"]),
        tags: texts(&["nightly", "batch"]),
        least: Some(100),
        most: Some(1000),
        modalities: vec![Modality::Images, Modality::Audio],
        tools: Some(true),
    };
    let only = Route { when, ..route(&["a"]) };
    assert!(only.holds(&fitting()));
    let needs = |images, tools| Needs { images, tools, ..Needs::default() };
    for other in [
        Ask { model: Some("o3"), ..fitting() },
        Ask { model: None, ..fitting() },
        Ask { project: "beta", ..fitting() },
        Ask { key: Some("web"), ..fitting() },
        Ask { key: None, ..fitting() },
        Ask { tags: &[], ..fitting() },
        Ask { size: 99, ..fitting() },
        Ask { size: 1001, ..fitting() },
        Ask { needs: needs(false, true), ..fitting() },
        Ask { needs: needs(true, false), ..fitting() },
    ] {
        assert!(!only.holds(&other), "{other:?}");
    }
}

#[test]
fn a_pattern_for_all_holds_for_requests_without_a_model_too() {
    let all = Condition { models: vec!["*".to_owned()], ..Condition::default() };
    let world = world(Route { when: all, ..route(&["b"]) });
    assert_eq!(targets(plan(&ask(None), &world, &Live::default())), ["b:m"]);
    assert_eq!(targets(plan(&ask(Some("anything")), &world, &Live::default())), ["b:m"]);
}
