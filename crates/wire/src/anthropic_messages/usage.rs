//! Token counts of an answer.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::shape::{CacheCreation, Counts, OutputDetails, told};
use crate::chat::Usage;

/// Counts as the dialect states them, updated field by field over a stream.
///
/// `input_tokens` comes without what was read from or written to a cache, so it is the bucket itself. In a stream the
/// first report is an estimate, and later ones state only the total of cache writes, not its split; so the fields are
/// kept as stated and split at the end.
/// Source: DIALECTS, section 7, and the recorded streams.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tally {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write_total: Option<u64>,
    cache_write_5m: Option<u64>,
    cache_write_1h: Option<u64>,
    thinking: Option<u64>,
    odd: bool,
    /// `standard`, `priority`, `batch`.
    pub(super) service_tier: Option<String>,
}

impl Tally {
    /// Takes over what a `usage` object states.
    pub(super) fn update(&mut self, usage: &RawValue) {
        let counts: Counts<'_> = self.object(usage);
        let cache: CacheCreation<'_> = counts.cache_creation.map(|raw| self.object(raw)).unwrap_or_default();
        let details: OutputDetails<'_> =
            counts.output_tokens_details.map(|raw| self.object(raw)).unwrap_or_default();
        let mut odd = false;
        for (mine, stated) in [
            (&mut self.input, counts.input_tokens),
            (&mut self.output, counts.output_tokens),
            (&mut self.cache_read, counts.cache_read_input_tokens),
            (&mut self.cache_write_total, counts.cache_creation_input_tokens),
            (&mut self.cache_write_5m, cache.ephemeral_5m_input_tokens),
            (&mut self.cache_write_1h, cache.ephemeral_1h_input_tokens),
            (&mut self.thinking, details.thinking_tokens),
        ] {
            let Some(stated) = stated.map(RawValue::get) else { continue };
            *mine = stated.parse().ok();
            odd |= mine.is_none();
        }
        self.odd |= odd;
        let tier = counts.service_tier.and_then(|raw| serde_json::from_str(raw.get()).ok());
        self.service_tier = tier.or(self.service_tier.take());
    }

    /// The counts in disjoint buckets.
    pub(super) fn usage(&self) -> Usage {
        let five_minutes = match (self.cache_write_total, self.cache_write_1h) {
            (Some(total), hour) => Some(total.saturating_sub(hour.unwrap_or(0))),
            (None, _) => self.cache_write_5m,
        };
        Usage {
            input: self.input,
            cache_read: self.cache_read,
            cache_write: five_minutes,
            cache_write_1h: self.cache_write_1h,
            output: self.output,
            reasoning: self.thinking,
            odd: self.odd,
            ..Usage::default()
        }
    }

    fn object<'a, T: Deserialize<'a> + Default>(&mut self, raw: &'a RawValue) -> T {
        let parsed: Result<Option<T>, _> = serde_json::from_str(raw.get());
        self.odd |= parsed.is_err();
        parsed.ok().flatten().unwrap_or_default()
    }
}

/// The counts of one `usage` object, if there is one.
pub(super) fn read(usage: Option<&RawValue>) -> Option<Tally> {
    let mut tally = Tally::default();
    tally.update(usage.filter(|raw| raw.get() != "null")?);
    Some(tally)
}

/// Counts as clients of this dialect read them: input and output must be numbers, all others may be absent.
pub(super) fn encode(usage: &Usage, service_tier: Option<&str>) -> told::Usage {
    let five_minutes = usage.cache_write;
    let hour = usage.cache_write_1h;
    let written = match (five_minutes, hour) {
        (None, None) => None,
        (five_minutes, hour) => Some(five_minutes.unwrap_or(0).saturating_add(hour.unwrap_or(0))),
    };
    told::Usage {
        input_tokens: usage.input.unwrap_or(0),
        cache_creation_input_tokens: written,
        cache_read_input_tokens: usage.cache_read,
        cache_creation: hour.map(|hour| told::CacheCreation {
            ephemeral_5m_input_tokens: five_minutes.unwrap_or(0),
            ephemeral_1h_input_tokens: hour,
        }),
        output_tokens: usage.output.unwrap_or(0),
        output_tokens_details: usage.reasoning.map(|thinking_tokens| told::OutputDetails { thinking_tokens }),
        service_tier: service_tier.and_then(tier),
    }
}

/// Tiers of other families in this one's words. Source: DIALECTS, section 9.
const TIERS: &[(&str, &str)] = &[
    ("standard", "standard"),
    ("priority", "priority"),
    ("batch", "batch"),
    ("default", "standard"),
    ("auto", "standard"),
];

/// `None`: this dialect has no word for it.
fn tier(word: &str) -> Option<&'static str> {
    TIERS.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| *ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(reports: &[&str]) -> Usage {
        let mut tally = Tally::default();
        for report in reports {
            tally.update(serde_json::from_str(report).unwrap());
        }
        tally.usage()
    }

    #[test]
    fn cache_writes_are_split_by_their_lifetime() {
        let usage = tally(&[r#"{"input_tokens":3,"output_tokens":5,"cache_read_input_tokens":7,
            "cache_creation_input_tokens":30,
            "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20}}"#]);
        assert_eq!((usage.cache_write, usage.cache_write_1h), (Some(10), Some(20)));
        assert_eq!(usage.total(), Some(45));
    }

    #[test]
    fn a_later_total_of_cache_writes_keeps_the_split_of_the_first_report() {
        let usage = tally(&[
            r#"{"cache_creation_input_tokens":20,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":20}}"#,
            r#"{"cache_creation_input_tokens":50}"#,
        ]);
        assert_eq!((usage.cache_write, usage.cache_write_1h), (Some(30), Some(20)));
    }

    #[test]
    fn odd_numbers_are_absent_and_flagged() {
        let usage = tally(&[
            r#"{"input_tokens":-1,"output_tokens":1e999,"cache_read_input_tokens":"3","cache_creation":7}"#,
        ]);
        assert_eq!(usage, Usage { odd: true, ..Usage::default() });
    }

    #[test]
    fn a_number_that_was_not_sent_is_absent() {
        let usage = tally(&[r#"{"input_tokens":4,"cache_creation":null}"#]);
        assert_eq!(usage, Usage { input: Some(4), ..Usage::default() });
    }
}
