//! The list of models, in the shape of the dialect that asks: three of them share the path.
//! Source: the providers' API references for listing models.

use serde_json::{Value, json};

use crate::anthropic::Anthropic;
use crate::gemini::Gemini;
use crate::http::Request;
use crate::openai::OpenAi;
use crate::reply::Reply;
use crate::wire::Wire;

const MODELS: &[&str] = &["text", "echo", "tool", "tools-parallel", "json", "image-echo"];

/// Models on a page of Anthropic's and Gemini's lists, at most: few, so that there is more than one page.
const PAGE: usize = 4;

/// The list, for whoever asks with the only key that is accepted; `None`: every key is, and none too.
pub(crate) fn reply(request: &Request, accepted: Option<&str>) -> Reply {
    let (wire, list): (&dyn Wire, fn(&Request) -> Value) =
        if request.header("x-goog-api-key").is_some() || request.asked("key").is_some() {
            (&Gemini, google_list)
        } else if request.header("anthropic-version").is_some() {
            (&Anthropic, anthropic_list)
        } else {
            (&OpenAi, openai_list)
        };
    if accepted.is_some_and(|key| wire.key(request) != Some(key)) {
        let no = wire.stranger();
        return Reply::json(no.status, &wire.error(&no));
    }
    Reply::json(200, &list(request))
}

fn google_list(request: &Request) -> Value {
    let (page, more) = page(request.asked("pageToken"));
    let token = if more { page.last() } else { None };
    json!({"models": rows(page, google), "nextPageToken": token})
}

fn anthropic_list(request: &Request) -> Value {
    let (page, more) = page(request.asked("after_id"));
    let (first, last) = (page.first(), page.last());
    json!({"data": rows(page, anthropic), "has_more": more, "first_id": first, "last_id": last})
}

fn openai_list(_: &Request) -> Value {
    json!({"object": "list", "data": rows(MODELS, openai)})
}

/// The models after this one, and whether there are others behind them.
fn page(after: Option<&str>) -> (&'static [&'static str], bool) {
    let from = after.and_then(|after| MODELS.iter().position(|id| *id == after)).map_or(0, |at| at + 1);
    let to = MODELS.len().min(from + PAGE);
    (&MODELS[from..to], to < MODELS.len())
}

/// The list of Ollama's own wire (`GET /api/tags`).
pub(crate) fn tags() -> Value {
    json!({"models": rows(MODELS, |id| json!({"name": id, "model": id, "size": 1, "digest": id}))})
}

fn rows(models: &[&str], row: fn(&str) -> Value) -> Value {
    models.iter().map(|id| row(id)).collect()
}

fn openai(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 0, "owned_by": "fakeprov"})
}

fn anthropic(id: &str) -> Value {
    json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z"})
}

fn google(id: &str) -> Value {
    let methods = ["generateContent", "countTokens", "embedContent"];
    json!({
        "name": format!("models/{id}"), "displayName": id, "version": "001", "inputTokenLimit": 32768,
        "outputTokenLimit": 8192, "supportedGenerationMethods": methods,
    })
}
