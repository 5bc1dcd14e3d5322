//! The rows of `models.json`: prices, limits and abilities. Read in place, without copying.

use std::borrow::Cow;
use std::collections::HashMap;

use policy::{Prices, Rate, Tier};
use serde::Deserialize;
use wire::Operation;
use wire::chat::{Abilities, Effort, ReasoningOption};

/// A model of a provider. Fields that are not used yet are left unread.
#[derive(Debug, Deserialize)]
pub struct Entry<'a> {
    /// What goes upstream.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// As `models.json` names it.
    pub provider: &'a str,
    /// For people.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    kind: &'a str,
    price: Option<Price>,
    /// Tokens of prompt and answer together.
    pub context: Option<u64>,
    /// Tokens.
    pub max_output: Option<u64>,
    input: Vec<&'a str>,
    capabilities: Vec<&'a str>,
    #[serde(default)]
    reasoning_options: Vec<Steering<'a>>,
    /// Where the row comes from: `models.dev`, `litellm` or both.
    pub source: &'a str,
}

/// USD per million tokens; in `tiers` with the prompt size above which they hold.
#[derive(Debug, Deserialize)]
struct Price {
    above_context: Option<u64>,
    input: Option<f64>,
    output: Option<f64>,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    cache_write_1h: Option<f64>,
    reasoning: Option<f64>,
    input_audio: Option<f64>,
    output_audio: Option<f64>,
    #[serde(default)]
    tiers: Vec<Price>,
}

#[derive(Debug, Deserialize)]
struct Steering<'a> {
    r#type: &'a str,
    #[serde(borrow, default)]
    values: Vec<&'a str>,
    /// Negative: as the model thinks fit.
    min: Option<i64>,
    max: Option<i64>,
}

/// Models of the wanted providers that a client can ask for something that we do. The file has one model a line (its README says so, and a test checks it), so that
/// those of other providers are passed over unread: starting is worth the milliseconds.
pub(super) fn parse<'a>(
    text: &'a str,
    wanted: impl Fn(&str) -> bool,
) -> Result<HashMap<&'a str, Vec<Entry<'a>>>, serde_json::Error> {
    let mut models: HashMap<&str, Vec<Entry<'a>>> = HashMap::new();
    for row in text.lines().filter(|line| line.starts_with("{\"id\":")) {
        if provider_in(row).is_some_and(|provider| !wanted(provider)) {
            continue;
        }
        let entry: Entry<'a> = serde_json::from_str(row.trim_end_matches(','))?;
        if made_for(entry.kind).is_some() && wanted(entry.provider) {
            models.entry(entry.provider).or_default().push(entry);
        }
    }
    Ok(models)
}

/// What models of a kind are made for; `None`: nothing that we do.
fn made_for(kind: &str) -> Option<Operation> {
    match kind {
        "chat" => Some(Operation::Chat),
        "completion" => Some(Operation::Complete),
        "embedding" => Some(Operation::Embed),
        _ => None,
    }
}

/// The provider of a row, if a glance finds it.
fn provider_in(row: &str) -> Option<&str> {
    row.split_once("\"provider\":\"")?.1.split_once('"').map(|(provider, _)| provider)
}

impl Entry<'_> {
    /// Its prices; `None` when the source states none.
    pub fn rate(&self) -> Option<Rate> {
        let price = self.price.as_ref()?;
        let tier = |tier: &Price| Some(Tier { above_context: tier.above_context?, prices: tier.picos() });
        Some(Rate { base: price.picos(), tiers: price.tiers.iter().filter_map(tier).collect() })
    }

    /// What it can do. In rows of litellm an absent ability means "not stated" and counts as there; in rows of models.dev
    /// an absent `temperature` means that sampling parameters are refused.
    pub fn abilities(&self) -> Abilities {
        let stated = self.source.starts_with("models.dev");
        let can = |ability| !stated || self.capabilities.contains(&ability);
        let takes = |modality| !stated || self.input.contains(&modality);
        Abilities {
            image: takes("image"),
            pdf: takes("pdf"),
            audio: takes("audio"),
            tools: can("tools"),
            temperature: can("temperature"),
            structured_output: can("structured_output"),
            reasoning: can("reasoning"),
        }
    }

    /// What it is made for.
    pub fn made_for(&self) -> Operation {
        made_for(self.kind).unwrap_or(Operation::Chat)
    }

    /// It reasons, and the source says so.
    pub fn reasons(&self) -> bool {
        self.capabilities.contains(&"reasoning")
    }

    /// How its thinking is steered.
    pub fn reasoning(&self) -> Vec<ReasoningOption> {
        self.reasoning_options.iter().filter_map(Steering::option).collect()
    }
}

impl Price {
    fn picos(&self) -> Prices {
        let picos = |usd: Option<f64>| usd.and_then(Prices::picos);
        Prices {
            input: picos(self.input),
            output: picos(self.output),
            cache_read: picos(self.cache_read),
            cache_write: picos(self.cache_write),
            cache_write_1h: picos(self.cache_write_1h),
            reasoning: picos(self.reasoning),
            input_audio: picos(self.input_audio),
            output_audio: picos(self.output_audio),
        }
    }
}

impl Steering<'_> {
    fn option(&self) -> Option<ReasoningOption> {
        match self.r#type {
            "toggle" => Some(ReasoningOption::Toggle),
            "effort" => {
                Some(ReasoningOption::Effort(self.values.iter().filter_map(|word| effort(word)).collect()))
            }
            "budget_tokens" => Some(ReasoningOption::Budget { min: tokens(self.min), max: tokens(self.max) }),
            _ => None,
        }
    }
}

fn tokens(count: Option<i64>) -> Option<u64> {
    count.and_then(|count| u64::try_from(count).ok())
}

fn effort(word: &str) -> Option<Effort> {
    Some(match word {
        "none" => Effort::None,
        "minimal" => Effort::Minimal,
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" => Effort::Xhigh,
        "max" => Effort::Max,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Catalogue;
    use super::*;

    fn entry(provider: &str, id: &str) -> &'static Entry<'static> {
        Catalogue::embedded().models(provider).iter().find(|entry| entry.id == id).unwrap()
    }

    #[test]
    fn reading_line_by_line_misses_no_model() {
        let text = super::super::MODELS;
        let whole: serde_json::Value = serde_json::from_str(text).unwrap();
        let rows = whole["models"].as_array().unwrap();
        let wanted = ["chat", "completion", "embedding"];
        let wanted = rows.iter().filter(|row| wanted.iter().any(|kind| row["kind"] == *kind)).count();
        let read: usize = parse(text, |_| true).unwrap().values().map(Vec::len).sum();
        assert_eq!(read, wanted);
    }

    #[test]
    fn prices_are_exact_in_picodollars() {
        let rate = entry("openai", "o3-mini").rate().unwrap();
        assert_eq!((rate.base.input, rate.base.output), (Some(1_100_000), Some(4_400_000)));
        assert_eq!((rate.base.cache_read, rate.base.cache_write), (Some(550_000), None));
    }

    #[test]
    fn embedding_models_are_known_with_their_prices() {
        for (provider, id, input) in [
            ("openai", "text-embedding-3-small", 20_000),
            ("openai", "text-embedding-3-large", 130_000),
            ("openai", "text-embedding-ada-002", 100_000),
            ("google", "gemini-embedding-001", 150_000),
        ] {
            let entry = entry(provider, id);
            assert_eq!(entry.made_for(), Operation::Embed, "{id}");
            assert_eq!(entry.rate().unwrap().base.input, Some(input), "{id}");
        }
    }

    #[test]
    fn every_stated_price_is_a_whole_number_of_picodollars_per_token() {
        for row in &Catalogue::embedded().providers {
            for entry in row.catalogue.iter().flat_map(|name| Catalogue::embedded().models(name)) {
                let usd = entry.price.as_ref().and_then(|price| price.input).unwrap_or(0.0);
                assert!((usd * 1e6 - (usd * 1e6).round()).abs() < 1e-3, "{}: {usd}", entry.id);
            }
        }
    }

    #[test]
    fn abilities_follow_what_the_source_states() {
        let reasoning = entry("openai", "o3-mini").abilities();
        assert!(reasoning.reasoning && reasoning.tools && !reasoning.temperature && !reasoning.image);
        assert!(entry("openai", "gpt-4o").abilities().temperature);
    }

    #[test]
    fn the_ways_to_steer_thinking_are_read() {
        let low_to_high = ReasoningOption::Effort(vec![Effort::Low, Effort::Medium, Effort::High]);
        assert_eq!(entry("openai", "o3-mini").reasoning(), [low_to_high]);
    }

    #[test]
    fn long_requests_have_their_own_prices() {
        let tiered = Catalogue::embedded().models("google").iter().filter_map(Entry::rate);
        assert!(tiered.flat_map(|rate| rate.tiers).any(|tier| tier.above_context == 200_000));
    }
}
