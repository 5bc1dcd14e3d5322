//! One message of the client: a request that may leave out what the connection knows.

use bytes::Bytes;
use wire::{Fault, RawObject};

use super::history::History;
use crate::items::{self, Items};

/// The only message there is.
const CREATE: &str = "response.create";

/// Fields of the transport, which no upstream gets.
const TRANSPORT: [&str; 4] = ["type", "generate", "stream", "background"];

/// A request to make a response.
pub(super) struct Turn {
    body: RawObject,
    /// Who answers it.
    pub(super) model: Option<String>,
    /// It is to generate nothing.
    pub(super) is_warm_up: bool,
}

/// Why a turn is not answered.
#[derive(Debug)]
pub(super) enum Refused {
    Fault(Fault),
    /// It builds on a response that nobody has.
    UnknownPrevious(String),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Turn {
    /// Reads a message.
    ///
    /// # Errors
    /// `Malformed`: not a JSON object, or not a request.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let mut body = RawObject::parse(Bytes::copy_from_slice(text.as_bytes()))?;
        let kind: Option<String> = body.get("type")?;
        if kind.as_deref() != Some(CREATE) {
            let why = format!("'type' must be '{CREATE}'");
            return Err(Fault::malformed("type".to_owned(), why));
        }
        if body.has("stream_id") {
            let why = "'stream_id' is not supported: open a connection for each lane";
            return Err(Fault::malformed("stream_id".to_owned(), why));
        }
        let (model, generate) = (body.get("model")?, body.get("generate")?);
        TRANSPORT.iter().for_each(|field| body.remove(field));
        body.set("stream", &true);
        Ok(Self { body, model, is_warm_up: generate == Some(false) })
    }

    /// The full request, and its input as the connection will remember it.
    ///
    /// An id that this connection did not give passes on where responses are stored: a server may know it.
    ///
    /// # Errors
    /// Such an id where nothing is stored; an input that is neither text nor list.
    pub(super) fn expand(self, history: &History) -> Result<(Bytes, Items), Refused> {
        let mut body = self.body;
        let mut input = items::of_request(&body)?;
        let previous: Option<String> = body.get("previous_response_id")?;
        if let Some(id) = previous {
            match history.items(&id) {
                Some(known) => {
                    input.splice(0..0, known.iter().cloned());
                    body.remove("previous_response_id");
                    body.set_raw("input", items::to_list(&input));
                }
                None if body.get("store")?.unwrap_or(true) => {}
                None => return Err(Refused::UnknownPrevious(id)),
            }
        }
        Ok((body.into_bytes(), input))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn history() -> History {
        let mut history = History::new(1 << 20);
        history.remember("resp_1", vec![r#"{"said":1}"#.into(), r#"{"said":2}"#.into()]);
        history
    }

    fn expanded(message: Value) -> Result<Value, Refused> {
        let mut message = message;
        message["type"] = CREATE.into();
        let (body, _) = Turn::parse(&message.to_string())?.expand(&history())?;
        Ok(serde_json::from_slice(&body).unwrap())
    }

    #[test]
    fn what_the_connection_knows_comes_before_what_is_new() {
        let turn =
            json!({"model": "m", "previous_response_id": "resp_1", "input": [{"said": 3}], "store": false});
        let body = expanded(turn).unwrap();
        let input = json!([{"said": 1}, {"said": 2}, {"said": 3}]);
        assert_eq!(body, json!({"model": "m", "input": input, "store": false, "stream": true}));
        let body = expanded(json!({"previous_response_id": "resp_1", "input": "hi"})).unwrap();
        assert_eq!(body["input"][2], json!({"type": "message", "role": "user", "content": "hi"}));
    }

    #[test]
    fn a_turn_that_builds_on_nothing_known_is_passed_on_only_where_responses_are_stored() {
        let unknown = |store: bool| expanded(json!({"previous_response_id": "resp_9", "store": store}));
        assert_eq!(unknown(true).unwrap()["previous_response_id"], "resp_9");
        assert!(matches!(unknown(false), Err(Refused::UnknownPrevious(id)) if id == "resp_9"));
    }

    #[test]
    fn the_transports_own_fields_go_no_further() {
        let turn = json!({"input": "hi", "generate": true, "background": true, "stream": false});
        assert_eq!(expanded(turn).unwrap(), json!({"input": "hi", "stream": true}));
    }

    #[test]
    fn what_is_no_turn_names_its_field() {
        for (message, field) in [
            (json!({"type": "response.cancel"}), "type"),
            (json!({"type": CREATE, "stream_id": "a"}), "stream_id"),
            (json!({"type": CREATE, "generate": "no"}), "generate"),
            (json!({"type": CREATE, "input": 7}), "input"),
        ] {
            let refused = Turn::parse(&message.to_string())
                .map_err(Refused::from)
                .and_then(|turn| turn.expand(&history()))
                .err();
            let at = match refused {
                Some(Refused::Fault(Fault::Malformed { at, .. })) => at,
                other => panic!("{message}: {other:?}"),
            };
            assert_eq!(at.as_deref(), Some(field));
        }
    }
}
