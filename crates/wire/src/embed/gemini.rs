//! `:embedContent` and `:batchEmbedContents` of the Gemini API. The model stands in the path, and in each request of a
//! batch once more.
//!
//! Source: Gemini API reference, embeddings (<https://ai.google.dev/api/embeddings>), and what `google-genai` sends. As
//! everywhere in this API, names of fields are taken in both spellings (`outputDimensionality`, `output_dimensionality`).

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::vector::Written;
use super::{
    Content, EmbedRequest, EmbedResponse, EmbedSurface, EmbedWire, Encoded, Glance, Input, VectorForm,
    bad_answer,
};
use crate::chat::{Extra, Loss, Usage};
use crate::dialect::{Dialect, Head, Peek};
use crate::fault::Fault;
use crate::gateway_fields;
use crate::json_writer::ObjectWriter;
use crate::raw::RawObject;
use crate::raw::scan::Scanner;

/// Both halves.
#[derive(Debug, Clone, Copy)]
pub struct GeminiEmbeddings;

const THIS: Dialect = Dialect::Gemini;

/// What a batch stands in.
const BATCH: &str = "requests";

impl EmbedSurface for GeminiEmbeddings {
    fn peek(&self, head: &Head, body: &RawObject) -> Result<Peek, Fault> {
        let field = if body.has(BATCH) { BATCH } else { "content" };
        let opening = if body.has(BATCH) { '[' } else { '{' };
        match body.raw(field) {
            Some(text) if text.starts_with(opening) => {
                Ok(Peek { model: head.model.clone(), ..gateway_fields::peek(body)? })
            }
            Some(_) => Err(Fault::malformed(field.to_owned(), format!("'{field}' is of the wrong type"))),
            None => {
                Err(Fault::malformed(field.to_owned(), "'content' (or 'requests', of a batch) is missing"))
            }
        }
    }

    fn form(&self, _body: &RawObject) -> Result<VectorForm, Fault> {
        Ok(VectorForm::Floats)
    }

    fn decode_request(&self, head: &Head, body: &RawObject) -> Result<EmbedRequest, Fault> {
        let single = !body.has(BATCH);
        let requests: Vec<Request> = match single {
            true => vec![crate::raw::decode_bytes_at("", &body.clone().into_bytes())?],
            false => body.get(BATCH)?.unwrap_or_default(),
        };
        if requests.is_empty() {
            return Err(Fault::malformed(BATCH.to_owned(), "'requests' must not be empty"));
        }
        let dimensions = one_size(&requests)?;
        let extra = requests.iter().flat_map(|request| request.extra.clone());
        let extra = extra.filter(|(key, _)| !gateway_fields::is_ours(body, key)).collect();
        Ok(EmbedRequest {
            model: head.model.clone().unwrap_or_default(),
            inputs: requests.into_iter().map(Request::input).collect::<Result<_, _>>()?,
            dimensions,
            form: VectorForm::Floats,
            end_user: None,
            single,
            extra: Extra::new(THIS, extra),
        })
    }

    fn encode_response(&self, response: &EmbedResponse, request: &EmbedRequest, _model: &str) -> Bytes {
        let values = |vector| Values { values: Written { vector, form: VectorForm::Floats } };
        let mut out = ObjectWriter::new();
        match response.vectors.first().filter(|_| request.single) {
            Some(vector) => out.put("embedding", &values(vector)),
            None => {
                let all: Vec<Values<'_>> = response.vectors.iter().map(|vector| values(vector)).collect();
                out.put("embeddings", &all);
            }
        }
        out.finish()
    }
}

#[derive(Serialize)]
struct Values<'a> {
    values: Written<'a>,
}

/// `EmbedContentRequest`.
#[derive(Deserialize)]
struct Request {
    content: Turn,
    #[serde(default, rename = "taskType", alias = "task_type")]
    task: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default, rename = "outputDimensionality", alias = "output_dimensionality")]
    dimensions: Option<u64>,
    /// Stands in the path too, and that is where it is read.
    #[serde(default, rename = "model")]
    _model: Option<String>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

#[derive(Deserialize)]
struct Turn {
    #[serde(default)]
    parts: Vec<Map<String, Value>>,
}

impl Request {
    fn input(self) -> Result<Input, Fault> {
        let texts: Option<Vec<&str>> = self.content.parts.iter().map(text_of).collect();
        let Some(texts) = texts else {
            return Err(unsupported("embedding of anything but text"));
        };
        Ok(Input { content: Content::Text(texts.join("\n")), task: self.task, title: self.title })
    }
}

fn text_of(part: &Map<String, Value>) -> Option<&str> {
    part.get("text").and_then(Value::as_str)
}

/// Other formats know one size for all vectors of a request.
fn one_size(requests: &[Request]) -> Result<Option<u64>, Fault> {
    let first = requests.first().and_then(|request| request.dimensions);
    match requests.iter().all(|request| request.dimensions == first) {
        true => Ok(first),
        false => Err(unsupported("vectors of several sizes in one request")),
    }
}

fn unsupported(what: &str) -> Fault {
    Fault::Unsupported { what: what.to_owned(), by: "the format of the model".to_owned(), at: None }
}

impl EmbedWire for GeminiEmbeddings {
    fn retarget(&self, body: &mut RawObject, model: &str) -> Result<(), Fault> {
        let named = format!("models/{model}");
        if body.get::<Cow<'_, str>>("model")?.is_some_and(|stated| stated != named) {
            body.set("model", &named);
        }
        if let Some(requests) =
            body.raw(BATCH).map(|requests| renamed(requests, &named)).transpose()?.flatten()
        {
            body.set_raw(BATCH, requests);
        }
        Ok(())
    }

    fn takes_tokens(&self) -> bool {
        false
    }

    /// Always a batch, of one if need be.
    fn encode_request(&self, request: &EmbedRequest, model: &str) -> Result<Encoded, Fault> {
        let mut losses: Vec<Loss> = request.extra.lost_in(THIS).map(Loss::field).collect();
        losses.extend(request.end_user.is_some().then(|| Loss::field("user")));
        let named = format!("models/{model}");
        let sent = |input| Sent::of(input, &named, request.dimensions);
        let requests: Vec<Sent<'_>> = request.inputs.iter().map(sent).collect::<Result<_, _>>()?;
        let mut body = ObjectWriter::new();
        body.put(BATCH, &requests);
        Ok(Encoded { body: body.finish(), losses })
    }

    fn decode_response(&self, body: &[u8]) -> Result<EmbedResponse, Fault> {
        let answer: Answer = serde_json::from_slice(body).map_err(|error| bad_answer(error.to_string()))?;
        let vectors: Vec<Vec<f32>> =
            answer.embeddings.into_iter().chain(answer.embedding).map(|row| row.values).collect();
        let usage = answer.usage.and_then(Counted::usage);
        match vectors.is_empty() {
            true => Err(bad_answer("it has no vectors")),
            false => Ok(EmbedResponse { model: None, vectors, usage }),
        }
    }

    fn glance(&self, body: &RawObject) -> Result<Glance, Fault> {
        if !body.has("embedding") && !body.has("embeddings") {
            return Err(bad_answer("it has no vectors"));
        }
        let counted: Option<Counted> = body.get("usageMetadata").unwrap_or_default();
        Ok(Glance { usage: counted.and_then(Counted::usage), form: Some(VectorForm::Floats) })
    }
}

/// The requests of a batch, each for this model; `None` when they are already.
fn renamed(requests: &str, model: &str) -> Result<Option<String>, Fault> {
    let mut changed = false;
    let mut pieces: Vec<String> = Vec::new();
    Scanner::again(requests.as_bytes()).each_element(|scanner| {
        let mut request = RawObject::parse(Bytes::copy_from_slice(scanner.value(u32::MAX)?))?;
        if request.get::<Cow<'_, str>>("model")?.as_deref() != Some(model) {
            request.set("model", model);
            changed = true;
        }
        pieces.push(String::from_utf8_lossy(&request.into_bytes()).into_owned());
        Ok::<(), Fault>(())
    })?;
    Ok(changed.then(|| format!("[{}]", pieces.join(","))))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent<'a> {
    model: &'a str,
    content: SentTurn<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u64>,
}

#[derive(Serialize)]
struct SentTurn<'a> {
    parts: [SentPart<'a>; 1],
}

#[derive(Serialize)]
struct SentPart<'a> {
    text: &'a str,
}

impl<'a> Sent<'a> {
    fn of(input: &'a Input, model: &'a str, dimensions: Option<u64>) -> Result<Self, Fault> {
        let Content::Text(text) = &input.content else { return Err(unsupported("tokens in place of text")) };
        Ok(Self {
            model,
            content: SentTurn { parts: [SentPart { text }] },
            task_type: input.task.as_deref(),
            title: input.title.as_deref(),
            output_dimensionality: dimensions,
        })
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    embedding: Option<AnswerValues>,
    #[serde(default)]
    embeddings: Vec<AnswerValues>,
    #[serde(default, rename = "usageMetadata")]
    usage: Option<Counted>,
}

#[derive(Deserialize)]
struct AnswerValues {
    #[serde(default)]
    values: Vec<f32>,
}

/// Only newer models count.
#[derive(Deserialize)]
struct Counted {
    #[serde(default, rename = "promptTokenCount")]
    prompt: Option<u64>,
}

impl Counted {
    fn usage(self) -> Option<Usage> {
        let input = Some(self.prompt?);
        Some(Usage { input, output: Some(0), ..Usage::default() })
    }
}
