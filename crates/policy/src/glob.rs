//! Patterns of names in routes: `*` stands for any run of characters, `?` for one; case does not matter, as in
//! mcp-llm-bridge. What a key may use is matched more strictly, in `access`.

/// Whether a name fits a pattern. At most the product of both lengths in steps, mostly their sum.
pub fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    if !may_meet(pattern.first(), name.first()) || !may_meet(pattern.last(), name.last()) {
        return false;
    }
    let (mut at, mut read) = (0, 0);
    // Where the last star stands, and how much of the name it has taken by now.
    let mut star = None::<(usize, usize)>;
    while read < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(&name[read]) => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                (at, read) = (place + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == b'*')
}

/// A glance that turns most patterns away: what stands first, or last, in a pattern and in a name.
fn may_meet(wanted: Option<&u8>, found: Option<&u8>) -> bool {
    match (wanted, found) {
        (Some(b'*' | b'?'), _) => true,
        (Some(wanted), Some(found)) => wanted.eq_ignore_ascii_case(found),
        (wanted, found) => wanted.is_none() && found.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_fit_what_they_stand_for_and_nothing_else() {
        for (pattern, name) in [
            ("gpt-4o", "gpt-4o"),
            ("gpt-*", "GPT-4o"),
            ("*", ""),
            ("*-mini", "gpt-4o-mini"),
            ("a*b*c", "a-b-b-c"),
            ("gpt-?", "gpt-5"),
            ("**", "x"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("gpt-4o", "gpt-4o-mini"),
            ("*-mini", "gpt-4o-minimal"),
            ("a*a", "a"),
            ("gpt-?", "gpt-"),
            ("gpt-?", "gpt-4o"),
            ("", "x"),
        ] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
