//! How many second tries all requests together may have: less than a tenth of them, so that an outage does not multiply
//! the load. What is saved at the start fits into the tenth after two thousand requests.

/// What a request pays in and a second try draws, in the same unit.
const SHARE: u32 = 1;
const PRICE: u32 = 11;
/// Saved up at most, and there at the start: a gateway with little to do may still try again.
const MOST: u32 = 20 * PRICE;

/// The account.
#[derive(Debug, Clone)]
pub struct Budget {
    saved: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { saved: MOST }
    }
}

impl Budget {
    /// A request came.
    pub fn pay_in(&mut self) {
        self.saved = (self.saved + SHARE).min(MOST);
    }

    /// Whether there is enough for a second try, which is then paid.
    pub(super) fn draw(&mut self) -> bool {
        let left = self.saved.checked_sub(PRICE);
        self.saved = left.unwrap_or(self.saved);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_tries_are_less_than_a_tenth_of_all_requests_with_what_was_saved() {
        let mut budget = Budget::default();
        let mut drawn = 0;
        for _ in 0..10_000 {
            budget.pay_in();
            drawn += u32::from(budget.draw());
        }
        assert!((900..1000).contains(&drawn), "{drawn}");
    }

    #[test]
    fn a_gateway_with_little_to_do_may_try_again() {
        let mut budget = Budget::default();
        for _ in 0..20 {
            assert!(budget.draw());
        }
        assert!(!budget.draw());
    }
}
