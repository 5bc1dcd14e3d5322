//! Models that servers list themselves, beside those that are configured.

use std::sync::Arc;

use policy::{Found, FoundModel, Provider, Snapshot};
use wire::Fault;

use crate::support::*;

fn found(provider: &str, ids: &[&str]) -> Arc<Found> {
    let models = ids.iter().map(|id| FoundModel { id: (*id).into(), context: Some(4096) }).collect();
    Arc::new(Found::from_iter([(provider.into(), models)]))
}

/// A server of the operator's, of whose models nothing is known, beside a provider with two.
fn world() -> Snapshot {
    let local = Provider { section: Some("srv".into()), takes_any_model: false, ..provider("srv", &[]) };
    Snapshot::new(vec![provider("openai", &["gpt-4o", "gpt-5"]), local])
}

fn owner(world: &Snapshot, model: &str) -> Result<String, Fault> {
    let plan = policy::plan(&ask(Some(model)), world, &Keys::of(&["openai", "srv"]))?;
    Ok(plan.targets()[0].provider.id.to_string())
}

fn listed(world: &Snapshot, provider: &str) -> Vec<String> {
    let provider = world.provider(provider).expect("it is in the world");
    provider.listed_models().map(|model| provider.listed_id(model)).collect()
}

#[test]
fn a_found_model_is_planned_by_both_its_names_and_never_takes_one_from_another() {
    let world = world().with_found(found("srv", &["qwen3", "gpt-4o"]));
    assert_eq!(listed(&world, "srv"), ["srv/qwen3", "srv/gpt-4o"]);
    for (model, expected) in
        [("qwen3", "srv"), ("srv/qwen3", "srv"), ("srv/gpt-4o", "srv"), ("gpt-4o", "openai")]
    {
        assert_eq!(owner(&world, model).unwrap(), expected, "{model}");
    }
    assert_eq!(world.provider("srv").unwrap().models["qwen3"].context, Some(4096));
}

#[test]
fn a_new_list_takes_the_place_of_the_last_and_what_is_configured_stays() {
    let world = world().with_found(found("srv", &["one"])).with_found(found("srv", &["two"]));
    assert_eq!(listed(&world, "srv"), ["srv/two"]);
    assert!(owner(&world, "one").is_err());
    let world = world.with_found(found("openai", &["gpt-5", "gpt-9"]));
    assert!(listed(&world, "srv").is_empty());
    // As its other models are listed.
    assert_eq!(listed(&world, "openai"), ["gpt-4o", "gpt-5", "gpt-9"]);
}

#[test]
fn a_name_that_nobody_has_is_told_the_nearest_found_one() {
    let world = world().with_found(found("srv", &["qwen3-coder"]));
    let Err(Fault::UnknownModel { nearest, .. }) = owner(&world, "qwen3-codr") else { panic!("unknown") };
    assert!(nearest.iter().any(|name| name.contains("qwen3-coder")), "{nearest:?}");
}
