//! What is looked at in every request, carried ones too: the types of the top level, and the roles of the turns.

use super::member;
use crate::dialect::{Head, Peek, Thoughts};
use crate::fault::Fault;
use crate::gateway_fields;
use crate::raw::RawObject;
use crate::raw::check::{self, Type};
use crate::raw::scan::Scanner;

/// Roles of a turn; none at all is the user's. `function` is the older role of results.
/// Source: Google's reference, `Content`, and Vertex AI's.
const ROLES: &[&str] = &["user", "model", "function"];

/// Fields that, when present, must be of a type, in either spelling. Source: Google's reference, `generateContent`.
const TYPED: &[(&str, Type)] = &[
    ("generationConfig", Type::Object),
    ("generation_config", Type::Object),
    ("toolConfig", Type::Object),
    ("tool_config", Type::Object),
    ("tools", Type::List),
    ("safetySettings", Type::List),
    ("safety_settings", Type::List),
    ("labels", Type::Object),
];

#[derive(serde::Deserialize)]
struct Limits {
    #[serde(rename = "maxOutputTokens", alias = "max_output_tokens")]
    max_output: Option<f64>,
}

#[derive(serde::Deserialize)]
struct Shown {
    #[serde(rename = "thinkingConfig", alias = "thinking_config")]
    thinking: Option<ThinkingShown>,
}

#[derive(serde::Deserialize)]
struct ThinkingShown {
    #[serde(rename = "includeThoughts", alias = "include_thoughts")]
    include_thoughts: Option<bool>,
}

/// Checks the top level and the roles, and reads what routing needs.
pub(super) fn peek(head: &Head, body: &RawObject) -> Result<Peek, Fault> {
    check_turns(body)?;
    check::types(body, TYPED)?;
    let limits: Option<Limits> = member(body, "generationConfig")?;
    Ok(Peek {
        model: model(head, body)?,
        stream: head.stream,
        // Streams of this dialect report usage unasked.
        include_usage: true,
        max_output: max_output(limits.and_then(|limits| limits.max_output))?,
        ..gateway_fields::peek(body)?
    })
}

/// The path names the model; a body may too, as a resource.
fn model(head: &Head, body: &RawObject) -> Result<Option<String>, Fault> {
    let named = match &head.model {
        Some(model) => Some(model.clone()),
        None => body.get::<String>("model")?,
    };
    Ok(named.map(|model| model.strip_prefix("models/").unwrap_or(&model).to_owned()))
}

/// Thoughts are hidden unless the client asks for them; their signatures always come.
pub(in crate::gemini) fn thoughts(body: &RawObject) -> Thoughts {
    let config: Result<Option<Shown>, Fault> = member(body, "generationConfig");
    let shown = config.ok().flatten().and_then(|config| config.thinking?.include_thoughts);
    if shown == Some(true) { Thoughts::Shown } else { Thoughts::Sealed }
}

fn max_output(limit: Option<f64>) -> Result<Option<u64>, Fault> {
    match limit {
        None => Ok(None),
        Some(tokens) if (1.0..9e15).contains(&tokens) && tokens.fract() == 0.0 => Ok(Some(tokens as u64)),
        Some(_) => {
            let at = "generationConfig.maxOutputTokens";
            Err(Fault::malformed(at.to_owned(), format!("'{at}' must be a whole number of at least 1")))
        }
    }
}

/// `contents` is an array of objects with known roles.
fn check_turns(body: &RawObject) -> Result<(), Fault> {
    let refusal = |why: &str| Err(Fault::malformed("contents".to_owned(), why));
    let Some(text) = body.raw("contents") else { return refusal("'contents' is missing") };
    let mut scanner = Scanner::again(text.as_bytes());
    if scanner.peek() != Some(b'[') {
        return refusal("'contents' must be an array");
    }
    let mut turns = 0;
    scanner.each_element(|scanner| {
        check_role(scanner, turns)?;
        turns += 1;
        Ok::<(), Fault>(())
    })?;
    if turns == 0 { refusal("'contents' must not be empty") } else { Ok(()) }
}

fn check_role(scanner: &mut Scanner<'_>, turn: usize) -> Result<(), Fault> {
    let at = format!("contents[{turn}]");
    if scanner.peek() != Some(b'{') {
        return Err(Fault::malformed(at.clone(), format!("'{at}' must be an object")));
    }
    scanner.each_member(|scanner, key| {
        let value = scanner.value(u32::MAX)?;
        if key.text == b"role" && !is_known(value) {
            let shown = String::from_utf8_lossy(value);
            let shown = crate::raw::brief(&shown);
            let why = format!("'{at}.role' is {shown}, but must be one of {}", ROLES.join(", "));
            return Err(Fault::malformed(format!("{at}.role"), why));
        }
        Ok(())
    })
}

fn is_known(text: &[u8]) -> bool {
    let plain = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    text == b"null"
        || plain.is_some_and(|role| role.is_empty() || ROLES.iter().any(|it| it.as_bytes() == role))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn peeked(text: &'static str) -> Result<Peek, Fault> {
        let head = Head { model: Some("m".into()), stream: true, ..Head::default() };
        peek(&head, &RawObject::parse(Bytes::from_static(text.as_bytes())).unwrap())
    }

    #[test]
    fn model_and_stream_come_from_the_path() {
        let peek =
            peeked(r#"{"contents":[{"parts":[]}],"generation_config":{"max_output_tokens":7}}"#).unwrap();
        assert_eq!((peek.model.as_deref(), peek.stream, peek.max_output), (Some("m"), true, Some(7)));
    }

    #[test]
    fn thoughts_are_shown_to_those_who_ask() {
        let read = |config: &str| {
            let text = format!(r#"{{"contents":[{{}}],"generation_config":{config}}}"#);
            thoughts(&RawObject::parse(text.into()).unwrap())
        };
        assert_eq!(read(r#"{"thinkingConfig":{"include_thoughts":true}}"#), Thoughts::Shown);
        assert_eq!(read(r#"{"thinking_config":{"thinkingBudget":5}}"#), Thoughts::Sealed);
        assert_eq!(read("{}"), Thoughts::Sealed);
    }

    #[test]
    fn what_is_no_request_is_refused_with_its_place() {
        for (body, at) in [
            ("{}", "contents"),
            (r#"{"contents":"hi"}"#, "contents"),
            (r#"{"contents":[]}"#, "contents"),
            (r#"{"contents":[3]}"#, "contents[0]"),
            (r#"{"contents":[{"role":"user"},{"role":"assistant"}]}"#, "contents[1].role"),
            (r#"{"contents":[{}],"generationConfig":[]}"#, "generationConfig"),
            (
                r#"{"contents":[{}],"generationConfig":{"maxOutputTokens":0}}"#,
                "generationConfig.maxOutputTokens",
            ),
        ] {
            assert_eq!(peeked(body).unwrap_err().param(), Some(at), "{body}");
        }
    }
}
