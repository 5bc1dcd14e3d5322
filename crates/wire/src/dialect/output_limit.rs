//! Where a body states how many tokens an answer may have, and how an operator's limit is put there.

use bytes::Bytes;

use crate::fault::Fault;
use crate::raw::RawObject;

/// The place of the output limit in requests of one wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputLimit {
    /// Names of the member that holds it; the first is the one we write. Empty: it stands at the top.
    pub(super) within: &'static [&'static str],
    /// Its names, the one that the target takes first.
    pub(super) names: &'static [&'static str],
}

impl OutputLimit {
    /// Holds a body to a limit, which is both the default and the cap: the client's own, under any of its names, is
    /// lowered where it is larger; without one the limit is set.
    ///
    /// # Errors
    /// `Malformed`: the client's limit is not a number, or what should hold it is no object.
    pub fn hold(&self, limit: u64, body: &mut RawObject) -> Result<(), Fault> {
        let Some(ours) = self.within.first() else { return self.hold_here(limit, body) };
        let stated = self.within.iter().find(|name| body.raw(name).is_some_and(|text| text != "null"));
        let name = stated.unwrap_or(ours);
        let text = stated.and_then(|name| body.raw(name)).unwrap_or("{}");
        let mut inner = RawObject::parse(Bytes::copy_from_slice(text.as_bytes()))
            .map_err(|_| Fault::malformed((*name).to_owned(), "this must be an object"))?;
        self.hold_here(limit, &mut inner)?;
        body.set_raw(name, String::from_utf8_lossy(&inner.into_bytes()).into_owned());
        Ok(())
    }

    fn hold_here(&self, limit: u64, body: &mut RawObject) -> Result<(), Fault> {
        let mut stated = false;
        for name in self.names {
            let Some(asked) = body.get::<u64>(name)? else { continue };
            stated = true;
            if asked > limit {
                body.set(name, &limit);
            }
        }
        if let (false, Some(name)) = (stated, self.names.first()) {
            body.set(name, &limit);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::WireId;
    use crate::chat::MaxTokensField::{AsGiven, MaxCompletionTokens, MaxTokens};

    use super::*;

    fn held(limit: &OutputLimit, text: &'static str) -> String {
        let mut body = RawObject::parse(Bytes::from_static(text.as_bytes())).unwrap();
        limit.hold(100, &mut body).unwrap();
        String::from_utf8(body.into_bytes().to_vec()).unwrap()
    }

    #[test]
    fn an_output_limit_is_the_default_and_the_cap() {
        let chat = |field, text| held(&WireId::OpenAiChat.output_limit(field), text);
        assert_eq!(chat(AsGiven, "{}"), r#"{"max_tokens":100}"#);
        assert_eq!(chat(MaxTokens, "{}"), r#"{"max_tokens":100}"#);
        assert_eq!(chat(MaxCompletionTokens, "{}"), r#"{"max_completion_tokens":100}"#);
        assert_eq!(chat(AsGiven, r#"{"max_tokens":7}"#), r#"{"max_tokens":7}"#);
        assert_eq!(chat(AsGiven, r#"{"max_completion_tokens":700}"#), r#"{"max_completion_tokens":100}"#);
    }

    #[test]
    fn each_wire_has_the_limit_where_its_servers_look_for_it() {
        for (wire, text, expected) in [
            (WireId::AnthropicMessages, r#"{"max_tokens":700}"#, r#"{"max_tokens":100}"#),
            (WireId::OpenAiResponses, "{}", r#"{"max_output_tokens":100}"#),
            (WireId::Gemini, "{}", r#"{"generationConfig":{"maxOutputTokens":100}}"#),
            (
                WireId::Gemini,
                r#"{"generation_config":{"topK":1,"max_output_tokens":700}}"#,
                r#"{"generation_config":{"topK":1,"max_output_tokens":100}}"#,
            ),
            (
                WireId::Gemini,
                r#"{"generationConfig":null}"#,
                r#"{"generationConfig":{"maxOutputTokens":100}}"#,
            ),
            (WireId::Ollama, r#"{"options":{"seed":1}}"#, r#"{"options":{"seed":1,"num_predict":100}}"#),
        ] {
            assert_eq!(held(&wire.output_limit(AsGiven), text), expected, "{}", wire.name());
        }
    }

    #[test]
    fn what_cannot_be_held_is_named() {
        for (text, at) in [
            (r#"{"generationConfig":7}"#, "generationConfig"),
            (r#"{"generationConfig":{"maxOutputTokens":"x"}}"#, "maxOutputTokens"),
        ] {
            let mut body = RawObject::parse(Bytes::from_static(text.as_bytes())).unwrap();
            match WireId::Gemini.output_limit(AsGiven).hold(100, &mut body) {
                Err(Fault::Malformed { at: found, .. }) => assert_eq!(found.as_deref(), Some(at)),
                other => panic!("{other:?}"),
            }
        }
    }
}
