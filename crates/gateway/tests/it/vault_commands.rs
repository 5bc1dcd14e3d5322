//! The commands that look after the vault, most of them beside a gateway that serves from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use fakeprov::{FakeProv, Options};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Builder, Ended, Gateway, TOKEN, block_on, both_wires, chat_body, eventually, sql};

/// Runs a command in the home of a gateway.
fn run_with(dir: &Arc<TempDir>, input: &str, args: &[&str]) -> Ended {
    Builder::bare().within(dir.clone()).input(input).args(args).run()
}

fn run(dir: &Arc<TempDir>, args: &[&str]) -> Ended {
    run_with(dir, "", args)
}

#[track_caller]
fn ok(ended: Ended) -> String {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.out
}

fn json_of(ended: Ended) -> Value {
    let out = ok(ended);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

fn home() -> Arc<TempDir> {
    Arc::new(TempDir::new().unwrap())
}

#[test]
fn a_credential_is_put_from_standard_input_or_a_file_listed_and_deleted() {
    let home = home();
    let stored = json_of(run_with(&home, "sk-canary-command-1\n", &["vault", "put", "openai"]));
    assert_eq!(stored, json!({"id": 1, "provider": "openai", "keyName": "default", "project": "_global"}));
    std::fs::write(home.path().join("key"), "sk-canary-command-2").unwrap();
    let put = ["vault", "put", "gemini", "--name", "second", "--project", "blue", "--from", "key"];
    assert_eq!(json_of(run(&home, &put))["provider"], "google");
    let listed = json_of(run(&home, &["vault", "list", "--json"]));
    assert_eq!(
        (&listed[0]["maskedValue"], &listed[1]["maskedValue"]),
        (&json!("sk-can...***"), &json!("sk-can...***"))
    );
    let table = ok(run(&home, &["vault", "list", "--project", "red"]));
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(table.starts_with("ID  PROVIDER  NAME") && !table.contains("canary"), "{table}");
    let unasked = run(&home, &["vault", "delete", "1"]);
    assert!(unasked.code == Some(2) && unasked.err.contains("--yes"), "{unasked:?}");
    ok(run(&home, &["vault", "delete", "1", "--yes"]));
    assert_eq!(run(&home, &["vault", "delete", "1", "--yes"]).code, Some(4));
    for (input, args) in [("", ["vault", "put", "openai"]), ("sk-x", ["vault", "put", "nobody"])] {
        assert_eq!(run_with(&home, input, &args).code, Some(2), "{args:?}");
    }
}

#[test]
fn files_are_put_listed_and_deleted() {
    let home = home();
    std::fs::write(home.path().join("auth.json"), "{\"canary\": 1}").unwrap();
    let stored = json_of(run(&home, &["files", "put", "claude-cli", "auth.json", "--project", "blue"]));
    assert_eq!((&stored["provider"], &stored["fileName"]), (&json!("claude"), &json!("auth.json")));
    let listed = json_of(run(&home, &["files", "list", "--json"]));
    assert_eq!((&listed[0]["project"], listed[0].get("content")), (&json!("blue"), None));
    assert_eq!(run(&home, &["files", "put", "claude", "auth.json", "--name", "../x"]).code, Some(2));
    let version = listed[0]["version"].as_str().unwrap();
    let write_back = ["files", "put", "claude", "auth.json", "--project", "blue", "--if-version", version];
    ok(run(&home, &write_back));
    assert_eq!(run(&home, &write_back).code, Some(7), "the version has passed");
    ok(run(&home, &["files", "delete", "1", "--yes"]));
    assert_eq!(json_of(run(&home, &["files", "list", "--json"])), json!([]));
}

#[test]
fn a_key_made_by_a_command_opens_a_gateway_that_is_running() {
    let provider = block_on(FakeProv::start());
    let gateway = Builder::new(both_wires(&provider)).start();
    let home = &gateway.dir;
    let make = ["keys", "create", "ci", "--model", "oai/*", "--label", "team=search", "--expires", "90d"];
    let made = json_of(run(home, &make));
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert_eq!((&made["models"], &made["labels"]), (&json!(["oai/*"]), &json!({"team": "search"})));
    let chat = |key: &str, model: &str| {
        gateway.ask(key, "POST", "/v1/chat/completions", None, &chat_body(model, false)).status
    };
    eventually("the gateway knows the key", || chat(key, "oai/text") == 200);
    assert_eq!(chat(key, "ant/text"), 403);
    json_of(run(home, &["keys", "update", id, "--model", "ant/*"]));
    eventually("it knows the change", || chat(key, "ant/text") == 200);
    let rotated = json_of(run(home, &["keys", "rotate", id, "--overlap", "0s"]));
    eventually("it knows the new key", || chat(rotated["key"].as_str().unwrap(), "ant/text") == 200);
    // 429, if waiting for the key has looked like guessing.
    assert!(matches!(chat(key, "ant/text"), 401 | 429));
    assert!(ok(run(home, &["keys", "list"])).contains("until 2"));
    ok(run(home, &["keys", "revoke", id, "--yes"]));
    assert!(json_of(run(home, &["keys", "show", id]))["revoked_at"].is_string());
    assert_eq!(run(home, &["keys", "show", "nobody"]).code, Some(4));
    assert_eq!(run(home, &["keys", "create", "x", "--role", "admin"]).code, Some(2));
}

#[test]
fn a_key_is_called_by_its_name_where_only_one_that_lives_has_it() {
    let home = home();
    let make = || json_of(run(&home, &["keys", "create", "ci"]))["id"].as_str().unwrap().to_owned();
    let first = make();
    assert_eq!(json_of(run(&home, &["keys", "show", "ci"]))["id"], first.as_str());
    assert_eq!(json_of(run(&home, &["keys", "update", "ci", "--model", "a*"]))["models"], json!(["a*"]));
    let second = make();
    let both = run(&home, &["keys", "revoke", "ci", "--yes"]);
    assert_eq!(both.code, Some(7), "{both:?}");
    assert!(both.err.contains(&first) && both.err.contains(&second), "{both:?}");
    ok(run(&home, &["keys", "revoke", &first, "--yes"]));
    assert_eq!(json_of(run(&home, &["keys", "rotate", "ci"]))["id"], second.as_str());
    ok(run(&home, &["keys", "revoke", "ci", "--yes"]));
    assert_eq!(run(&home, &["keys", "show", "ci"]).code, Some(4));
}

/// A gateway whose provider takes one key, which is in the vault.
fn with_a_vaulted_key() -> (FakeProv, Gateway) {
    let key = "sk-right-key-0123456789";
    let provider = FakeProv::with(Options { key: Some(key.into()), ..Options::default() }).unwrap();
    let gateway =
        Builder::bare().env("LLM_GATEWAY_AUTH_TOKEN", TOKEN).env("OPENAI_BASE_URL", provider.url()).start();
    assert_eq!(gateway.post("/v1/credentials", &json!({"provider": "openai", "apiKey": key})).status, 201);
    (provider, gateway)
}

#[test]
fn keys_of_the_vault_are_replaced_while_the_gateway_serves_and_no_request_fails() {
    let (_provider, gateway) = with_a_vaulted_key();
    let (stop, served) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(gateway.chat("openai/text").status, 200);
                assert_eq!(
                    gateway.get("/v1/credentials").json()["credentials"][0]["maskedValue"],
                    "sk-righ...***"
                );
                served.fetch_add(1, Ordering::Relaxed);
            }
        });
        for _ in 0..3 {
            ok(run(&gateway.dir, &["vault", "rotate"]));
            ok(run(&gateway.dir, &["vault", "rotate", "--master-key"]));
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(served.load(Ordering::Relaxed) > 0);
    assert_eq!(ok(run(&gateway.dir, &["doctor"])).matches("ok  ").count(), 5);
}

#[test]
fn a_backup_made_while_serving_brings_a_credential_back() {
    let (_provider, gateway) = with_a_vaulted_key();
    ok(run(&gateway.dir, &["vault", "backup", "copy.db"]));
    assert_eq!(run(&gateway.dir, &["vault", "backup", "copy.db"]).code, Some(7), "nothing is overwritten");
    gateway.delete("/v1/credentials/1");
    assert_ne!(gateway.chat("openai/text").status, 200);
    ok(run(&gateway.dir, &["vault", "restore", "copy.db", "--yes"]));
    eventually("the credential is used again", || gateway.chat("openai/text").status == 200);
    let log = ok(run(&gateway.dir, &["audit", "list"]));
    assert!(log.contains("command line") && log.contains("credential.deleted"), "{log}");
}

#[test]
fn a_backup_and_its_master_key_make_a_vault_on_another_machine() {
    let (one, other) = (home(), home());
    ok(run_with(&one, "sk-canary-moved", &["vault", "put", "openai"]));
    let copy = other.path().join("copy.db");
    let copy = copy.to_str().unwrap();
    ok(run(&one, &["vault", "backup", copy]));
    let without_key = run(&other, &["vault", "restore", copy, "--yes"]);
    assert_eq!(without_key.code, Some(78), "{without_key:?}");
    let key = ".llm-gateway/master.key";
    std::fs::copy(one.path().join(key), other.path().join(key)).unwrap();
    ok(run(&other, &["vault", "restore", copy, "--yes"]));
    assert_eq!(json_of(run(&other, &["vault", "list", "--json"]))[0]["maskedValue"], "sk-ca...***");
    ok(run(&other, &["doctor"]));
}

#[test]
fn a_bundle_carries_credentials_and_files_to_another_vault() {
    let (one, other) = (home(), home());
    ok(run_with(&one, "sk-canary-bundle", &["vault", "put", "openai", "--project", "blue"]));
    std::fs::write(one.path().join("auth.json"), "{}").unwrap();
    ok(run(&one, &["files", "put", "codex", "auth.json"]));
    let bundle = other.path().join("bundle");
    let bundle = bundle.to_str().unwrap();
    ok(run_with(&one, "correct horse\n", &["vault", "export", bundle]));
    assert!(!std::fs::read(bundle).unwrap().windows(6).any(|window| window == b"canary"));
    assert_eq!(run_with(&other, "wrong horse\n", &["vault", "import", bundle]).code, Some(5));
    ok(run_with(&other, "correct horse\n", &["vault", "import", bundle]));
    let masked =
        |home: &Arc<TempDir>| json_of(run(home, &["vault", "list", "--json"]))[0]["maskedValue"].clone();
    assert_eq!(masked(&one), masked(&other));
    assert_eq!(json_of(run(&other, &["files", "list", "--json"]))[0]["fileName"], "auth.json");
}

#[test]
fn a_doctor_names_what_was_changed_behind_the_vaults_back_and_the_log_tells_who_did_not() {
    let home = home();
    for name in ["first", "second"] {
        ok(run_with(&home, "sk-canary-doctor", &["vault", "put", "openai", "--name", name]));
    }
    ok(run(&home, &["audit", "verify"]));
    let well = json_of(run(&home, &["doctor", "--json"]));
    assert!(well.as_array().unwrap().iter().all(|check| check["ok"] == true), "{well}");
    let database = home.path().join(".llm-gateway/vault.db");
    sql(&database, "UPDATE credentials SET project = 'thief' WHERE key_name = 'first'");
    let ill = run(&home, &["doctor"]);
    assert_eq!(ill.code, Some(8), "{ill:?}");
    assert!(
        ill.out.contains("FAIL  vault         credential/1 (openai/first of thief) was changed"),
        "{ill:?}"
    );
    let listed = json_of(run(&home, &["vault", "list", "--json"]));
    assert_eq!((&listed[0]["intact"], listed[1].get("intact")), (&json!(false), None), "the other is well");
    sql(&database, "UPDATE audit SET actor = 'nobody' WHERE seq = 1");
    let verify = run(&home, &["audit", "verify"]);
    assert!(verify.code == Some(65) && verify.err.contains("entry 1"), "{verify:?}");
}

#[test]
fn a_doctor_sees_a_key_file_that_others_may_read() {
    let home = home();
    ok(run_with(&home, "sk-x", &["vault", "put", "openai"]));
    let key = home.path().join(".llm-gateway/master.key");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&key, open).unwrap();
    let ill = run(&home, &["doctor"]);
    assert!(ill.code == Some(8) && ill.out.contains("chmod 600"), "{ill:?}");
}
