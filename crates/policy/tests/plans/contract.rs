//! Names, order and fallback, as the contract of both predecessors has them.

use super::support::{Keys, ask, demo, documented, from_file, provider, targets};
use policy::{Access, Ask, Choice, DemoRole, Endpoint, Next, Provider, Reason, Snapshot, Target, plan};
use wire::fault::{Class, UpstreamFault};
use wire::{Dialect, Fault, WireId};

const ALL: [&str; 5] = ["anthropic", "openai", "google", "groq", "openrouter"];

fn first(world: &Snapshot, keys: &[&str], model: &str) -> (String, Choice) {
    let target = lead(&ask(Some(model)), world, keys);
    (format!("{}:{}", target.provider.id, target.model.id), target.reason)
}

fn lead(ask: &Ask<'_>, world: &Snapshot, keys: &[&str]) -> Target {
    plan(ask, world, &Keys::of(keys)).expect("a plan").targets()[0].clone()
}

fn fault(class: Class) -> Fault {
    UpstreamFault {
        provider: "acme".into(),
        status: 500,
        class,
        message: "no".into(),
        param: None,
        code: None,
        retry_after: None,
        original: None,
    }
    .into()
}

#[test]
fn without_a_model_the_documented_order_holds_and_each_gets_its_default() {
    let all = targets(plan(&ask(None), &documented(), &Keys::of(&ALL)));
    assert_eq!(
        all,
        [
            "anthropic:claude-sonnet-4-20250514",
            "openai:gpt-4o",
            "google:gemini-2.5-flash",
            "groq:llama-3.3-70b-versatile",
            "openrouter:deepseek/deepseek-chat"
        ]
    );
}

#[test]
fn an_exact_id_wins_over_reading_it_as_a_prefix() {
    let seen = |model| first(&documented(), &ALL, model).0;
    assert_eq!(seen("openai/gpt-oss-120b"), "groq:openai/gpt-oss-120b");
    assert_eq!(seen("openai/gpt-4o"), "openrouter:openai/gpt-4o");
    assert_eq!(seen("anthropic/claude-sonnet-4"), "openrouter:anthropic/claude-sonnet-4");
}

#[test]
fn a_prefix_is_read_when_the_owner_of_the_exact_id_is_not_available() {
    assert_eq!(first(&documented(), &["openai"], "openai/gpt-4o"), ("openai:gpt-4o".into(), Choice::Prefix));
}

#[test]
fn a_prefix_is_split_at_the_first_slash_and_takes_any_model_and_spelling() {
    assert_eq!(first(&documented(), &ALL, "groq/qwen/qwen9").0, "groq:qwen/qwen9");
    assert_eq!(first(&documented(), &ALL, "gemini/gemini-9"), ("google:gemini-9".into(), Choice::Prefix));
}

#[test]
fn an_unlisted_model_has_an_unknown_price_and_is_not_listed() {
    let target = lead(&ask(Some("groq/new")), &documented(), &ALL);
    assert_eq!((target.model.rate.clone(), target.model.listed_as.clone()), (None, None));
    assert_eq!(&**target.model.sent_as(), "new");
}

#[test]
fn the_model_wins_over_the_provider() {
    let both = Ask { provider: Some("anthropic"), ..ask(Some("gpt-4o")) };
    assert_eq!(targets(plan(&both, &documented(), &Keys::of(&ALL)))[0], "openai:gpt-4o");
}

#[test]
fn the_asked_provider_is_first_among_the_owners_of_a_model() {
    let world = Snapshot::new(vec![provider("a", &["m"]), provider("b", &["m"])]);
    let asked = Ask { provider: Some("b"), ..ask(Some("m")) };
    assert_eq!(targets(plan(&asked, &world, &Keys::of(&["a", "b"]))), ["b:m", "a:m"]);
}

#[test]
fn the_asked_provider_takes_a_model_that_nobody_has() {
    let asked = Ask { provider: Some("groq"), ..ask(Some("brand-new")) };
    assert_eq!(targets(plan(&asked, &documented(), &Keys::of(&ALL)))[0], "groq:brand-new");
}

#[test]
fn the_asked_provider_goes_first_when_no_model_is_named() {
    let asked = Ask { provider: Some("gemini"), ..ask(None) };
    let all = targets(plan(&asked, &documented(), &Keys::of(&ALL)));
    assert_eq!(all[..2], ["google:gemini-2.5-flash", "anthropic:claude-sonnet-4-20250514"]);
}

#[test]
fn a_fallback_gets_the_same_model_if_it_has_it_and_its_default_otherwise() {
    let world =
        Snapshot::new(vec![provider("a", &["m"]), provider("b", &["d"]), provider("c", &["d2", "m"])]);
    assert_eq!(targets(plan(&ask(Some("m")), &world, &Keys::of(&["a", "b", "c"]))), ["a:m", "b:d", "c:m"]);
}

#[test]
fn an_owner_without_a_key_is_replaced_and_the_plan_says_so() {
    let made = plan(&ask(Some("gpt-4o")), &documented(), &Keys::of(&["groq"])).unwrap();
    assert!(made.targets()[0].is_fallback());
    assert!(
        made.skipped().iter().any(|skipped| skipped.provider == 1 && skipped.why == Reason::NoCredential)
    );
    assert_eq!(targets(Ok(made)), ["groq:llama-3.3-70b-versatile"]);
}

#[test]
fn among_those_that_replace_an_owner_the_asked_provider_is_first() {
    let asked = Ask { provider: Some("groq"), ..ask(Some("gpt-4o")) };
    let all = targets(plan(&asked, &documented(), &Keys::of(&["anthropic", "groq"])));
    assert_eq!(all, ["groq:llama-3.3-70b-versatile", "anthropic:claude-sonnet-4-20250514"]);
}

#[test]
fn strict_means_strict_and_the_error_names_the_missing_variable() {
    let strict = Ask { strict: true, ..ask(Some("gpt-4o")) };
    assert_eq!(targets(plan(&strict, &documented(), &Keys::of(&ALL))), ["openai:gpt-4o"]);
    let refused = plan(&strict, &documented(), &Keys::of(&["groq"])).unwrap_err();
    assert_eq!(refused.code(), "no_target");
    assert!(refused.to_string().contains("OPENAI_API_KEY"), "{refused}");
}

#[test]
fn an_unknown_model_is_refused_with_the_nearest_that_are_available() {
    let Err(Fault::UnknownModel { model, nearest }) =
        plan(&ask(Some("gtp-4o")), &documented(), &Keys::of(&ALL))
    else {
        panic!("not refused")
    };
    assert_eq!((model.as_str(), nearest[0].as_str()), ("gtp-4o", "gpt-4o"));
    assert!(nearest.len() <= 3);
}

#[test]
fn an_unknown_provider_is_refused_even_when_the_model_is_known() {
    let asked = Ask { provider: Some("antropic"), ..ask(Some("gpt-4o")) };
    let refused = plan(&asked, &documented(), &Keys::of(&ALL)).unwrap_err();
    assert_eq!(refused.code(), "provider_not_found");
}

#[test]
fn an_empty_model_is_the_clients_mistake() {
    assert_eq!(plan(&ask(Some("")), &documented(), &Keys::of(&ALL)).unwrap_err().param(), Some("model"));
}

#[test]
fn a_key_of_the_project_makes_a_provider_available_to_it_alone() {
    let keys = Keys::of(&["groq@blue"]);
    let blue = Ask { project: "blue", ..ask(None) };
    assert_eq!(targets(plan(&blue, &documented(), &keys)), ["groq:llama-3.3-70b-versatile"]);
    assert_eq!(targets(plan(&ask(None), &documented(), &keys)), ["demo:demo"]);
}

#[test]
fn the_demonstration_answers_any_model_while_it_is_alone_and_says_so() {
    let target = lead(&ask(Some("gpt-4o")), &documented(), &[]);
    assert_eq!((&*target.provider.id, target.reason, target.is_fallback()), ("demo", Choice::Demo, true));
    let asked = Ask { provider: Some("openai"), ..ask(None) };
    assert_eq!(targets(plan(&asked, &documented(), &Keys::of(&[]))), ["demo:demo"]);
}

#[test]
fn the_demonstration_never_stands_in_for_a_strict_request() {
    let strict = Ask { strict: true, ..ask(Some("gpt-4o")) };
    assert_eq!(plan(&strict, &documented(), &Keys::of(&[])).unwrap_err().code(), "no_target");
    let demo = Ask { strict: true, ..ask(Some("demo")) };
    assert_eq!(targets(plan(&demo, &documented(), &Keys::of(&[]))), ["demo:demo"]);
}

#[test]
fn the_demonstration_is_silent_beside_others_unless_it_is_switched_on() {
    let keys = Keys::of(&["openai"]);
    assert_eq!(targets(plan(&ask(Some("gpt-4o")), &documented(), &keys)), ["openai:gpt-4o"]);
    let on = documented().with_demo(DemoRole::Always);
    assert_eq!(targets(plan(&ask(Some("gpt-4o")), &on, &keys)), ["openai:gpt-4o"]);
    assert_eq!(targets(plan(&ask(Some("demo")), &on, &keys)), ["demo:demo", "openai:gpt-4o"]);
}

#[test]
fn with_nothing_at_all_the_error_says_what_to_set() {
    let world = Snapshot::new(vec![provider("openai", &["gpt-4o"])]);
    let refused = plan(&ask(None), &world, &Keys::of(&[])).unwrap_err();
    assert_eq!(refused.code(), "no_target");
    assert!(refused.to_string().contains("OPENAI_API_KEY"), "{refused}");
}

#[test]
fn a_section_of_the_file_wins_for_its_prefix() {
    let keys = ["openai", "openrouter", "closeai"];
    assert_eq!(first(&from_file(), &keys, "closeai/gpt-4o"), ("closeai:gpt-4o".into(), Choice::Section));
}

#[test]
fn without_a_slash_the_default_section_serves_what_it_has_and_what_nobody_has() {
    let keys = ["openai", "deepseek", "closeai"];
    assert_eq!(
        first(&from_file(), &keys, "deepseek-chat"),
        ("closeai:deepseek-chat".into(), Choice::Default)
    );
    assert_eq!(first(&from_file(), &keys, "gpt-5"), ("openai:gpt-5".into(), Choice::Owner));
    assert_eq!(first(&from_file(), &keys, "brand-new"), ("closeai:brand-new".into(), Choice::Default));
}

#[test]
fn a_model_whose_owner_has_no_key_goes_to_the_default_section() {
    assert_eq!(first(&from_file(), &["closeai"], "gpt-5"), ("closeai:gpt-5".into(), Choice::Default));
}

#[test]
fn a_variant_is_looked_up_whole_and_sent_cut() {
    for name in ["closeai/o3-mini<high>", "o3-mini<high>"] {
        let target = lead(&ask(Some(name)), &from_file(), &["closeai"]);
        assert_eq!((&*target.model.id, &**target.model.sent_as()), ("o3-mini<high>", "o3-mini"));
    }
}

#[test]
fn a_variant_that_is_not_listed_is_the_plain_model() {
    assert_eq!(first(&from_file(), &["closeai"], "closeai/gpt-4o<high>").0, "closeai:gpt-4o");
    let target = lead(&ask(Some("closeai/new<x>")), &from_file(), &["closeai"]);
    assert_eq!(&**target.model.sent_as(), "new");
}

#[test]
fn an_alias_names_a_model_of_a_provider() {
    let keys = ["deepseek", "closeai"];
    assert_eq!(first(&from_file(), &keys, "fast"), ("deepseek:deepseek-chat".into(), Choice::Alias));
}

/// An id that somebody without a key owns must not stand in the way of the provider that is named.
#[test]
fn an_alias_is_read_like_any_other_name() {
    let world = documented().with_aliases([("best".into(), "openai/gpt-4o".into())].into());
    assert_eq!(first(&world, &["openai", "openrouter"], "best").0, "openrouter:openai/gpt-4o");
    assert_eq!(first(&world, &["openai"], "best").0, "openai:gpt-4o");
}

#[test]
fn a_provider_that_takes_only_its_own_models_refuses_others() {
    let closed = Provider { takes_any_model: false, ..provider("acme", &["m"]) };
    let world = Snapshot::new(vec![closed, provider("b", &["n"])]);
    let refused = plan(&ask(Some("acme/x")), &world, &Keys::of(&["acme", "b"])).unwrap_err();
    assert_eq!(refused.code(), "model_not_found");
}

#[test]
fn the_endpoint_that_speaks_the_clients_dialect_is_preferred() {
    let messages =
        Endpoint { wire: WireId::AnthropicMessages, url: "https://x.example/v1/messages".into(), auth: None };
    let mut both = provider("x", &["m"]);
    both.endpoints.insert(0, messages);
    let world = Snapshot::new(vec![both]);
    let wire = |dialect| lead(&Ask { dialect, ..ask(None) }, &world, &["x"]).endpoint().wire;
    assert_eq!(wire(Some(Dialect::OpenAiChat)), WireId::OpenAiChat);
    assert_eq!(wire(None), WireId::AnthropicMessages);
}

#[test]
fn the_clients_own_mistake_is_final() {
    let mut made = plan(&ask(None), &documented(), &Keys::of(&ALL)).unwrap();
    assert!(matches!(made.after(fault(Class::BadRequest), 0), Next::GiveUp(_)));
}

#[test]
fn every_other_failure_moves_on_to_the_next_provider_at_once() {
    for class in
        [Class::Auth, Class::Billing, Class::NotFound, Class::ContextTooLong, Class::RateLimit, Class::Server]
    {
        let mut made = plan(&ask(None), &documented(), &Keys::of(&["openai", "groq"])).unwrap();
        let Next::Try(target) = made.after(fault(class), 0) else { panic!("{class:?} did not move on") };
        assert_eq!(&*target.provider.id, "groq");
    }
}

#[test]
fn the_last_target_is_tried_again_until_three_attempts_are_used() {
    let mut made = plan(&ask(None), &documented(), &Keys::of(&["openai"])).unwrap();
    assert!(matches!(made.after(fault(Class::Server), 0), Next::Wait { .. }));
    assert!(matches!(made.after(fault(Class::Server), 0), Next::Wait { .. }));
    assert!(matches!(made.after(fault(Class::Server), 0), Next::GiveUp(_)));
}

#[test]
fn a_refused_credential_of_the_last_target_is_not_tried_again() {
    let mut made = plan(&ask(None), &documented(), &Keys::of(&["openai"])).unwrap();
    assert!(matches!(made.after(fault(Class::Auth), 0), Next::GiveUp(_)));
}

#[test]
fn a_plan_explains_every_provider_in_one_sentence() {
    let world = Snapshot::new(vec![provider("a", &["m"]), provider("b", &["m"]), demo()]);
    let said = plan(&ask(Some("m")), &world, &Keys::of(&["a"])).unwrap().explain(&world);
    assert_eq!(said.len(), 3);
    assert_eq!(said[0], "a with m: has a model of exactly this id");
    assert!(said[1].contains("B_API_KEY"), "{said:?}");
}

fn allowed(models: &[&str], providers: &[&str]) -> Access {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Access { models: owned(models), providers: owned(providers) }
}

#[test]
fn a_key_reaches_only_the_providers_and_models_it_may_use() {
    let world = documented();
    let keys = Keys::of(&["anthropic", "openai", "groq", "openrouter"]);
    let run = |access: &Access, model| plan(&Ask { access, ..ask(model) }, &world, &keys);
    let only_openrouter = allowed(&[], &["openrouter"]);
    assert_eq!(targets(run(&only_openrouter, Some("openai/gpt-4o"))), ["openrouter:openai/gpt-4o"]);
    assert_eq!(targets(run(&only_openrouter, None)), ["openrouter:deepseek/deepseek-chat"]);
    for (access, model) in [
        (&only_openrouter, "gpt-4o"),
        (&only_openrouter, "openai/brand-new"),
        (&allowed(&["gpt-*"], &[]), "claude-sonnet-4-20250514"),
        (&allowed(&["gpt-*"], &[]), "groq/brand-new"),
    ] {
        let fault = run(access, Some(model)).unwrap_err();
        assert!(matches!(fault, Fault::Forbidden { .. }), "{model}: {fault}");
    }
    assert_eq!(targets(run(&allowed(&["openai/*"], &[]), Some("openai/brand-new"))), ["openai:brand-new"]);
}

#[test]
fn a_fallback_is_no_way_around_what_a_key_may_use() {
    let world = documented();
    let keys = Keys::of(&["anthropic", "openai", "groq"]);
    let access = allowed(&["gpt-4o", "llama-*"], &[]);
    let made = plan(&Ask { access: &access, ..ask(Some("gpt-4o")) }, &world, &keys);
    assert_eq!(targets(made), ["openai:gpt-4o", "groq:llama-3.3-70b-versatile"]);
    let made = plan(&Ask { access: &access, ..ask(None) }, &world, &keys);
    assert_eq!(targets(made), ["openai:gpt-4o", "groq:llama-3.3-70b-versatile"]);
}
