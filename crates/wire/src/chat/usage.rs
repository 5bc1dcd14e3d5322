//! Token counts.

/// Tokens in disjoint buckets. Absent is not zero: a number that the upstream did not send is `None`.
///
/// The prompt is `input + cache_read + cache_write + cache_write_1h`. Sums are checked: an upstream's absurd number
/// saturates instead of wrapping.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Prompt tokens neither read from nor written to a cache.
    pub input: Option<u64>,
    /// Prompt tokens served from a cache.
    pub cache_read: Option<u64>,
    /// Prompt tokens written to a 5-minute cache.
    pub cache_write: Option<u64>,
    /// Prompt tokens written to a 1-hour cache.
    pub cache_write_1h: Option<u64>,
    /// All generated tokens, reasoning included.
    pub output: Option<u64>,
    /// Informative part of `output`; never billed twice.
    pub reasoning: Option<u64>,
    /// Informative part of the prompt.
    pub input_audio: Option<u64>,
    /// Informative part of `output`.
    pub output_audio: Option<u64>,
    /// What the upstream says the request cost, in nanodollars.
    pub stated_cost_nanos: Option<i64>,
    /// A count was negative, fractional or not a number, and is therefore absent.
    pub odd: bool,
}

impl Usage {
    /// All tokens that the model read; `None` if the upstream stated none of the buckets.
    pub fn prompt(&self) -> Option<u64> {
        sum([self.input, self.cache_read, self.cache_write, self.cache_write_1h])
    }

    /// Prompt and output together; `None` if neither is known.
    pub fn total(&self) -> Option<u64> {
        sum([self.prompt(), self.output])
    }

    /// Takes over every field that `later` states: usage in a stream is cumulative, and the last value of each field
    /// counts.
    pub fn update(&mut self, later: &Usage) {
        let fields = [
            (&mut self.input, later.input),
            (&mut self.cache_read, later.cache_read),
            (&mut self.cache_write, later.cache_write),
            (&mut self.cache_write_1h, later.cache_write_1h),
            (&mut self.output, later.output),
            (&mut self.reasoning, later.reasoning),
            (&mut self.input_audio, later.input_audio),
            (&mut self.output_audio, later.output_audio),
        ];
        for (mine, theirs) in fields {
            if theirs.is_some() {
                *mine = theirs;
            }
        }
        if later.stated_cost_nanos.is_some() {
            self.stated_cost_nanos = later.stated_cost_nanos;
        }
        self.odd |= later.odd;
    }
}

fn sum<const N: usize>(buckets: [Option<u64>; N]) -> Option<u64> {
    buckets
        .into_iter()
        .flatten()
        .fold(None, |total: Option<u64>, tokens| Some(total.unwrap_or(0).saturating_add(tokens)))
}
