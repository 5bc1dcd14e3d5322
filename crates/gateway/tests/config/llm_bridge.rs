//! The file that LLM-Bridge ships, unchanged.

use crate::support::*;

fn llm_bridge() -> Setting {
    let env = "ACCESS_API_KEYS=your-access-key-1,your-access-key-2\nCLOSEAI_API_KEY=c\nGEMINI_API_KEY=g\nDEEPSEEK_API_KEY=d\n";
    setting(&[]).with_file("configs/config.yaml", LLM_BRIDGE).with_file(".env", env)
}

#[test]
fn the_shipped_file_of_llm_bridge_loads_unchanged_and_says_what_is_not_in_use() {
    let (snapshot, warnings) = build_snapshot(&llm_bridge().config());
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said.iter().any(|line| line.contains("logging: format, output, fields")), "{said:?}");
    assert_eq!(llm_bridge().config().log, "debug");
    assert_eq!(llm_bridge().config().access_keys.len(), 2);
    assert_eq!(llm_bridge().config().provider_keys["closeai"].expose(), "c");
    assert!(
        ["closeai", "gemini", "deepseek"].iter().all(|name| provider(&snapshot, name).disabled.is_none())
    );
}

#[test]
fn its_proxy_serves_the_section_that_requires_one_and_no_other() {
    let egresses = llm_bridge().config().egresses();
    let proxy = |id: &str| egresses[id].proxy.as_ref().map(ToString::to_string);
    assert_eq!(proxy("google").as_deref(), Some("socks5://127.0.0.1:7890"));
    for id in ["closeai", "deepseek", "openai", "anthropic"] {
        assert_eq!(proxy(id), None, "{id}");
    }
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

#[test]
fn its_adapters_name_wires() {
    let yaml = "\
providers:
  gemini: { adapter: gemini }
  claude-proxy: { adapter: anthropic, base_url: https://a.example }
  other: { adapter: openai, base_url: https://b.example/v1 }
";
    let snapshot = with_yaml(yaml).snapshot();
    let wire = |name| provider(&snapshot, name).endpoints[0].wire;
    assert_eq!(wire("google"), WireId::Gemini);
    assert_eq!((wire("claude-proxy"), wire("other")), (WireId::AnthropicMessages, WireId::OpenAiChat));
    assert!(provider(&snapshot, "google").disabled.is_none());
}
