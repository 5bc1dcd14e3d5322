//! What an answer cost.

use wire::chat::Usage;

use crate::money::Money;

/// Prices of a model. An absent price is unknown, never zero; zero means that the source says free.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rate {
    /// Prices of a request of ordinary length.
    pub base: Prices,
    /// Prices of long requests, any order.
    pub tiers: Vec<Tier>,
}

/// Prices for one token, in picodollars (10⁻¹² USD); one USD per million tokens is 1,000,000 of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prices {
    /// A prompt token neither read from nor written to a cache.
    pub input: Option<u64>,
    /// All generated tokens, unless `reasoning` or `output_audio` says otherwise.
    pub output: Option<u64>,
    /// A prompt token served from a cache. Absent: billed as `input`.
    pub cache_read: Option<u64>,
    /// A prompt token written to a 5-minute cache. Absent: billed as `input`.
    pub cache_write: Option<u64>,
    /// A prompt token written to a 1-hour cache. Absent: billed as `input`.
    pub cache_write_1h: Option<u64>,
    /// A token of thought. Absent: billed as `output`.
    pub reasoning: Option<u64>,
    /// A token of sound in the prompt. Absent: billed as `input`.
    pub input_audio: Option<u64>,
    /// A token of sound in the answer. Absent: billed as `output`.
    pub output_audio: Option<u64>,
}

/// Prices that hold for the *whole* request once its prompt, cached tokens included, is larger than `above_context`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// Tokens.
    pub above_context: u64,
    #[allow(missing_docs)]
    pub prices: Prices,
}

impl Prices {
    /// Picodollars per token from USD per million tokens; `None` for what is no price (negative, not finite, absurd).
    pub fn picos(usd_per_million: f64) -> Option<u64> {
        const MOST: f64 = 1e9;
        (0.0..=MOST).contains(&usd_per_million).then(|| (usd_per_million * 1e6).round() as u64)
    }
}

impl Rate {
    /// The prices that hold for a prompt of that many tokens.
    pub fn at(&self, prompt: u64) -> &Prices {
        self.tiers
            .iter()
            .filter(|tier| prompt > tier.above_context)
            .max_by_key(|tier| tier.above_context)
            .map_or(&self.base, |tier| &tier.prices)
    }
}

/// What the tokens cost: exact in picodollars and rounded once. `None` when a needed price or count is unknown.
///
/// Counts of a cache that the upstream did not state are taken as not used; but when one of its counts could not be read
/// (`odd`), no sum is complete. Rules: catalogue README, "Cost of a response".
pub fn cost(usage: &Usage, rate: &Rate) -> Option<Money> {
    if usage.odd {
        return None;
    }
    let prices = rate.at(usage.prompt()?);
    let picos = prompt_cost(usage, prices)?.checked_add(output_cost(usage, prices)?)?;
    Money::from_picos(picos)
}

fn prompt_cost(usage: &Usage, prices: &Prices) -> Option<i128> {
    let plain = usage.input?;
    let audio = prices.input_audio.and(usage.input_audio).unwrap_or(0).min(plain);
    let as_input = |price: Option<u64>| price.or(prices.input);
    sum([
        (plain - audio, prices.input),
        (audio, prices.input_audio),
        (usage.cache_read.unwrap_or(0), as_input(prices.cache_read)),
        (usage.cache_write.unwrap_or(0), as_input(prices.cache_write)),
        (usage.cache_write_1h.unwrap_or(0), as_input(prices.cache_write_1h)),
    ])
}

/// Servers exist that report more reasoning than output (OpenRouter, seen 2026): the part never exceeds its whole.
fn output_cost(usage: &Usage, prices: &Prices) -> Option<i128> {
    let output = usage.output?;
    let reasoning = usage.reasoning.unwrap_or(0).min(output);
    let audio = prices.output_audio.and(usage.output_audio).unwrap_or(0).min(output - reasoning);
    sum([
        (output - reasoning - audio, prices.output),
        (reasoning, prices.reasoning.or(prices.output)),
        (audio, prices.output_audio),
    ])
}

/// Tokens times price, added up. A price is needed only where there are tokens.
fn sum<const N: usize>(lines: [(u64, Option<u64>); N]) -> Option<i128> {
    lines.into_iter().filter(|(tokens, _)| *tokens > 0).try_fold(0_i128, |total, (tokens, price)| {
        total.checked_add(i128::from(tokens).checked_mul(i128::from(price?))?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(input: f64, output: f64) -> Rate {
        let base = Prices { input: Prices::picos(input), output: Prices::picos(output), ..Prices::default() };
        Rate { base, tiers: Vec::new() }
    }

    fn usage(input: u64, output: u64) -> Usage {
        Usage { input: Some(input), output: Some(output), ..Usage::default() }
    }

    fn nanos(usage: &Usage, rate: &Rate) -> Option<i64> {
        cost(usage, rate).map(Money::nanos)
    }

    #[test]
    fn a_fraction_of_a_cent_per_million_is_exact() {
        assert_eq!(Prices::picos(0.01875), Some(18_750));
        assert_eq!(nanos(&usage(1_000_000, 0), &rate(0.01875, 1.0)), Some(18_750_000));
    }

    #[test]
    fn what_is_no_price_is_unknown() {
        for odd in [-1.0, f64::NAN, f64::INFINITY, 1e12] {
            assert_eq!(Prices::picos(odd), None);
        }
    }

    #[test]
    fn an_unknown_price_or_count_makes_the_cost_unknown_and_never_zero() {
        let known = rate(1.0, 2.0);
        assert_eq!(cost(&usage(10, 10), &Rate::default()), None);
        assert_eq!(cost(&Usage::default(), &known), None);
        assert_eq!(cost(&Usage { input: Some(10), ..Usage::default() }, &known), None);
        assert_eq!(cost(&Usage { output: Some(10), ..Usage::default() }, &known), None);
        assert_eq!(cost(&Usage { odd: true, ..usage(10, 10) }, &known), None);
    }

    #[test]
    fn a_price_is_needed_only_for_tokens_that_were_used() {
        let mut embedding_like = rate(1.0, 0.0);
        embedding_like.base.output = None;
        assert_eq!(nanos(&usage(10, 0), &embedding_like), Some(10_000));
        assert_eq!(nanos(&usage(10, 1), &embedding_like), None);
    }

    #[test]
    fn a_free_model_costs_zero() {
        assert_eq!(nanos(&usage(10, 10), &rate(0.0, 0.0)), Some(0));
    }

    #[test]
    fn cached_tokens_without_a_price_of_their_own_are_billed_as_input() {
        let mut rate = rate(2.0, 0.0);
        let used = Usage { cache_read: Some(10), cache_write: Some(10), ..usage(10, 0) };
        assert_eq!(nanos(&used, &rate), Some(60_000));
        rate.base.cache_read = Prices::picos(0.2);
        assert_eq!(nanos(&used, &rate), Some(42_000));
    }

    #[test]
    fn reasoning_is_part_of_the_output_and_never_more_than_it() {
        let mut rate = rate(0.0, 2.0);
        rate.base.reasoning = Prices::picos(4.0);
        assert_eq!(nanos(&Usage { reasoning: Some(4), ..usage(0, 10) }, &rate), Some(28_000));
        assert_eq!(nanos(&Usage { reasoning: Some(99), ..usage(0, 10) }, &rate), Some(40_000));
    }

    #[test]
    fn sound_has_its_own_price_where_the_catalogue_has_one() {
        let mut rate = rate(1.0, 1.0);
        let used = Usage { input_audio: Some(5), output_audio: Some(99), ..usage(10, 10) };
        assert_eq!(nanos(&used, &rate), Some(20_000));
        rate.base.input_audio = Prices::picos(3.0);
        rate.base.output_audio = Prices::picos(2.0);
        assert_eq!(nanos(&used, &rate), Some(40_000));
    }

    #[test]
    fn a_tier_holds_for_the_whole_request_and_counts_cached_tokens() {
        let mut rate = rate(1.0, 1.0);
        let prices = Prices { input: Prices::picos(2.0), output: Prices::picos(3.0), ..Prices::default() };
        rate.tiers = vec![Tier { above_context: 100, prices }];
        assert_eq!(nanos(&usage(100, 10), &rate), Some(110_000));
        let long = Usage { cache_read: Some(1), ..usage(100, 10) };
        assert_eq!(nanos(&long, &rate), Some(232_000));
    }

    #[test]
    fn the_highest_tier_that_is_passed_counts() {
        let tier = |above_context, input| Tier {
            above_context,
            prices: Prices { input: Prices::picos(input), output: Some(0), ..Prices::default() },
        };
        let rate = Rate { base: Prices::default(), tiers: vec![tier(1000, 3.0), tier(100, 2.0)] };
        assert_eq!(nanos(&usage(500, 0), &rate), Some(1_000_000));
        assert_eq!(nanos(&usage(1001, 0), &rate), Some(3_003_000));
    }

    #[test]
    fn a_sum_that_does_not_fit_is_unknown() {
        assert_eq!(cost(&usage(u64::MAX, u64::MAX), &rate(1e9, 1e9)), None);
    }
}
