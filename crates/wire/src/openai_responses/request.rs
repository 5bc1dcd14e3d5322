//! A request: peeked at, decoded, encoded, and edited for being carried.

mod encode;
mod input;
mod parts;
mod peek;
mod retarget;
mod tools;
mod turns;

use bytes::Bytes;
use serde_json::{Map, Value};

pub(super) use self::encode::encode;
pub(super) use self::parts::{PARAGRAPH, content_part, thought};
pub(super) use self::peek::peek;
pub(super) use self::retarget::retarget;
use super::namespace::Namespaces;
use super::shape::{ReasoningAsked, TextAsked};
use crate::chat::{ChatRequest, Extra, OutputFormat, Sampling, Thinking};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::json_writer::ObjectWriter;
use crate::openai::effort;
use crate::raw::RawObject;

const THIS: Dialect = Dialect::OpenAiResponses;

/// Fields that have a canonical name, are the gateway's, or say nothing to another dialect. All others survive in
/// `Extra`.
const NAMED: &[&str] = &[
    "model",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "temperature",
    "top_p",
    "top_logprobs",
    "max_output_tokens",
    "stream",
    "stream_options",
    "text",
    "reasoning",
    "include",
    "store",
    "user",
    "safety_identifier",
    "metadata",
    "service_tier",
    "prompt_cache_key",
    "project",
    "strict",
];

/// State that lives at one server: a translated request cannot name it.
const STATEFUL: &[&str] = &["previous_response_id", "conversation", "prompt"];

/// Values of `include` that need no asking elsewhere. Others are a loss.
const INCLUDED: &[&str] = &["reasoning.encrypted_content", LOGPROBS];
const LOGPROBS: &str = "message.output_text.logprobs";

/// Fields that answers repeat. Source: recorded answers of OpenAI.
pub(super) const ECHOED: &[&str] = &[
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

/// The whole request in canonical form. What only the server that holds its state could answer is refused.
pub(super) fn decode(body: &RawObject) -> Result<ChatRequest, Fault> {
    let peek = peek(body)?;
    refuse_state(body)?;
    let namespaces = Namespaces::of(body.raw("tools"));
    let input = input::decode(body, &namespaces)?;
    let mut tools = tools::decode(body, &namespaces)?;
    tools.extend(input.tools);
    let text: TextAsked = body.get("text")?.unwrap_or_default();
    let (format, unknown_format) = format(&text)?;
    let include: Vec<String> = body.get("include")?.unwrap_or_default();
    Ok(ChatRequest {
        model: peek.model.unwrap_or_default(),
        messages: input.messages,
        tools,
        tool_choice: tools::decode_choice(body, &namespaces)?,
        parallel_tool_calls: body.get("parallel_tool_calls")?,
        sampling: sampling(body, &include)?,
        max_output: peek.max_output,
        thinking: thinking(body)?,
        format,
        stream: peek.stream,
        include_usage: true,
        end_user: body.get("safety_identifier")?.or(body.get("user")?),
        metadata: body.get("metadata")?,
        service_tier: body.get("service_tier")?,
        cache_key: body.get("prompt_cache_key")?,
        verbosity: text.verbosity,
        extra: extra(body, &include, unknown_format)?,
        ..ChatRequest::default()
    })
}

fn refuse_state(body: &RawObject) -> Result<(), Fault> {
    let stated = |key: &&&str| body.raw(key).is_some_and(|value| value != "null");
    let background = body.get("background")?.unwrap_or(false).then_some(&"background");
    match STATEFUL.iter().find(stated).or(background) {
        Some(key) => Err(refused(key, key)),
        None => Ok(()),
    }
}

/// Only a target of this dialect could do it.
fn refused(what: &str, at: &str) -> Fault {
    let what = format!("'{what}' unless the model is served by a provider of the Responses API");
    Fault::Unsupported { what, by: "this gateway".to_owned(), at: Some(at.to_owned()) }
}

fn sampling(body: &RawObject, include: &[String]) -> Result<Sampling, Fault> {
    let top_logprobs: Option<u64> = body.get("top_logprobs")?.filter(|count| *count > 0);
    let logprobs = top_logprobs.is_some() || include.iter().any(|what| what == LOGPROBS);
    Ok(Sampling {
        temperature: body.get("temperature")?,
        top_p: body.get("top_p")?,
        logprobs: logprobs.then_some(true),
        top_logprobs,
        ..Sampling::default()
    })
}

/// Thoughts are shown only to clients that ask for a summary.
fn thinking(body: &RawObject) -> Result<Option<Thinking>, Fault> {
    let Some(asked) = body.get::<ReasoningAsked>("reasoning")? else { return Ok(None) };
    let effort = asked.effort.map(|word| effort::decode(&word, "reasoning.effort")).transpose()?;
    let show = asked.summary.or(asked.generate_summary).is_some();
    if effort.is_none() && !show {
        return Ok(None);
    }
    Ok(Some(Thinking { effort, budget: None, show: Some(show) }))
}

/// The asked form, and whether it is of a kind that has no canonical name.
fn format(text: &TextAsked) -> Result<(Option<OutputFormat>, bool), Fault> {
    let Some(format) = &text.format else { return Ok((None, false)) };
    match (format.kind.as_str(), &format.schema) {
        ("text", _) => Ok((None, false)),
        ("json_object", _) => Ok((Some(OutputFormat::JsonObject), false)),
        ("json_schema", Some(schema)) => {
            let (name, description) = (format.name.clone(), format.description.clone());
            let (schema, strict) = (schema.clone(), format.strict);
            Ok((Some(OutputFormat::JsonSchema { name, description, schema, strict }), false))
        }
        ("json_schema", None) => {
            let at = "text.format.schema";
            Err(Fault::malformed(at.to_owned(), format!("'{at}' is missing")))
        }
        _ => Ok((None, true)),
    }
}

fn extra(body: &RawObject, include: &[String], unknown_format: bool) -> Result<Extra, Fault> {
    let mut fields = Map::new();
    for key in body.keys() {
        let ours = key == "provider" && !body.raw(key).is_some_and(|text| text.starts_with('{'));
        let kept = match key {
            "include" => include.iter().any(|what| !INCLUDED.contains(&what.as_str())),
            "text" => unknown_format,
            "truncation" => body.raw(key) != Some("\"disabled\""),
            "background" => false,
            _ => !NAMED.contains(&key),
        };
        if kept
            && !ours
            && let Some(value) = body.get::<Value>(key)?
        {
            fields.insert(key.to_owned(), value);
        }
    }
    Ok(Extra::new(THIS, fields))
}

/// What the answer repeats.
pub(super) fn echoed(body: &RawObject) -> Bytes {
    let mut fields = ObjectWriter::new();
    for (key, value) in body.members().filter(|(_, value)| *value != b"null") {
        if let Some(key) = ECHOED.iter().find(|name| name.as_bytes() == key) {
            fields.put_text(key, value);
        }
    }
    fields.finish()
}
