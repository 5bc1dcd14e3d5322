//! What whole answers and streams have in common: how a call, a citation and the arguments of a call read.

use serde_json::Value;

use crate::chat::{Citation, Origin, ToolKind, Undo};
use crate::dialect::Dialect;

/// What a `tool_use` block is to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallForm {
    /// A call with a JSON object.
    Function,
    /// A call with free text: the string `input` of the object.
    Custom,
    /// No call, but the text of the answer: the forced tool of structured output.
    Text,
}

impl CallForm {
    /// The form of a call to what the upstream calls `name`.
    pub(super) fn of(name: &str, undo: &Undo) -> Self {
        if undo.json_tool.as_deref() == Some(name) {
            CallForm::Text
        } else if undo.custom_tools.contains(&undo.tool_name(name)) {
            CallForm::Custom
        } else {
            CallForm::Function
        }
    }

    pub(super) fn tool_kind(self) -> ToolKind {
        if self == CallForm::Custom { ToolKind::Custom } else { ToolKind::Function }
    }
}

/// Opaque parts of this dialect, and thoughts, are ours to send back.
pub(super) fn origin(model: Option<&str>) -> Origin {
    Origin { model: model.map(str::to_owned), ..Origin::from(Dialect::AnthropicMessages) }
}

/// The free text in the arguments of a custom tool; arguments in another shape stand for themselves.
pub(super) fn free_text(args: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Wrapped {
        input: String,
    }
    serde_json::from_str::<Wrapped>(args).map_or_else(|_| args.to_owned(), |wrapped| wrapped.input)
}

/// A citation of a text block of `length` code points: it holds for the whole block.
pub(super) fn citation(raw: Value, length: u64) -> Citation {
    let field = |names: &[&str]| names.iter().find_map(|name| raw.get(name)?.as_str()).map(str::to_owned);
    Citation {
        url: field(&["url", "source"]),
        title: field(&["title", "document_title"]),
        span: Some((0, length)),
        raw: Some((Dialect::AnthropicMessages, raw)),
    }
}

/// JSON text without the blanks between its tokens; numbers and the order of keys stay as they are.
pub(super) fn compact(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let (mut quoted, mut escaped) = (false, false);
    for c in json.chars() {
        if quoted || !matches!(c, ' ' | '\t' | '\n' | '\r') {
            text.push(c);
        }
        match c {
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn compacting_keeps_strings_numbers_and_order() {
        let spaced = "{ \"b\" : 12345678901234567890123 ,\n \"a\": [ 1.10, \"x \\\" y\\\\\" , { } ] }";
        assert_eq!(compact(spaced), r#"{"b":12345678901234567890123,"a":[1.10,"x \" y\\",{}]}"#);
    }

    #[test]
    fn free_text_is_unwrapped_and_other_arguments_stand_for_themselves() {
        assert_eq!(free_text(r#"{"input":"ls\n"}"#), "ls\n");
        assert_eq!(free_text(r#"{"command":"ls"}"#), r#"{"command":"ls"}"#);
    }

    #[test]
    fn a_citation_of_a_document_has_its_title() {
        let raw = json!({"type": "char_location", "document_title": "Report", "cited_text": "..."});
        let citation = citation(raw, 4);
        assert_eq!(
            (citation.url, citation.title, citation.span),
            (None, Some("Report".into()), Some((0, 4)))
        );
    }
}
