//! `Secret`: text that must not leak - never printed, never copied by accident, wiped when dropped. And the mask
//! under which people may see it. How secrets are stored is the business of `vault`.

use std::fmt;

use zeroize::Zeroizing;

/// The characters of a secret that its mask may show at most. Source: CONTRACT.md section 1, "mask".
const SHOWN: usize = 7;

/// Text such as an API key, in the clear.
///
/// Opened by `expose`, next to its use. It cannot be cloned, displayed or serialised:
///
/// ```compile_fail,E0277
/// fn copies<T: Clone>() {}
/// copies::<store::Secret>();
/// ```
///
/// ```compile_fail,E0277
/// let _ = format!("{}", store::Secret::new("sk-live".into()));
/// ```
///
/// ```compile_fail,E0277
/// fn serialises<T: serde::Serialize>() {}
/// serialises::<store::Secret>();
/// ```
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; its memory is wiped when the secret is dropped.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Do not keep it longer than the call it is needed for.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What a list may show: the first seven characters, at most a third of a short secret, then `...***`.
    pub fn mask(&self) -> String {
        let length = self.0.chars().count();
        if length <= 4 {
            return "***".into();
        }
        let mut mask: String = self.0.chars().take(SHOWN.min(length / 3)).collect();
        mask.push_str("...***");
        mask
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(text: &str) -> String {
        Secret::new(text.into()).mask()
    }

    #[test]
    fn the_mask_shows_seven_characters_of_a_real_key() {
        assert_eq!(mask("sk-ant-0123456789abcdef"), "sk-ant-...***");
        assert_eq!(mask("123456789012345678901"), "1234567...***");
    }

    #[test]
    fn the_mask_shows_at_most_a_third_of_a_short_key() {
        assert_eq!(mask("12345678"), "12...***");
        assert_eq!(mask("12345"), "1...***");
    }

    #[test]
    fn the_mask_of_four_characters_or_fewer_shows_nothing() {
        assert_eq!(mask("1234"), "***");
        assert_eq!(mask(""), "***");
    }

    #[test]
    fn the_mask_never_splits_a_character() {
        assert_eq!(mask("ключключключ"), "ключ...***");
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", Some(Secret::new("sk-live".into()))), "Some(Secret(***))");
    }
}
