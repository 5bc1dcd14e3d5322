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
    assert!(
        cheap.holds("gpt-4o", "alpha") && !cheap.holds("gpt-4o", "beta") && !cheap.holds("cheap", "alpha")
    );
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
";
    let error = with_yaml(yaml).error();
    let lines = error.lines().join("\n");
    for expected in
        ["config.yaml:3: routes.a.strategy must be in-order", "routes.b.targets", "did you mean 'weight'?"]
    {
        assert!(lines.contains(expected), "{expected}: {lines}");
    }
}

#[test]
fn a_target_of_a_provider_that_does_not_exist_is_worth_a_warning() {
    let yaml = "routes: {a: {targets: [{provider: nobody}]}}\n";
    let (_, warnings) = gateway::config::build_snapshot(&with_yaml(yaml).config());
    assert!(warnings.iter().any(|warning| warning.0.contains("routes.a: there is no provider 'nobody'")));
}
