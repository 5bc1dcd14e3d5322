//! Token counts: what servers of this dialect report, made disjoint; and back.
//!
//! Servers are told apart by the numbers and fields that they send, never by name. Rules: the recorded traffic of
//! eighteen providers among the tests' fixtures.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chat::Usage;

/// Places of cached prompt tokens, the first present wins: OpenAI, DeepSeek, Moonshot and Together, Mistral.
const CACHE_READ: &[Place] = &[
    &["prompt_tokens_details", "cached_tokens"],
    &["prompt_cache_hit_tokens"],
    &["cached_tokens"],
    &["num_cached_tokens"],
];
/// OpenAI's newest and OpenRouter; proxies that speak for Anthropic.
const CACHE_WRITE: &[Place] =
    &[&["prompt_tokens_details", "cache_write_tokens"], &["cache_creation_input_tokens"]];
/// OpenAI; Perplexity.
const REASONING: &[Place] = &[&["completion_tokens_details", "reasoning_tokens"], &["reasoning_tokens"]];

/// Names on the way from the `usage` object to a number.
type Place = &'static [&'static str];

/// Counts of a `usage` object. Absent, null and odd numbers are `None`; odd ones are flagged.
pub(crate) fn decode(usage: &Value) -> Usage {
    let mut reader = Reader { usage, odd: false };
    let prompt = reader.count(&[&["prompt_tokens"]]);
    let completion = reader.count(&[&["completion_tokens"]]);
    let total = reader.count(&[&["total_tokens"]]);
    let cache_read = reader.count(CACHE_READ);
    let cache_write = reader.count(CACHE_WRITE).map(|written| apart(written, cache_read, prompt));
    let reasoning = reader.count(REASONING);
    let cached = cache_read.unwrap_or(0).saturating_add(cache_write.unwrap_or(0));
    let missed = reader.count(&[&["prompt_cache_miss_tokens"]]);
    let (output, reasoning) = output(prompt, completion, total, reasoning);
    Usage {
        input: prompt.map(|prompt| prompt.saturating_sub(cached)).or(missed),
        cache_read,
        cache_write,
        cache_write_1h: None,
        output,
        reasoning,
        input_audio: reader.count(&[&["prompt_tokens_details", "audio_tokens"]]),
        output_audio: reader.count(&[&["completion_tokens_details", "audio_tokens"]]),
        stated_cost_nanos: reader.cost(),
        odd: reader.odd,
    }
}

/// What most servers send, and nothing else: read without a tree. A carried answer pays for this at every request. A
/// count that is larger than these hold, or none at all, is left to the long way.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    prompt_tokens: u32,
    completion_tokens: u32,
    total_tokens: u32,
    #[serde(default)]
    prompt_tokens_details: Option<PlainPrompt>,
    #[serde(default)]
    completion_tokens_details: Option<PlainCompletion>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct PlainPrompt {
    cached_tokens: Option<u32>,
    cache_write_tokens: Option<u32>,
    audio_tokens: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct PlainCompletion {
    reasoning_tokens: Option<u32>,
    audio_tokens: Option<u32>,
    accepted_prediction_tokens: Option<u32>,
    rejected_prediction_tokens: Option<u32>,
}

/// Counts of the text of a `usage` object; `None` if it is not JSON.
pub(super) fn decode_text(text: &[u8]) -> Option<Usage> {
    match serde_json::from_slice::<Plain>(text) {
        Ok(plain) => Some(plain.usage()),
        Err(_) => serde_json::from_slice(text).ok().map(|usage| decode(&usage)),
    }
}

impl Plain {
    fn usage(self) -> Usage {
        let details = self.prompt_tokens_details.unwrap_or_default();
        let thoughts = self.completion_tokens_details.unwrap_or_default();
        let (prompt, cache_read) = (u64::from(self.prompt_tokens), details.cached_tokens.map(u64::from));
        let cache_write =
            details.cache_write_tokens.map(|written| apart(written.into(), cache_read, Some(prompt)));
        let cached = cache_read.unwrap_or(0).saturating_add(cache_write.unwrap_or(0));
        let (completion, total) = (Some(self.completion_tokens.into()), Some(self.total_tokens.into()));
        let reasoning = thoughts.reasoning_tokens.map(u64::from);
        let (output, reasoning) = output(Some(prompt), completion, total, reasoning);
        Usage {
            input: Some(prompt.saturating_sub(cached)),
            cache_read,
            cache_write,
            output,
            reasoning,
            input_audio: details.audio_tokens.map(u64::from),
            output_audio: thoughts.audio_tokens.map(u64::from),
            ..Usage::default()
        }
    }
}

/// Written tokens that were not read as well: OpenRouter's Gemini reports the same ones twice, and buckets are disjoint.
fn apart(written: u64, read: Option<u64>, prompt: Option<u64>) -> u64 {
    let (read, prompt) = (read.unwrap_or(0), prompt.unwrap_or(u64::MAX));
    let fits = read.saturating_add(written) <= prompt;
    if fits { written } else { written.saturating_sub(read).min(prompt.saturating_sub(read)) }
}

/// All generated tokens, reasoning included, and the reasoning ones.
fn output(
    prompt: Option<u64>,
    completion: Option<u64>,
    total: Option<u64>,
    reasoning: Option<u64>,
) -> (Option<u64>, Option<u64>) {
    let (Some(prompt), Some(completion), Some(total)) = (prompt, completion, total) else {
        return (completion, reasoning);
    };
    let spoken = prompt.saturating_add(completion);
    match reasoning {
        // xAI counts reasoning beside the completion, and the total says so.
        Some(thought) if thought > 0 && total == spoken.saturating_add(thought) => {
            (Some(completion.saturating_add(thought)), reasoning)
        }
        // Google's compatible endpoint hides its thoughts in the total.
        None | Some(0) if total > spoken => (Some(total - prompt), Some(total - spoken)),
        _ => (Some(completion), reasoning),
    }
}

struct Reader<'a> {
    usage: &'a Value,
    odd: bool,
}

impl Reader<'_> {
    fn at(&self, place: Place) -> Option<&Value> {
        place.iter().try_fold(self.usage, |value, name| value.get(name))
    }

    /// The first count present at one of `places`.
    fn count(&mut self, places: &[Place]) -> Option<u64> {
        let value = places.iter().filter_map(|place| self.at(place)).find(|value| !value.is_null())?;
        let count =
            value.as_u64().or_else(|| whole(value.as_f64()?)).filter(|count| *count <= i64::MAX as u64);
        self.odd |= count.is_none();
        count
    }

    /// What the upstream says the request cost, in nanodollars: `cost` or `cost.total_cost` in dollars (OpenRouter,
    /// Vercel, Perplexity), `cost_in_usd_ticks` in units of 10⁻¹⁰ dollars (xAI).
    fn cost(&mut self) -> Option<i64> {
        let stated = |place: Place| self.at(place).filter(|value| !value.is_null() && !value.is_object());
        let dollars = stated(&["cost"]).or_else(|| stated(&["cost", "total_cost"]));
        let nanos = match (dollars, stated(&["cost_in_usd_ticks"])) {
            (Some(dollars), _) => dollars.as_f64().and_then(|dollars| whole(Some((dollars * 1e9).round())?)),
            (None, Some(ticks)) => ticks.as_u64().map(|ticks| ticks / 10),
            (None, None) => return None,
        };
        let nanos = nanos.and_then(|nanos| i64::try_from(nanos).ok());
        self.odd |= nanos.is_none();
        nanos
    }
}

/// A number that counts, written as a fraction: `12.0`.
fn whole(number: f64) -> Option<u64> {
    // Above 2^53 a double no longer counts.
    let counts = number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number);
    counts.then_some(number as u64)
}

/// The `usage` object. SDKs demand the two totals and both detail objects.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Debug, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_tokens: Option<u64>,
    audio_tokens: u64,
}

#[derive(Debug, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
    accepted_prediction_tokens: u64,
    rejected_prediction_tokens: u64,
}

/// The counts in this dialect's form.
pub(super) fn encode(usage: &Usage) -> Written {
    let writes = [usage.cache_write, usage.cache_write_1h];
    let written = writes.iter().any(Option::is_some).then(|| writes.iter().flatten().fold(0, add));
    Written {
        prompt_tokens: usage.prompt().unwrap_or(0),
        completion_tokens: usage.output.unwrap_or(0),
        total_tokens: usage.total().unwrap_or(0),
        prompt_tokens_details: PromptDetails {
            cached_tokens: usage.cache_read.unwrap_or(0),
            cache_write_tokens: written,
            audio_tokens: usage.input_audio.unwrap_or(0),
        },
        completion_tokens_details: CompletionDetails {
            reasoning_tokens: usage.reasoning.unwrap_or(0),
            audio_tokens: usage.output_audio.unwrap_or(0),
            accepted_prediction_tokens: 0,
            rejected_prediction_tokens: 0,
        },
    }
}

fn add(sum: u64, count: &u64) -> u64 {
    sum.saturating_add(*count)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cached_tokens_are_part_of_the_prompt_wherever_they_stand() {
        let cases = [
            json!({"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 60}}),
            json!({"prompt_tokens": 100, "prompt_cache_hit_tokens": 60, "prompt_cache_miss_tokens": 40}),
            json!({"prompt_cache_hit_tokens": 60, "prompt_cache_miss_tokens": 40}),
            json!({"prompt_tokens": 100, "cached_tokens": 60}),
            json!({"prompt_tokens": 100, "num_cached_tokens": 60}),
        ];
        for case in cases {
            let usage = decode(&case);
            assert_eq!(
                (usage.input, usage.cache_read, usage.prompt()),
                (Some(40), Some(60), Some(100)),
                "{case}"
            );
        }
    }

    /// The short way and the long one must agree, absurd numbers included.
    #[test]
    fn the_way_without_a_tree_gives_the_same_counts() {
        let texts = [
            r#"{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}"#,
            r#"{"prompt_tokens":9,"completion_tokens":3,"total_tokens":20,"prompt_tokens_details":null}"#,
            r#"{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":5,
                "cache_write_tokens":5,"audio_tokens":1},"completion_tokens_details":{"reasoning_tokens":2,"audio_tokens":0}}"#,
            r#"{"prompt_tokens":9,"completion_tokens":3,"total_tokens":14,"completion_tokens_details":{"reasoning_tokens":2}}"#,
            r#"{"prompt_tokens":18446744073709551615,"completion_tokens":3,"total_tokens":12}"#,
            r#"{"prompt_tokens":-9,"completion_tokens":3,"total_tokens":12}"#,
            r#"{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"cost":0.5}"#,
        ];
        for text in texts {
            let tree: Value = serde_json::from_str(text).unwrap();
            assert_eq!(decode_text(text.as_bytes()), Some(decode(&tree)), "{text}");
        }
        assert_eq!(decode_text(b"{"), None);
    }

    #[test]
    fn tokens_that_were_read_and_written_count_once() {
        let details = json!({"cached_tokens": 2161, "cache_write_tokens": 2161});
        let usage = decode(&json!({"prompt_tokens": 2168, "prompt_tokens_details": details}));
        assert_eq!((usage.input, usage.cache_read, usage.cache_write), (Some(7), Some(2161), Some(0)));
    }

    #[test]
    fn reasoning_counts_as_output_once() {
        let told = |completion: u64, total: u64, reasoning: Option<u64>| {
            let usage =
                decode(&json!({"prompt_tokens": 10, "completion_tokens": completion, "total_tokens": total,
                "completion_tokens_details": {"reasoning_tokens": reasoning}}));
            (usage.output, usage.reasoning)
        };
        assert_eq!(told(30, 40, Some(20)), (Some(30), Some(20)), "included");
        assert_eq!(told(30, 60, Some(20)), (Some(50), Some(20)), "beside the completion");
        assert_eq!(told(30, 60, None), (Some(50), Some(20)), "hidden in the total");
        assert_eq!(told(30, 40, Some(35)), (Some(30), Some(35)), "more than the completion: as received");
    }

    #[test]
    fn odd_numbers_are_absent_and_flagged() {
        for odd in [json!(-1), json!(1e308), json!("12"), json!(1.5), json!(u64::MAX), json!([1])] {
            let usage = decode(&json!({"prompt_tokens": odd, "completion_tokens": 3}));
            assert_eq!((usage.input, usage.output, usage.odd), (None, Some(3), true), "{odd}");
        }
        let plain = decode(&json!({"prompt_tokens": 12.0, "completion_tokens": null}));
        assert_eq!((plain.input, plain.output, plain.odd), (Some(12), None, false));
        assert_eq!(decode(&json!("nothing")), Usage::default());
    }

    #[test]
    fn stated_costs_become_nanodollars() {
        let cost = |usage: Value| decode(&usage).stated_cost_nanos;
        assert_eq!(cost(json!({"cost": 0.000_123})), Some(123_000));
        assert_eq!(cost(json!({"cost": {"total_cost": 0.006}})), Some(6_000_000));
        assert_eq!(cost(json!({"cost_in_usd_ticks": 12_345})), Some(1234));
        assert_eq!(cost(json!({"cost": 0})), Some(0));
        assert_eq!(cost(json!({"cost": -1})), None);
        assert_eq!(cost(json!({})), None);
    }
}
