//! An operator's parameter rules: edits of the outgoing body, as LLM-Bridge's `param_config` defines them; and, beyond
//! that, of fields below the top (`path`), for some requests only (`when`).
//!
//! Rules name fields of the target's wire and are applied last, to the final body, client parameters included.

mod path;
mod when;

use wire::RawObject;

pub use when::{ConditionalRules, When};

/// Fields that no rule may touch: they decide where the request goes and how the answer is read.
pub const PROTECTED: [&str; 2] = ["model", "stream"];

/// One edit of a field, `effort` or `reasoning.effort`. Values are JSON text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Sets the field, whether or not it is there.
    Update {
        #[allow(missing_docs)]
        field: String,
        #[allow(missing_docs)]
        json: String,
    },
    /// Sets the field only if it is absent.
    Add {
        #[allow(missing_docs)]
        field: String,
        #[allow(missing_docs)]
        json: String,
    },
    /// Gives a field that is there another name; its value stays.
    Rename {
        #[allow(missing_docs)]
        from: String,
        #[allow(missing_docs)]
        to: String,
    },
    /// Takes the field out.
    Delete {
        #[allow(missing_docs)]
        field: String,
    },
}

impl Rule {
    /// The protected field that this rule would touch, if any.
    pub fn protected(&self) -> Option<&str> {
        let tops = self.fields().into_iter().flatten().filter_map(|field| field.split('.').next());
        tops.into_iter().find(|field| PROTECTED.contains(field))
    }

    fn fields(&self) -> [Option<&str>; 2] {
        match self {
            Rule::Update { field, .. } | Rule::Add { field, .. } | Rule::Delete { field } => {
                [Some(field), None]
            }
            Rule::Rename { from, to } => [Some(from), Some(to)],
        }
    }

    /// Top-level fields keep their place when they are renamed.
    fn is_flat(&self) -> bool {
        self.fields().into_iter().flatten().all(|field| !field.contains('.'))
    }

    fn step(&self) -> u8 {
        match self {
            Rule::Update { .. } => 0,
            Rule::Add { .. } => 1,
            Rule::Rename { .. } => 2,
            Rule::Delete { .. } => 3,
        }
    }

    fn apply(&self, body: &mut RawObject) {
        match self {
            Rule::Update { field, json } => path::set(body, field, json),
            Rule::Add { field, json } if path::value(body, field).is_none() => path::set(body, field, json),
            Rule::Rename { from, to } if self.is_flat() && body.has(from) => body.rename(from, to),
            Rule::Rename { from, to } => {
                if let Some(json) = path::value(body, from) {
                    path::remove(body, from);
                    path::set(body, to, &json);
                }
            }
            Rule::Delete { field } => path::remove(body, field),
            Rule::Add { .. } => {}
        }
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Rule::Update { field, json } => write!(f, "set {field} to {json}"),
            Rule::Add { field, json } => write!(f, "set {field} to {json} where it is absent"),
            Rule::Rename { from, to } => write!(f, "rename {from} to {to}"),
            Rule::Delete { field } => write!(f, "delete {field}"),
        }
    }
}

/// Rules in the order in which they are applied: update, add, rename, delete.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Puts the rules in their order; rules of the same verb keep theirs. `Err`: the rule that touches a protected field.
    pub fn new(mut rules: Vec<Rule>) -> Result<Self, Rule> {
        if let Some(at) = rules.iter().position(|rule| rule.protected().is_some()) {
            return Err(rules.swap_remove(at));
        }
        rules.sort_by_key(Rule::step);
        Ok(Self(rules))
    }

    /// Nothing to do, so a body may be carried as it is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rules, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter()
    }

    /// Edits the body.
    pub fn apply(&self, body: &mut RawObject) {
        for rule in &self.0 {
            rule.apply(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn body(text: &'static str) -> RawObject {
        RawObject::parse(Bytes::from_static(text.as_bytes())).unwrap()
    }

    fn update(field: &str, json: &str) -> Rule {
        Rule::Update { field: field.into(), json: json.into() }
    }
    fn add(field: &str, json: &str) -> Rule {
        Rule::Add { field: field.into(), json: json.into() }
    }
    fn rename(from: &str, to: &str) -> Rule {
        Rule::Rename { from: from.into(), to: to.into() }
    }
    fn delete(field: &str) -> Rule {
        Rule::Delete { field: field.into() }
    }

    fn applied(rules: Vec<Rule>, text: &'static str) -> RawObject {
        let mut body = body(text);
        Rules::new(rules).unwrap().apply(&mut body);
        body
    }

    #[test]
    fn update_sets_what_is_absent_and_add_leaves_what_is_there() {
        let body = applied(
            vec![update("a", "1"), update("b", "2"), add("c", "3"), add("d", "4")],
            r#"{"a":0,"c":0}"#,
        );
        let seen = ["a", "b", "c", "d"].map(|key| body.raw(key).unwrap().to_owned());
        assert_eq!(seen, ["1", "2", "0", "4"]);
    }

    #[test]
    fn rename_keeps_the_value_and_needs_a_field_to_rename() {
        let body = applied(vec![rename("a", "b"), rename("x", "y")], r#"{"a":7}"#);
        assert_eq!((body.raw("a"), body.raw("b")), (None, Some("7")));
        assert_eq!((body.raw("x"), body.raw("y")), (None, None));
    }

    #[test]
    fn the_order_is_update_add_rename_delete_however_they_are_written() {
        let rules = vec![delete("c"), rename("b", "c"), add("b", "2"), update("a", "1")];
        let body = applied(rules, "{}");
        assert_eq!((body.raw("a"), body.raw("b"), body.raw("c")), (Some("1"), None, None));
    }

    #[test]
    fn fields_below_the_top_are_set_renamed_and_deleted_and_their_neighbours_stay() {
        let whole = |rules, text| String::from_utf8(applied(rules, text).into_bytes().to_vec()).unwrap();
        let text = r#"{"reasoning":{"effort":"low","summary":"auto"},"text":3}"#;
        assert_eq!(
            whole(vec![update("reasoning.effort", "\"high\""), add("reasoning.summary", "1")], text),
            r#"{"reasoning":{"effort":"high","summary":"auto"},"text":3}"#
        );
        assert_eq!(
            whole(vec![delete("reasoning.effort"), delete("reasoning.none"), delete("none.at.all")], text),
            r#"{"reasoning":{"summary":"auto"},"text":3}"#
        );
        assert_eq!(
            whole(vec![rename("reasoning.effort", "effort"), rename("text", "a.b")], text),
            r#"{"reasoning":{"summary":"auto"},"effort":"low","a":{"b":3}}"#
        );
        assert_eq!(whole(vec![update("text.a", "1")], text), text, "what is no object is left as it is");
        assert_eq!(whole(vec![add("a.b.c", "1")], r#"{"a":null}"#), r#"{"a":{"b":{"c":1}}}"#);
    }

    #[test]
    fn rules_that_touch_the_model_or_the_streaming_switch_are_refused() {
        for rule in [
            update("model.x", "1"),
            update("model", "1"),
            add("stream", "true"),
            rename("x", "model"),
            delete("stream"),
        ] {
            assert_eq!(Rules::new(vec![update("a", "1"), rule.clone()]), Err(rule));
        }
    }
}
