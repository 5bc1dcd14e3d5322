//! Token counts: what servers of this format report, made disjoint; and back.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::chat::Usage;

/// Counts as they stand; null is absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reported {
    input_tokens: Count,
    output_tokens: Count,
    input_tokens_details: Option<InputDetails>,
    output_tokens_details: Option<OutputDetails>,
    /// OpenRouter, in dollars.
    cost: Option<f64>,
    /// xAI, in units of 10⁻¹⁰ dollars.
    cost_in_usd_ticks: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    cached_tokens: Count,
    cache_write_tokens: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    reasoning_tokens: Count,
}

/// A count, absent, or something that is none.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Count {
    Number(u64),
    #[default]
    Absent,
    Odd(IgnoredAny),
}

impl Count {
    fn number(&self) -> Option<u64> {
        match self {
            Count::Number(number) => Some(*number).filter(|number| *number <= i64::MAX as u64),
            Count::Absent | Count::Odd(_) => None,
        }
    }

    fn is_odd(&self) -> bool {
        !matches!(self, Count::Absent) && self.number().is_none()
    }
}

/// Counts of a `usage` object; `None` if it is null or no object.
pub(super) fn decode(usage: &RawValue) -> Option<Usage> {
    decode_text(usage.get().as_bytes())
}

/// The same, of the text.
pub(super) fn decode_text(text: &[u8]) -> Option<Usage> {
    if text == b"null" {
        return None;
    }
    let reported: Reported = serde_json::from_slice(text).ok()?;
    Some(reported.usage())
}

impl Reported {
    fn usage(self) -> Usage {
        let input = self.input_tokens_details.unwrap_or_default();
        let output = self.output_tokens_details.unwrap_or_default();
        let counts = [
            &self.input_tokens,
            &self.output_tokens,
            &input.cached_tokens,
            &input.cache_write_tokens,
            &output.reasoning_tokens,
            &self.cost_in_usd_ticks,
        ];
        let odd = counts.into_iter().any(Count::is_odd);
        let cache_read = input.cached_tokens.number();
        let cache_write = input.cache_write_tokens.number();
        let cached = cache_read.unwrap_or(0).saturating_add(cache_write.unwrap_or(0));
        let dollars = self.cost.map(|dollars| (dollars * 1e9).round() as i64);
        let ticks = self.cost_in_usd_ticks.number().and_then(|ticks| i64::try_from(ticks / 10).ok());
        Usage {
            input: self.input_tokens.number().map(|prompt| prompt.saturating_sub(cached)),
            cache_read,
            cache_write,
            output: self.output_tokens.number(),
            reasoning: output.reasoning_tokens.number(),
            stated_cost_nanos: dollars.or(ticks),
            odd,
            ..Usage::default()
        }
    }
}

/// The `usage` object. SDKs demand the totals and both detail objects.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    input_tokens: u64,
    input_tokens_details: WrittenInput,
    output_tokens: u64,
    output_tokens_details: WrittenOutput,
    total_tokens: u64,
}

#[derive(Debug, Serialize)]
struct WrittenInput {
    cached_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_tokens: Option<u64>,
}

#[derive(Debug, Serialize)]
struct WrittenOutput {
    reasoning_tokens: u64,
}

/// The counts in this format.
pub(super) fn encode(usage: &Usage) -> Written {
    let writes = [usage.cache_write, usage.cache_write_1h];
    let written = writes.into_iter().flatten().reduce(u64::saturating_add);
    Written {
        input_tokens: usage.prompt().unwrap_or(0),
        input_tokens_details: WrittenInput {
            cached_tokens: usage.cache_read.unwrap_or(0),
            cache_write_tokens: written,
        },
        output_tokens: usage.output.unwrap_or(0),
        output_tokens_details: WrittenOutput { reasoning_tokens: usage.reasoning.unwrap_or(0) },
        total_tokens: usage.total().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_tokens_are_part_of_the_prompt() {
        let text =
            br#"{"input_tokens":100,"input_tokens_details":{"cached_tokens":60,"cache_write_tokens":10},
            "output_tokens":7,"output_tokens_details":{"reasoning_tokens":5},"total_tokens":107}"#;
        let usage = decode_text(text).unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.cache_write), (Some(30), Some(60), Some(10)));
        assert_eq!((usage.output, usage.reasoning, usage.total()), (Some(7), Some(5), Some(107)));
    }

    #[test]
    fn what_is_no_count_is_absent_and_said_to_be_odd() {
        let usage = decode_text(br#"{"input_tokens":-1,"output_tokens":null}"#).unwrap();
        assert_eq!((usage.input, usage.output, usage.odd), (None, None, true));
        assert!(!decode_text(br#"{"output_tokens":null}"#).unwrap().odd);
        assert_eq!(decode_text(b"null"), None);
    }

    #[test]
    fn stated_costs_become_nanodollars() {
        let cost = |text: &str| decode_text(text.as_bytes()).unwrap().stated_cost_nanos;
        assert_eq!(cost(r#"{"cost":0.000012}"#), Some(12_000));
        assert_eq!(cost(r#"{"cost_in_usd_ticks":1230}"#), Some(123));
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let usage = Usage {
            input: Some(1),
            cache_read: Some(2),
            output: Some(3),
            reasoning: Some(1),
            ..Usage::default()
        };
        let text = serde_json::to_vec(&encode(&usage)).unwrap();
        assert_eq!(decode_text(&text), Some(usage));
    }
}
