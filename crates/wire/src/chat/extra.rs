//! Fields that have no canonical name.

use serde_json::{Map, Value};

use super::Loss;
use crate::dialect::Dialect;
use crate::fault::Fault;

/// Kinds of answers that are wanted, in the words of OpenAI Chat; kept by this name wherever it came from.
pub(crate) const MODALITIES: &str = "modalities";

/// Fields of a request that no other dialect can do without: left out, the model would be asked something else.
/// Source: DIALECTS, section 9.
const NEEDED: &[(&str, &str)] = &[
    ("cachedContent", "a prompt that another provider keeps (cachedContent)"),
    (MODALITIES, "answers other than text (modalities)"),
];

/// Fields that say nothing outside of their dialect. Source: DIALECTS, section 9.
const OF_ITS_OWN: &[&str] = &["system_fingerprint"];

/// Fields we have no name for, with the dialect they came from. Written back to that dialect; elsewhere each becomes a
/// [`Loss`](super::Loss).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extra {
    /// `None` exactly when there are no fields.
    pub from: Option<Dialect>,
    /// The fields as received, in their order.
    pub fields: Map<String, Value>,
}

impl Extra {
    /// Fields left over after decoding an object of `from`.
    pub fn new(from: Dialect, fields: Map<String, Value>) -> Self {
        let from = (!fields.is_empty()).then_some(from);
        Self { from, fields }
    }

    /// Takes over the fields of a later piece of the same answer: the last value of each counts.
    pub fn update(&mut self, later: &Extra) {
        self.from = self.from.or(later.from);
        self.fields.extend(later.fields.clone());
    }

    /// The fields, if they came from `dialect`.
    pub fn of(&self, dialect: Dialect) -> Option<&Map<String, Value>> {
        (self.from == Some(dialect)).then_some(&self.fields)
    }

    /// Names of the fields that are lost when the target is `dialect`; `None`: of no dialect.
    pub fn lost_in(&self, dialect: impl Into<Option<Dialect>>) -> impl Iterator<Item = &str> {
        let lost = self.is_foreign_to(dialect.into());
        let given = self.fields.iter().filter(move |(name, value)| lost && !is_usual(name, value));
        given.map(|(name, _)| name.as_str())
    }

    /// Reports the fields of an answer that are lost when the client's format is `dialect`, each name once.
    pub fn report(&self, dialect: impl Into<Option<Dialect>>, losses: &mut Vec<Loss>) {
        for loss in self.lost_in(dialect).filter(|name| !OF_ITS_OWN.contains(name)).map(of_answer) {
            if !losses.contains(&loss) {
                losses.push(loss);
            }
        }
    }

    /// Refuses the fields of a request without which it would ask for something else, unless they came from the dialect
    /// of the target. `by` is the model that the refusal names.
    pub fn refuse_in(&self, dialect: impl Into<Option<Dialect>>, by: &str) -> Result<(), Fault> {
        let foreign = self.is_foreign_to(dialect.into());
        let asks = |name: &str| self.fields.get(name).is_some_and(|value| !is_usual(name, value));
        match NEEDED.iter().find(|(name, _)| foreign && asks(name)) {
            None => Ok(()),
            Some((name, what)) => Err(Fault::Unsupported {
                what: (*what).to_owned(),
                by: by.to_owned(),
                at: Some((*name).to_owned()),
            }),
        }
    }

    fn is_foreign_to(&self, dialect: Option<Dialect>) -> bool {
        self.from.is_some_and(|from| Some(from) != dialect)
    }
}

/// The loss of a field of an answer: its code is the same for all choices.
fn of_answer(name: &str) -> Loss {
    let code = match name.split_once('[').zip(name.split_once(']')) {
        Some(((list, _), (_, field))) => format!("field:{list}{field}"),
        None => format!("field:{name}"),
    };
    Loss::at(code, name)
}

/// A field that asks for what happens without it, too: text alone, or nothing.
fn is_usual(name: &str, value: &Value) -> bool {
    let only_text = |list: &Vec<Value>| list.iter().all(|modality| modality == "text");
    name == MODALITIES && (value.is_null() || value.as_array().is_some_and(only_text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn extra(fields: Value) -> Extra {
        Extra::new(Dialect::Gemini, serde_json::from_value(fields).unwrap())
    }

    #[test]
    fn what_cannot_be_left_out_is_refused_by_every_other_dialect() {
        for fields in [json!({"cachedContent": "cachedContents/x"}), json!({"modalities": ["text", "audio"]})]
        {
            let given = extra(fields);
            assert!(given.refuse_in(Dialect::Gemini, "m").is_ok());
            for target in [Some(Dialect::OpenAiChat), Some(Dialect::AnthropicMessages), None] {
                let fault = given.refuse_in(target, "m").unwrap_err();
                assert_eq!(fault.param(), given.fields.keys().next().map(String::as_str));
            }
        }
    }

    #[test]
    fn what_says_nothing_is_neither_refused_nor_lost() {
        let given = extra(json!({"modalities": ["text"], "labels": {}}));
        assert!(given.refuse_in(Dialect::OpenAiChat, "m").is_ok());
        assert_eq!(given.lost_in(Dialect::OpenAiChat).collect::<Vec<_>>(), ["labels"]);
        assert_eq!(given.lost_in(Dialect::Gemini).count(), 0);
    }
}
