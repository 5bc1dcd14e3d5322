//! Commands that say what is there: providers, models, the program itself; and the script for shells.

use serde_json::{Value, json};

use fakeprov::FakeProv;

use crate::support::{Builder, Ended, block_on};

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

/// Exit code, and each probe as provider, key, result; the details follow.
fn tested(gateway: Builder, args: &[&str]) -> (Option<i32>, Vec<Value>) {
    let ended = gateway.args(&[&["providers", "test", "--json"], args].concat()).run();
    let probes = serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    (ended.code, probes)
}

#[test]
fn providers_are_asked_with_each_key_whether_they_let_us_in() {
    let provider = block_on(FakeProv::with_key("key-of-srv"));
    let own = |key: &str| {
        let section = format!("base_url: '{}', api_key: {key}, discover: false", provider.url());
        Builder::new(format!("providers:\n  srv: {{{section}}}\n"))
    };
    let (code, probes) = tested(own("key-of-srv"), &[]);
    assert_eq!((code, probes.len()), (Some(0), 1), "{probes:?}");
    assert_eq!(
        (&probes[0]["provider"], &probes[0]["key"], &probes[0]["ok"]),
        (&json!("srv"), &json!("configured"), &json!(true))
    );
    assert_eq!(probes[0]["detail"], "lists 6 models");

    let (code, probes) = tested(own("not-the-key-of-srv"), &["srv"]);
    assert_eq!((code, &probes[0]["ok"]), (Some(8), &json!(false)), "{probes:?}");
    let detail = probes[0]["detail"].as_str().unwrap();
    assert!(detail.contains("401") && !detail.contains("not-the-key-of-srv"), "{detail}");

    let unknown = own("key-of-srv").args(&["providers", "test", "srw"]).run();
    assert_eq!((unknown.code, unknown.out.as_str()), (Some(4), ""), "{unknown:?}");
    assert!(unknown.err.contains("srw"), "{unknown:?}");

    let (code, probes) = tested(own("key-of-srv"), &["anthropic"]);
    assert_eq!((code, &probes[0]["key"]), (Some(8), &Value::Null), "{probes:?}");
}

#[test]
fn a_provider_that_is_not_there_fails_its_test_and_says_why() {
    let nobody = "providers:\n  srv: {base_url: 'http://127.0.0.1:1/v1', api_key: key}\n".to_owned();
    let ended = Builder::new(nobody).args(&["providers", "test"]).run();
    assert_eq!(ended.code, Some(8), "{ended:?}");
    assert!(ended.out.contains("FAIL") && ended.out.contains("connection refused"), "{ended:?}");
}

#[test]
fn a_configuration_is_checked_in_json_too_whatever_is_wrong_with_it() {
    let checked = |yaml: &str| {
        let ended = Builder::new(yaml.to_owned()).args(&["config", "check", "--json"]).run();
        let told: Value =
            serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
        (ended.code, told)
    };
    let rules = "providers:\n  acme:\n    base_url: https://api.acme.example/v1\n    api_key: key\n    models: {large: {max_tokens: 77}}\n";
    let (code, told) = checked(rules);
    assert_eq!((code, &told["valid"], &told["errors"]), (Some(0), &json!(true), &json!([])), "{told}");
    let rule = &told["rules"][0];
    assert_eq!((&rule["model"], &rule["after"]["max_tokens"]), (&json!("acme/large"), &json!(77)), "{told}");
    assert_ne!(rule["before"]["max_tokens"], 77);

    let (code, told) = checked("providers:\n  acme: {base_ulr: x}\nserver: {prot: 1}\n");
    assert_eq!((code, &told["valid"]), (Some(3), &json!(false)), "{told}");
    let errors: Vec<&str> =
        told["errors"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(errors.len() >= 2 && errors[0].contains("base_ulr") && errors[0].contains(":2"), "{errors:?}");
}
