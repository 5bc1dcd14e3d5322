//! Environment and flags.

use crate::support::*;

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

/// Two providers of the catalogue read this variable.
#[test]
fn a_mistake_is_told_once() {
    let error = setting(&[("OPENAI_BASE_URL", "nonsense")]).error();
    assert_eq!(error.lines().len(), 1, "{error}");
    let error = setting(&[("OPENAI_BASE_URL", "nonsense"), ("GROQ_BASE_URL", "nonsense")]).error();
    assert_eq!(error.lines().len(), 2, "{error}");
    let warned = setting(&[("OPENAI_BASE_URL", "http://localhost:3456/v1")]).config();
    assert_eq!(warned.warnings().len(), 1, "{:?}", warned.warnings());
}
