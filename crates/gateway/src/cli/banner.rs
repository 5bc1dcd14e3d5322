//! What `serve` says when it is up: what it found, where its data is, and a call that works as printed.

use std::fmt::Write;
use std::net::SocketAddr;

use policy::Kind;
use store::GLOBAL;

use crate::VERSION;
use crate::config::Config;
use crate::startup::{Started, programs_on_path};

/// The text.
pub(super) fn banner(config: &Config, started: &Started, address: SocketAddr) -> String {
    let mut text = format!("LLM Gateway {VERSION} on http://{address}\n\n");
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<12}{value}");
    };
    let world = started.app.world();
    let ready = policy::available(&world.snapshot, &*world, GLOBAL);
    let of_kind = |kind: Kind| ready.iter().filter(move |provider| provider.kind == kind);
    let apis: Vec<&str> = of_kind(Kind::Api).map(|provider| &*provider.id).collect();
    row("providers", &listed(&apis, "none yet: set OPENAI_API_KEY (or another), or POST /v1/credentials"));
    let demo = of_kind(Kind::Demo).next().is_some();
    row("demo", if demo { "on: model 'demo' answers without any key" } else { "off" });
    row("programs", &listed(&programs_on_path(&world.snapshot), "no command-line subscriptions on PATH"));
    row("keys", &keys(config));
    row(
        "config",
        &config.file.as_ref().map_or("none (none is needed)".to_owned(), |file| file.display().to_string()),
    );
    row("data", &format!("{} ({})", started.database.display(), started.key_source.name()));
    let model = ready.iter().find_map(|provider| {
        let default = provider.model_or_default(None).or_else(|| provider.listed_models().next().cloned())?;
        Some(provider.listed_id(&default))
    });
    let _ = write!(text, "\n{}\n", curl(config, address, model.as_deref().unwrap_or("demo")));
    text
}

fn listed(names: &[&str], none: &str) -> String {
    if names.is_empty() { none.to_owned() } else { names.join(", ") }
}

fn keys(config: &Config) -> String {
    match (config.auth_token.is_some(), config.access_keys.len()) {
        (false, 0) => "none needed (loopback only); set LLM_GATEWAY_AUTH_TOKEN to ask for one".to_owned(),
        (true, 0) => "LLM_GATEWAY_AUTH_TOKEN".to_owned(),
        (true, count) => format!("LLM_GATEWAY_AUTH_TOKEN, and ACCESS_API_KEYS ({count})"),
        (false, count) => format!("ACCESS_API_KEYS ({count})"),
    }
}

fn curl(config: &Config, address: SocketAddr, model: &str) -> String {
    let key = match (config.auth_token.is_some(), config.access_keys.is_empty()) {
        (true, _) => "  -H \"Authorization: Bearer $LLM_GATEWAY_AUTH_TOKEN\" \\\n",
        (false, false) => "  -H \"Authorization: Bearer $ACCESS_KEY\" \\\n",
        (false, true) => "",
    };
    format!(
        "curl http://{address}/v1/chat/completions \\\n  -H 'Content-Type: application/json' \\\n{key}  -d '{{\"model\": \
         \"{model}\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'\n"
    )
}
