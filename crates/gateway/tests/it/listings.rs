//! Commands that say what is there: providers, models, the program itself; and the script for shells.

use serde_json::{Value, json};

use crate::support::{Builder, Ended};

/// A command where OpenAI has a key and one own provider a model.
fn run(args: &[&str]) -> Ended {
    let yaml = "providers:\n  acme:\n    base_url: https://api.acme.example/v1\n    models: {acme-large: {max_tokens: 77}}\n\
                prices:\n  acme/acme-large: {input: 0.5, output: 12}\n";
    Builder::new(yaml.to_owned())
        .env("OPENAI_API_KEY", "key-of-openai")
        .env("ACME_API_KEY", "key")
        .args(args)
        .run()
}

#[track_caller]
fn json_of(args: &[&str]) -> Value {
    let ended = run(args);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

#[test]
fn providers_are_listed_with_what_keeps_them_out() {
    let rows = json_of(&["providers", "list", "--json"]);
    let row = |id: &str| rows.as_array().unwrap().iter().find(|row| row["id"] == id).cloned().unwrap();
    assert_eq!(row("openai"), json!({"id": "openai", "name": "OpenAI", "type": "api", "available": true}));
    assert_eq!(row("acme")["available"], true);
    assert!(row("anthropic")["reason"].as_str().unwrap().contains("ANTHROPIC_API_KEY"), "{rows}");
    let table = run(&["providers", "list"]).out;
    assert!(table.lines().any(|line| line.starts_with("openai ") && line.ends_with("yes")), "{table}");
}

#[test]
fn models_are_listed_with_limits_and_prices_for_those_who_have_a_key() {
    let rows = json_of(&["models", "list", "--json"]);
    let ids: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"gpt-4o") && ids.contains(&"acme/acme-large"), "{ids:?}");
    assert!(!ids.iter().any(|id| id.contains("claude")), "{ids:?}");
    let table = run(&["models", "list"]).out;
    let line =
        table.lines().find(|line| line.starts_with("acme/acme-large ")).unwrap_or_else(|| panic!("{table}"));
    assert_eq!(
        line.split_whitespace().collect::<Vec<_>>(),
        ["acme/acme-large", "acme", "-", "77", "0.5", "12"]
    );
}

#[test]
fn one_model_is_shown_by_any_name_that_a_request_may_use() {
    for name in ["acme/acme-large", "acme-large"] {
        let row = json_of(&["models", "show", name, "--json"]);
        assert_eq!((&row["provider"], &row["sentAs"]), (&json!("acme"), &json!("acme-large")), "{row}");
        assert_eq!((&row["inputUsdPerMillion"], &row["outputUsdPerMillion"]), (&json!("0.5"), &json!("12")));
    }
    let text = run(&["models", "show", "gpt-4o"]).out;
    assert!(text.lines().any(|line| line == "SENT AS     gpt-4o"), "{text}");
    let unknown = run(&["models", "show", "nobody-has-this"]);
    assert_eq!((unknown.code, unknown.out.as_str()), (Some(4), ""), "{unknown:?}");
}

#[test]
fn the_program_says_what_it_is_as_json() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(json_of(&["version", "--json"]), json!({ "version": version }));
    let status = Builder::bare().args(&["--json"]).env("LLM_GATEWAY_PORT", "1").run();
    let told: Value = serde_json::from_str(&status.out).unwrap_or_else(|error| panic!("{error}: {status:?}"));
    assert_eq!((&told["version"], &told["serving"]), (&json!(version), &json!(false)), "{told}");
    assert_eq!(told["address"], "127.0.0.1:1");
}

#[test]
fn shells_get_a_script_that_knows_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]).out;
        assert!(["serve", "models", "explain"].iter().all(|word| script.contains(word)), "{shell}");
    }
    assert_eq!(run(&["completions", "nonsense"]).code, Some(2));
}
