//! One entry of LiteLLM's `model_list`.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use wire::WireId;

use crate::catalog::{Catalogue, Row};
use crate::config::tree::{Node, Value};

/// A model that callers ask for, and where it is.
#[derive(Debug)]
pub(super) struct Deployment {
    /// What callers ask for.
    pub name: String,
    /// The provider's id here, or LiteLLM's word for it.
    pub provider: String,
    /// The format that is spoken there.
    pub wire: String,
    /// Of the provider, without its prefix.
    pub model: String,
    /// The address, where it is not the usual one.
    pub base: Option<String>,
    pub key: Credential,
    /// Seconds.
    pub timeout: Option<Json>,
    /// Most tokens of an answer.
    pub max_tokens: Option<Json>,
    /// US dollars a million tokens, by our names.
    pub price: BTreeMap<&'static str, f64>,
    /// Fields of the request that are set unless the caller sets them.
    pub defaults: Vec<(String, Json)>,
    /// What has no counterpart: name and line.
    pub unknown: Vec<(String, u64)>,
}

/// Where the key is.
#[derive(Debug)]
pub(super) enum Credential {
    /// Where LiteLLM looks by itself: the provider's usual variable.
    Usual,
    /// This variable.
    Variable(String),
    /// In the file itself.
    Literal(String),
}

/// Fields that go upstream as they stand.
const DEFAULTS: [&str; 9] = [
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "reasoning_effort",
    "max_completion_tokens",
];

/// US dollars a token there, a million tokens here. Source: the names in LiteLLM's
/// `model_prices_and_context_window.json`, read 2026-11-25.
const PRICES: [(&str, &str); 8] = [
    ("input_cost_per_token", "input"),
    ("output_cost_per_token", "output"),
    ("cache_read_input_token_cost", "cache_read"),
    ("cache_creation_input_token_cost", "cache_write"),
    ("cache_creation_input_token_cost_above_1hr", "cache_write_1h"),
    ("output_cost_per_reasoning_token", "reasoning"),
    ("input_cost_per_audio_token", "input_audio"),
    ("output_cost_per_audio_token", "output_audio"),
];

impl Deployment {
    /// # Errors
    /// What is missing.
    pub(super) fn read(node: &Node) -> Result<Self, &'static str> {
        let name = text(field(node, "model_name")).ok_or("it has no model_name")?;
        let params = field(node, "litellm_params").ok_or("it has no litellm_params")?;
        let full = text(field(params, "model")).ok_or("it has no litellm_params.model")?;
        let (provider, model) = split(&full).ok_or("its model names no provider, and none has that model")?;
        let mut deployment = Self {
            name,
            wire: wire_of(&provider),
            provider,
            model,
            base: None,
            key: Credential::Usual,
            timeout: None,
            max_tokens: None,
            price: BTreeMap::new(),
            defaults: Vec::new(),
            unknown: Vec::new(),
        };
        deployment.take(params);
        if let Some(info) = field(node, "model_info") {
            deployment.take_info(info);
        }
        Ok(deployment)
    }

    fn take(&mut self, params: &Node) {
        let Value::Map(entries) = &params.value else { return };
        for (key, value) in entries {
            match key.name.as_str() {
                "model" | "custom_llm_provider" => {}
                "api_base" | "base_url" => self.base = text(Some(value)),
                "api_key" => self.key = credential(value),
                "timeout" | "request_timeout" => self.timeout = Some(value.json()),
                "max_tokens" => self.max_tokens = Some(value.json()),
                name if self.take_price(name, value) => {}
                name if DEFAULTS.contains(&name) => self.defaults.push((name.to_owned(), value.json())),
                name => self.unknown.push((name.to_owned(), key.line)),
            }
        }
    }

    fn take_info(&mut self, info: &Node) {
        let Value::Map(entries) = &info.value else { return };
        for (key, value) in entries {
            self.take_price(&key.name, value);
        }
    }

    /// Whether it is a price. What the parameters say counts before what is told of the model, and comes first.
    fn take_price(&mut self, name: &str, value: &Node) -> bool {
        let Some((_, ours)) = PRICES.iter().find(|(theirs, _)| *theirs == name) else { return false };
        if let Some(dollars) = dollars_a_million(value) {
            self.price.entry(ours).or_insert(dollars);
        }
        true
    }

    /// The provider is one of ours, at its usual address.
    pub(super) fn is_of_catalogue(&self) -> bool {
        self.base.is_none() && Catalogue::embedded().provider(&self.provider).is_some()
    }

    /// The provider is one that people run on their own machines, at an address of their own.
    pub(super) fn is_local(&self) -> bool {
        Catalogue::embedded().provider(&self.provider).is_some_and(|row| row.local)
    }

    /// It says more than which model of which provider.
    pub(super) fn has_settings(&self) -> bool {
        self.timeout.is_some()
            || self.max_tokens.is_some()
            || !self.price.is_empty()
            || !self.defaults.is_empty()
    }
}

/// `provider/model`; a model alone belongs to the first provider of the catalogue that has it.
fn split(full: &str) -> Option<(String, String)> {
    let catalogue = Catalogue::embedded();
    if let Some((provider, model)) = full.split_once('/') {
        let id = catalogue.provider(provider).map_or(provider.to_owned(), |row| row.id.clone());
        return Some((id, model.to_owned()));
    }
    let has_it = |row: &&Row| {
        let known = row.catalogue.as_deref().map(|name| catalogue.models(name)).unwrap_or_default();
        known.iter().any(|entry| entry.id == full)
    };
    catalogue.providers.iter().find(has_it).map(|row| (row.id.clone(), full.to_owned()))
}

/// Whoever is not in the catalogue is taken to speak as most do.
fn wire_of(provider: &str) -> String {
    let row = Catalogue::embedded().provider(provider);
    let preferred = row.and_then(|row| row.wires.first()).map(|wire| wire.wire.clone());
    preferred.unwrap_or_else(|| WireId::OpenAiChat.name().to_owned())
}

fn credential(value: &Node) -> Credential {
    match text(Some(value)) {
        None => Credential::Usual,
        Some(text) => match text.strip_prefix("os.environ/") {
            Some(name) => Credential::Variable(name.to_owned()),
            None => Credential::Literal(text),
        },
    }
}

fn field<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
}

fn text(node: Option<&Node>) -> Option<String> {
    match &node?.value {
        Value::Text(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

/// To a millionth of a dollar: the file's number times a million is not exact.
fn dollars_a_million(node: &Node) -> Option<f64> {
    let token = match &node.value {
        Value::Int(number) => *number as f64,
        Value::Float(number) => *number,
        Value::Text(text) => text.parse().ok()?,
        _ => return None,
    };
    Some((token * 1e12).round() / 1e6)
}
