//! What holds for plans in worlds with routes, keys that may not everything, and providers that rest.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use policy::{
    Access, Ask, Budget, Choice, Condition, KeyId, Member, Model, Needs, Next, Pace, Pin, Plan, Provider,
    Reason, Route, Snapshot, Standing, Strategy as Order, Target, Verdict, plan,
};
use proptest::prelude::*;
use proptest::sample::select;
use wire::Fault;
use wire::chat::{Abilities, Profile};
use wire::fault::{Class, UpstreamFault};

use super::support::{ask, demo, provider};

const MODELS: [&str; 5] = ["m0", "m1", "m2", "p0/m0", "fast"];
const PROVIDERS: usize = 5;
const ORDERS: [Order; 7] = [
    Order::InOrder,
    Order::Weighted,
    Order::Random,
    Order::RoundRobin,
    Order::LeastBusy,
    Order::LowestLatency,
    Order::Cheapest,
];

/// A provider: its models, and four things that are true of it or not.
type Sketch = (Vec<usize>, [bool; 4]);

#[derive(Debug, Clone)]
struct Drawing {
    providers: Vec<Sketch>,
    routes: Vec<Route>,
    access: Access,
    model: Option<&'static str>,
    provider: Option<usize>,
    flags: [bool; 3],
    dice: u64,
    /// Which verdict each pair of provider and model gets.
    verdicts: Vec<Verdict>,
    pin: Option<(usize, usize)>,
}

impl Standing for Drawing {
    fn unavailable(&self, _: usize, provider: &Provider, _: &str) -> Option<Reason> {
        let keyed = self.providers.get(place(provider)).is_none_or(|(_, [_, keyed, ..])| *keyed);
        (!keyed).then_some(Reason::NoCredential)
    }

    fn keys_named(&self, provider: &Provider, _: &str, name: &str) -> Vec<KeyId> {
        if name == "spare" && place(provider).is_multiple_of(2) { vec![KeyId(2)] } else { Vec::new() }
    }

    fn verdict(&self, provider: &Provider, model: &Model, _: &str, _: Option<&Arc<str>>) -> Verdict {
        self.verdicts[(place(provider) * 3 + model.id.len()) % self.verdicts.len()]
    }

    fn pace(&self, provider: &Provider, _: &Model) -> Pace {
        let in_flight = [0, 2, 1, 0, 1, 2][place(provider)];
        Pace { in_flight, first_token: Some(Duration::from_millis(self.dice % 7)), ..Pace::default() }
    }

    fn turn(&self, _: &str) -> u64 {
        self.dice
    }

    fn pinned(&self, _: &Arc<str>, _: u64) -> Option<Pin> {
        let (provider, model) = self.pin?;
        Some(Pin { provider: format!("p{provider}").into(), model: MODELS[model].into(), key: None })
    }
}

/// `p3` is 3; the demonstration is none of them.
fn place(provider: &Provider) -> usize {
    provider.id.strip_prefix('p').and_then(|digits| digits.parse().ok()).unwrap_or(PROVIDERS)
}

fn member() -> impl Strategy<Value = Member> {
    let provider = prop::option::of(0..PROVIDERS + 1);
    let model = prop::option::of(select(MODELS.to_vec()));
    (provider, model, any::<bool>(), 0_u32..3, 0_u32..3).prop_map(
        |(provider, model, spare, weight, priority)| Member {
            provider: provider.map(|at| format!("p{at}")),
            model: model.map(str::to_owned),
            key: spare.then(|| "spare".into()),
            weight,
            priority,
        },
    )
}

fn route() -> impl Strategy<Value = Route> {
    let models = prop::collection::vec(select(vec!["*", "m*", "m1", "fast"]), 0..2);
    let members = || prop::collection::vec(member(), 0..3);
    (
        models,
        select(ORDERS.to_vec()),
        prop::collection::vec(member(), 1..5),
        members(),
        members(),
        any::<bool>(),
    )
        .prop_map(|(models, strategy, members, when_too_long, when_refused, sticky)| Route {
            name: "fast".into(),
            when: Condition {
                models: models.into_iter().map(str::to_owned).collect(),
                ..Condition::default()
            },
            strategy,
            members,
            sticky: sticky.then_some(Duration::from_secs(60)),
            hedge: None,
            when_too_long,
            when_refused,
        })
}

fn access() -> impl Strategy<Value = Access> {
    let models = prop::collection::vec(select(vec!["m*", "m1", "p1/*"]), 0..2);
    let providers = prop::collection::vec(select(vec!["p0", "p1", "p2"]), 0..3);
    (models, providers).prop_map(|(models, providers)| Access {
        models: models.into_iter().map(str::to_owned).collect(),
        providers: providers.into_iter().map(str::to_owned).collect(),
    })
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        4 => Just(Verdict::Well),
        1 => Just(Verdict::LastResort),
        1 => Just(Verdict::Resting(Reason::BreakerOpen(Duration::from_secs(3)))),
    ]
}

fn drawing() -> impl Strategy<Value = Drawing> {
    let sketch = (prop::collection::vec(0..MODELS.len(), 0..4), any::<[bool; 4]>());
    let asked =
        (prop::option::of(select(MODELS.to_vec())), prop::option::of(0..PROVIDERS), any::<[bool; 3]>());
    let live = (prop::collection::vec(verdict(), 1..16), prop::option::of((0..PROVIDERS, 0..MODELS.len())));
    (
        prop::collection::vec(sketch, 0..PROVIDERS),
        prop::collection::vec(route(), 0..3),
        access(),
        asked,
        any::<u64>(),
        live,
    )
        .prop_map(|(providers, routes, access, (model, provider, flags), dice, (verdicts, pin))| {
            Drawing { providers, routes, access, model, provider, flags, dice, verdicts, pin }
        })
}

impl Drawing {
    fn world(&self) -> Snapshot {
        let made = self.providers.iter().enumerate().map(|(at, (models, [off, _, blind, any]))| {
            let models: Vec<&str> = models.iter().map(|model| MODELS[*model]).collect();
            let mut made = provider(&format!("p{at}"), &models);
            made.disabled = off.then(|| "is switched off".to_owned());
            made.takes_any_model = *any;
            let abilities = Abilities { image: !blind, ..Abilities::default() };
            for model in made.models.values_mut() {
                let profile = Profile { abilities, ..(*model.profile).clone() };
                *model = Arc::new(Model { profile: Arc::new(profile), ..(**model).clone() });
            }
            made
        });
        Snapshot::new(made.chain([demo()]).collect()).with_routes(self.routes.clone())
    }

    fn needs(&self) -> Needs {
        Needs { images: self.flags[1], tools: self.flags[2], ..Needs::default() }
    }

    fn run(&self) -> Result<Plan, Fault> {
        let asked = self.provider.map(|at| format!("p{at}"));
        let ask = Ask {
            provider: asked.as_deref(),
            access: &self.access,
            strict: self.flags[0],
            needs: self.needs(),
            session: Some(1),
            dice: self.dice,
            ..ask(self.model)
        };
        plan(&ask, &self.world(), self)
    }

    fn may_be_tried(&self, target: &Target) -> bool {
        let Target { provider, model, key, .. } = target;
        let resting = matches!(self.verdict(provider, model, "", None), Verdict::Resting(_));
        provider.disabled.is_none()
            && self.unavailable(0, provider, "").is_none()
            && self.access.to_model(provider, model)
            && (model.profile.abilities.image || !self.needs().images)
            && key.as_ref().is_none_or(|key| !self.keys_named(provider, "", key).is_empty())
            && !resting
    }
}

fn shape(made: &Result<Plan, Fault>) -> Result<Vec<(String, String, Choice)>, String> {
    let row = |target: &Target| (target.provider.id.to_string(), target.model.id.to_string(), target.reason);
    made.as_ref().map(|made| made.targets().iter().map(row).collect()).map_err(ToString::to_string)
}

fn stated(class: Class, code: &str) -> Fault {
    Fault::from(UpstreamFault {
        provider: String::new(),
        status: 400,
        class,
        message: String::new(),
        param: None,
        code: Some(code.to_owned()),
        retry_after: None,
        original: None,
    })
}

/// Reasons of those that are tried one after the other, when each fails in this way.
fn walk(mut made: Plan, fault: impl Fn() -> Fault) -> Vec<Choice> {
    let mut next = made.first();
    let mut reasons = Vec::new();
    while let Next::Try(target) = next {
        reasons.push(target.reason);
        next = made.after(fault(), 0, &mut Budget::default());
    }
    reasons
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_target_is_forbidden_or_disabled_or_unable_or_resting(drawing in drawing()) {
        for target in drawing.run().iter().flat_map(Plan::targets) {
            prop_assert!(drawing.may_be_tried(target), "{:?}", target);
        }
    }

    #[test]
    fn the_same_question_has_the_same_answer(drawing in drawing()) {
        prop_assert_eq!(shape(&drawing.run()), shape(&drawing.run()));
    }

    #[test]
    fn who_is_not_among_the_targets_is_left_out_for_a_reason_and_each_reason_is_a_sentence(drawing in drawing()) {
        let Ok(made) = drawing.run() else { return Ok(()) };
        let world = drawing.world();
        let tried = made.targets().iter().map(|target| target.provider.id.to_string());
        let skipped = made.skipped().iter().map(|skipped| world.providers()[skipped.provider].id.to_string());
        let told: BTreeSet<String> = tried.chain(skipped).collect();
        prop_assert_eq!(told.len(), world.providers().len());
        let sentences = made.explain(&world);
        prop_assert_eq!(sentences.len(), made.targets().len() + made.skipped().len());
        prop_assert!(sentences.iter().all(|sentence| sentence.split(' ').count() > 2));
    }

    #[test]
    fn strict_gives_one_target_and_only_strictness_rules_out_a_fallback(drawing in drawing()) {
        let Ok(made) = drawing.run() else { return Ok(()) };
        let strict = drawing.flags[0];
        prop_assert!(!strict || made.targets().len() == 1);
        prop_assert!(strict || made.skipped().iter().all(|skipped| skipped.why != Reason::NoFallback));
    }

    #[test]
    fn reserves_stand_last_and_are_entered_in_their_own_case_only(drawing in drawing()) {
        let Ok(made) = drawing.run() else { return Ok(()) };
        prop_assert!(made.targets().is_sorted_by_key(Target::is_reserve));
        prop_assert!(!made.targets()[0].is_reserve());
        let remade = || drawing.run().expect("the same as before");
        let unreachable = || Fault::Unreachable { provider: String::new(), why: String::new() };
        prop_assert!(walk(remade(), unreachable).iter().all(|reason|
            !matches!(reason, Choice::WhenTooLong | Choice::WhenRefused)));
        let too_long = walk(remade(), || stated(Class::ContextTooLong, "context_length_exceeded"));
        prop_assert!(!too_long.contains(&Choice::WhenRefused));
        let refused = walk(remade(), || stated(Class::BadRequest, "content_filter"));
        prop_assert!(refused.iter().skip(1).all(|reason| *reason == Choice::WhenRefused));
        prop_assert_eq!(refused.len() > 1, made.targets()[0].passes_refusals_on);
    }
}
