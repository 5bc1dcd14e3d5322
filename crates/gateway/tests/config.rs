//! Configuration as an operator meets it: file, environment and flags in, a configuration or a list of mistakes out.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use gateway::config::{Config, ConfigError, Flags, build_snapshot, load};
use policy::{Ask, Kind, Model, Provider, Reason, Snapshot, Standing, plan};
use tempfile::TempDir;
use wire::{Dialect, RawObject, WireId};

const LLM_BRIDGE: &str = include_str!("fixtures/llm-bridge-config.yaml");
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A working directory, and variables.
struct Setting {
    dir: TempDir,
    variables: HashMap<String, String>,
    flags: Flags,
}

fn setting(variables: &[(&str, &str)]) -> Setting {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let home = ("HOME".to_owned(), dir.path().join("home").display().to_string());
    Setting { variables: variables.chain([home]).collect(), dir, flags: Flags::default() }
}

impl Setting {
    fn with_file(self, name: &str, text: &str) -> Self {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, text).expect("a file");
        self
    }

    fn load(&self) -> Result<Config, ConfigError> {
        load(&self.flags, &|name| self.variables.get(name).cloned(), self.dir.path())
    }

    fn config(&self) -> Config {
        self.load().expect("a configuration without a mistake")
    }

    fn error(&self) -> ConfigError {
        self.load().expect_err("a configuration with a mistake")
    }

    fn snapshot(&self) -> Snapshot {
        build_snapshot(&self.config()).0
    }
}

fn with_yaml(text: &str) -> Setting {
    setting(&[]).with_file("config.yaml", text)
}

fn provider<'a>(snapshot: &'a Snapshot, name: &str) -> &'a Provider {
    snapshot.provider(name).expect("a provider of that name")
}

fn model<'a>(snapshot: &'a Snapshot, name: &str, id: &str) -> &'a Model {
    provider(snapshot, name).models.get(id).expect("a model of that id")
}

fn url<'a>(snapshot: &'a Snapshot, name: &str) -> &'a str {
    &provider(snapshot, name).endpoints[0].url
}

/// Every provider that is not switched off has a key.
struct AllKeys;

impl Standing for AllKeys {
    fn unavailable(&self, _: &Provider, _: &str) -> Option<Reason> {
        None
    }
}

fn planned(snapshot: &Snapshot, model: &str) -> policy::Target {
    let dialect = Some(Dialect::OpenAiChat);
    let ask = Ask { dialect, model: Some(model), provider: None, project: "_global", strict: false };
    plan(&ask, snapshot, &AllKeys).expect("a plan").targets()[0].clone()
}

/// What a body is after a target's rules, as JSON text by field.
fn ruled(snapshot: &Snapshot, model: &str, body: &'static str) -> RawObject {
    let mut body = RawObject::parse(Bytes::from_static(body.as_bytes())).expect("a body");
    planned(snapshot, model).apply_rules(&mut body).expect("rules that apply");
    body
}

// --- defaults --------------------------------------------------------------------------------------------------------

#[test]
fn nothing_is_needed() {
    let setting = setting(&[]);
    let config = setting.config();
    assert_eq!(
        (config.host.to_string().as_str(), config.port, config.log.as_str()),
        ("127.0.0.1", 3456, "info")
    );
    assert_eq!(config.file, None);
    assert_eq!(config.data_dir, setting.dir.path().join("home/.llm-gateway"));
    assert!(config.auth_token.is_none() && config.access_keys.is_empty() && config.provider_keys.is_empty());
}

#[test]
fn the_providers_come_in_the_documented_order_and_the_demonstration_last() {
    let snapshot = setting(&[]).snapshot();
    let ids: Vec<&str> = snapshot.providers().iter().map(|provider| &*provider.id).collect();
    assert_eq!(
        ids[..11],
        [
            "anthropic",
            "openai",
            "google",
            "groq",
            "openrouter",
            "opencode-cli",
            "claude-cli",
            "gemini-cli",
            "codex-cli",
            "copilot-cli",
            "deepseek"
        ]
    );
    assert_eq!(ids.last(), Some(&"demo"));
}

#[test]
fn the_documented_defaults_and_models_are_there() {
    let snapshot = setting(&[]).snapshot();
    for (id, default) in [
        ("anthropic", "claude-sonnet-4-20250514"),
        ("openai", "gpt-4o"),
        ("google", "gemini-2.5-flash"),
        ("groq", "llama-3.3-70b-versatile"),
        ("openrouter", "deepseek/deepseek-chat"),
        ("opencode-cli", "opencode/gpt-5-nano"),
        ("claude-cli", "claude-sonnet-4-5"),
        ("gemini-cli", "gemini-2.5-flash"),
        ("codex-cli", "gpt-5.4"),
        ("copilot-cli", "gpt-4.1"),
    ] {
        let provider = provider(&snapshot, id);
        assert_eq!(provider.default_model.as_deref(), Some(default));
        assert!(provider.models.contains_key(default));
    }
    let listed =
        provider(&snapshot, "openai").listed_models().map(|model| model.id.to_string()).collect::<Vec<_>>();
    assert_eq!(listed, ["gpt-4o", "gpt-4o-mini", "o3-mini"]);
}

#[test]
fn exact_ids_belong_to_whom_the_contract_says() {
    let snapshot = setting(&[]).snapshot();
    let seen = |model: &str| {
        let target = planned(&snapshot, model);
        format!("{}:{}", target.provider.id, target.model.id)
    };
    assert_eq!(seen("openai/gpt-oss-120b"), "groq:openai/gpt-oss-120b");
    assert_eq!(seen("openai/gpt-4o"), "openrouter:openai/gpt-4o");
    assert_eq!(seen("anthropic/claude-sonnet-4"), "openrouter:anthropic/claude-sonnet-4");
    assert_eq!(seen("gpt-4o"), "openai:gpt-4o");
    assert_eq!(seen("claude-opus-4-6"), "anthropic:claude-opus-4-6");
    assert_eq!(seen("deepseek/deepseek-reasoner"), "deepseek:deepseek-reasoner");
}

#[test]
fn a_model_of_the_catalogue_has_its_price_and_a_documented_one_without_has_none() {
    let snapshot = setting(&[]).snapshot();
    let priced = model(&snapshot, "openai", "gpt-4o");
    assert_eq!(priced.rate.as_ref().and_then(|rate| rate.base.input), Some(2_500_000));
    assert!(priced.price_source.is_some());
    let unpriced = model(&snapshot, "anthropic", "claude-haiku-4-20250414");
    assert_eq!((unpriced.rate.as_ref(), unpriced.price_source.as_ref()), (None, None));
}

#[test]
fn programs_are_listed_with_the_reason_why_they_are_off() {
    let snapshot = setting(&[]).snapshot();
    let program = provider(&snapshot, "claude-cli");
    assert_eq!((program.kind, program.program.as_deref()), (Kind::Cli, Some("claude")));
    assert!(program.disabled.as_ref().is_some_and(|why| why.contains("later version")));
}

// --- environment and flags -------------------------------------------------------------------------------------------

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let yaml = "server:\n  port: 1\n  host: 127.0.0.2\n";
    let mut setting = setting(&[("LLM_GATEWAY_PORT", "2")]).with_file("config.yaml", yaml);
    assert_eq!((setting.config().port, setting.config().host.to_string().as_str()), (2, "127.0.0.2"));
    setting.flags.port = Some(3);
    setting.flags.host = Some("localhost".to_owned());
    assert_eq!((setting.config().port, setting.config().host.to_string().as_str()), (3, "127.0.0.1"));
}

#[test]
fn keys_and_addresses_of_providers_come_from_the_environment() {
    let setting = setting(&[
        ("OPENAI_API_KEY", "sk-o"),
        ("GEMINI_API_KEY", "g"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"),
        ("ANTHROPIC_BASE_URL", "http://127.0.0.1:9"),
        ("ACME_API_KEY", "not asked for"),
    ]);
    let config = setting.config();
    let mut owners: Vec<&String> = config.provider_keys.keys().collect();
    owners.sort();
    assert_eq!(owners, ["google", "openai"]);
    let snapshot = setting.snapshot();
    assert_eq!(url(&snapshot, "openai"), "http://127.0.0.1:9/v1/chat/completions");
    assert_eq!(url(&snapshot, "anthropic"), "http://127.0.0.1:9/v1/messages");
}

#[test]
fn a_key_may_stand_in_a_file_or_in_dotenv() {
    let setting = setting(&[("GROQ_API_KEY_FILE", "groq.key")])
        .with_file("groq.key", "gsk-file\n")
        .with_file(".env", "XAI_API_KEY=xai-dotenv\n");
    let config = setting.config();
    assert_eq!(config.provider_keys["groq"].expose(), "gsk-file");
    assert_eq!(config.provider_keys["xai"].expose(), "xai-dotenv");
}

#[test]
fn a_local_server_takes_part_only_when_its_address_is_configured() {
    assert!(provider(&setting(&[]).snapshot(), "ollama").disabled.is_some());
    let snapshot = setting(&[("OLLAMA_BASE_URL", "http://127.0.0.1:11434")]).snapshot();
    let ollama = provider(&snapshot, "ollama");
    assert_eq!(ollama.disabled, None);
    assert!(!ollama.needs_credential());
    assert_eq!(url(&snapshot, "ollama"), "http://127.0.0.1:11434/v1/chat/completions");
}

#[test]
fn a_base_url_that_is_this_gateway_itself_is_left_aside() {
    let setting = setting(&[("OPENAI_BASE_URL", "http://localhost:3456/v1")]);
    assert_eq!(url(&setting.snapshot(), "openai"), "https://api.openai.com/v1/chat/completions");
    assert!(setting.config().warnings()[0].to_string().contains("OPENAI_BASE_URL"));
}

#[test]
fn a_bad_port_or_address_is_named_and_ends_with_code_3() {
    for (name, value) in
        [("LLM_GATEWAY_PORT", "abc"), ("LLM_GATEWAY_PORT", "65536"), ("LLM_GATEWAY_HOST", "nowhere")]
    {
        let error = setting(&[(name, value)]).error();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains(name) && error.to_string().contains(value), "{error}");
    }
    let error = setting(&[("MISTRAL_BASE_URL", "mistral.example")]).error();
    assert!(error.to_string().starts_with("MISTRAL_BASE_URL must be"), "{error}");
}

// --- the door --------------------------------------------------------------------------------------------------------

#[test]
fn a_short_token_is_refused_with_the_number_that_is_needed_and_code_78() {
    let error = setting(&[("LLM_GATEWAY_AUTH_TOKEN", "s3cret")]).error();
    assert_eq!((error.exit_code(), error.lines().len()), (78, 1));
    assert!(error.to_string().contains("32") && !error.to_string().contains("s3cret"), "{error}");
}

#[test]
fn an_address_open_to_others_needs_a_token_or_keys_or_an_explicit_word() {
    let open = ("LLM_GATEWAY_HOST", "0.0.0.0");
    assert_eq!(setting(&[open]).error().exit_code(), 78);
    for rescue in
        [("LLM_GATEWAY_AUTH_TOKEN", TOKEN), ("ACCESS_API_KEYS", "k"), ("LLM_GATEWAY_AUTH_REQUIRED", "false")]
    {
        assert_eq!(setting(&[open, rescue]).config().host.to_string(), "0.0.0.0");
    }
}

#[test]
fn production_needs_a_token_unless_told_otherwise() {
    for name in ["NODE_ENV", "LLM_GATEWAY_ENV"] {
        assert_eq!(setting(&[(name, "production")]).error().exit_code(), 78);
        setting(&[(name, "production"), ("LLM_GATEWAY_AUTH_TOKEN", TOKEN)]).config();
        setting(&[(name, "production"), ("LLM_GATEWAY_AUTH_REQUIRED", "false")]).config();
    }
    assert_eq!(setting(&[("LLM_GATEWAY_AUTH_REQUIRED", "true")]).error().exit_code(), 78);
}

#[test]
fn a_secret_never_shows_in_a_printed_configuration() {
    let secrets = [
        ("LLM_GATEWAY_AUTH_TOKEN", TOKEN),
        ("ACCESS_API_KEYS", "canary-access"),
        ("OPENAI_API_KEY", "canary-openai"),
        ("LLM_GATEWAY_MASTER_KEY", "canary-master"),
    ];
    let yaml = "providers:\n  acme:\n    base_url: https://acme.example\n    api_key: canary-file\n";
    let printed = format!("{:?}", setting(&secrets).with_file("config.yaml", yaml).config());
    assert!(!printed.contains("canary") && !printed.contains(TOKEN), "{printed}");
}

// --- the file --------------------------------------------------------------------------------------------------------

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

// --- LLM-Bridge's own file ---------------------------------------------------------------------------------------------

fn llm_bridge() -> Setting {
    let env = "ACCESS_API_KEYS=your-access-key-1,your-access-key-2\nCLOSEAI_API_KEY=c\nGEMINI_API_KEY=g\nDEEPSEEK_API_KEY=d\n";
    setting(&[]).with_file("configs/config.yaml", LLM_BRIDGE).with_file(".env", env)
}

#[test]
fn the_shipped_file_of_llm_bridge_loads_unchanged_and_says_what_is_not_in_use() {
    let (snapshot, warnings) = build_snapshot(&llm_bridge().config());
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said.iter().any(|line| line.contains("proxy: not in use yet")), "{said:?}");
    assert!(said.iter().any(|line| line.contains("logging: format, output, fields")), "{said:?}");
    assert!(said.iter().any(|line| line.contains("providers.gemini") && line.contains("proxy")), "{said:?}");
    assert_eq!(llm_bridge().config().log, "debug");
    assert_eq!(llm_bridge().config().access_keys.len(), 2);
    assert_eq!(llm_bridge().config().provider_keys["closeai"].expose(), "c");
    assert!(provider(&snapshot, "gemini").disabled.is_some());
}

#[test]
fn its_base_urls_are_complete_endpoints_and_stay_as_they_are() {
    let snapshot = llm_bridge().snapshot();
    assert_eq!(url(&snapshot, "closeai"), "https://api.openai-proxy.org/v1/chat/completions");
    assert_eq!(url(&snapshot, "deepseek"), "https://api.deepseek.com/chat/completions");
    assert_eq!(url(&snapshot, "gemini"), "https://generativelanguage.googleapis.com/v1beta/chat/completions");
}

#[test]
fn its_first_section_serves_models_without_a_prefix() {
    let snapshot = llm_bridge().snapshot();
    for name in ["gpt-4o", "deepseek-chat", "brand-new", "closeai/gpt-4o"] {
        assert_eq!(&*planned(&snapshot, name).provider.id, "closeai", "{name}");
    }
    assert_eq!(&*planned(&snapshot, "deepseek/deepseek-chat").provider.id, "deepseek");
}

#[test]
fn its_models_are_listed_under_their_section() {
    let snapshot = llm_bridge().snapshot();
    let closeai = provider(&snapshot, "closeai");
    let listed: Vec<String> = closeai.listed_models().map(|model| closeai.listed_id(model)).collect();
    assert_eq!(listed.len(), 7);
    assert!(listed.contains(&"closeai/o3-mini<high>".to_owned()));
}

#[test]
fn its_variants_are_looked_up_whole_sent_cut_and_keep_their_own_parameters() {
    let snapshot = llm_bridge().snapshot();
    for (name, effort, seconds) in [
        ("o3-mini", "\"low\"", 120),
        ("o3-mini<medium>", "\"medium\"", 300),
        ("closeai/o3-mini<high>", "\"high\"", 600),
    ] {
        let target = planned(&snapshot, name);
        assert_eq!(&**target.model.sent_as(), "o3-mini");
        assert_eq!(target.model.timeout, Some(Duration::from_secs(seconds)));
        let body = ruled(&snapshot, name, r#"{"model":"x"}"#);
        assert_eq!(body.raw("reasoning_effort"), Some(effort), "{name}");
        assert_eq!(
            ruled(&snapshot, name, r#"{"reasoning_effort":"own"}"#).raw("reasoning_effort"),
            Some("\"own\"")
        );
    }
}

#[test]
fn its_rules_and_limits_work_on_the_final_body() {
    let snapshot = llm_bridge().snapshot();
    let body = ruled(&snapshot, "deepseek/deepseek-reasoner", r#"{"temperature":1,"max_tokens":99999}"#);
    assert_eq!(body.raw("temperature"), Some("0.6"));
    assert_eq!((body.raw("max_tokens"), body.raw("max_reasoning_token")), (None, Some("8192")));
    assert_eq!(ruled(&snapshot, "closeai/gpt-4o", "{}").raw("max_tokens"), Some("8192"));
    // OpenAI's reasoning models refuse `max_tokens`.
    assert_eq!(ruled(&snapshot, "closeai/o3-mini", "{}").raw("max_completion_tokens"), Some("4096"));
}

#[test]
fn prices_of_a_proxy_in_front_of_openai_are_not_openais() {
    let snapshot = llm_bridge().snapshot();
    assert_eq!(model(&snapshot, "closeai", "gpt-4o").rate, None);
    assert!(model(&snapshot, "deepseek", "deepseek-chat").rate.is_some());
}

// --- log -------------------------------------------------------------------------------------------------------------

#[test]
fn a_log_level_is_a_level_or_a_filter_in_any_of_the_usual_words() {
    for (said, meant) in [
        ("debug", "debug"),
        ("WARNING", "warn"),
        ("fatal", "error"),
        ("silent", "off"),
        ("gateway=debug,warn", "gateway=debug,warn"),
    ] {
        for name in ["LLM_GATEWAY_LOG", "LOG_LEVEL"] {
            assert_eq!(setting(&[(name, said)]).config().log, meant, "{name}={said}");
        }
    }
    assert_eq!(setting(&[("LLM_GATEWAY_LOG", "error"), ("LOG_LEVEL", "debug")]).config().log, "error");
}

#[test]
fn what_is_no_log_level_is_refused_in_our_own_variable_and_left_aside_in_the_shared_one() {
    for said in ["loud", "=,="] {
        let error = setting(&[("LLM_GATEWAY_LOG", said)]).error();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("LLM_GATEWAY_LOG"), "{error}");
        let config = setting(&[("LOG_LEVEL", said)]).config();
        assert_eq!(config.log, "info");
        assert!(build_snapshot(&config).1.iter().any(|warning| warning.to_string().contains("LOG_LEVEL")));
    }
}
