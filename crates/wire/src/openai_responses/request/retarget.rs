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

#[derive(Deserialize, Default)]
#[serde(default)]
struct Thought<'a> {
    #[serde(borrow)]
    encrypted_content: Option<Cow<'a, str>>,
}

/// The input without the thoughts of other families, which this one would refuse. `None`: there are none.
fn own_input(body: &RawObject) -> Result<Option<String>, Fault> {
    let foreign = |text: &str| custody::MARKED.iter().any(|mark| text.contains(&format!("\"{mark}")));
    let Some(text) = body.raw("input").filter(|text| text.starts_with('[') && foreign(text)) else {
        return Ok(None);
    };
    let items: Vec<&RawValue> = crate::raw::decode_at("input", text.as_bytes())?;
    let own: Vec<&str> = items.iter().map(|item| item.get()).filter(|item| !is_foreign(item)).collect();
    Ok((own.len() < items.len()).then(|| format!("[{}]", own.join(","))))
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
}
