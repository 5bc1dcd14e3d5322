//! Items of a conversation, as requests and answers of the Responses API have them: for whoever puts a request together
//! from what was said before.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use wire::{Fault, RawObject};

/// Items, each a JSON object.
pub type Items = Vec<Arc<str>>;

/// Kinds of items whose ids only name them where they are stored, and may be left out.
const NAMELESS: [&str; 3] = ["message", "function_call", "custom_tool_call"];

/// The items of `input`; a text is a message of the user.
///
/// # Errors
/// `Malformed`: it is neither text nor list.
pub fn of_request(body: &RawObject) -> Result<Items, Fault> {
    let Some(text) = body.raw("input").filter(|text| *text != "null") else { return Ok(Items::new()) };
    if text.starts_with('"') {
        return Ok(vec![format!(r#"{{"type":"message","role":"user","content":{text}}}"#).into()]);
    }
    of_list(text)
        .ok_or_else(|| Fault::malformed("input".to_owned(), "'input' must be a text or a list of items"))
}

/// The items of a JSON array; `None`: it is none.
pub fn of_list(text: &str) -> Option<Items> {
    let list = Vec::<&RawValue>::deserialize(&mut serde_json::Deserializer::from_str(text)).ok()?;
    Some(list.into_iter().map(|item| item.get().into()).collect())
}

/// Items as a JSON array.
pub fn to_list(items: &[Arc<str>]) -> String {
    format!("[{}]", items.join(","))
}

/// An item of an answer, as it is sent back in the next turn. The server that made it may not have stored it, and another
/// may answer next: no id that would have to be looked up, and no thought that cannot be read without one.
pub fn sent_back(item: &str) -> Option<Arc<str>> {
    let mut object = RawObject::parse(Bytes::copy_from_slice(item.as_bytes())).ok()?;
    let kind: String = object.get("type").ok().flatten().unwrap_or_default();
    if kind == "reasoning" && object.raw("encrypted_content").is_none_or(|content| content == "null") {
        return None;
    }
    if NAMELESS.contains(&kind.as_str()) {
        object.remove("id");
    }
    Some(String::from_utf8(object.into_bytes().into()).ok()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_sent_back_without_what_only_their_server_can_look_up() {
        let back = |item: &str| sent_back(item).map(|item| item.to_string());
        let call = r#"{"id":"fc_1","type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#;
        assert_eq!(
            back(call).as_deref(),
            Some(r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#)
        );
        assert_eq!(back(r#"{"type":"reasoning","id":"rs_1","summary":[]}"#), None);
        assert_eq!(back(r#"{"type":"reasoning","id":"rs_1","encrypted_content":null}"#), None);
        let thought = r#"{"type":"reasoning","id":"rs_1","encrypted_content":"abc"}"#;
        assert_eq!(back(thought).as_deref(), Some(thought));
        let untold = r#"{"role":"assistant","content":"hi"}"#;
        assert_eq!(back(untold).as_deref(), Some(untold));
        let search = r#"{"type":"web_search_call","id":"ws_1"}"#;
        assert_eq!(back(search).as_deref(), Some(search));
    }

    #[test]
    fn a_text_is_a_message_of_the_user_and_a_list_stays_as_it_is() {
        let items = |body: &'static str| {
            of_request(&RawObject::parse(Bytes::from_static(body.as_bytes())).unwrap())
                .map(|items| to_list(&items))
        };
        let message = r#"[{"type":"message","role":"user","content":"hi"}]"#;
        assert_eq!(items(r#"{"input":"hi"}"#).unwrap(), message);
        assert_eq!(items(r#"{"input": [ {"a" : 1}, {"b":2} ]}"#).unwrap(), r#"[{"a" : 1},{"b":2}]"#);
        assert_eq!(items(r#"{"input":null}"#).unwrap(), "[]");
        assert!(items(r#"{"input":7}"#).is_err());
    }
}
