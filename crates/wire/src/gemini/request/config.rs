//! `generationConfig`: sampling, limits, thinking and the form of the answer, decoded and encoded.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::{CONFIG, Draft, inner_fields, member, own_fields, schema, thinking};
use crate::chat::{MODALITIES, OutputFormat, Part, Sampling, Thinking};
use crate::fault::Fault;
use crate::raw::RawObject;

const JSON: &str = "application/json";

/// Most stop texts. Source: DIALECTS, section 9.
const MAX_STOPS: usize = 5;

const INSTRUCTION: &str = "Answer with one JSON object that matches this JSON Schema, and nothing else:";

/// What a `generationConfig` says.
#[derive(Default)]
pub(super) struct Config {
    pub(super) sampling: Sampling,
    pub(super) max_output: Option<u64>,
    pub(super) stop: Vec<String>,
    pub(super) thinking: Option<Thinking>,
    pub(super) format: Option<OutputFormat>,
    /// What has no canonical name.
    pub(super) rest: Map<String, Value>,
}

pub(super) fn decode(body: &RawObject) -> Result<Config, Fault> {
    let Some(given) = member::<Map<String, Value>>(body, "generationConfig")? else {
        return Ok(Config::default());
    };
    let mut fields = Fields::new("generationConfig", given);
    let sampling = Sampling {
        temperature: fields.take("temperature")?,
        top_p: fields.take("topP")?,
        top_k: fields.count("topK")?,
        frequency_penalty: fields.take("frequencyPenalty")?,
        presence_penalty: fields.take("presencePenalty")?,
        seed: fields.number("seed")?,
        logit_bias: None,
        logprobs: fields.take("responseLogprobs")?,
        top_logprobs: fields.count("logprobs")?,
        n: fields.count("candidateCount")?,
    };
    let max_output = fields.count("maxOutputTokens")?;
    let stop = fields.take("stopSequences")?.unwrap_or_default();
    let thinking = thinking::decode(&mut fields)?;
    let format = format(&mut fields)?;
    let modalities = modalities(&mut fields)?;
    let mut rest = fields.rest();
    rest.extend(modalities.map(|list| (MODALITIES.to_owned(), list)));
    Ok(Config { sampling, max_output, stop, thinking, format, rest })
}

/// Kinds of answers other than text alone, in small letters.
fn modalities(fields: &mut Fields) -> Result<Option<Value>, Fault> {
    let asked: Vec<String> = fields.take("responseModalities")?.unwrap_or_default();
    let asked: Vec<String> = asked.into_iter().map(|name| name.to_lowercase()).collect();
    Ok(asked.iter().any(|name| name != "text").then(|| json!(asked)))
}

/// A form other than JSON (one of a list of texts) has no canonical name.
fn format(fields: &mut Fields) -> Result<Option<OutputFormat>, Fault> {
    let Some(mime) = fields.take::<String>("responseMimeType")? else { return Ok(None) };
    match mime.as_str() {
        "text/plain" => return Ok(None),
        JSON => {}
        _ => {
            fields.put_back("responseMimeType", mime.into());
            return Ok(None);
        }
    }
    let open_api = fields.value("responseSchema").map(schema::from_open_api);
    let Some(schema) = fields.value("responseJsonSchema").or(open_api) else {
        return Ok(Some(OutputFormat::JsonObject));
    };
    Ok(Some(OutputFormat::JsonSchema {
        name: None,
        description: None,
        schema: schema::raw(&schema),
        strict: None,
    }))
}

/// The `generationConfig` of a request.
pub(super) fn encode(draft: &mut Draft<'_>) -> Result<Map<String, Value>, Fault> {
    let mut config = Map::new();
    put_sampling(&mut config, draft);
    put_limits(&mut config, draft);
    if let Some(asked) = &draft.request.thinking
        && let Some(thinking) = thinking::encode(asked, draft)
    {
        config.insert("thinkingConfig".to_owned(), thinking);
    }
    put_format(&mut config, draft)?;
    if let Some(resolution) = resolution(draft) {
        config.insert("mediaResolution".to_owned(), resolution.into());
    }
    config.extend(inner_fields(draft.request, CONFIG));
    let modalities = own_fields(draft.request).find(|(name, _)| *name == MODALITIES);
    if let Some((_, Value::Array(list))) = modalities {
        let upper = |name: &Value| name.as_str().map(str::to_uppercase);
        config.insert("responseModalities".to_owned(), list.iter().filter_map(upper).collect());
    }
    Ok(config)
}

fn put_sampling(config: &mut Map<String, Value>, draft: &mut Draft<'_>) {
    let sampling = &draft.request.sampling;
    let steerable = draft.profile.abilities.temperature;
    let fields = [
        ("temperature", "temperature", sampling.temperature.map(Value::from), steerable),
        ("topP", "top_p", sampling.top_p.map(Value::from), steerable),
        ("topK", "top_k", sampling.top_k.map(Value::from), steerable),
        ("frequencyPenalty", "frequency_penalty", sampling.frequency_penalty.map(Value::from), steerable),
        ("presencePenalty", "presence_penalty", sampling.presence_penalty.map(Value::from), steerable),
        ("seed", "seed", sampling.seed.map(Value::from), true),
        ("responseLogprobs", "logprobs", sampling.logprobs.map(Value::from), true),
        ("logprobs", "top_logprobs", sampling.top_logprobs.map(Value::from), true),
        ("candidateCount", "n", sampling.n.map(Value::from), true),
    ];
    for (name, lost_as, value, taken) in fields {
        match value {
            Some(value) if taken => drop(config.insert(name.to_owned(), value)),
            Some(_) => draft.lose_field(lost_as),
            None => {}
        }
    }
}

fn put_limits(config: &mut Map<String, Value>, draft: &mut Draft<'_>) {
    let request = draft.request;
    if let Some(tokens) = request.max_output {
        config.insert("maxOutputTokens".to_owned(), tokens.into());
    }
    if request.stop.len() > MAX_STOPS {
        draft.lose("stop", "stop");
    }
    if !request.stop.is_empty() {
        let stops: Vec<&String> = request.stop.iter().take(MAX_STOPS).collect();
        config.insert("stopSequences".to_owned(), json!(stops));
    }
}

/// The form of the answer. A model that does not answer by a schema is told it in words; see [`instruction`].
fn put_format(config: &mut Map<String, Value>, draft: &mut Draft<'_>) -> Result<(), Fault> {
    let Some(format) = &draft.request.format else { return Ok(()) };
    config.insert("responseMimeType".to_owned(), JSON.into());
    let OutputFormat::JsonSchema { schema, .. } = format else { return Ok(()) };
    if !draft.profile.abilities.structured_output {
        draft.lose("json_schema", "response_format");
        return Ok(());
    }
    let (name, schema) = match draft.profile.open_api_schemas {
        true => ("responseSchema", schema::to_open_api(schema, "response_format", draft)?),
        false => ("responseJsonSchema", schema::value(schema, "response_format")?),
    };
    config.insert(name.to_owned(), schema);
    Ok(())
}

/// The schema in words, for models that answer in JSON, but not by a schema.
pub(super) fn instruction(draft: &Draft<'_>) -> Option<String> {
    let Some(OutputFormat::JsonSchema { schema, .. }) = &draft.request.format else { return None };
    let schema: &RawValue = schema;
    (!draft.profile.abilities.structured_output).then(|| format!("{INSTRUCTION}\n{schema}"))
}

/// One resolution for all images, if they agree.
fn resolution(draft: &mut Draft<'_>) -> Option<&'static str> {
    let parts = draft.request.messages.iter().flat_map(|message| &message.parts);
    let mut details = parts.filter_map(|part| match part {
        Part::Image { detail, .. } => Some(detail.as_ref().map_or("auto", |detail| detail.0.as_str())),
        _ => None,
    });
    let first = details.next()?;
    let mut all = vec![first];
    all.extend(details);
    if all.iter().all(|detail| *detail == "auto") {
        return None;
    }
    match first {
        "low" if all.iter().all(|detail| *detail == first) => Some("MEDIA_RESOLUTION_LOW"),
        "high" if all.iter().all(|detail| *detail == first) => Some("MEDIA_RESOLUTION_HIGH"),
        _ => {
            draft.lose_field("detail");
            None
        }
    }
}
