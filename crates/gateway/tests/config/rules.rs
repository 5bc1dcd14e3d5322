//! Parameter rules beyond LLM-Bridge's: below the top, for some models, APIs and clients only.

use wire::SurfaceId;

use crate::support::*;

const ACME: &str = "
providers:
  acme:
    base_url: http://localhost/v1
    param_config: {update_params: {reasoning.effort: low}}
    rules:
      - models: ['big-*']
        update_params: {reasoning.effort: high}
      - surfaces: [anthropic_messages]
        add_params: {user: from-messages}
    models:
      big-one: {param_config: {delete_params: [metadata.trace]}}
      small: {}
rules:
  - providers: [acme]
    wires: [openai_chat]
    add_params: {seed: 1}
  - wires: [gemini]
    add_params: {never: here}
";

/// What a body is after the rules for a client that speaks this.
fn after(snapshot: &Snapshot, surface: SurfaceId, model: &str, body: &'static str) -> String {
    let mut body = RawObject::parse(Bytes::from_static(body.as_bytes())).expect("a body");
    planned(snapshot, model).apply_rules(surface, &mut body).expect("rules that apply");
    String::from_utf8(body.into_bytes().to_vec()).expect("text")
}

#[test]
fn rules_hold_for_patterns_of_models_for_apis_and_for_clients() {
    let snapshot = with_yaml(ACME).snapshot();
    let body = r#"{"metadata":{"trace":1,"user":2}}"#;
    assert_eq!(
        after(&snapshot, SurfaceId::OpenAiChat, "acme/big-one", body),
        r#"{"metadata":{"user":2},"reasoning":{"effort":"high"},"seed":1}"#
    );
    assert_eq!(
        after(&snapshot, SurfaceId::OpenAiChat, "acme/small", body),
        r#"{"metadata":{"trace":1,"user":2},"reasoning":{"effort":"low"},"seed":1}"#
    );
    assert_eq!(
        after(&snapshot, SurfaceId::AnthropicMessages, "acme/unlisted", "{}"),
        r#"{"reasoning":{"effort":"low"},"seed":1,"user":"from-messages"}"#
    );
}

#[test]
fn what_holds_is_told_in_the_order_in_which_it_is_done() {
    let snapshot = with_yaml(ACME).snapshot();
    let told = planned(&snapshot, "acme/big-one").rules_in_words(SurfaceId::OpenAiChat);
    assert_eq!(
        told,
        [
            "set reasoning.effort to \"low\"",
            "set seed to 1 where it is absent",
            "set reasoning.effort to \"high\"",
            "delete metadata.trace"
        ]
    );
}

#[test]
fn mistakes_in_rules_are_named_with_their_lines() {
    let error = with_yaml(
        "rules:\n  - wires: [openai]\n    add_params: {a: 1}\n  - models: [x]\n  - update_params: {model.name: 1}\n",
    )
    .error();
    let said = error.to_string();
    for expected in [
        "config.yaml:2: rules.wires: 'openai' is none of openai_chat,",
        "config.yaml:4: rules: a rule must update, add, rename or delete something",
        "config.yaml:5: 'model' is protected",
    ] {
        assert!(said.contains(expected), "{expected} is not in\n{said}");
    }
}
