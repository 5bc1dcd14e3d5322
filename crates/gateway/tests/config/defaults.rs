//! What holds when nothing is configured.

use crate::support::*;

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
