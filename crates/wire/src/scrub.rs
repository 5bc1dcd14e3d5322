//! Takes keys and account ids out of an upstream's words before anyone sees them.
//!
//! Works on prose and on JSON text alike: what is replaced never holds a quote or a backslash. Keys that are known (the
//! credential of the attempt itself) are the caller's to look for; here are the shapes that give a key away.

use std::borrow::Cow;

/// A shape of secret or identifier: its beginning, and how long what follows must at least be to count as one.
struct Shape {
    begins: &'static str,
    at_least: usize,
}

const fn shape(begins: &'static str, at_least: usize) -> Shape {
    Shape { begins, at_least }
}

/// Keys of the providers in the catalogue and of the platforms around them, then ids of accounts. A longer beginning
/// stands before a shorter one. Source: the providers' key pages and the recorded errors.
const SHAPES: &[Shape] = &[
    shape("github_pat_", 16),
    shape("AIza", 16),
    shape("Bearer ", 8),
    shape("bearer ", 8),
    shape("Basic ", 12),
    shape("csk-", 8),
    shape("eyJ", 32),
    shape("fw_", 16),
    shape("gho_", 16),
    shape("ghp_", 16),
    shape("gsk_", 8),
    shape("hf_", 16),
    shape("nvapi-", 16),
    shape("pk-", 16),
    shape("pplx-", 16),
    shape("r8_", 16),
    shape("sess-", 16),
    shape("sk-", 6),
    shape("sk_", 6),
    shape("tgp_", 16),
    shape("xai-", 8),
    shape("ya29.", 16),
    shape("org-", 12),
    shape("org_", 12),
    shape("proj_", 12),
    shape("project_number:", 4),
    shape("projects/", 4),
    shape("user-", 16),
    shape("user_", 16),
    shape("workspace_", 12),
    shape("wrkspc_", 12),
];

/// `text` with keys and account ids masked: `sk-abc…` becomes `sk-***`.
pub fn scrub(text: &str) -> Cow<'_, str> {
    let mut clean = String::new();
    let mut copied = 0;
    let mut at = 0;
    while at < text.len() {
        match secret_at(text, at) {
            Some((begins, end)) => {
                clean.push_str(&text[copied..at]);
                clean.push_str(begins);
                clean.push_str("***");
                (at, copied) = (end, end);
            }
            None => at = next_word(text, at),
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    clean.push_str(&text[copied..]);
    Cow::Owned(clean)
}

/// The beginning and the end of a secret that starts right at `at`.
fn secret_at(text: &str, at: usize) -> Option<(&'static str, usize)> {
    let rest = text.get(at..)?;
    let shape = SHAPES.iter().find(|shape| rest.starts_with(shape.begins))?;
    let secret = &rest[shape.begins.len()..];
    let length = secret.bytes().take_while(|&byte| in_secret(byte)).count();
    // A full stop or dash at the end belongs to the sentence.
    let length = secret[..length].trim_end_matches(['.', '-']).len();
    (length >= shape.at_least).then(|| (shape.begins, at + shape.begins.len() + length))
}

fn in_secret(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'*' | b'+' | b'=' | b'~')
}

/// Where the next word begins after `at`: only there can a secret begin. The letter of a JSON escape is a word too, so
/// that what follows it is looked at.
fn next_word(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let escape = at > 0 && bytes[at - 1] == b'\\';
    let word = match bytes[at] {
        b'u' if escape => 5,
        _ if escape => 1,
        _ => bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count().max(1),
    };
    let after = bytes.get(at + word..).unwrap_or_default();
    at + word + after.iter().take_while(|byte| !byte.is_ascii_alphanumeric()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_masked_wherever_they_stand() {
        let cases = [
            (
                "Incorrect API key provided: sk-proj-abc***wxyz. You can",
                "Incorrect API key provided: sk-***. You can",
            ),
            (
                "Incorrect API key provided: xa***SA. xai-abcdefgh123",
                "Incorrect API key provided: xa***SA. xai-***",
            ),
            ("{\"m\":\"Bearer abcdefghijk\"}", "{\"m\":\"Bearer ***\"}"),
            ("key=AIzaSyA1234567890abcdef&x", "key=AIza***&x"),
            ("gsk_0123456789", "gsk_***"),
            ("(sk-0123456789)", "(sk-***)"),
            (r"a\nsk-0123456789", r"a\nsk-***"),
            (r"a\u003dsk-0123456789", r"a\u003dsk-***"),
        ];
        for (text, clean) in cases {
            assert_eq!(scrub(text), clean);
        }
    }

    #[test]
    fn account_ids_are_removed() {
        assert_eq!(
            scrub("in organization org-AbCdEf012345678 on tokens"),
            "in organization org-*** on tokens"
        );
        assert_eq!(scrub("projects/123456789/locations"), "projects/***/locations");
        assert_eq!(scrub("\"user_id\":\"user_2abcdefghijklmnopq\""), "\"user_id\":\"user_***\"");
    }

    #[test]
    fn plain_words_stay() {
        for text in
            ["", "a risk-free task-force of sk-8 boards", "the org-wide user_name", "caf\u{e9} \u{1f600} sk-"]
        {
            assert!(matches!(scrub(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
