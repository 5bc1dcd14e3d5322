//! What Gemini does besides generating: embeddings, one or many, and counting tokens.
//! Source: the provider's API reference for embedContent, batchEmbedContents and countTokens.

use serde_json::{Value, json};

use super::judge;
use crate::http::Request;
use crate::wire::{Refusal, is, list, model_of_path, require};
use crate::{tokens, vector};

const EMBED: &[&str] =
    &["model", "content", "taskType", "title", "outputDimensionality", "embedContentConfig"];

/// The last only at Vertex.
const COUNT: &[&str] =
    &["contents", "generateContentRequest", "model", "systemInstruction", "tools", "generationConfig"];

/// Answers `:embedContent`.
pub(crate) fn embed(_request: &Request, body: &Value) -> Result<Value, Refusal> {
    let body = judge::named(body);
    Ok(json!({"embedding": embedding(&body, "")?}))
}

/// Answers `:batchEmbedContents`.
pub(crate) fn embed_all(request: &Request, body: &Value) -> Result<Value, Refusal> {
    let body = judge::named(body);
    judge::known(&body, &["requests"], "")?;
    let requests = list(&body["requests"]);
    require(
        !requests.is_empty(),
        "",
        "* BatchEmbedContentsRequest.requests: at least one request is required",
    )?;
    let model = format!("models/{}", model_of_path(request));
    let embedded = requests.iter().enumerate().map(|(place, one)| {
        let same = one["model"] == model.as_str();
        let at = format!("requests[{place}]");
        require(
            same,
            "",
            &format!("* BatchEmbedContentsRequest.{at}.model: model does not match the batch's"),
        )?;
        embedding(one, &at)
    });
    Ok(json!({"embeddings": embedded.collect::<Result<Vec<Value>, Refusal>>()?}))
}

fn embedding(one: &Value, at: &str) -> Result<Value, Refusal> {
    judge::known(one, EMBED, at)?;
    let parts = list(&one["content"]["parts"]);
    require(!parts.is_empty(), "", "* EmbedContentRequest.content: contents is not specified")?;
    let length = one["outputDimensionality"].as_u64().and_then(|length| usize::try_from(length).ok());
    let sensible =
        is(&one["outputDimensionality"], |_| length.is_some_and(|length| (1..=4096).contains(&length)));
    require(sensible, "", "* EmbedContentRequest.output_dimensionality: out of range")?;
    let text: String = parts.iter().filter_map(|part| part["text"].as_str()).collect();
    Ok(json!({"values": vector::of(&text, length)}))
}

/// Answers `:countTokens`, of bare contents or of a whole request.
pub(crate) fn count_tokens(_request: &Request, body: &Value) -> Result<Value, Refusal> {
    let body = judge::named(body);
    judge::known(&body, COUNT, "")?;
    let whole = &body["generateContentRequest"];
    let asked = if whole.is_null() { &body } else { whole };
    require(
        !list(&asked["contents"]).is_empty(),
        "",
        "* CountTokensRequest.contents: contents is not specified",
    )?;
    let told = ["systemInstruction", "tools"].map(|name| tokens::count(&asked[name]));
    let said: usize = list(&asked["contents"]).iter().map(|turn| tokens::count(&turn["parts"])).sum();
    Ok(json!({"totalTokens": told.iter().sum::<usize>() + said}))
}
