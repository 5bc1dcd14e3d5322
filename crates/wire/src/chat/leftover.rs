//! Fields of answers that have no canonical name: what a codec keeps of them, and where it puts them back.

use serde_json::{Map, Value};

use super::{Event, Extra};
use crate::dialect::Dialect;
use crate::fault::Fault;

/// Fields of one answer, at most. The dialects have a tenth of it; a stream that brings new names with every chunk ends.
const AT_MOST: usize = 1024;

/// What the pieces of one answer have said in fields without a canonical name.
#[derive(Debug)]
pub(crate) struct Leftover {
    told: Extra,
    /// Not told yet, or with another value.
    new: Map<String, Value>,
    of: Dialect,
    /// Fields of this dialect, at any place, that say nothing but what is known without them.
    idle: &'static [&'static [&'static str]],
}

impl Leftover {
    pub(crate) fn new(of: Dialect, idle: &'static [&'static [&'static str]]) -> Self {
        Self { told: Extra::default(), new: Map::new(), of, idle }
    }

    /// Fields of the answer itself.
    pub(crate) fn keep(&mut self, rest: Map<String, Value>) {
        self.keep_as(|name| name, rest);
    }

    /// Fields of what stands at a path of the answer.
    pub(crate) fn keep_at(&mut self, path: impl Fn() -> String, rest: Map<String, Value>) {
        self.keep_as(|name| format!("{}.{name}", path()), rest);
    }

    fn keep_as(&mut self, path: impl Fn(String) -> String, rest: Map<String, Value>) {
        for (name, value) in rest {
            let is_idle = self.idle.iter().any(|fields| fields.contains(&name.as_str()));
            if !is_idle && !is_empty(&value) {
                let place = path(name);
                if self.told.fields.get(&place) != Some(&value) {
                    self.new.insert(place, value);
                }
            }
        }
    }

    /// What has not been told yet.
    ///
    /// # Errors
    /// `BadAnswer`: there are too many.
    pub(crate) fn tell(&mut self) -> Result<Option<Event>, Fault> {
        if self.new.is_empty() {
            return Ok(None);
        }
        let new = Extra::new(self.of, std::mem::take(&mut self.new));
        self.told.update(&new);
        bounded(&self.told)?;
        Ok(Some(Event::Fields(new)))
    }

    /// All of it, of an answer that came whole.
    ///
    /// # Errors
    /// `BadAnswer`: there are too many.
    pub(crate) fn whole(self) -> Result<Extra, Fault> {
        let all = Extra::new(self.of, self.new);
        bounded(&all)?;
        Ok(all)
    }
}

fn bounded(fields: &Extra) -> Result<(), Fault> {
    if fields.fields.len() <= AT_MOST {
        return Ok(());
    }
    let why = format!("it has more than {AT_MOST} fields that nobody knows");
    Err(Fault::BadAnswer { provider: String::new(), why })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

impl Extra {
    /// The fields of the answer itself, if they came from `dialect`.
    pub(crate) fn outer(&self, dialect: Dialect) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.of(dialect).into_iter().flatten();
        all.filter(|(name, _)| !name.contains("].")).map(|(name, value)| (name.as_str(), value))
    }

    /// The fields of what stands at a path of the answer, if they came from `dialect`.
    pub(crate) fn inner(&self, dialect: Dialect, path: &str) -> Map<String, Value> {
        let all = self.of(dialect).into_iter().flatten();
        let inside = |name: &str| {
            let name = name.strip_prefix(path)?.strip_prefix('.')?;
            (!name.contains('.')).then(|| name.to_owned())
        };
        all.filter_map(|(name, value)| Some((inside(name)?, value.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::Loss;

    const THIS: Dialect = Dialect::OpenAiChat;

    fn fields(fields: Value) -> Map<String, Value> {
        serde_json::from_value(fields).unwrap()
    }

    #[test]
    fn a_stream_tells_a_field_once_and_again_only_when_it_says_something_else() {
        let mut leftover = Leftover::new(THIS, &[&["object"]]);
        let mut tell = |rest: Value| {
            leftover.keep(fields(rest));
            leftover.tell().unwrap().map(|event| match event {
                Event::Fields(extra) => Value::Object(extra.fields),
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(tell(json!({"object": "x", "a": 1, "empty": [], "none": null})), Some(json!({"a": 1})));
        assert_eq!(tell(json!({"a": 1})), None);
        assert_eq!(tell(json!({"a": 1, "b": 2})), Some(json!({"b": 2})));
        assert_eq!(tell(json!({"a": 3})), Some(json!({"a": 3})));
    }

    #[test]
    fn an_answer_of_nothing_but_unknown_fields_is_none() {
        let many = |from: usize, to: usize| (from..to).map(|number| (number.to_string(), json!(1))).collect();
        let mut leftover = Leftover::new(THIS, &[]);
        leftover.keep(many(0, AT_MOST));
        assert!(leftover.tell().is_ok(), "so many are borne");
        leftover.keep(many(0, AT_MOST));
        assert!(leftover.tell().is_ok(), "the same again are no more");
        leftover.keep(many(AT_MOST, AT_MOST + 1));
        assert!(matches!(leftover.tell(), Err(Fault::BadAnswer { .. })));
        let mut whole = Leftover::new(THIS, &[]);
        whole.keep(many(0, AT_MOST + 1));
        assert!(matches!(whole.whole(), Err(Fault::BadAnswer { .. })));
    }

    #[test]
    fn fields_of_choices_are_put_back_where_they_stood_and_lost_by_one_code() {
        let mut leftover = Leftover::new(THIS, &[]);
        leftover.keep(fields(json!({"top": 1})));
        for choice in 0..2 {
            leftover.keep_at(|| format!("choices[{choice}]"), fields(json!({"results": choice})));
            leftover.keep_at(|| format!("choices[{choice}].message"), fields(json!({"deep": choice})));
        }
        let extra = leftover.whole().unwrap();
        assert_eq!(extra.outer(THIS).collect::<Vec<_>>(), [("top", &json!(1))]);
        assert_eq!(Value::Object(extra.inner(THIS, "choices[1]")), json!({"results": 1}));
        assert_eq!(Value::Object(extra.inner(THIS, "choices[0].message")), json!({"deep": 0}));
        let mut losses = Vec::new();
        extra.report(THIS, &mut losses);
        assert_eq!(losses, []);
        extra.report(Dialect::Gemini, &mut losses);
        extra.report(Dialect::Gemini, &mut losses);
        assert_eq!(losses.len(), 5);
        assert_eq!(losses[0], Loss::field("top"));
        assert_eq!(losses[3], Loss::at("field:choices.results", "choices[1].results"));
    }
}
