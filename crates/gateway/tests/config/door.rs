//! What the gateway refuses to start with, and what it never prints.

use crate::support::*;

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
