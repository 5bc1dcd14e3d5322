//! Routes: the operator's names, strategies over their members, and what does not fit.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use policy::{
    Ask, Choice, Condition, Member, Model, Needs, Pace, Plan, Prices, Provider, Rate, Reason, Route,
    Snapshot, Standing, Strategy, plan,
};
use proptest::prelude::*;
use wire::Fault;
use wire::chat::{Abilities, Profile};

use super::support::{ask, demo, provider, targets};

fn member(name: &str) -> Member {
    let (provider, model) =
        name.split_once(':').map_or((name, None), |(provider, model)| (provider, Some(model)));
    let provider = (!provider.is_empty()).then(|| provider.to_owned());
    Member { provider, model: model.map(str::to_owned), ..Member::default() }
}

fn route(strategy: Strategy, members: &[&str]) -> Route {
    Route {
        name: "smart".into(),
        strategy,
        members: members.iter().map(|name| member(name)).collect(),
        ..Route::default()
    }
}

fn world(route: Route) -> Snapshot {
    let providers = ["a", "b", "c"].map(|id| provider(id, &["m", &format!("{id}-own")]));
    Snapshot::new(providers.into_iter().chain([demo()]).collect()).with_routes(vec![route])
}

/// Everybody is available; how busy and quick they are, and whose turn it is, is drawn.
#[derive(Default)]
struct Live {
    paces: HashMap<&'static str, Pace>,
    turn: u64,
    without: Option<&'static str>,
}

impl Standing for Live {
    fn unavailable(&self, _: usize, provider: &Provider, _: &str) -> Option<Reason> {
        (self.without == Some(&*provider.id)).then_some(Reason::NoCredential)
    }

    fn pace(&self, provider: &Provider, _: &Model) -> Pace {
        self.paces.get(&*provider.id).copied().unwrap_or_default()
    }

    fn turn(&self, _: &str) -> u64 {
        self.turn
    }
}

fn smart(route: Route, live: &Live) -> Result<Plan, Fault> {
    plan(&ask(Some("smart")), &world(route), live)
}

#[test]
fn a_route_gives_each_provider_a_model_that_it_has_and_leaves_all_others_out() {
    let made = smart(route(Strategy::InOrder, &["b:m", "c", ":a-own"]), &Live::default());
    assert_eq!(targets(made), ["b:m", "c:m", "a:a-own"]);
    let made = smart(route(Strategy::InOrder, &["b:m"]), &Live::default()).unwrap();
    assert_eq!(made.targets()[0].reason, Choice::Route);
    assert_eq!(made.skipped().iter().filter(|skipped| skipped.why == Reason::NotOnRoute).count(), 2);
}

#[test]
fn a_member_that_cannot_be_used_is_passed_over_and_a_route_of_none_says_why() {
    let live = Live { without: Some("a"), ..Live::default() };
    assert_eq!(targets(smart(route(Strategy::InOrder, &["a:m", "b:m"]), &live)), ["b:m"]);
    let fault = smart(route(Strategy::InOrder, &["a:m"]), &live).unwrap_err();
    assert!(fault.to_string().contains("'smart'") && fault.to_string().contains("A_API_KEY"), "{fault}");
}

#[test]
fn round_robin_gives_each_its_turn() {
    for (turn, expected) in [(0, ["a:m", "b:m"]), (1, ["b:m", "a:m"]), (2, ["a:m", "b:m"])] {
        let live = Live { turn, ..Live::default() };
        assert_eq!(targets(smart(route(Strategy::RoundRobin, &["a:m", "b:m"]), &live)), expected);
    }
}

#[test]
fn the_least_busy_and_the_quickest_go_first_and_the_unknown_get_known() {
    let pace = |in_flight, millis| Pace {
        in_flight,
        first_token: Some(Duration::from_millis(millis)),
        ..Pace::default()
    };
    let live = Live { paces: HashMap::from([("a", pace(3, 100)), ("b", pace(1, 900))]), ..Live::default() };
    let members = ["a:m", "b:m"];
    assert_eq!(targets(smart(route(Strategy::LeastBusy, &members), &live)), ["b:m", "a:m"]);
    assert_eq!(targets(smart(route(Strategy::LowestLatency, &members), &live)), ["a:m", "b:m"]);
    let with_new = smart(route(Strategy::LowestLatency, &["a:m", "b:m", "c:m"]), &live);
    assert_eq!(targets(with_new), ["c:m", "a:m", "b:m"]);
}

fn changed(mut owner: Provider, change: impl FnOnce(&mut Model)) -> Provider {
    change(Arc::make_mut(&mut owner.models[0]));
    owner
}

#[test]
fn the_cheapest_goes_first_and_unknown_prices_last() {
    let priced = |id, price| {
        changed(provider(id, &["m"]), |model| {
            let base = Prices { input: Some(price), output: Some(price), ..Prices::default() };
            model.rate = Some(Rate { base, tiers: Vec::new() });
        })
    };
    let world = Snapshot::new(vec![provider("a", &["m"]), priced("b", 9), priced("c", 2)])
        .with_routes(vec![route(Strategy::Cheapest, &["a", "b", "c"])]);
    assert_eq!(targets(plan(&ask(Some("smart")), &world, &Live::default())), ["c:m", "b:m", "a:m"]);
}

#[test]
fn an_image_goes_past_a_model_without_vision_and_the_error_names_one_that_could_take_it() {
    let blind = changed(provider("a", &["m"]), |model| {
        let abilities = Abilities { image: false, ..Abilities::default() };
        model.profile = Arc::new(Profile { abilities, ..Profile::unknown("a", "m") });
    });
    let world = Snapshot::new(vec![blind, provider("b", &["m"])]);
    let picture = Ask { needs: Needs { images: true, ..Needs::default() }, ..ask(Some("m")) };
    let made = plan(&picture, &world, &Live::default()).unwrap();
    assert!(made.explain(&world).iter().any(|line| line.contains("does not take images")));
    assert!(made.targets()[0].is_fallback());
    assert_eq!(targets(Ok(made)), ["b:m"]);
    let fault = plan(&Ask { strict: true, ..picture }, &world, &Live::default()).unwrap_err();
    assert_eq!(fault.to_string(), "m does not support images; b/m takes them");
}

#[test]
fn a_pattern_and_a_project_decide_for_whom_a_route_holds() {
    let only = Route {
        when: Condition {
            models: vec!["a-*".to_owned()],
            projects: vec!["alpha".to_owned()],
            ..Condition::default()
        },
        ..route(Strategy::InOrder, &["c"])
    };
    let world = world(only);
    let run = |model, project| targets(plan(&Ask { project, ..ask(Some(model)) }, &world, &Live::default()));
    assert_eq!(run("a-own", "alpha"), ["c:m"]);
    assert_eq!(run("a-own", "beta")[0], "a:a-own");
    assert_eq!(run("m", "alpha")[0], "a:m");
}

proptest! {
    #[test]
    fn lots_fall_as_weighted_and_every_member_stays_in_the_plan(weights in prop::collection::vec(0_u32..5, 1..4)) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let mut weighted = route(Strategy::Weighted, &["a:m", "b:m", "c:m"][..weights.len()]);
        for (member, weight) in weighted.members.iter_mut().zip(&weights) {
            member.weight = *weight;
        }
        let world = world(weighted);
        let all: u32 = weights.iter().sum();
        let mut firsts = HashMap::<String, u32>::new();
        for dice in 0..2000 {
            let made = plan(&Ask { dice, ..ask(Some("smart")) }, &world, &Live::default()).unwrap();
            prop_assert_eq!(made.targets().len(), weights.len());
            *firsts.entry(made.targets()[0].provider.id.to_string()).or_default() += 1;
        }
        for (id, weight) in ["a", "b", "c"].iter().zip(&weights) {
            let share = firsts.get(*id).copied().unwrap_or_default();
            let expected = 2000 * weight / all;
            prop_assert!(share.abs_diff(expected) <= 140, "{} of {}: {}", id, expected, share);
        }
    }
}
