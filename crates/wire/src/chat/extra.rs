//! Fields that have no canonical name.

use serde_json::{Map, Value};

use crate::dialect::Dialect;

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

    /// The fields, if they came from `dialect`.
    pub fn of(&self, dialect: Dialect) -> Option<&Map<String, Value>> {
        (self.from == Some(dialect)).then_some(&self.fields)
    }

    /// Names of the fields that are lost when the target is `dialect`.
    pub fn lost_in(&self, dialect: Dialect) -> impl Iterator<Item = &str> {
        let lost = self.from.is_some_and(|from| from != dialect);
        self.fields.keys().filter(move |_| lost).map(String::as_str)
    }
}
