//! What is spoken at which path.

use serde_json::Value;

use crate::anthropic::{self, Anthropic};
use crate::completions::Completions;
use crate::gemini::{self, Gemini};
use crate::http::Request;
use crate::ollama::{self, Ollama};
use crate::openai::{self, OpenAi};
use crate::responses::{self, Responses};
use crate::wire::{Refusal, Wire};

/// A path that is answered.
pub(crate) struct Endpoint {
    /// How the path ends.
    end: &'static str,
    pub(crate) wire: &'static dyn Wire,
    pub(crate) task: Task,
}

/// What is done there.
#[derive(Clone, Copy)]
pub(crate) enum Task {
    /// An answer is given as the script orders.
    Answer,
    /// The body of the answer follows from the request alone.
    Work(fn(&Request, &Value) -> Result<Value, Refusal>),
}

const fn answer(end: &'static str, wire: &'static dyn Wire) -> Endpoint {
    Endpoint { end, wire, task: Task::Answer }
}

const fn work(
    end: &'static str,
    wire: &'static dyn Wire,
    work: fn(&Request, &Value) -> Result<Value, Refusal>,
) -> Endpoint {
    Endpoint { end, wire, task: Task::Work(work) }
}

/// The first that fits holds.
const ENDPOINTS: &[Endpoint] = &[
    answer("/chat/completions", &OpenAi),
    answer("/completions", &Completions),
    answer("/responses", &Responses),
    answer("/messages", &Anthropic),
    answer(":generateContent", &Gemini),
    answer(":streamGenerateContent", &Gemini),
    answer("/api/chat", &Ollama),
    work("/embeddings", &OpenAi, openai::embeddings),
    work("/responses/input_tokens", &Responses, responses::count_tokens),
    work("/messages/count_tokens", &Anthropic, anthropic::count_tokens),
    work("/api/embed", &Ollama, ollama::embed),
    work(":countTokens", &Gemini, gemini::count_tokens),
    work(":embedContent", &Gemini, gemini::embed),
    work(":batchEmbedContents", &Gemini, gemini::embed_all),
];

/// What is done at a path.
pub(crate) fn at(path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| path.ends_with(endpoint.end))
}
