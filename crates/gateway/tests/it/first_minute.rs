//! What a stranger meets: no file, no key, no database server.

use std::process::Command;

use serde_json::json;

use crate::support::{Builder, request};

/// The command that `serve` prints, run as printed.
#[test]
fn the_printed_curl_works_as_printed() {
    let gateway = Builder::bare().start();
    let banner = gateway.stdout();
    let curl = &banner[banner.find("curl http").expect("a curl")..];
    let output = Command::new("sh").args(["-c", &format!("{} -s", curl.trim())]).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.to_lowercase().contains("demonstration"), "{text}");
    assert_eq!(answer["x_gateway"]["resolvedProvider"], "demo");
}

#[test]
fn the_demo_streams_through_the_same_path() {
    let gateway = Builder::bare().start();
    let body =
        json!({"model": "demo", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}).to_string();
    let reply = request(gateway.address, "POST", "/v1/chat/completions", &[], body.as_bytes());
    let events = reply.events();
    assert_eq!(events.last().unwrap(), "[DONE]");
    assert!(events.len() > 3, "{events:?}");
    let row = &gateway.ledger(1)[0];
    assert_eq!(row.provider.as_deref(), Some("demo"));
    assert_eq!(row.outcome, store::Outcome::Completed);
}

#[test]
fn the_banner_tells_what_was_found() {
    let gateway = Builder::bare().env("OPENAI_API_KEY", "sk-made-up").start();
    let banner = gateway.stdout();
    assert!(banner.contains("openai"), "{banner}");
    assert!(banner.contains(&gateway.data_dir().join("vault.db").display().to_string()), "{banner}");
    assert!(!banner.contains("sk-made-up"), "{banner}");
}

#[test]
fn data_directory_and_master_key_have_the_right_modes() {
    use std::os::unix::fs::PermissionsExt;
    let gateway = Builder::bare().start();
    let mode = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(gateway.data_dir()), 0o700);
    for file in ["master.key", "vault.db"] {
        assert_eq!(mode(gateway.data_dir().join(file)), 0o600, "{file}");
    }
}

#[test]
fn chat_streams_one_answer_to_the_terminal() {
    let ended = Builder::bare().arg("chat").arg("demo").arg("Good morning").run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("Good morning"), "{ended:?}");
    assert!(ended.err.is_empty(), "{ended:?}");
}

#[test]
fn chat_with_an_unreachable_provider_fails_with_the_code_for_upstreams() {
    let yaml = "providers: {gone: {base_url: 'http://127.0.0.1:1/v1', api_key: x, models: {m: {}}}}";
    let ended = Builder::new(yaml).arg("chat").arg("gone/m").arg("Hello").run();
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert!(ended.err.contains("gone"), "{ended:?}");
}

#[test]
fn chat_without_anything_to_say_is_a_mistake_of_use() {
    let ended = Builder::bare().arg("chat").arg("demo").run();
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{ended:?}");
    assert!(ended.err.contains("nothing to say"), "{ended:?}");
}

#[test]
fn the_version_is_one_line() {
    let ended = Builder::bare().arg("version").run();
    let expected = concat!("llm-gateway ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (Some(0), expected, ""));
}

#[test]
fn without_a_command_it_says_what_is_there_and_starts_nothing() {
    let dir = tempfile::TempDir::new().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_llm-gateway"))
        .env_clear()
        .env("HOME", dir.path())
        .env("LLM_GATEWAY_PORT", "1")
        .current_dir(dir.path())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{out}");
    assert!(out.contains("nothing listens on 127.0.0.1:1") && out.contains("llm-gateway serve"), "{out}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "it made something");
}

#[test]
fn mistakes_of_use_end_with_the_code_for_them() {
    for words in [vec!["sevre"], vec!["serve", "--workers", "0"], vec!["serve", "-p", "99999"], vec!["chat"]]
    {
        let ended = words.iter().fold(Builder::bare(), |builder, word| builder.arg(word)).run();
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{words:?}: {ended:?}");
    }
}
