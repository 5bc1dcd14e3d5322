//! What holds for every plan, whatever the world and the request.

use std::collections::HashSet;

use super::support::{ask, demo, provider};
use policy::{Ask, Budget, DemoRole, Next, Plan, Provider, Reason, Snapshot, Standing, plan};
use proptest::prelude::*;
use wire::Fault;

const MODELS: [&str; 6] = ["m0", "m1", "p0/m0", "p1/m1", "m<high>", "x/y/z"];

#[derive(Debug, Clone)]
struct Sketch {
    models: Vec<usize>,
    default: bool,
    any: bool,
    file: bool,
    disabled: bool,
    keyed: bool,
}

/// Says of every provider whether it has a key.
struct Drawn(HashSet<String>);

impl Standing for Drawn {
    fn unavailable(&self, _: usize, provider: &Provider, _project: &str) -> Option<Reason> {
        (provider.needs_credential() && !self.0.contains(&*provider.id)).then_some(Reason::NoCredential)
    }
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let models = prop::collection::vec(0..MODELS.len(), 0..4);
    (models, any::<[bool; 5]>()).prop_map(|(models, [default, any, file, disabled, keyed])| Sketch {
        models,
        default,
        any,
        file,
        disabled,
        keyed,
    })
}

fn build(at: usize, sketch: &Sketch) -> Provider {
    let models: Vec<&str> = sketch.models.iter().map(|model| MODELS[*model]).collect();
    let mut made = provider(&format!("p{at}"), &models);
    made.takes_any_model = sketch.any;
    made.section = sketch.file.then(|| made.id.to_string());
    made.disabled = sketch.disabled.then(|| "is switched off".to_owned());
    made.default_model = made.default_model.filter(|_| sketch.default);
    made
}

#[derive(Debug, Clone)]
struct Drawing {
    sketches: Vec<Sketch>,
    default_provider: Option<usize>,
    demo_always: bool,
    model: Option<String>,
    provider: Option<usize>,
    strict: bool,
}

fn drawing() -> impl Strategy<Value = Drawing> {
    let model = prop::option::of(prop_oneof![
        prop::sample::select(MODELS.to_vec()).prop_map(str::to_owned),
        "(p[0-4]/)?[a-z<>/]{0,6}",
    ]);
    let sketches = prop::collection::vec(sketch(), 0..6);
    let numbers = (prop::option::of(0_usize..6), prop::option::of(0_usize..6));
    (sketches, numbers, model, any::<[bool; 2]>()).prop_map(
        |(sketches, (default_provider, provider), model, [demo_always, strict])| Drawing {
            sketches,
            default_provider,
            demo_always,
            model,
            provider,
            strict,
        },
    )
}

fn run(drawing: &Drawing) -> (Snapshot, Drawn, Result<Plan, Fault>) {
    let sketches = drawing.sketches.iter().enumerate();
    let keys = sketches.clone().filter(|(_, sketch)| sketch.keyed).map(|(at, _)| format!("p{at}")).collect();
    let providers = sketches.map(|(at, sketch)| build(at, sketch)).chain([demo()]).collect();
    let role = if drawing.demo_always { DemoRole::Always } else { DemoRole::WhenAlone };
    let default = drawing.default_provider.map(|at| format!("p{at}"));
    let world = Snapshot::new(providers).with_demo(role).with_default_provider(default.as_deref());
    let asked = drawing.provider.map(|at| format!("p{at}"));
    let ask = Ask { provider: asked.as_deref(), strict: drawing.strict, ..ask(drawing.model.as_deref()) };
    let keys = Drawn(keys);
    let made = plan(&ask, &world, &keys);
    (world, keys, made)
}

proptest! {
    #[test]
    fn no_target_is_switched_off_or_without_its_credential(drawing in drawing()) {
        let (_, keys, made) = run(&drawing);
        for target in made.iter().flat_map(Plan::targets) {
            prop_assert!(target.provider.disabled.is_none());
            prop_assert_eq!(keys.unavailable(0, &target.provider, ""), None);
        }
    }

    #[test]
    fn every_provider_is_a_target_once_or_skipped_once(drawing in drawing()) {
        let (world, _, made) = run(&drawing);
        let Ok(made) = made else { return Ok(()) };
        let targets = made.targets().iter().map(|target| target.provider.id.to_string());
        let skipped = made.skipped().iter().map(|skipped| world.providers()[skipped.provider].id.to_string());
        let mut all: Vec<String> = targets.chain(skipped).collect();
        all.sort();
        let mut known: Vec<String> = world.providers().iter().map(|provider| provider.id.to_string()).collect();
        known.sort();
        prop_assert_eq!(all, known);
    }

    #[test]
    fn the_same_request_makes_the_same_plan(drawing in drawing()) {
        let shape = |made: Result<Plan, Fault>| made.map(|made| {
            made.targets().iter().map(|t| (t.provider.id.clone(), t.model.id.clone(), t.reason)).collect::<Vec<_>>()
        }).map_err(|fault| fault.to_string());
        prop_assert_eq!(shape(run(&drawing).2), shape(run(&drawing).2));
    }

    #[test]
    fn fallbacks_keep_the_documented_order(drawing in drawing()) {
        let (world, _, made) = run(&drawing);
        let Ok(made) = made else { return Ok(()) };
        let place = |id: &str| world.providers().iter().position(|provider| &*provider.id == id);
        // The first is chosen, and so is the second when the first of the fallbacks is the provider that was asked for.
        let rest: Vec<_> = made.targets().iter().skip(2).map(|target| place(&target.provider.id)).collect();
        prop_assert!(rest.is_sorted());
    }

    #[test]
    fn strict_gives_one_target_and_it_is_no_substitute(drawing in drawing()) {
        let (_, _, made) = run(&Drawing { strict: true, ..drawing });
        if let Ok(made) = made {
            prop_assert_eq!(made.targets().len(), 1);
            prop_assert!(!made.targets()[0].is_fallback());
        }
    }

    #[test]
    fn a_fallback_gets_only_a_model_that_it_has_or_its_default(drawing in drawing()) {
        let (_, _, made) = run(&drawing);
        for target in made.iter().flat_map(Plan::targets).filter(|target| target.is_fallback()) {
            let provider = &target.provider;
            let default = provider.default_model.as_deref() == Some(&*target.model.id);
            prop_assert!(default || provider.models.contains_key(&target.model.id));
        }
    }

    #[test]
    fn a_plan_ends_and_tries_no_target_again_before_all_were_tried(drawing in drawing(), dice in any::<u64>()) {
        let (_, _, made) = run(&drawing);
        let Ok(mut made) = made else { return Ok(()) };
        let fault = || Fault::Unreachable { provider: String::new(), why: String::new() };
        let (mut tried, mut next) = (Vec::new(), made.first());
        while let Next::Try(target) = next {
            tried.push(target.provider.id.clone());
            prop_assert!(tried.len() <= made.targets().len());
            next = made.after(fault(), dice, &mut Budget::default());
        }
        let planned: Vec<_> = made.targets().iter().map(|target| target.provider.id.clone()).collect();
        prop_assert_eq!(tried, planned);
    }
}
