//! Token counts: `usageMetadata`.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::chat::Usage;

/// Counts as the dialect states them, updated field by field over a stream: each report is cumulative, and what the last
/// one leaves out stands.
///
/// The prompt holds what was read from a cache; thoughts are not in the candidates' count, nor what server tools put
/// into the prompt in the prompt's.
/// Source: DIALECTS, section 7, and the recorded answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tally {
    prompt: Option<u64>,
    tool_prompt: Option<u64>,
    cached: Option<u64>,
    candidates: Option<u64>,
    thoughts: Option<u64>,
    prompt_audio: Option<u64>,
    candidates_audio: Option<u64>,
    odd: bool,
    /// `standard`, `flex`, `ON_DEMAND`.
    pub(super) service_tier: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Counts<'a> {
    #[serde(borrow)]
    prompt_token_count: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_use_prompt_token_count: Option<&'a RawValue>,
    #[serde(borrow)]
    cached_content_token_count: Option<&'a RawValue>,
    #[serde(borrow)]
    candidates_token_count: Option<&'a RawValue>,
    #[serde(borrow)]
    thoughts_token_count: Option<&'a RawValue>,
    #[serde(borrow)]
    prompt_tokens_details: Option<&'a RawValue>,
    #[serde(borrow)]
    candidates_tokens_details: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
    /// Vertex AI's name for the same.
    #[serde(borrow)]
    traffic_type: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Modality {
    modality: Value,
    token_count: Option<u64>,
}

impl Tally {
    /// Takes over what a `usageMetadata` object states.
    pub(super) fn update(&mut self, raw: &RawValue) {
        let Ok(counts) = serde_json::from_str::<Counts<'_>>(raw.get()) else {
            self.odd = true;
            return;
        };
        let mut odd = false;
        for (mine, stated) in [
            (&mut self.prompt, counts.prompt_token_count),
            (&mut self.tool_prompt, counts.tool_use_prompt_token_count),
            (&mut self.cached, counts.cached_content_token_count),
            (&mut self.candidates, counts.candidates_token_count),
            (&mut self.thoughts, counts.thoughts_token_count),
        ] {
            let Some(stated) = stated.map(RawValue::get) else { continue };
            *mine = stated.parse().ok();
            odd |= mine.is_none();
        }
        self.odd |= odd;
        self.prompt_audio = audio(counts.prompt_tokens_details).or(self.prompt_audio);
        self.candidates_audio = audio(counts.candidates_tokens_details).or(self.candidates_audio);
        let tier = counts.service_tier.or(counts.traffic_type);
        let tier = tier.and_then(|raw| serde_json::from_str(raw.get()).ok());
        self.service_tier = tier.or(self.service_tier.take());
    }

    /// The counts in disjoint buckets; `None` while none was stated.
    pub(super) fn usage(&self) -> Option<Usage> {
        let usage = Usage {
            input: sum(self.prompt, self.tool_prompt).map(|all| all.saturating_sub(self.cached.unwrap_or(0))),
            cache_read: self.cached,
            output: sum(self.candidates, self.thoughts),
            reasoning: self.thoughts,
            input_audio: self.prompt_audio,
            output_audio: self.candidates_audio,
            odd: self.odd,
            ..Usage::default()
        };
        (usage != Usage::default()).then_some(usage)
    }
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    }
}

fn audio(details: Option<&RawValue>) -> Option<u64> {
    let details: Vec<Modality> = serde_json::from_str(details?.get()).ok()?;
    details.into_iter().find(|it| it.modality == "AUDIO")?.token_count
}

/// The counts of one `usageMetadata` text.
pub(super) fn decode(text: &[u8]) -> Option<Usage> {
    let mut tally = Tally::default();
    tally.update(serde_json::from_slice(text).ok()?);
    tally.usage()
}

/// `usageMetadata` of an answer.
pub(super) fn encode(usage: Option<&Usage>, service_tier: Option<&str>) -> Option<Map<String, Value>> {
    let mut counts = Map::new();
    let mut put = |name: &str, count: Option<u64>| {
        if let Some(count) = count {
            counts.insert(name.to_owned(), count.into());
        }
    };
    if let Some(usage) = usage {
        put("promptTokenCount", usage.prompt());
        put("cachedContentTokenCount", usage.cache_read);
        let spoken = usage.output.map(|output| output.saturating_sub(usage.reasoning.unwrap_or(0)));
        put("candidatesTokenCount", spoken);
        put("thoughtsTokenCount", usage.reasoning);
        put("totalTokenCount", usage.total());
        for (name, tokens) in
            [("promptTokensDetails", usage.input_audio), ("candidatesTokensDetails", usage.output_audio)]
        {
            if let Some(tokens) = tokens {
                counts.insert(name.to_owned(), json!([{"modality": "AUDIO", "tokenCount": tokens}]));
            }
        }
    }
    if let Some(tier) = service_tier {
        counts.insert("serviceTier".to_owned(), tier.into());
    }
    (!counts.is_empty()).then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(reports: &[&str]) -> Option<Usage> {
        let mut tally = Tally::default();
        for report in reports {
            tally.update(serde_json::from_str(report).unwrap());
        }
        tally.usage()
    }

    #[test]
    fn buckets_are_disjoint_and_output_has_the_thoughts() {
        let usage = tally(&[r#"{"promptTokenCount":100,"cachedContentTokenCount":30,"toolUsePromptTokenCount":5,
            "candidatesTokenCount":7,"thoughtsTokenCount":11,"totalTokenCount":123,
            "promptTokensDetails":[{"modality":"TEXT","tokenCount":90},{"modality":"AUDIO","tokenCount":10}]}"#])
        .unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.prompt()), (Some(75), Some(30), Some(105)));
        assert_eq!((usage.output, usage.reasoning, usage.total()), (Some(18), Some(11), Some(123)));
        assert_eq!(usage.input_audio, Some(10));
    }

    #[test]
    fn the_last_report_of_each_field_counts() {
        let usage = tally(&[
            r#"{"promptTokenCount":169,"thoughtsTokenCount":4}"#,
            r#"{"promptTokenCount":79,"candidatesTokenCount":12}"#,
        ])
        .unwrap();
        assert_eq!((usage.input, usage.output), (Some(79), Some(16)));
    }

    #[test]
    fn a_number_that_was_not_sent_is_absent() {
        assert_eq!(tally(&[r#"{"trafficType":"ON_DEMAND","candidatesTokenCount":null}"#]), None);
    }

    #[test]
    fn odd_numbers_are_absent_and_flagged() {
        let usage =
            tally(&[r#"{"promptTokenCount":-1,"candidatesTokenCount":1e308,"thoughtsTokenCount":"3"}"#]);
        assert_eq!(usage, Some(Usage { odd: true, ..Usage::default() }));
        assert!(tally(&["7"]).unwrap().odd);
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let usage = Usage {
            input: Some(5),
            cache_read: Some(7),
            output: Some(11),
            reasoning: Some(3),
            ..Usage::default()
        };
        let written = serde_json::to_string(&encode(Some(&usage), None)).unwrap();
        assert_eq!(decode(written.as_bytes()), Some(usage));
    }
}
