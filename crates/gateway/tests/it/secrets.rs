//! No secret in any file, log, error or argument list: planted canaries are found nowhere.

use std::path::Path;

use fakeprov::FakeProv;
use serde_json::json;

use crate::support::{Builder, block_on, chat_body, eventually};

const VAULT_KEY: &str = "sk-canary-vault-5f3a9c1e7b2d";
const ENV_KEY: &str = "canary-env-key-8e1b4d6f0a9c";
const TOKEN: &str = "canary-token-canary-token-canary-token-77";
const PROMPT: &str = "canary-prompt-92b7";
const MASTER: &str = "c0ffee00c0ffee11c0ffee22c0ffee33c0ffee44c0ffee55c0ffee66c0ffee77";

/// The secret as it might be written.
fn spellings(secret: &str) -> [Vec<u8>; 3] {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    [secret.into(), hex.into(), base64(secret.as_bytes()).trim_end_matches('=').as_bytes().to_vec()]
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let word =
            group.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..=group.len() {
            text.push(ALPHABET[(word >> (18 - 6 * at)) as usize & 63] as char);
        }
    }
    text
}

#[track_caller]
fn assert_clean(place: &str, bytes: &[u8], secrets: &[&str]) {
    for secret in secrets {
        for spelling in spellings(secret) {
            let found = bytes.windows(spelling.len()).any(|window| window.eq_ignore_ascii_case(&spelling));
            assert!(!found, "{place} holds {secret}");
        }
    }
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// As the system sees the program, whichever of its commands holds the vault open for long.
#[cfg(target_os = "linux")]
#[test]
fn no_core_is_dumped_and_the_keys_that_open_everything_are_not_swapped_out() {
    let gateway = Builder::bare().start();
    let of_process = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", gateway.pid())).unwrap();
    let limits = of_process("limits");
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().take(2).collect::<Vec<_>>(), ["0", "0"]);
    let status = of_process("status");
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
    assert_ne!(locked.trim(), "0 kB");
}

#[test]
fn planted_canaries_are_found_nowhere() {
    let provider = block_on(FakeProv::start());
    let gateway = Builder::bare()
        .env("LLM_GATEWAY_AUTH_TOKEN", TOKEN)
        .env("LLM_GATEWAY_MASTER_KEY", MASTER)
        .env("LLM_GATEWAY_LOG", "debug")
        .env("OPENAI_BASE_URL", provider.url())
        .env("ANTHROPIC_BASE_URL", provider.origin())
        .env("ANTHROPIC_API_KEY", ENV_KEY)
        .start();
    let post = |path: &str, body: &serde_json::Value, token: &str| {
        let authorization = format!("Bearer {token}");
        crate::support::request(
            gateway.address,
            "POST",
            path,
            &[("authorization", &authorization)],
            body.to_string().as_bytes(),
        )
    };
    let stored = post("/v1/credentials", &json!({"provider": "openai", "apiKey": VAULT_KEY}), TOKEN);
    assert_eq!(stored.status, 201, "{}", stored.text());
    let mut answers = vec![stored];
    for model in [
        "openai/text",
        "anthropic/text",
        "openai/status-401",
        "anthropic/status-400",
        "anthropic/truncate",
        "nobody",
    ] {
        for stream in [false, true] {
            let mut body = chat_body(model, stream);
            body["messages"][0]["content"] = json!(PROMPT);
            answers.push(post("/v1/chat/completions", &body, TOKEN));
        }
    }
    answers.push(post("/v1/chat/completions", &json!({"model": "x", "messages": PROMPT}), TOKEN));
    answers.push(post("/v1/generate", &json!({"prompt": PROMPT}), &TOKEN.replace("77", "78")));
    let secrets = [VAULT_KEY, ENV_KEY, TOKEN, MASTER];
    for answer in &answers {
        assert_clean("an answer", &answer.body, &secrets);
    }
    eventually("the rows are written", || gateway.rows_with(MASTER).len() >= 13);
    let with_prompt = [VAULT_KEY, ENV_KEY, TOKEN, MASTER, PROMPT];
    assert_clean("the log", gateway.stderr().as_bytes(), &with_prompt);
    assert_clean("the banner", gateway.stdout().as_bytes(), &with_prompt);
    for file in files(gateway.dir.path()) {
        assert_clean(&file.display().to_string(), &std::fs::read(&file).unwrap(), &with_prompt);
    }
    let cmdline = std::fs::read(format!("/proc/{}/cmdline", gateway.pid())).unwrap();
    assert_clean("the argument list", &cmdline, &with_prompt);
}
