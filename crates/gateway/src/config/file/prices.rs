//! `prices:` of the operator's own, by provider and model; and `price:` of a model in a provider's section.

use policy::{Prices, Rate};

use super::super::section::{Reader, Section};
use super::super::tree::{Node, Value};

/// What a model costs, whoever else says so.
#[derive(Debug, Clone)]
pub struct OwnPrice {
    /// Any of the provider's names.
    pub provider: String,
    /// Its id, with or without a variant.
    pub model: String,
    #[allow(missing_docs)]
    pub rate: Rate,
}

/// All of them, in the order of the file.
pub(super) fn read(section: &Section<'_>, reader: &mut Reader<'_>) -> Vec<OwnPrice> {
    let mut prices = Vec::new();
    for (key, node) in section.entries() {
        let Some((provider, model)) = key.name.split_once('/').filter(|(_, model)| !model.is_empty()) else {
            let what = "names no provider and model, as openai/gpt-4o does";
            reader.invalid(key.line, format_args!("{} {what}", section.path_of(&key.name)));
            continue;
        };
        let rate = rate(Section::open(section.path_of(&key.name), node, reader), reader);
        prices.push(OwnPrice { provider: provider.to_owned(), model: model.to_owned(), rate });
    }
    prices
}

/// USD per million tokens, under the names of `models.json`.
pub(super) fn rate(mut section: Section<'_>, reader: &mut Reader<'_>) -> Rate {
    let mut usd = |key| section.value(key, reader, picos);
    let base = Prices {
        input: usd("input"),
        output: usd("output"),
        cache_read: usd("cache_read"),
        cache_write: usd("cache_write"),
        cache_write_1h: usd("cache_write_1h"),
        reasoning: usd("reasoning"),
        input_audio: usd("input_audio"),
        output_audio: usd("output_audio"),
    };
    section.close(reader);
    Rate { base, tiers: Vec::new() }
}

fn picos(node: &Node) -> Result<u64, &'static str> {
    let usd = match node.value {
        Value::Int(number) => number as f64,
        Value::Float(number) => number,
        _ => f64::NAN,
    };
    Prices::picos(usd).ok_or("a price in USD per million tokens")
}
