//! Where an operation is: the model and the method stand in the path.

use std::fmt::Write;

use crate::dialect::Operation;

/// The method of an operation.
pub(crate) fn method(operation: Operation, stream: bool) -> Option<&'static str> {
    Some(match operation {
        Operation::Chat if stream => "streamGenerateContent",
        Operation::Chat => "generateContent",
        Operation::CountTokens => "countTokens",
        Operation::Embed => "batchEmbedContents",
        Operation::EmbedOne => "embedContent",
        Operation::Complete => return None,
    })
}

/// Path and query of a method of a model. `models` is the path under which the server has its models, with the query
/// that goes with every request. Streams are asked for as server-sent events.
pub(crate) fn target(models: &str, model: &str, method: &str) -> String {
    let (path, query) = models.split_once('?').map_or((models, ""), |(path, query)| (path, query));
    let model = model.strip_prefix("models/").unwrap_or(model);
    let events = if method.starts_with("stream") { "alt=sse" } else { "" };
    let query = [query, events].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{path}/{}:{method}{mark}{query}", escaped(model))
}

/// A model's id as one segment of a path: it may come from a client, and must not lead elsewhere.
fn escaped(model: &str) -> String {
    let mut text = String::with_capacity(model.len());
    for byte in model.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'@' => {
                text.push(byte.into())
            }
            _ => write!(text, "%{byte:02X}").expect("a string takes all text"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_and_method_stand_in_the_path() {
        let at = |models, stream| target(models, "models/gemini-x", method(Operation::Chat, stream).unwrap());
        assert_eq!(at("/v1beta/models", false), "/v1beta/models/gemini-x:generateContent");
        assert_eq!(at("/v1beta/models", true), "/v1beta/models/gemini-x:streamGenerateContent?alt=sse");
        assert_eq!(at("/m?key=1", true), "/m/gemini-x:streamGenerateContent?key=1&alt=sse");
    }

    #[test]
    fn a_models_id_leads_nowhere_else() {
        assert_eq!(target("/m", "../a?b#c d", "countTokens"), "/m/..%2Fa%3Fb%23c%20d:countTokens");
    }
}
