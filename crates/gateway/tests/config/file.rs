//! The operator's file.

use crate::support::*;

#[test]
fn the_first_file_of_the_usual_places_is_read() {
    let text = |port: u16| format!("server:\n  port: {port}\n");
    let setting = setting(&[]).with_file("home/.config/llm-gateway/config.yaml", &text(1));
    assert_eq!(setting.config().port, 1);
    let setting = setting.with_file("configs/config.yaml", &text(2));
    assert_eq!(setting.config().port, 2);
    let setting = setting.with_file("config.yaml", &text(3));
    assert_eq!(
        (setting.config().port, setting.config().file),
        (3, Some(setting.dir.path().join("config.yaml")))
    );
    let mut setting = setting.with_file("mine.yaml", &text(4));
    setting.variables.insert("LLM_GATEWAY_CONFIG".into(), "mine.yaml".into());
    assert_eq!(setting.config().port, 4);
    setting.flags.config = Some(Path::new("absent.yaml").to_path_buf());
    assert_eq!(setting.error().exit_code(), 3);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_what_was_probably_meant() {
    let error = with_yaml("server:\n  port: 1\n  hots: localhost\n").error();
    assert_eq!(error.exit_code(), 3);
    let line = &error.lines()[0];
    assert!(line.contains("config.yaml:3: unknown key 'hots' in server; did you mean 'host'?"), "{line}");
}

#[test]
fn all_mistakes_are_reported_at_once_with_their_lines() {
    let yaml = "\
provders: {}
server:
  port: high
  x_gateway: maybe
providers:
  acme:
    base_url: acme.example
    models:
      m:
        max_tokens: -1
        timeout: soon
        param_config:
          update_params: { model: other }
          ad_params: { a: 1 }
default_provider: amce
";
    let error = with_yaml(yaml).error();
    for expected in [
        ":1: unknown key 'provders'; did you mean 'providers'?",
        ":3: server.port must be a port, 0 to 65535",
        ":4: server.x_gateway must be true or false",
        ":10: providers.acme.models.m.max_tokens must be a whole number above zero",
        ":11: providers.acme.models.m.timeout must be a duration such as 90s, 500ms or 2m",
        ":13: 'model' is protected",
        ":14: unknown key 'ad_params'",
        "providers.acme.base_url must be an http or https URL",
        "there is no provider 'amce'; did you mean 'acme'?",
    ] {
        assert!(
            error.lines().iter().any(|line| line.contains(expected)),
            "{expected} is missing in\n{error}"
        );
    }
    assert_eq!(error.lines().len(), 9, "{error}");
}

#[test]
fn broken_yaml_is_one_line_with_its_place() {
    let error = with_yaml("a: [1\nb: 2\n").error();
    assert_eq!((error.exit_code(), error.lines().len()), (3, 1), "{error}");
    assert!(error.to_string().contains("config.yaml: "), "{error}");
}

#[test]
fn a_provider_of_ones_own_needs_only_an_address() {
    let yaml = "providers:\n  acme:\n    base_url: https://acme.example\n    api_key: env:MY_KEY\n    models:\n      m1:\n";
    let setting = setting(&[("MY_KEY", "sk-mine")]).with_file("config.yaml", yaml);
    let snapshot = setting.snapshot();
    let acme = provider(&snapshot, "acme");
    assert_eq!(url(&snapshot, "acme"), "https://acme.example/v1/chat/completions");
    assert_eq!(
        (acme.default_model.as_deref(), acme.takes_any_model, acme.needs_credential()),
        (Some("m1"), true, true)
    );
    assert_eq!(acme.key_names, ["ACME_API_KEY"]);
    assert_eq!(setting.config().provider_keys["acme"].expose(), "sk-mine");
    assert_eq!(planned(&snapshot, "acme/anything/at-all").model.id.as_ref(), "anything/at-all");
    let error = with_yaml("providers:\n  opnai: {}\n").error();
    assert!(error.to_string().contains("needs a base_url (or did you mean 'openai'?)"), "{error}");
}

#[test]
fn a_section_needs_a_name_that_can_be_a_prefix_and_is_free() {
    for (name, why) in [("demo", "demonstration"), ("a/b", "letters, digits")] {
        let error = with_yaml(&format!("providers:\n  {name}: {{ base_url: https://a.example }}\n")).error();
        assert!(error.to_string().contains(why), "{error}");
    }
    let twice = "providers:\n  google: {}\n  gemini: {}\n";
    assert!(with_yaml(twice).error().to_string().contains("another spelling"));
}

#[test]
fn a_model_may_be_called_like_a_number() {
    let snapshot =
        with_yaml("providers:\n  a: { base_url: 'https://a.example', models: { 7: } }\n").snapshot();
    assert_eq!(planned(&snapshot, "a/7").model.listed_as.as_deref(), Some("a/7"));
}

#[test]
fn a_provider_may_speak_anthropic_messages_need_no_key_or_use_another_header() {
    let yaml = "\
providers:
  a: { wire: anthropic_messages, base_url: https://a.example }
  b: { base_url: https://b.example/v1, auth: none }
  c: { base_url: https://c.example/v1, auth: { header: Api-Key } }
  d: { base_url: 'http://127.0.0.1:8080' }
";
    let snapshot = with_yaml(yaml).snapshot();
    assert_eq!(provider(&snapshot, "a").endpoints[0].wire, WireId::AnthropicMessages);
    let header = |id| provider(&snapshot, id).auth.as_ref().map(|auth| auth.header.clone());
    assert_eq!(header("a").as_deref(), Some("x-api-key"));
    assert_eq!((header("b"), provider(&snapshot, "b").needs_credential()), (None, false));
    assert_eq!(header("c").as_deref(), Some("api-key"));
    assert!(!provider(&snapshot, "d").needs_credential());
}

#[test]
fn a_reference_to_a_missing_variable_leaves_only_that_provider_without_a_key() {
    let setting =
        with_yaml("providers:\n  acme:\n    base_url: https://a.example\n    api_key: ${MISSING}\n");
    assert!(setting.config().provider_keys.is_empty());
    assert!(
        setting.config().warnings()[0]
            .to_string()
            .contains(":4: providers.acme.api_key: the variable MISSING")
    );
}

#[test]
fn prices_limits_and_deadlines_of_the_file_win() {
    let yaml = "\
providers:
  openai:
    timeout: 30
    timeouts: { connect: 1s, idle: 500ms }
    headers: { openai-organization: org }
    models:
      gpt-4o: { max_tokens: 99, timeout: 2m, price: { input: 0.01875, output: 0 } }
";
    let snapshot = with_yaml(yaml).snapshot();
    let timeouts = provider(&snapshot, "openai").timeouts;
    assert_eq!((timeouts.connect, timeouts.idle), (Duration::from_secs(1), Duration::from_millis(500)));
    assert_eq!(timeouts.total, Some(Duration::from_secs(30)));
    assert_eq!(
        provider(&snapshot, "openai").extra_headers,
        [("openai-organization".to_owned(), "org".to_owned())]
    );
    let model = model(&snapshot, "openai", "gpt-4o");
    assert_eq!((model.max_tokens, model.timeout), (Some(99), Some(Duration::from_secs(120))));
    assert_eq!(model.rate.as_ref().and_then(|rate| rate.base.input), Some(18_750));
    assert_eq!(model.price_source.as_deref(), Some("file"));
}

#[test]
fn order_default_and_aliases_are_the_operators_to_choose() {
    let yaml = "order: [groq]\ndefault_provider: mistral\naliases: { fast: groq/llama-3.1-8b-instant }\n";
    let snapshot = with_yaml(yaml).snapshot();
    assert_eq!(&*snapshot.providers()[0].id, "groq");
    assert_eq!(planned(&snapshot, "brand-new").provider.id.as_ref(), "mistral");
    assert_eq!(planned(&snapshot, "fast").model.id.as_ref(), "llama-3.1-8b-instant");
}

#[test]
fn a_private_address_is_refused_only_when_the_file_says_so() {
    let yaml =
        |word| format!("providers:\n  a: {{ base_url: 'http://10.0.0.1/v1', allow_private: {word} }}\n");
    with_yaml(&yaml(true)).config();
    assert!(with_yaml(&yaml(false)).error().to_string().contains("private address"));
}
