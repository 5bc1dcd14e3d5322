//! `routes:` of the operator's file.

use crate::support::*;

#[test]
fn a_route_is_read_with_its_strategy_and_targets_in_either_form() {
    let yaml = "\
routes:
  smart:
    strategy: round_robin
    targets: [openai/gpt-4o, {provider: groq, weight: 3, priority: 1}]
  cheap:
    models: gpt-*
    projects: [alpha]
    targets: groq/llama-3.3-70b-versatile
";
    let (snapshot, _) = gateway::config::build_snapshot(&with_yaml(yaml).config());
    let [smart, cheap] = snapshot.routes() else { panic!("{:?}", snapshot.routes()) };
    assert_eq!((&*smart.name, smart.strategy), ("smart", policy::Strategy::RoundRobin));
    assert_eq!(smart.members[0].model.as_deref(), Some("openai/gpt-4o"));
    assert_eq!((smart.members[1].provider.as_deref(), smart.members[1].weight), (Some("groq"), 3));
    let holds = |model, project| cheap.holds(&Ask { project, ..Ask::chat(Some(model)) });
    assert!(holds("gpt-4o", "alpha") && !holds("gpt-4o", "beta") && !holds("cheap", "alpha"));
}

#[test]
fn conditions_and_what_a_route_does_in_one_case_only_are_read() {
    let yaml = "\
routes:
  pictures:
    models: ['*']
    keys: ci-*
    tags: [batch, nightly]
    min_size: 1KB
    max_size: 2MB
    modalities: images
    tools: false
    sticky: 30m
    hedge: 800ms
    targets: [{provider: openai, key: second}]
    when_too_long: [google/gemini-2.5-pro]
    when_refused: mistral/mistral-large-latest
";
    let (snapshot, _) = gateway::config::build_snapshot(&with_yaml(yaml).config());
    let [route] = snapshot.routes() else { panic!("{:?}", snapshot.routes()) };
    let when = &route.when;
    assert_eq!(
        (when.keys.len(), when.tags.len(), when.least, when.most),
        (1, 2, Some(1000), Some(2_000_000))
    );
    assert_eq!(
        (when.modalities.as_slice(), when.tools),
        ([policy::Modality::Images].as_slice(), Some(false))
    );
    assert_eq!(route.sticky, Some(Duration::from_secs(1800)));
    assert_eq!(route.hedge, Some(Duration::from_millis(800)));
    assert_eq!(route.members[0].key.as_deref(), Some("second"));
    assert_eq!(route.when_too_long[0].model.as_deref(), Some("google/gemini-2.5-pro"));
    assert_eq!(route.when_refused[0].model.as_deref(), Some("mistral/mistral-large-latest"));
    assert!(snapshot.is_sticky());
}

#[test]
fn mistakes_of_routes_are_named_with_their_lines_all_at_once() {
    let yaml = "\
routes:
  a:
    strategy: fastest
    targets: [x/y]
  b: {}
  c:
    targets:
      - {wieght: 2}
  d:
    modalities: [smells]
    targets: [x/y]
";
    let error = with_yaml(yaml).error();
    let lines = error.lines().join("\n");
    for expected in [
        "config.yaml:3: routes.a.strategy must be in-order",
        "routes.b.targets",
        "did you mean 'weight'?",
        "routes.d.modalities must be text, images",
    ] {
        assert!(lines.contains(expected), "{expected}: {lines}");
    }
}

#[test]
fn a_target_of_a_provider_that_does_not_exist_is_worth_a_warning() {
    let yaml = "routes: {a: {targets: [{provider: nobody}]}}\n";
    let (_, warnings) = gateway::config::build_snapshot(&with_yaml(yaml).config());
    assert!(warnings.iter().any(|warning| warning.0.contains("routes.a: there is no provider 'nobody'")));
}

#[test]
fn a_name_that_stands_for_nothing_is_worth_a_warning() {
    let yaml = "\
aliases: {fast: groq/anything, round: trip, trip: round}
routes: {a: {targets: [nobody/x, gpt-4o, openai/of-tomorrow, fast, gpt-4p]}}
";
    let (_, warnings) = gateway::config::build_snapshot(&with_yaml(yaml).config());
    let told = warnings.iter().filter_map(|warning| warning.0.split_once(": no provider is known to have"));
    let told: Vec<_> = told.map(|(place, name)| format!("{place}{name}")).collect();
    let expected = [
        "routes.a the model 'nobody/x'",
        "routes.a the model 'gpt-4p'",
        "aliases.round the model 'trip'",
        "aliases.trip the model 'round'",
    ];
    assert_eq!(told, expected, "{warnings:?}");
    let yaml = "\
providers: {mine: {base_url: http://127.0.0.1:8000}}
routes: {a: {targets: [found-later]}}
";
    let (_, warnings) = gateway::config::build_snapshot(&with_yaml(yaml).config());
    assert!(!warnings.iter().any(|warning| warning.0.contains("found-later")), "{warnings:?}");
}
