//! Results of tools, decoded and encoded, and the calls that they answer: this dialect may leave ids out, and then a
//! result belongs to the first call of its name that has none yet.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::contents;
use crate::chat::Part;
use crate::fault::Fault;
use crate::gemini::{names, shape};
use crate::json_writer::compact;

/// The one field of a response that stands for all of it. Source: Google's reference, `FunctionResponse`.
const WRAPPERS: &[(&str, bool)] = &[("result", false), ("output", false), ("error", true)];

/// Calls made so far.
#[derive(Debug, Default)]
pub(super) struct Calls {
    turn: usize,
    in_turn: u32,
    calls: Vec<Call>,
}

#[derive(Debug)]
struct Call {
    id: String,
    name: String,
    /// It came without an id.
    unnamed: bool,
    answered: bool,
}

impl Calls {
    /// The next model's turn, by its place.
    pub(super) fn begin_turn(&mut self, turn: usize) {
        self.turn = turn;
        self.in_turn = 0;
    }

    /// Notes a call and yields its id: its own, or one that follows from its place.
    pub(super) fn add(&mut self, id: String, name: &str) -> String {
        let unnamed = id.is_empty();
        let id = if unnamed { names::call_id(&format!("turn {}", self.turn), 0, self.in_turn) } else { id };
        self.in_turn += 1;
        self.calls.push(Call { id: id.clone(), name: name.to_owned(), unnamed, answered: false });
        id
    }

    /// The id of the call that a result answers.
    fn answer(&mut self, id: Option<&str>, name: &str) -> Option<String> {
        let by_id = |call: &Call| Some(call.id.as_str()) == id;
        let by_name = |call: &Call| !call.answered && call.name == name && (id.is_none() || call.unnamed);
        let place = self.calls.iter().position(by_id).or_else(|| self.calls.iter().position(by_name))?;
        self.calls[place].answered = true;
        Some(self.calls[place].id.clone())
    }
}

/// A `functionResponse` as the result of its call.
pub(super) fn decode(given: shape::FunctionResponse<'_>, at: &str, calls: &mut Calls) -> Result<Part, Fault> {
    let name = given.name.unwrap_or_default();
    let id = given.id.filter(|id| !id.is_empty());
    let call_id = calls.answer(id.as_deref(), &name).ok_or_else(|| {
        let why = format!("'{at}.functionResponse' answers no call of '{name}' before it");
        Fault::malformed(format!("{at}.functionResponse"), why)
    })?;
    let (text, is_error) = response(given.response);
    let mut parts: Vec<Part> = text.map(Part::text).into_iter().collect();
    for (place, raw) in given.parts.unwrap_or_default().into_iter().enumerate() {
        parts.extend(contents::part(raw, &format!("{at}.functionResponse.parts[{place}]"))?);
    }
    Ok(Part::ToolResult { call_id, name: Some(name), parts, is_error, cache: None })
}

/// The text of a response, and whether it says that the tool failed.
fn response(given: Option<&RawValue>) -> (Option<String>, bool) {
    let Some(raw) = given else { return (None, false) };
    let value: Value = serde_json::from_str(raw.get()).unwrap_or_default();
    let fields = value.as_object();
    if let Some(fields) = fields
        && fields.len() == 1
        && let Some((name, inner)) = fields.iter().next()
        && let Some((_, is_error)) = WRAPPERS.iter().find(|(wrapper, _)| wrapper == name)
    {
        let text = inner.as_str().map_or_else(|| inner.to_string(), str::to_owned);
        return (Some(text), *is_error);
    }
    let empty = fields.is_none_or(serde_json::Map::is_empty);
    ((!empty).then(|| compact(raw.get())), false)
}

/// The object that a result's text becomes: itself if it is one, else wrapped.
pub(super) fn encode(text: &str, is_error: bool) -> Value {
    let object = || serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    match is_error {
        true => json!({"error": text}),
        false => object().unwrap_or_else(|| json!({"result": text})),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, bool) {
        response(Some(serde_json::from_str(text).unwrap()))
    }

    #[test]
    fn results_are_read_as_they_are_written() {
        for (text, is_error) in
            [("20 C", false), ("", false), ("no such file", true), (r#"{"a":1,"b":[2]}"#, false)]
        {
            let written = encode(text, is_error).to_string();
            assert_eq!(read(&written), (Some(text.to_owned()), is_error), "{written}");
        }
    }

    #[test]
    fn a_wrapped_value_that_is_no_text_is_its_json() {
        assert_eq!(read(r#"{"output":{"a": 1}}"#), (Some(r#"{"a":1}"#.into()), false));
        assert_eq!(read("{}"), (None, false));
    }

    #[test]
    fn results_without_ids_answer_the_calls_of_their_name_in_order() {
        let mut calls = Calls::default();
        calls.begin_turn(1);
        let ids: Vec<String> = ["f", "g", "f"].iter().map(|name| calls.add(String::new(), name)).collect();
        assert_eq!(calls.answer(None, "f"), Some(ids[0].clone()));
        assert_eq!(calls.answer(None, "f"), Some(ids[2].clone()));
        assert_eq!(calls.answer(Some(&ids[1]), "g"), Some(ids[1].clone()));
        assert_eq!(calls.answer(None, "f"), None);
    }
}
