//! What crosses: every feature of every dialect, to every other one. The answers to that are the page
//! `docs/translation.md`; `cargo xtask tables` writes it again when they change.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use wire::chat::{ChatRequest, Loss, Profile, Undo};
use wire::{Fault, Head, SurfaceId, WireId};

use crate::golden;

/// Set to write the page instead of comparing it.
const WRITE: &str = "WRITE_DOCS";

/// A dialect: its name on the page, as a surface and as a wire.
const DIALECTS: [(&str, SurfaceId, WireId); 4] = [
    ("OpenAI Chat", SurfaceId::OpenAiChat, WireId::OpenAiChat),
    ("OpenAI Responses", SurfaceId::OpenAiResponses, WireId::OpenAiResponses),
    ("Anthropic Messages", SurfaceId::AnthropicMessages, WireId::AnthropicMessages),
    ("Gemini", SurfaceId::Gemini, WireId::Gemini),
];

/// Native Ollama is a wire alone.
const OLLAMA: (&str, WireId) = ("Ollama, native", WireId::Ollama);

const HEAD: &str = "\
# What crosses between the APIs

Every client of the four APIs with every provider. Written by `cargo xtask tables` from what the codecs do; a test compares
the two.

- **carried**: client and provider speak the same API, and the bytes pass as they are, whatever is in them.
- **yes**: translated, and nothing is lost.
- *codes*: translated, and something is lost, moved or approximated. The codes stand in `x-gateway-warnings` and in the log.
  With `strict_translation: true`, at a provider or a model, such a request is refused.
- **refused**: with status 400, or by the next target of the plan that can do it; nothing is sent to this one.

A row is missing where the API of the client, or of the provider, has no such thing.

The tables show a model of which nothing else is known. Of a model that is in the catalogue more may be refused or lost (images
to one that sees none), or less: how thinking is asked for, where web search stands beside functions, `top_k` and
`web_search_options` at servers of OpenAI Chat follow what is known of it.
";

/// The probes of one feature, by the name of the dialect.
fn probes(text: &str) -> Vec<(String, Map<String, Value>)> {
    let rows: Vec<Map<String, Value>> = serde_json::from_str(text).unwrap();
    let named = |mut row: Map<String, Value>| {
        let feature = row.remove("feature").unwrap().as_str().unwrap().to_owned();
        (feature, row)
    };
    rows.into_iter().map(named).collect()
}

/// A request for one question, with the fields of the probe over it.
fn request(surface: SurfaceId, probe: &Value) -> Result<ChatRequest, Fault> {
    let question = json!([{"role": "user", "content": "?"}]);
    let mut body = match surface.name() {
        "openai_responses" => json!({"model": "m", "input": "?"}),
        "gemini" => json!({"contents": [{"role": "user", "parts": [{"text": "?"}]}]}),
        "anthropic_messages" => json!({"model": "m", "max_tokens": 1000, "messages": question}),
        _ => json!({"model": "m", "messages": question}),
    };
    body.as_object_mut().unwrap().extend(probe.as_object().unwrap().clone());
    let body = wire::RawObject::parse(body.to_string().into()).unwrap();
    let head = Head { model: Some("m".into()), ..Head::default() };
    surface.surface().decode_request(&head, &body)
}

fn asked(surface: SurfaceId, wire: WireId, probe: &Value) -> String {
    let profile = Profile { web_search_options: true, ..Profile::unknown("p", "m") };
    match request(surface, probe).and_then(|request| wire.wire().encode_request(&request, &profile)) {
        Ok(encoded) => crossed(&encoded.losses),
        Err(Fault::Unsupported { .. }) => "refused".to_owned(),
        Err(fault) => panic!("{} to {}: {probe}: {fault}", surface.name(), wire.name()),
    }
}

/// An answer of that wire, with the fields of the probe in it.
fn answer(wire: WireId, probe: &Value) -> Value {
    let within = |mut answer: Value, place: &str| {
        let at = if place.is_empty() { &mut answer } else { answer.pointer_mut(place).unwrap() };
        at.as_object_mut().unwrap().extend(probe.as_object().unwrap().clone());
        answer
    };
    match wire.name() {
        "openai_responses" => {
            let usage = json!({"input_tokens": 1, "output_tokens": 1, "total_tokens": 2});
            within(
                json!({"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "usage": usage}),
                "",
            )
        }
        "gemini" => within(
            json!({"responseId": "r", "modelVersion": "m", "candidates": [{"index": 0}]}),
            "/candidates/0",
        ),
        "anthropic_messages" => {
            let usage = json!({"input_tokens": 1, "output_tokens": 1});
            within(
                json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "usage": usage}),
                "",
            )
        }
        _ => {
            let answer = json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
                "choices": [{"index": 0}]});
            within(answer, "/choices/0")
        }
    }
}

fn told(surface: SurfaceId, wire: WireId, probe: &Value) -> String {
    let body = answer(wire, probe).to_string();
    let response = wire.wire().decode_response(body.as_bytes(), &Undo::default()).unwrap();
    let mut losses = Vec::new();
    surface.surface().encode_response(&response, &golden::echo(), &mut losses);
    crossed(&losses)
}

fn crossed(losses: &[Loss]) -> String {
    let mut codes: Vec<String> = losses.iter().map(|loss| format!("`{}`", loss.code)).collect();
    codes.sort();
    codes.dedup();
    if codes.is_empty() { "yes".to_owned() } else { codes.join(" ") }
}

/// One table; `cell` is what becomes of a probe in a column.
fn table(columns: &[&str], rows: &[(String, Value)], cell: impl Fn(usize, &Value) -> String) -> String {
    let mut page = format!("| | {} |\n| --- |{}\n", columns.join(" | "), " --- |".repeat(columns.len()));
    for (feature, probe) in rows {
        let cells: Vec<String> = (0..columns.len()).map(|column| cell(column, probe)).collect();
        writeln!(page, "| {feature} | {} |", cells.join(" | ")).unwrap();
    }
    page
}

/// The probes that a dialect has.
fn of(all: &[(String, Map<String, Value>)], dialect: &str) -> Vec<(String, Value)> {
    all.iter().filter_map(|(feature, row)| Some((feature.clone(), row.get(dialect)?.clone()))).collect()
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let requests = probes(include_str!("features/requests.json"));
    let mut wires: Vec<(&str, WireId)> = DIALECTS.iter().map(|(name, _, wire)| (*name, *wire)).collect();
    wires.push(OLLAMA);
    let names: Vec<&str> = wires.iter().map(|(name, _)| *name).collect();
    for (client, surface, _) in DIALECTS {
        writeln!(page, "\n## Requests of clients of {client}, for providers of\n").unwrap();
        page += &table(&names, &of(&requests, surface.name()), |column, probe| {
            let wire = wires[column].1;
            if wire.dialect() == surface.dialect() {
                "carried".to_owned()
            } else {
                asked(surface, wire, probe)
            }
        });
    }
    let answers = probes(include_str!("features/answers.json"));
    for (provider, _, wire) in DIALECTS {
        writeln!(page, "\n## Answers of providers of {provider}, for clients of\n").unwrap();
        page += &table(&DIALECTS.map(|(name, ..)| name), &of(&answers, wire.name()), |column, probe| {
            let surface = DIALECTS[column].1;
            if wire.dialect() == surface.dialect() {
                "carried".to_owned()
            } else {
                told(surface, wire, probe)
            }
        });
    }
    page
}

#[expect(clippy::disallowed_methods, reason = "a test, and the caller of cargo is its only configuration")]
fn is_to_be_written() -> bool {
    std::env::var_os(WRITE).is_some()
}

#[test]
fn the_page_about_translation_says_what_the_codecs_do() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/translation.md");
    let page = page();
    if is_to_be_written() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        return std::fs::write(file, page).unwrap();
    }
    let written = std::fs::read_to_string(file).unwrap_or_default();
    let differs = written.lines().zip(page.lines()).find(|(written, now)| written != now);
    assert!(written == page, "run `cargo xtask tables`; the first line that differs: {differs:?}");
}
