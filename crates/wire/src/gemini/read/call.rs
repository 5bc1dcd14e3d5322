//! A call in the making: whole, or put together from values at places (`streamFunctionCallArguments`).

use serde_json::{Map, Value};

use super::super::fault;
use super::super::shape::{FunctionCall, PartialArg};
use crate::fault::Fault;
use crate::json_writer::compact;

/// Most steps of a path; no schema nests deeper.
const MOST_STEPS: usize = 64;

/// What is known of a call.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) signature: Option<String>,
    /// The arguments, when they came at once.
    whole: Option<String>,
    pieced: Map<String, Value>,
    /// The path whose text will go on.
    continued: Option<String>,
}

enum Step {
    Key(String),
    Index(usize),
}

impl Call {
    /// What a part says of the call.
    pub(super) fn take(&mut self, given: FunctionCall<'_>, signature: Option<String>) -> Result<(), Fault> {
        self.id = self.id.take().or(given.id);
        self.signature = self.signature.take().or(signature);
        if let Some(name) = given.name.filter(|name| !name.is_empty()) {
            self.name = name;
        }
        if let Some(args) = given.args {
            self.whole = Some(compact(args.get()));
        }
        given.partial_args.unwrap_or_default().into_iter().try_for_each(|arg| self.put(arg))
    }

    fn put(&mut self, arg: PartialArg) -> Result<(), Fault> {
        let goes_on = arg.will_continue == Some(true);
        let continues = self.continued.as_deref() == Some(&arg.json_path);
        let steps = steps(&arg.json_path).ok_or_else(|| misplaced(&arg.json_path))?;
        let place = place(&mut self.pieced, steps).ok_or_else(|| misplaced(&arg.json_path))?;
        match (place, arg.string_value) {
            (Value::String(text), Some(more)) if continues => text.push_str(&more),
            (place, Some(text)) => *place = Value::String(text),
            (place, None) => {
                *place = arg.number_value.or(arg.bool_value.map(Value::Bool)).unwrap_or_default();
            }
        }
        self.continued = goes_on.then_some(arg.json_path);
        Ok(())
    }

    /// The arguments as JSON text.
    pub(super) fn args(self) -> String {
        let pieced = self.pieced;
        self.whole.unwrap_or_else(|| Value::Object(pieced).to_string())
    }

    /// The free text of a custom tool, which is the string `input`; arguments in another shape stand for themselves.
    pub(super) fn free_text(self) -> String {
        #[derive(serde::Deserialize)]
        struct Wrapped {
            input: String,
        }
        let args = self.args();
        serde_json::from_str::<Wrapped>(&args).map_or(args, |wrapped| wrapped.input)
    }
}

fn misplaced(path: &str) -> Fault {
    let path: String = path.chars().take(120).collect();
    fault::bad_answer(format!("an argument at a place that is none: {path}"))
}

/// `$.recipe.steps[2]` or `$['recipe']['steps'][2]` in steps.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = step(rest)?;
        steps.push(step);
        rest = after;
    }
    (1..=MOST_STEPS).contains(&steps.len()).then_some(steps)
}

fn step(path: &str) -> Option<(Step, &str)> {
    if let Some(name) = path.strip_prefix('.') {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (name, rest) = name.split_at(end);
        return (!name.is_empty()).then(|| (Step::Key(name.to_owned()), rest));
    }
    let inside = path.strip_prefix('[')?;
    for quote in ['\'', '"'] {
        if let Some(name) = inside.strip_prefix(quote) {
            let (name, rest) = name.split_once(&[quote, ']'].iter().collect::<String>())?;
            return Some((Step::Key(name.to_owned()), rest));
        }
    }
    let (index, rest) = inside.split_once(']')?;
    Some((Step::Index(index.parse().ok()?), rest))
}

/// The value at a path, made on the way. `None`: the path contradicts what is there, or leaves a gap in a list.
fn place(root: &mut Map<String, Value>, steps: Vec<Step>) -> Option<&mut Value> {
    let mut steps = steps.into_iter();
    let Some(Step::Key(first)) = steps.next() else { return None };
    let mut at = root.entry(first).or_insert(Value::Null);
    for step in steps {
        at = match step {
            Step::Key(name) => {
                if at.is_null() {
                    *at = Value::Object(Map::new());
                }
                at.as_object_mut()?.entry(name).or_insert(Value::Null)
            }
            Step::Index(index) => {
                if at.is_null() {
                    *at = Value::Array(Vec::new());
                }
                let list = at.as_array_mut()?;
                if index == list.len() {
                    list.push(Value::Null);
                }
                list.get_mut(index)?
            }
        };
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn put_together(args: &[Value]) -> Result<String, Fault> {
        let mut call = Call::default();
        for arg in args {
            call.put(serde_json::from_value(arg.clone()).unwrap())?;
        }
        Ok(call.args())
    }

    #[test]
    fn values_at_places_make_one_object() {
        let args = put_together(&[
            json!({"jsonPath": "$.list[0].name", "stringValue": "a", "willContinue": true}),
            json!({"jsonPath": "$.list[0].name", "stringValue": "b"}),
            json!({"jsonPath": "$.list[0]['the.count']", "numberValue": 2}),
            json!({"jsonPath": "$.list[1]", "boolValue": true}),
            json!({"jsonPath": "$.none", "nullValue": "NULL_VALUE"}),
        ]);
        assert_eq!(args.unwrap(), r#"{"list":[{"name":"ab","the.count":2},true],"none":null}"#);
    }

    #[test]
    fn a_place_that_is_none_is_not_made_up() {
        for path in ["", "$", "x", "$.a[4000000000]", "$.a..b", "$[0]", "$.a[", "$.a['b"] {
            assert!(put_together(&[json!({"jsonPath": path, "stringValue": "x"})]).is_err(), "{path}");
        }
        let contradicting = [
            json!({"jsonPath": "$.a", "stringValue": "x"}),
            json!({"jsonPath": "$.a.b", "stringValue": "x"}),
        ];
        assert!(put_together(&contradicting).is_err());
    }
}
