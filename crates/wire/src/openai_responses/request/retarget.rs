//! Edits of a body that is carried: the model, and thoughts that are not of this family.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::{Profile, custody};
use crate::fault::Fault;
use crate::raw::RawObject;

/// Edits a carried body for its target.
pub(in crate::openai_responses) fn retarget(body: &mut RawObject, profile: &Profile) -> Result<(), Fault> {
    if body.get::<Cow<'_, str>>("model")?.as_deref() != Some(&*profile.model) {
        body.set("model", &*profile.model);
    }
    if let Some(input) = own_input(body)? {
        body.set_raw("input", input);
    }
    Ok(())
}

/// What all marks of wrapped thoughts end in.
const MARK_END: &[u8] = b"1:";

#[derive(Deserialize, Default)]
#[serde(default)]
struct Thought<'a> {
    #[serde(borrow)]
    encrypted_content: Option<Cow<'a, str>>,
}

/// The input without the thoughts of other families, which this one would refuse. `None`: there are none.
fn own_input(body: &RawObject) -> Result<Option<String>, Fault> {
    let Some(text) = body.raw("input").filter(|text| text.starts_with('[') && may_be_foreign(text)) else {
        return Ok(None);
    };
    let items: Vec<&RawValue> = crate::raw::decode_at("input", text)?;
    let own: Vec<&str> = items.iter().map(|item| item.get()).filter(|item| !is_foreign(item)).collect();
    Ok((own.len() < items.len()).then(|| format!("[{}]", own.join(","))))
}

/// A quick look: is there a string that begins with a mark?
fn may_be_foreign(text: &str) -> bool {
    let bytes = text.as_bytes();
    let marked = |end: usize| {
        let before = |mark: &&str| bytes[..end].strip_suffix(mark.as_bytes());
        custody::MARKED.iter().filter_map(before).any(|head| head.ends_with(b"\""))
    };
    memchr::memmem::find_iter(bytes, MARK_END).any(|at| marked(at + MARK_END.len()))
}

fn is_foreign(item: &str) -> bool {
    let thought: Thought<'_> = serde_json::from_str(item).unwrap_or_default();
    thought.encrypted_content.is_some_and(|text| custody::unwrap(&text).is_some())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::chat::Part;
    use crate::dialect::Dialect;

    #[test]
    fn thoughts_of_other_families_are_taken_out_and_the_rest_stays_byte_for_byte() {
        let (signature, origin) = (Some("s".into()), Some(Dialect::AnthropicMessages.into()));
        let thought = Part::Thinking { text: "t".into(), signature, encrypted: None, id: None, origin };
        let wrapped = custody::wrap(Dialect::AnthropicMessages, &thought).unwrap();
        let kept = r#"{ "type":"reasoning" , "encrypted_content":"gAAAA" }"#;
        let text = format!(
            r#"{{"model":"m", "input": [{{"type":"reasoning","encrypted_content":"{wrapped}"}}, {kept}]}}"#
        );
        let mut body = RawObject::parse(Bytes::from(text)).unwrap();
        retarget(&mut body, &Profile::unknown("p", "m")).unwrap();
        assert_eq!(body.into_bytes(), format!(r#"{{"model":"m", "input": [{kept}]}}"#));
    }

    #[test]
    fn every_mark_is_seen_at_the_beginning_of_a_string_and_nowhere_else() {
        for mark in custody::MARKED {
            assert!(may_be_foreign(&format!(r#"[{{"encrypted_content":"{mark}e30="}}]"#)), "{mark}");
            assert!(!may_be_foreign(&format!(r#"[{{"text":"see {mark}x"}}]"#)), "{mark}");
        }
    }
}
