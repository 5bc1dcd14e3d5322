//! `POST /v1/embeddings` of OpenAI and of the many servers that have it.
//!
//! Source: OpenAI API reference, embeddings; what servers leave out was seen in recorded traffic.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::vector::{Written, from_base64};
use super::{
    Content, EmbedRequest, EmbedResponse, EmbedSurface, EmbedWire, Encoded, Glance, Input, VectorForm,
    bad_answer, no_model,
};
use crate::chat::{Extra, Loss, Usage};
use crate::dialect::{Dialect, Head, Peek};
use crate::fault::Fault;
use crate::gateway_fields;
use crate::json_writer::ObjectWriter;
use crate::openai_chat::usage;
use crate::raw::RawObject;
use crate::raw::scan::Scanner;

/// Both halves.
#[derive(Debug, Clone, Copy)]
pub struct OpenAiEmbeddings;

const THIS: Dialect = Dialect::OpenAiChat;

/// Fields with a canonical name.
const KNOWN: [&str; 5] = ["model", "input", "dimensions", "encoding_format", "user"];

impl EmbedSurface for OpenAiEmbeddings {
    fn peek(&self, _head: &Head, body: &RawObject) -> Result<Peek, Fault> {
        self.form(body)?;
        dimensions(body)?;
        check_input(body)?;
        let model = body.get("model")?.ok_or_else(no_model)?;
        Ok(Peek { model: Some(model), ..gateway_fields::peek(body)? })
    }

    fn form(&self, body: &RawObject) -> Result<VectorForm, Fault> {
        match body.get::<Cow<'_, str>>("encoding_format")?.as_deref() {
            None | Some("float") => Ok(VectorForm::Floats),
            Some("base64") => Ok(VectorForm::Base64),
            Some(_) => {
                let why = "'encoding_format' must be 'float' or 'base64'";
                Err(Fault::malformed("encoding_format".to_owned(), why))
            }
        }
    }

    fn decode_request(&self, _head: &Head, body: &RawObject) -> Result<EmbedRequest, Fault> {
        let mut extra = Map::new();
        for key in body.keys().filter(|key| !KNOWN.contains(key) && !gateway_fields::is_ours(body, key)) {
            extra.insert(key.to_owned(), body.get(key)?.unwrap_or(Value::Null));
        }
        Ok(EmbedRequest {
            model: body.get("model")?.unwrap_or_default(),
            inputs: inputs(body)?,
            dimensions: dimensions(body)?,
            form: self.form(body)?,
            end_user: body.get("user")?,
            single: false,
            extra: Extra::new(THIS, extra),
        })
    }

    fn encode_response(&self, response: &EmbedResponse, request: &EmbedRequest, model: &str) -> Bytes {
        let vectors = response.vectors.iter().enumerate();
        let rows: Vec<Row<'_>> =
            vectors.map(|(index, vector)| Row::new(index, vector, request.form)).collect();
        let mut out = ObjectWriter::new();
        out.put("object", "list");
        out.put("data", &rows);
        out.put("model", response.model.as_deref().unwrap_or(model));
        out.put("usage", &response.usage.as_ref().and_then(Tokens::of));
        out.finish()
    }
}

#[derive(Serialize)]
struct Row<'a> {
    object: &'static str,
    index: usize,
    embedding: Written<'a>,
}

impl<'a> Row<'a> {
    fn new(index: usize, vector: &'a [f32], form: VectorForm) -> Self {
        Self { object: "embedding", index, embedding: Written { vector, form } }
    }
}

#[derive(Serialize)]
struct Tokens {
    prompt_tokens: u64,
    total_tokens: u64,
}

impl Tokens {
    fn of(usage: &Usage) -> Option<Self> {
        let tokens = usage.prompt()?;
        Some(Self { prompt_tokens: tokens, total_tokens: tokens })
    }
}

fn dimensions(body: &RawObject) -> Result<Option<u64>, Fault> {
    match body.get("dimensions")? {
        Some(0) => Err(Fault::malformed("dimensions".to_owned(), "'dimensions' must be at least 1")),
        count => Ok(count),
    }
}

/// What an `input` may be, told by how it begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Texts,
    Tokens,
    TokenLists,
}

fn shape(text: &str) -> Option<Shape> {
    match text.strip_prefix('[') {
        None => text.starts_with('"').then_some(Shape::Text),
        Some(items) => match items.trim_start().as_bytes().first()? {
            b'"' => Some(Shape::Texts),
            b'[' => Some(Shape::TokenLists),
            b'0'..=b'9' => Some(Shape::Tokens),
            _ => None,
        },
    }
}

fn check_input(body: &RawObject) -> Result<Shape, Fault> {
    let refusal = |why: &str| Err(Fault::malformed("input".to_owned(), why));
    match body.raw("input").map(|text| (text, shape(text))) {
        None | Some(("null", _)) => refusal("'input' is missing"),
        Some((_, Some(shape))) => Ok(shape),
        Some((text, None)) if text.trim_start_matches('[').trim_start() == "]" => {
            refusal("'input' must not be empty")
        }
        Some(_) => refusal("'input' must be a string, tokens, or an array of either"),
    }
}

fn inputs(body: &RawObject) -> Result<Vec<Input>, Fault> {
    let text = |text| Input { content: Content::Text(text), ..Input::default() };
    let tokens = |tokens| Input { content: Content::Tokens(tokens), ..Input::default() };
    Ok(match check_input(body)? {
        Shape::Text => body.get("input")?.map(text).into_iter().collect(),
        Shape::Tokens => body.get("input")?.map(tokens).into_iter().collect(),
        Shape::Texts => body.get::<Vec<String>>("input")?.unwrap_or_default().into_iter().map(text).collect(),
        Shape::TokenLists => {
            body.get::<Vec<Vec<u32>>>("input")?.unwrap_or_default().into_iter().map(tokens).collect()
        }
    })
}

impl EmbedWire for OpenAiEmbeddings {
    fn retarget(&self, body: &mut RawObject, model: &str) -> Result<(), Fault> {
        if body.get::<Cow<'_, str>>("model")?.as_deref() != Some(model) {
            body.set("model", model);
        }
        Ok(())
    }

    fn takes_tokens(&self) -> bool {
        true
    }

    /// Asks for base64: a third of the bytes, and the same numbers.
    fn encode_request(&self, request: &EmbedRequest, model: &str) -> Result<Encoded, Fault> {
        let mut losses: Vec<Loss> = request.extra.lost_in(THIS).map(Loss::field).collect();
        let stated = |field: fn(&Input) -> bool| request.inputs.iter().any(field);
        losses.extend(stated(|input| input.task.is_some()).then(|| Loss::field("taskType")));
        losses.extend(stated(|input| input.title.is_some()).then(|| Loss::field("title")));
        let mut body = ObjectWriter::new();
        body.put("model", model);
        body.put("input", &sent(&request.inputs));
        body.put_some("dimensions", request.dimensions);
        body.put_some("user", request.end_user.as_deref());
        body.put("encoding_format", "base64");
        Ok(Encoded { body: body.finish(), losses })
    }

    fn decode_response(&self, body: &[u8]) -> Result<EmbedResponse, Fault> {
        let answer: Answer<'_> =
            serde_json::from_slice(body).map_err(|error| bad_answer(error.to_string()))?;
        let mut rows = answer.data;
        rows.sort_by_key(|row| row.index);
        let vectors = rows.into_iter().map(|row| row.embedding.numbers());
        let vectors: Option<Vec<Vec<f32>>> = vectors.collect();
        Ok(EmbedResponse {
            model: answer.model.filter(|model| !model.is_empty()).map(Cow::into_owned),
            vectors: vectors.ok_or_else(|| bad_answer("a vector is no base64 of 32-bit floats"))?,
            usage: answer.usage.as_ref().map(counted),
        })
    }

    fn glance(&self, body: &RawObject) -> Result<Glance, Fault> {
        let Some(data) = body.raw("data") else { return Err(bad_answer("it has no data")) };
        let usage: Option<Value> = body.get("usage").unwrap_or_default();
        Ok(Glance { usage: usage.as_ref().map(counted), form: first_form(data) })
    }
}

/// The inputs as they are sent: a list, of texts where all are texts.
fn sent(inputs: &[Input]) -> Value {
    let value = |input: &Input| match &input.content {
        Content::Text(text) => Value::from(text.as_str()),
        Content::Tokens(tokens) => Value::from(tokens.as_slice()),
    };
    inputs.iter().map(value).collect()
}

#[derive(Deserialize)]
struct Answer<'a> {
    data: Vec<AnswerRow<'a>>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(default)]
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct AnswerRow<'a> {
    #[serde(default)]
    index: u64,
    #[serde(borrow)]
    embedding: Received<'a>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Received<'a> {
    #[serde(borrow)]
    Base64(Cow<'a, str>),
    Floats(Vec<f32>),
}

impl Received<'_> {
    fn numbers(self) -> Option<Vec<f32>> {
        match self {
            Received::Base64(text) => from_base64(&text),
            Received::Floats(numbers) => Some(numbers),
        }
    }
}

/// Nothing is generated, which servers say by leaving the output out.
fn counted(stated: &Value) -> Usage {
    let counted = usage::decode(stated);
    Usage { output: counted.output.or(Some(0)), ..counted }
}

/// How the first vector of `data` is written.
fn first_form(data: &str) -> Option<VectorForm> {
    let mut first = None;
    let visit = |scanner: &mut Scanner<'_>| {
        scanner.each_member(|scanner, key| {
            if key.text == b"embedding" {
                first = first.or(scanner.peek());
            }
            scanner.value(u32::MAX).map(drop)
        })
    };
    Scanner::again(data.as_bytes()).each_element(visit).ok()?;
    match first? {
        b'"' => Some(VectorForm::Base64),
        b'[' => Some(VectorForm::Floats),
        _ => None,
    }
}
