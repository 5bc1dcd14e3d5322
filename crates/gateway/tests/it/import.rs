//! Moving in from other gateways. The vault is one that mcp-llm-bridge 0.5.1 itself wrote.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use store::{GLOBAL, OpenOptions, Outcome};
use tempfile::TempDir;

use crate::support::{Builder, Ended, TOKEN, block_on, rows, sql};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A home in which mcp-llm-bridge has worked.
fn its_home() -> Arc<TempDir> {
    let dir = Arc::new(TempDir::new().unwrap());
    let data = dir.path().join(".llm-gateway");
    std::fs::create_dir(&data).unwrap();
    for name in ["vault.db", "master.key"] {
        std::fs::copy(fixture("mcp-llm-bridge-0.5.1").join(name), data.join(name)).unwrap();
    }
    dir
}

fn import(dir: &Arc<TempDir>, words: &[&str]) -> Ended {
    let builder = Builder::bare().within(dir.clone()).arg("import");
    words.iter().fold(builder, |builder, word| builder.arg(word)).run()
}

/// Every credential in a vault of ours, opened.
fn keys(data_dir: PathBuf) -> Vec<(String, String, String, String)> {
    block_on(async {
        let opened = store::open(OpenOptions { data_dir, db_path: None, master_key: None }).await.unwrap();
        let mut keys = Vec::new();
        for row in opened.store.credentials(None).await.unwrap() {
            let secret = opened.store.open_credential(row.id).await.unwrap().expose().to_owned();
            keys.push((row.provider, row.key_name, row.project, secret));
        }
        opened.store.close().await;
        keys
    })
}

/// Every auth file in a vault of ours, opened.
fn files(data_dir: PathBuf) -> Vec<(String, String, String, String)> {
    block_on(async {
        let opened = store::open(OpenOptions { data_dir, db_path: None, master_key: None }).await.unwrap();
        let mut files = Vec::new();
        for row in opened.store.files(None).await.unwrap() {
            let content = opened.store.open_file(row.id).await.unwrap().expose().to_owned();
            files.push((row.provider, row.file_name, row.project, content));
        }
        opened.store.close().await;
        files
    })
}

fn told(secrets: &[(String, String, String, String)]) -> Vec<(&str, &str, &str, &str)> {
    secrets.iter().map(|(a, b, c, d)| (a.as_str(), b.as_str(), c.as_str(), d.as_str())).collect()
}

fn bytes(dir: &TempDir) -> (Vec<u8>, Vec<u8>) {
    let read = |name: &str| std::fs::read(dir.path().join(".llm-gateway").join(name)).unwrap();
    (read("vault.db"), read("master.key"))
}

#[test]
fn a_vault_of_mcp_llm_bridge_is_taken_over_byte_for_byte_and_left_as_it_was() {
    let dir = its_home();
    let before = bytes(&dir);
    let ended = import(&dir, &["mcp-llm-bridge"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let found = keys(dir.path().join(".llm-gateway/gateway"));
    let expected = [
        ("anthropic", "default", "shop", "sk-ant-move-in-0123456789"),
        ("google", "default", GLOBAL, "AIza-move-in-0123456789"),
        ("openai", "default", GLOBAL, "sk-move-in-openai-0123456789abcdef"),
        ("openai", "second", GLOBAL, "sk-move-in-second-0123456789abcdef"),
    ];
    assert_eq!(told(&found), expected);
    let found = files(dir.path().join(".llm-gateway/gateway"));
    let expected = [
        ("claude", ".credentials.json", "shop", "{}"),
        (
            "opencode",
            "auth.json",
            GLOBAL,
            "{\"openai\":{\"type\":\"oauth\",\"refresh\":\"r-1\"},\"name\":\"Grüße 🦀\"}\n",
        ),
    ];
    assert_eq!(told(&found), expected);
    assert!(ended.out.contains("file codex/../escape.json (_global) - fileName"), "{}", ended.out);
    let rows = rows(dir.path().join(".llm-gateway/gateway"));
    assert_eq!(
        (rows.len(), rows[0].provider.as_deref(), rows[0].outcome),
        (1, Some("openai"), Outcome::UpstreamError)
    );
    assert_eq!(rows[0].started_at.to_string(), "2026-11-25T13:03:53Z");
    assert!(bytes(&dir) == before, "the source was only read");
}

#[test]
fn prices_of_its_user_make_a_file_or_are_told_where_there_is_one() {
    let dir = its_home();
    let set = "INSERT INTO price_config (provider, model, input_per_mtok, output_per_mtok) VALUES \
               ('openai', 'gpt-4o', 1.25, 5), ('gemini', 'gemini-2.5-pro', 0.5, -1)";
    sql(&dir.path().join(".llm-gateway/vault.db"), set);
    let ended = import(&dir, &["mcp-llm-bridge", "--to", "ours.yaml"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("price of openai/gpt-4o\n"), "{}", ended.out);
    assert!(ended.out.contains("price of gemini/gemini-2.5-pro - it is no price"), "{}", ended.out);
    let written = std::fs::read_to_string(dir.path().join("ours.yaml")).unwrap();
    assert!(
        written.ends_with("prices:\n  \"openai/gpt-4o\": {\"input\":1.25,\"output\":5.0}\n"),
        "{written}"
    );
    let gateway = Builder::bare()
        .within(dir.clone())
        .env("LLM_GATEWAY_AUTH_TOKEN", TOKEN)
        .args(&["serve", "-p", "0", "-c", "ours.yaml"])
        .start();
    let body = serde_json::json!({"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Hi."}], "max_tokens": 1000});
    let explained = gateway.post("/admin/v1/route/explain", &body).json();
    let longest: f64 = explained["targets"][0]["priceUsd"]["to"].as_str().unwrap().parse().unwrap();
    assert!((0.005..0.0051).contains(&longest), "1,000 tokens of 5 USD a million: {explained}");
    let again = import(&dir, &["mcp-llm-bridge", "--to", "ours.yaml"]);
    assert_eq!(again.code, Some(0), "a file that is there is no obstacle: {again:?}");
    assert!(again.out.contains("add under 'prices' of ours.yaml: \"openai/gpt-4o\""), "{}", again.out);
    assert_eq!(std::fs::read_to_string(dir.path().join("ours.yaml")).unwrap(), written);
}

#[test]
fn serve_refuses_the_foreign_vault_before_the_import_and_finds_ours_after_it() {
    let dir = its_home();
    let refused = Builder::bare().within(dir.clone()).run();
    assert_eq!(refused.code, Some(78), "{refused:?}");
    assert!(refused.err.contains("llm-gateway import mcp-llm-bridge"), "{refused:?}");
    assert_eq!(import(&dir, &["mcp-llm-bridge"]).code, Some(0));
    let gateway = Builder::bare().within(dir).env("LLM_GATEWAY_AUTH_TOKEN", TOKEN).start();
    let listed = gateway.get("/v1/credentials").json();
    assert_eq!(listed["credentials"].as_array().map(Vec::len), Some(4), "{listed}");
    assert!(gateway.stdout().contains(".llm-gateway/gateway/vault.db"), "{}", gateway.stdout());
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let dir = its_home();
    let dry = import(&dir, &["mcp-llm-bridge", "--dry-run", "--json"]);
    assert_eq!(dry.code, Some(0), "{dry:?}");
    assert!(!dir.path().join(".llm-gateway/gateway").exists());
    let wet = import(&dir, &["mcp-llm-bridge", "--json"]);
    let lines = |ended: &Ended| serde_json::from_str::<Value>(&ended.out).unwrap()["lines"].clone();
    assert_eq!(lines(&dry), lines(&wet));
    let verdicts = |verdict: &str| {
        lines(&wet).as_array().unwrap().iter().filter(|line| line["verdict"] == verdict).count()
    };
    assert!(verdicts("carried") >= 3 && verdicts("approximated") >= 2 && verdicts("not") >= 2, "{}", wet.out);
}

#[test]
fn a_second_import_adds_nothing_and_keeps_what_was_changed_here() {
    let dir = its_home();
    import(&dir, &["mcp-llm-bridge"]);
    let ours = dir.path().join(".llm-gateway/gateway");
    let gateway = Builder::bare().within(dir.clone()).env("LLM_GATEWAY_AUTH_TOKEN", TOKEN).start();
    let changed = serde_json::json!({ "provider": "google", "apiKey": "changed-here-0123456789" });
    assert_eq!(gateway.post("/v1/credentials", &changed).status, 201);
    drop(gateway);
    let again = import(&dir, &["mcp-llm-bridge"]);
    assert!(again.out.contains("another value is stored here"), "{again:?}");
    let google = |dir: PathBuf| keys(dir).into_iter().find(|key| key.0 == "google").unwrap().3;
    assert_eq!(google(ours.clone()), "changed-here-0123456789");
    assert_eq!((keys(ours.clone()).len(), rows(ours.clone()).len()), (4, 1));
    import(&dir, &["mcp-llm-bridge", "--overwrite"]);
    assert_eq!(google(ours), "AIza-move-in-0123456789");
}

#[test]
fn a_vault_that_cannot_be_opened_is_refused_with_the_reason() {
    let dir = its_home();
    let key = dir.path().join(".llm-gateway/master.key");
    std::fs::write(&key, "ab".repeat(32)).unwrap();
    let wrong = import(&dir, &["mcp-llm-bridge"]);
    assert_eq!(wrong.code, Some(78), "{wrong:?}");
    std::fs::remove_file(&key).unwrap();
    let missing = import(&dir, &["mcp-llm-bridge"]);
    assert!(missing.code == Some(78) && missing.err.contains("master.key"), "{missing:?}");
    let absent = import(&dir, &["mcp-llm-bridge", "nowhere/vault.db"]);
    assert_eq!(absent.code, Some(4), "{absent:?}");
    assert!(!dir.path().join(".llm-gateway/gateway").exists());
}

#[test]
fn a_key_from_the_environment_opens_the_source_too() {
    let dir = its_home();
    let key = dir.path().join(".llm-gateway/master.key");
    let text = std::fs::read_to_string(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let builder = Builder::bare().within(dir.clone()).env("LLM_GATEWAY_MASTER_KEY", text.trim());
    let ended = builder.arg("import").arg("mcp-llm-bridge").run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("carried over (6)"), "{ended:?}");
}

#[test]
fn the_file_and_the_keys_of_llm_bridge_are_taken_over() {
    let dir = Arc::new(TempDir::new().unwrap());
    let its = dir.path().join("bridge");
    std::fs::create_dir_all(its.join("configs")).unwrap();
    std::fs::copy(fixture("llm-bridge-config.yaml"), its.join("configs/config.yaml")).unwrap();
    std::fs::write(its.join(".env"), "ACCESS_API_KEYS=a,b\nCLOSEAI_API_KEY=sk-closeai\n\nOTHER=1\n").unwrap();
    let ended = import(&dir, &["llm-bridge", "bridge"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for told in [
        "config.yaml:4: provider closeai",
        ".env:2: credential closeai/default",
        ".env:1: ACCESS_API_KEYS",
        ".env:4: OTHER",
    ] {
        assert!(ended.out.contains(told), "{told}: {}", ended.out);
    }
    let keys = keys(dir.path().join(".llm-gateway"));
    assert_eq!((keys.len(), keys[0].0.as_str(), keys[0].3.as_str()), (1, "closeai", "sk-closeai"));
    let written = std::fs::read_to_string(dir.path().join(".config/llm-gateway/config.yaml")).unwrap();
    assert!(
        written.starts_with(std::fs::read_to_string(fixture("llm-bridge-config.yaml")).unwrap().trim_end())
    );
    let checked = Builder::bare().within(dir.clone()).arg("config").arg("check").run();
    assert!(checked.code == Some(0) && checked.out.contains("config.yaml"), "{checked:?}");
    assert_eq!(import(&dir, &["llm-bridge", "bridge"]).code, Some(7), "an existing file is not replaced");
}

const LITELLM: &str = r#"model_list:
  - model_name: fast
    litellm_params:
      model: openai/gpt-4o-mini
      api_key: os.environ/OPENAI_API_KEY
      rpm: 100
  - model_name: claude
    litellm_params:
      model: anthropic/claude-sonnet-4-20250514
      api_key: sk-ant-literal-0123456789
      temperature: 0.2
      timeout: 30
  - model_name: local
    litellm_params:
      model: openai/qwen3
      api_base: http://10.0.0.5:8000/v1
      api_key: os.environ/LOCAL_KEY
    model_info:
      input_cost_per_token: 0.00000015
      cache_read_input_token_cost: 1e-8
  - model_name: far
    litellm_params: {model: bedrock/claude}
router_settings:
  num_retries: 2
general_settings:
  master_key: sk-1234
"#;

#[test]
fn a_file_of_litellm_becomes_one_of_ours() {
    let dir = Arc::new(TempDir::new().unwrap());
    std::fs::write(dir.path().join("config.yaml"), LITELLM).unwrap();
    let ended = import(&dir, &["litellm", "config.yaml", "--to", "ours.yaml"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for told in [
        "config.yaml:2: model fast",
        "config.yaml:6: rpm of model fast - ",
        "config.yaml:21: model far - 'bedrock'",
        "config.yaml:24: router_settings.num_retries - ",
        "config.yaml:26: general_settings.master_key - ",
    ] {
        assert!(ended.out.contains(told), "{told}: {}", ended.out);
    }
    assert!(!ended.out.contains("sk-1234") && !ended.out.contains("sk-ant-literal"), "{}", ended.out);
    let keys = keys(dir.path().join(".llm-gateway"));
    assert_eq!((keys[0].0.as_str(), keys[0].3.as_str()), ("anthropic", "sk-ant-literal-0123456789"));
    let written = std::fs::read_to_string(dir.path().join("ours.yaml")).unwrap();
    assert!(!written.contains("sk-ant-literal") && written.contains("env:LOCAL_KEY"), "{written}");
    assert!(written.contains(r#""price":{"cache_read":0.01,"input":0.15}"#), "{written}");
    let builder =
        Builder::bare().within(dir.clone()).env("LLM_GATEWAY_AUTH_TOKEN", TOKEN).env("LOCAL_KEY", "k");
    let gateway = builder
        .env("OPENAI_API_KEY", "sk-o")
        .arg("serve")
        .arg("-p")
        .arg("0")
        .arg("-c")
        .arg("ours.yaml")
        .start();
    for (model, provider) in [("fast", "openai"), ("claude", "anthropic"), ("local", "10-0-0-5-8000")] {
        let found = gateway.get(&format!("/v1/models/{model}")).json();
        assert_eq!(found["provider"], provider, "{model}: {found}");
    }
}

#[test]
fn keys_of_the_environment_go_into_the_vault_when_asked_to() {
    let dir = Arc::new(TempDir::new().unwrap());
    let builder = Builder::bare().within(dir.clone()).env("GEMINI_API_KEY", "AIza-env-0123456789");
    let ended = builder.env("NOBODY_API_KEY", "x").arg("import").arg("env").run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("NOBODY_API_KEY: a key - no provider"), "{ended:?}");
    let keys = keys(dir.path().join(".llm-gateway"));
    assert_eq!((keys.len(), keys[0].0.as_str(), keys[0].3.as_str()), (1, "google", "AIza-env-0123456789"));
}
