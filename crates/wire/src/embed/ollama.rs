//! `POST /api/embed` of native Ollama: the half that faces servers; nobody speaks it to us.
//!
//! Source: Ollama's docs/api.md, "Generate Embeddings", read 2026-11-25.

use serde::Deserialize;

use super::{
    Content, EmbedRequest, EmbedResponse, EmbedWire, Encoded, Glance, Input, VectorForm, bad_answer,
};
use crate::chat::{Loss, Usage};
use crate::fault::Fault;
use crate::json_writer::ObjectWriter;
use crate::raw::RawObject;

/// The half that faces servers.
#[derive(Debug, Clone, Copy)]
pub struct OllamaEmbeddings;

#[derive(Deserialize)]
struct Answer {
    embeddings: Vec<Vec<f32>>,
    model: Option<String>,
    /// Absent when nothing had to be evaluated.
    prompt_eval_count: Option<u64>,
}

impl EmbedWire for OllamaEmbeddings {
    fn retarget(&self, body: &mut RawObject, model: &str) -> Result<(), Fault> {
        body.set("model", model);
        Ok(())
    }

    fn takes_tokens(&self) -> bool {
        false
    }

    fn encode_request(&self, request: &EmbedRequest, model: &str) -> Result<Encoded, Fault> {
        let mut losses: Vec<Loss> = request.extra.lost_in(None).map(Loss::field).collect();
        let stated = |field: fn(&Input) -> bool| request.inputs.iter().any(field);
        let dropped = [
            ("user", request.end_user.is_some()),
            ("taskType", stated(|input| input.task.is_some())),
            ("title", stated(|input| input.title.is_some())),
        ];
        losses.extend(dropped.into_iter().filter(|(_, given)| *given).map(|(name, _)| Loss::field(name)));
        let texts: Vec<&str> =
            request.inputs.iter().map(|input| text(input, model)).collect::<Result<_, _>>()?;
        let mut body = ObjectWriter::new();
        body.put("model", model);
        body.put("input", &texts);
        body.put_some("dimensions", request.dimensions);
        Ok(Encoded { body: body.finish(), losses })
    }

    fn decode_response(&self, body: &[u8]) -> Result<EmbedResponse, Fault> {
        let answer: Answer = serde_json::from_slice(body).map_err(|error| bad_answer(error.to_string()))?;
        if answer.embeddings.is_empty() {
            return Err(bad_answer("it has no vectors"));
        }
        let model = answer.model.filter(|model| !model.is_empty());
        Ok(EmbedResponse { model, vectors: answer.embeddings, usage: answer.prompt_eval_count.map(counted) })
    }

    fn glance(&self, body: &RawObject) -> Result<Glance, Fault> {
        if !body.has("embeddings") {
            return Err(bad_answer("it has no vectors"));
        }
        let count: Option<u64> = body.get("prompt_eval_count")?;
        Ok(Glance { usage: count.map(counted), form: Some(VectorForm::Floats) })
    }
}

/// Nothing is generated.
fn counted(tokens: u64) -> Usage {
    Usage { input: Some(tokens), output: Some(0), ..Usage::default() }
}

fn text<'a>(input: &'a Input, model: &str) -> Result<&'a str, Fault> {
    match &input.content {
        Content::Text(text) => Ok(text),
        Content::Tokens(_) => Err(Fault::Unsupported {
            what: "texts as tokens".to_owned(),
            by: model.to_owned(),
            at: Some("input".to_owned()),
        }),
    }
}
