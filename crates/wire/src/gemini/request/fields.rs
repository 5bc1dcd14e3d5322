//! Objects whose fields may be spelled in either way of proto JSON, and whose numbers may be written as texts.
//! Source: the ProtoJSON format, names of fields and numbers.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::raw::RawObject;

/// Fields of an object, taken one by one; what is left has no canonical name.
pub(super) struct Fields {
    at: String,
    fields: Map<String, Value>,
}

impl Fields {
    pub(super) fn new(at: &str, fields: Map<String, Value>) -> Self {
        Self { at: at.to_owned(), fields }
    }

    /// Takes a field. `None`: absent or null.
    pub(super) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        serde_json::from_value(value).map(Some).map_err(|error| self.wrong(name, &error.to_string()))
    }

    /// Takes a whole number, which SDKs also send as `40.0` or as `"40"`.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<i64>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        whole(&value).map(Some).ok_or_else(|| self.wrong(name, "a whole number was expected"))
    }

    /// Takes a whole number that is not negative.
    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, Fault> {
        let number = self.number(name)?;
        let negative = |_| self.wrong(name, "it must not be negative");
        number.map(u64::try_from).transpose().map_err(negative)
    }

    /// Takes a field as it is.
    pub(super) fn value(&mut self, name: &str) -> Option<Value> {
        let value = self.fields.shift_remove(name).or_else(|| self.fields.shift_remove(&snake(name)));
        value.filter(|value| !value.is_null())
    }

    /// Puts back what was taken and turned out to be nothing we know.
    pub(super) fn put_back(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    /// What nobody took, in the first spelling.
    pub(super) fn rest(self) -> Map<String, Value> {
        self.fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (camel(&key), value))
            .collect()
    }

    pub(super) fn wrong(&self, name: &str, why: &str) -> Fault {
        let at = format!("{}.{name}", self.at);
        Fault::malformed(at.clone(), format!("'{at}': {why}"))
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => {
            let exact = |number: &f64| number.fract() == 0.0 && number.abs() < 9e15;
            number.as_i64().or_else(|| number.as_f64().filter(exact).map(|number| number as i64))
        }
        _ => None,
    }
}

/// The spelling in which the body has a member.
pub(super) fn either(body: &RawObject, name: &str) -> Option<String> {
    if body.has(name) {
        return Some(name.to_owned());
    }
    Some(snake(name)).filter(|snake| body.has(snake))
}

/// `functionCall` as `function_call`.
pub(super) fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// `function_call` as `functionCall`.
pub(super) fn camel(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut raise = false;
    for c in name.chars() {
        if c == '_' && !text.is_empty() {
            raise = true;
            continue;
        }
        text.push(if raise { c.to_ascii_uppercase() } else { c });
        raise = false;
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        Fields::new("generationConfig", serde_json::from_value(value).unwrap())
    }

    #[test]
    fn both_spellings_are_taken_and_the_rest_is_spelled_in_one() {
        let mut given = fields(json!({"max_output_tokens": 5, "topK": 40.0, "speech_config": {}, "x": null}));
        assert_eq!(given.count("maxOutputTokens").unwrap(), Some(5));
        assert_eq!(given.count("topK").unwrap(), Some(40));
        assert_eq!(Value::Object(given.rest()), json!({"speechConfig": {}}));
    }

    #[test]
    fn numbers_that_are_none_are_refused_with_their_place() {
        for (value, good) in [(json!("7"), true), (json!(1.5), false), (json!(-1), false), (json!([]), false)]
        {
            let read = fields(json!({"seed": value})).count("seed");
            assert_eq!(read.is_ok(), good);
            if let Err(fault) = read {
                assert_eq!(fault.param(), Some("generationConfig.seed"));
            }
        }
    }

    #[test]
    fn the_spellings_are_inverse() {
        for name in ["functionCall", "responseJsonSchema", "model"] {
            assert_eq!(camel(&snake(name)), name);
        }
    }
}
