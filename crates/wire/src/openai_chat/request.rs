//! A request: peeked at, decoded, encoded, and edited for being carried.

mod messages;
mod peek;
mod thinking;
mod tools;
mod turns;

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

pub(super) use self::messages::{foreign, signature, thinking_text};
pub(super) use self::turns::{call, extra_content, joined};
use super::shape::{self, Texts, out};
use crate::chat::{ChatRequest, Encoded, Extra, Loss, MaxTokensField, OutputFormat, Profile, Sampling, Undo};
use crate::dialect::{Dialect, Peek};
use crate::fault::Fault;
use crate::gateway_fields;
use crate::json_writer::ObjectWriter;
use crate::openai::{effort, names};
use crate::raw::RawObject;

const THIS: Dialect = Dialect::OpenAiChat;

/// Most stop texts. Source: OpenAI API reference, chat.
const MAX_STOPS: usize = 4;

/// Service tiers of this dialect. Source: OpenAI and Groq API references.
const TIERS: &[&str] = &["auto", "default", "flex", "priority", "scale", "on_demand", "performance"];

/// Fields that have a canonical name, or are the gateway's. All others survive in `Extra`.
const NAMED: &[&str] = &[
    "model",
    "messages",
    "tools",
    "functions",
    "tool_choice",
    "function_call",
    "parallel_tool_calls",
    "temperature",
    "top_p",
    "top_k",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "random_seed",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "n",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "stream",
    "stream_options",
    "response_format",
    "reasoning_effort",
    "reasoning",
    "thinking",
    "user",
    "safety_identifier",
    "metadata",
    "service_tier",
    "prompt_cache_key",
    "verbosity",
    "web_search_options",
];

pub(super) fn peek(body: &RawObject) -> Result<Peek, Fault> {
    peek::peek(body)
}

/// The whole request in canonical form.
pub(super) fn decode(body: &RawObject) -> Result<ChatRequest, Fault> {
    let peek = peek::peek(body)?;
    let (format, unknown_format) = format(body)?;
    let legacy_functions = body.has("functions");
    Ok(ChatRequest {
        model: peek.model.unwrap_or_default(),
        messages: messages::decode(body)?,
        tools: tools::decode(body)?,
        tool_choice: tools::decode_choice(body)?,
        // The older form has room for one call.
        parallel_tool_calls: if legacy_functions { Some(false) } else { body.get("parallel_tool_calls")? },
        sampling: sampling(body)?,
        max_output: peek.max_output,
        stop: body.get::<Texts>("stop")?.map_or_else(Vec::new, |Texts(texts)| texts),
        thinking: thinking::decode(body)?,
        format,
        stream: peek.stream,
        include_usage: peek.include_usage,
        end_user: body.get("safety_identifier")?.or(body.get("user")?),
        metadata: body.get("metadata")?,
        service_tier: body.get("service_tier")?,
        cache_key: body.get("prompt_cache_key")?,
        verbosity: body.get("verbosity")?,
        legacy_functions,
        extra: extra(body, unknown_format)?,
    })
}

fn sampling(body: &RawObject) -> Result<Sampling, Fault> {
    Ok(Sampling {
        temperature: body.get("temperature")?,
        top_p: body.get("top_p")?,
        top_k: body.get("top_k")?,
        frequency_penalty: body.get("frequency_penalty")?,
        presence_penalty: body.get("presence_penalty")?,
        // Mistral's name for the same.
        seed: body.get("seed")?.or(body.get("random_seed")?),
        logit_bias: body.get("logit_bias")?,
        logprobs: body.get("logprobs")?,
        top_logprobs: body.get("top_logprobs")?,
        n: body.get("n")?,
    })
}

/// The asked form, and whether it is of a kind that has no canonical name.
fn format(body: &RawObject) -> Result<(Option<OutputFormat>, bool), Fault> {
    let Some(given) = body.get::<shape::ResponseFormat>("response_format")? else { return Ok((None, false)) };
    match (given.kind.as_str(), given.json_schema) {
        ("text", _) => Ok((None, false)),
        ("json_object", _) => Ok((Some(OutputFormat::JsonObject), false)),
        ("json_schema", Some(shape::JsonSchema { name, description, schema: Some(schema), strict })) => {
            Ok((Some(OutputFormat::JsonSchema { name, description, schema, strict }), false))
        }
        ("json_schema", _) => {
            let at = "response_format.json_schema.schema";
            Err(Fault::malformed(at.to_owned(), format!("'{at}' is missing")))
        }
        _ => Ok((None, true)),
    }
}

fn extra(body: &RawObject, unknown_format: bool) -> Result<Extra, Fault> {
    let mut fields = Map::new();
    for key in body.keys() {
        let named = NAMED.contains(&key) && !(key == "response_format" && unknown_format);
        if !named
            && !gateway_fields::is_ours(body, key)
            && let Some(value) = body.get::<Value>(key)?
        {
            fields.insert(key.to_owned(), value);
        }
    }
    Ok(Extra::new(THIS, fields))
}

/// Edits a carried body for its target.
pub(super) fn retarget(body: &mut RawObject, profile: &Profile, stream: bool) -> Result<(), Fault> {
    if body.get::<Cow<'_, str>>("model")?.as_deref() != Some(&*profile.model) {
        body.set("model", &*profile.model);
    }
    match profile.max_tokens_field {
        MaxTokensField::AsGiven => {}
        MaxTokensField::MaxTokens => body.rename("max_completion_tokens", "max_tokens"),
        MaxTokensField::MaxCompletionTokens if body.has("max_completion_tokens") => body.remove("max_tokens"),
        MaxTokensField::MaxCompletionTokens => body.rename("max_tokens", "max_completion_tokens"),
    }
    want_usage(body, profile, stream)
}

/// Asks for a usage report at the end of a stream, where the server takes that.
pub(crate) fn want_usage(body: &mut RawObject, profile: &Profile, stream: bool) -> Result<(), Fault> {
    match (profile.stream_options, stream) {
        (true, true) => ask_for_usage(body)?,
        (true, false) => {}
        // Mistral refuses the field, and reports usage anyway.
        (false, _) => body.remove("stream_options"),
    }
    Ok(())
}

fn ask_for_usage(body: &mut RawObject) -> Result<(), Fault> {
    let mut options: Map<String, Value> = body.get("stream_options")?.unwrap_or_default();
    if options.get("include_usage") != Some(&Value::Bool(true)) {
        options.insert("include_usage".to_owned(), Value::Bool(true));
        body.set("stream_options", &options);
    }
    Ok(())
}

/// A request for a server of this dialect.
pub(super) fn encode(request: &ChatRequest, profile: &Profile) -> Result<Encoded, Fault> {
    request.extra.refuse_in(THIS, &profile.model)?;
    let mut losses: Vec<Loss> = request.extra.lost_in(THIS).map(Loss::field).collect();
    let aliases = names::aliases(&request.tools);
    let schema_as_text = schema_as_text(request, profile);
    let mut body = ObjectWriter::new();
    body.put("model", &*profile.model);
    let mut turns = turns::encode(request, profile, &aliases, &mut losses)?;
    if let Some(text) = &schema_as_text {
        let content = Some(out::Content::Text(Cow::Borrowed(text)));
        turns.insert(0, out::Message { role: Some("system"), content, ..Default::default() });
    }
    body.put("messages", &turns);
    drop(turns);
    body.put_some("web_search_options", tools::search(&request.tools, profile));
    let tools = tools::encode(&request.tools, profile, &aliases, &mut losses)?;
    if !tools.is_empty() {
        body.put("tools", &tools);
        body.put_some(
            "tool_choice",
            request.tool_choice.as_ref().map(|choice| tools::encode_choice(choice, &aliases)),
        );
        body.put_some("parallel_tool_calls", request.parallel_tool_calls);
    }
    drop(tools);
    put_limits(&mut body, request, profile, &mut losses);
    put_sampling(&mut body, &request.sampling, profile, &mut losses);
    put_format(&mut body, request.format.as_ref(), schema_as_text.is_some(), &mut losses);
    put_context(&mut body, request, profile, &mut losses);
    if let Some(fields) = request.extra.of(THIS) {
        body.put_all(fields);
    }
    let tool_names = aliases.into_iter().map(|(name, alias)| (alias, name)).collect();
    let undo = Undo { tool_names, ..Undo::default() };
    Ok(Encoded { headers: Vec::new(), body: body.finish(), losses, undo })
}

fn put_limits(body: &mut ObjectWriter, request: &ChatRequest, profile: &Profile, losses: &mut Vec<Loss>) {
    let field = match profile.max_tokens_field {
        MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
        MaxTokensField::AsGiven | MaxTokensField::MaxTokens => "max_tokens",
    };
    body.put_some(field, request.max_output);
    if request.stop.len() > MAX_STOPS {
        losses.push(Loss::at("stop", "stop"));
    }
    let stops: Vec<&String> = request.stop.iter().take(MAX_STOPS).collect();
    body.put_some("stop", (!stops.is_empty()).then_some(stops));
    let effort = request.thinking.as_ref().and_then(|asked| effort::encode(asked, profile, losses));
    body.put_some("reasoning_effort", effort);
}

fn put_sampling(body: &mut ObjectWriter, sampling: &Sampling, profile: &Profile, losses: &mut Vec<Loss>) {
    let steerable = profile.abilities.temperature;
    let mut put = |name: &'static str, value: Option<Value>, taken: bool| match value {
        Some(value) if taken => body.put(name, &value),
        Some(_) => losses.push(Loss::field(name)),
        None => {}
    };
    put("temperature", sampling.temperature.map(Value::from), steerable);
    put("top_p", sampling.top_p.map(Value::from), steerable);
    put("top_k", sampling.top_k.map(Value::from), profile.open_sampling);
    put("frequency_penalty", sampling.frequency_penalty.map(Value::from), steerable);
    put("presence_penalty", sampling.presence_penalty.map(Value::from), steerable);
    put("seed", sampling.seed.map(Value::from), true);
    put("logit_bias", sampling.logit_bias.clone(), true);
    put("logprobs", sampling.logprobs.map(Value::from), steerable);
    put("top_logprobs", sampling.top_logprobs.map(Value::from), steerable);
    put("n", sampling.n.map(Value::from), true);
}

/// For models that answer in JSON, but not by a schema: the schema in words.
fn schema_as_text(request: &ChatRequest, profile: &Profile) -> Option<String> {
    let Some(OutputFormat::JsonSchema { schema, .. }) = &request.format else { return None };
    let sentence = "Answer with one JSON object that matches this JSON Schema, and nothing else:";
    (!profile.abilities.structured_output).then(|| format!("{sentence}\n{schema}"))
}

fn put_format(
    body: &mut ObjectWriter,
    format: Option<&OutputFormat>,
    in_words: bool,
    losses: &mut Vec<Loss>,
) {
    let json_object = out::ResponseFormat { kind: "json_object", json_schema: None };
    let format = match format {
        None => return,
        Some(OutputFormat::JsonObject) => json_object,
        Some(OutputFormat::JsonSchema { .. }) if in_words => {
            losses.push(Loss::at("json_schema", "response_format"));
            json_object
        }
        Some(OutputFormat::JsonSchema { name, description, schema, strict }) => {
            let name = name.as_deref().unwrap_or("response");
            let schema: &RawValue = schema;
            let json_schema =
                out::JsonSchema { name, description: description.as_deref(), schema, strict: *strict };
            out::ResponseFormat { kind: "json_schema", json_schema: Some(json_schema) }
        }
    };
    body.put("response_format", &format);
}

/// Who asks, how it is served, and how it comes back.
fn put_context(body: &mut ObjectWriter, request: &ChatRequest, profile: &Profile, losses: &mut Vec<Loss>) {
    if request.metadata.is_some() {
        losses.push(Loss::field("metadata"));
    }
    match request.service_tier.as_deref() {
        // Anthropic's only other word for the standard tier.
        Some("standard_only") => body.put("service_tier", "default"),
        Some(tier) if TIERS.contains(&tier) => body.put("service_tier", tier),
        Some(_) => losses.push(Loss::field("service_tier")),
        None => {}
    }
    body.put_some("user", request.end_user.as_deref().map(names::pseudonym));
    body.put_some("prompt_cache_key", request.cache_key.as_deref());
    body.put_some("verbosity", request.verbosity.as_deref());
    if request.stream {
        body.put("stream", &true);
        body.put_some("stream_options", profile.stream_options.then(|| json!({"include_usage": true})));
    }
}
