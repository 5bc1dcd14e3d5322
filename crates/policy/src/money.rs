//! Money: whole nanodollars.

use std::fmt;

const NANOS_PER_DOLLAR: u64 = 1_000_000_000;

/// An amount in nanodollars (10⁻⁹ USD). An `i64` holds more than nine billion dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

impl Money {
    /// Nothing; not to be confused with an unknown amount, which is `Option::None`.
    pub const ZERO: Money = Money(0);

    /// That many nanodollars.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanodollars.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Rounds picodollars (10⁻¹² USD) to the nearest nanodollar, halves up; `None` if the amount does not fit.
    pub fn from_picos(picos: i128) -> Option<Self> {
        let nanos = picos.checked_add(500)?.div_euclid(1000);
        i64::try_from(nanos).ok().map(Self)
    }

    /// The sum, or `None` if it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The sum, stopped at the largest amount.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// In dollars, as `0.000018750`: all nine digits, so that a text can be turned back without loss.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:09}", nanos / NANOS_PER_DOLLAR, nanos % NANOS_PER_DOLLAR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picodollars_are_rounded_to_the_nearest_nanodollar() {
        let nanos = |picos| Money::from_picos(picos).map(Money::nanos);
        assert_eq!(nanos(499), Some(0));
        assert_eq!(nanos(500), Some(1));
        assert_eq!(nanos(-500), Some(0));
        assert_eq!(nanos(-501), Some(-1));
        assert_eq!(nanos(i128::MAX), None);
    }

    #[test]
    fn sums_never_wrap() {
        let most = Money::from_nanos(i64::MAX);
        assert_eq!(most.checked_add(Money::from_nanos(1)), None);
        assert_eq!(most.saturating_add(Money::from_nanos(1)), most);
    }

    #[test]
    fn an_amount_prints_in_dollars_with_all_its_digits() {
        assert_eq!(Money::from_nanos(1_000_018_750).to_string(), "1.000018750");
        assert_eq!(Money::from_nanos(-5).to_string(), "-0.000000005");
    }
}
