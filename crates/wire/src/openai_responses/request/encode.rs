//! A request for a server of this format.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{LOGPROBS, THIS, tools, turns};
use crate::chat::{ChatRequest, Encoded, Loss, OutputFormat, Profile, Undo};
use crate::fault::Fault;
use crate::json_writer::ObjectWriter;
use crate::openai::{effort, names};
use crate::openai_responses::shape::out;

/// Service tiers of this dialect. Source: OpenAI API reference, responses.
const TIERS: &[&str] = &["auto", "default", "flex", "priority", "scale"];

/// The smallest output limit that OpenAI takes. Source: its error `integer_below_min_value` for smaller ones.
const LEAST_OUTPUT: u64 = 16;

const SCHEMA_IN_WORDS: &str = "Answer with one JSON object that matches this JSON Schema, and nothing else:";

/// What encoding reads, and what it gathers beside the body.
pub(super) struct Draft<'a> {
    pub(super) profile: &'a Profile,
    pub(super) losses: Vec<Loss>,
}

impl Draft<'_> {
    pub(super) fn lose(&mut self, code: &'static str, at: &str) {
        self.losses.push(Loss::at(code, at));
    }

    /// The target cannot do what stands at `at`; another might.
    pub(super) fn unsupported(&self, what: &str, at: &str) -> Fault {
        let (what, by) = (what.to_owned(), self.profile.model.to_string());
        Fault::Unsupported { what, by, at: Some(at.to_owned()) }
    }
}

/// The request in this format, with what is lost and what must be undone in the answer.
pub(in crate::openai_responses) fn encode(
    request: &ChatRequest,
    profile: &Profile,
) -> Result<Encoded, Fault> {
    let mut draft = Draft { profile, losses: request.extra.lost_in(THIS).map(Loss::field).collect() };
    if request.sampling.n.is_some_and(|n| n > 1) {
        return Err(draft.unsupported("more than one answer to a request", "n"));
    }
    request.extra.refuse_in(THIS, &profile.model)?;
    let aliases = names::aliases(&request.tools);
    let mut body = ObjectWriter::new();
    body.put("model", &*profile.model);
    let schema_in_words = schema_in_words(request, profile);
    let (instructions, mut input) = turns::encode(request, &aliases, &mut draft)?;
    if let Some(words) = &schema_in_words {
        let content = out::Content::Text(Cow::Borrowed(words));
        let message = out::Message { role: "system", content, ..out::Message::default() };
        input.insert(0, out::Item::Message(message));
    }
    body.put_some("instructions", instructions);
    body.put("input", &input);
    drop(input);
    if !request.tools.is_empty() {
        body.put("tools", &tools::encode(&request.tools, &aliases, &mut draft)?);
        let choice = request.tool_choice.as_ref();
        body.put_some(
            "tool_choice",
            choice.map(|choice| tools::encode_choice(choice, &request.tools, &aliases)),
        );
        body.put_some("parallel_tool_calls", request.parallel_tool_calls);
    }
    put_limits(&mut body, request, &mut draft);
    put_sampling(&mut body, request, &mut draft);
    put_text(&mut body, request, schema_in_words.is_some(), &mut draft);
    put_reasoning(&mut body, request, &mut draft);
    put_context(&mut body, request, &mut draft);
    if let Some(fields) = request.extra.of(THIS) {
        let fresh = fields.iter().filter(|(key, _)| !matches!(key.as_str(), "include" | "text"));
        fresh.for_each(|(key, value)| body.put(key, value));
    }
    let tool_names = aliases.into_iter().map(|(name, alias)| (alias, name)).collect();
    let undo = Undo { tool_names, stops: request.stop.clone(), ..Undo::default() };
    Ok(Encoded { headers: Vec::new(), body: body.finish(), losses: draft.losses, undo })
}

fn put_limits(body: &mut ObjectWriter, request: &ChatRequest, draft: &mut Draft<'_>) {
    let limit = request.max_output.map(|limit| limit.max(LEAST_OUTPUT));
    if limit != request.max_output {
        draft.lose("clamp", "max_output_tokens");
    }
    body.put_some("max_output_tokens", limit);
    if !request.stop.is_empty() {
        draft.lose("stop_emulated", "stop");
    }
}

fn put_sampling(body: &mut ObjectWriter, request: &ChatRequest, draft: &mut Draft<'_>) {
    let sampling = &request.sampling;
    let steerable = draft.profile.abilities.temperature;
    let mut put = |name: &'static str, value: Option<Value>, taken: bool| match value {
        Some(value) if taken => body.put(name, &value),
        Some(_) => draft.losses.push(Loss::field(name)),
        None => {}
    };
    put("temperature", sampling.temperature.map(Value::from), steerable);
    put("top_p", sampling.top_p.map(Value::from), steerable);
    put("top_logprobs", sampling.top_logprobs.map(Value::from), steerable);
    put("top_k", sampling.top_k.map(Value::from), false);
    put("frequency_penalty", sampling.frequency_penalty.map(Value::from), false);
    put("presence_penalty", sampling.presence_penalty.map(Value::from), false);
    put("seed", sampling.seed.map(Value::from), false);
    put("logit_bias", sampling.logit_bias.clone(), false);
}

/// For models that answer in JSON, but not by a schema: the schema in words.
fn schema_in_words(request: &ChatRequest, profile: &Profile) -> Option<String> {
    let Some(OutputFormat::JsonSchema { schema, .. }) = &request.format else { return None };
    (!profile.abilities.structured_output).then(|| format!("{SCHEMA_IN_WORDS}\n{schema}"))
}

/// Form and length of the answer.
fn put_text(body: &mut ObjectWriter, request: &ChatRequest, in_words: bool, draft: &mut Draft<'_>) {
    let format = match &request.format {
        None => None,
        Some(OutputFormat::JsonObject) => Some(out::Format::JsonObject),
        Some(OutputFormat::JsonSchema { .. }) if in_words => {
            draft.lose("json_schema", "text.format");
            Some(out::Format::JsonObject)
        }
        Some(OutputFormat::JsonSchema { name, description, schema, strict }) => {
            Some(out::Format::JsonSchema {
                name: name.as_deref().unwrap_or("response"),
                description: description.as_deref(),
                schema,
                strict: *strict,
            })
        }
    };
    let verbosity = request.verbosity.as_deref();
    if format.is_none() && verbosity.is_none() {
        // A form of this dialect that has no canonical name.
        return body.put_some("text", request.extra.of(THIS).and_then(|fields| fields.get("text")));
    }
    let mut text = serde_json::Map::new();
    let format = format.map(|format| serde_json::to_value(format).expect("a form has string keys"));
    text.extend(format.map(|format| ("format".to_owned(), format)));
    text.extend(verbosity.map(|verbosity| ("verbosity".to_owned(), verbosity.into())));
    body.put("text", &text);
}

/// How much to think, what of it to show, and what to send back so that it can be replayed: nothing is stored.
fn put_reasoning(body: &mut ObjectWriter, request: &ChatRequest, draft: &mut Draft<'_>) {
    let thinking = request.thinking.as_ref();
    let effort = thinking.and_then(|asked| effort::encode(asked, draft.profile, &mut draft.losses));
    let thinks = draft.profile.abilities.reasoning;
    let summary = thinking.filter(|asked| thinks && asked.show == Some(true)).map(|_| "auto");
    if effort.is_some() || summary.is_some() {
        let mut reasoning = serde_json::Map::new();
        reasoning.extend(effort.map(|effort| ("effort".to_owned(), json!(effort))));
        reasoning.extend(summary.map(|summary| ("summary".to_owned(), json!(summary))));
        body.put("reasoning", &reasoning);
    }
    let mut include: Vec<&str> = Vec::new();
    // Models that do not think refuse to be asked for their thoughts.
    if thinks && (thinking.is_some() || !draft.profile.reasoning.is_empty()) {
        include.push("reasoning.encrypted_content");
    }
    if request.sampling.logprobs == Some(true) && draft.profile.abilities.temperature {
        include.push(LOGPROBS);
    }
    let asked = request.extra.of(THIS).and_then(|fields| fields.get("include")).and_then(Value::as_array);
    let asked = asked.into_iter().flatten().filter_map(Value::as_str);
    include.extend(asked.filter(|what| !super::INCLUDED.contains(what)));
    body.put_some("include", (!include.is_empty()).then_some(include));
}

/// Who asks, how it is served, and how it comes back.
fn put_context(body: &mut ObjectWriter, request: &ChatRequest, draft: &mut Draft<'_>) {
    if request.metadata.is_some() {
        draft.losses.push(Loss::field("metadata"));
    }
    match request.service_tier.as_deref() {
        // Anthropic's only other word for the standard tier.
        Some("standard_only") => body.put("service_tier", "default"),
        Some(tier) if TIERS.contains(&tier) => body.put("service_tier", tier),
        Some(_) => draft.losses.push(Loss::field("service_tier")),
        None => {}
    }
    body.put_some("user", request.end_user.as_deref().map(names::pseudonym));
    body.put_some("prompt_cache_key", request.cache_key.as_deref());
    body.put("store", &false);
    if request.stream {
        body.put("stream", &true);
    }
}
