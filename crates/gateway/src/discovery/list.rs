//! Lists of models as servers write them. One reading for all: they differ in the names of a few fields only, and some
//! servers write several forms at once.

use std::collections::HashSet;
use std::sync::Arc;

use policy::FoundModel;
use serde::Deserialize;
use serde_json::Value;

/// Models of one server, at most; the rest of its list is left out.
const MODELS_AT_MOST: usize = 5_000;
/// Bytes of what leads to the next page, at most; a longer one leads nowhere.
const CURSOR_AT_MOST: usize = 1024;
/// Bytes of an id, at most; a longer one is left out.
const ID_AT_MOST: usize = 256;

/// A list in any form.
#[derive(Deserialize)]
#[serde(untagged)]
enum List {
    Named(Box<Named>),
    /// Together's.
    Bare(Vec<Row>),
}

/// OpenAI's and Anthropic's (`data`), Ollama's and Gemini's (`models`), llama.cpp's (both).
#[derive(Deserialize)]
struct Named {
    data: Option<Vec<Row>>,
    models: Option<Vec<Row>>,
    #[serde(flatten)]
    more: More,
}

/// Whether there is another page, and which. Any type is taken: it matters to two kinds of servers only.
/// Sources: the references of Anthropic (`has_more`, `last_id`, to be sent as `after_id`) and Gemini (`nextPageToken`, to
/// be sent as `pageToken`), read 2026-11-26.
#[derive(Default, Deserialize)]
struct More {
    #[serde(default)]
    has_more: Value,
    #[serde(default)]
    last_id: Value,
    #[serde(default, rename = "nextPageToken")]
    token: Value,
}

/// One page of a list.
pub(super) struct Page {
    /// In its order.
    pub(super) models: Vec<FoundModel>,
    /// What the query for the next page holds; `None`: this is the last.
    pub(super) next: Option<String>,
}

/// The models of all pages, each id once, in their order.
#[derive(Default)]
pub(super) struct Models {
    all: Vec<FoundModel>,
    seen: HashSet<Arc<str>>,
}

impl Models {
    pub(super) fn add(&mut self, page: Vec<FoundModel>) {
        let new = page.into_iter().filter(|model| self.seen.insert(model.id.clone()));
        self.all.extend(new.take(MODELS_AT_MOST - self.all.len()));
    }

    pub(super) fn is_full(&self) -> bool {
        self.all.len() >= MODELS_AT_MOST
    }

    pub(super) fn into_list(self) -> Vec<FoundModel> {
        self.all
    }
}

impl More {
    fn query(&self) -> Option<String> {
        let id = self.last_id.as_str().filter(|_| self.has_more == Value::Bool(true));
        let (name, value) = match (self.token.as_str(), id) {
            (Some(token), _) => ("pageToken", token),
            (None, id) => ("after_id", id?),
        };
        let is_fit = (1..=CURSOR_AT_MOST).contains(&value.len());
        let pair = || form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        is_fit.then(pair)
    }
}

/// One model; what is no object has no id and is left out.
#[derive(Deserialize)]
#[serde(untagged)]
enum Row {
    Model(serde_json::Map<String, Value>),
    Other(serde::de::IgnoredAny),
}

/// Where the id stands, the best place first.
/// Sources: the references of OpenAI (`id`), Ollama (`model`, `name`) and Gemini (`name`), read 2026-11-25.
const IDS: [&str; 3] = ["id", "model", "name"];

/// Where the tokens of a context stand: vLLM, OpenRouter, Groq, LM Studio, Gemini.
/// Sources: their references, read 2026-11-25.
const CONTEXTS: [&str; 5] =
    ["max_model_len", "context_length", "context_window", "max_context_length", "inputTokenLimit"];

/// Reads one page.
///
/// # Errors
/// It is no list; in words that follow "an answer that cannot be read".
pub(super) fn page(body: &[u8]) -> Result<Page, String> {
    let list = serde_json::from_slice(body).map_err(|_| "it is not a list of models".to_owned())?;
    let (rows, next) = match list {
        List::Bare(rows) => (rows, None),
        List::Named(named) => {
            let rows = named.data.or(named.models).ok_or("it names no models")?;
            (rows, named.more.query())
        }
    };
    Ok(Page { models: rows.into_iter().filter_map(model).collect(), next })
}

fn model(row: Row) -> Option<FoundModel> {
    let Row::Model(fields) = row else { return None };
    let id = IDS.iter().find_map(|key| fields.get(*key)?.as_str())?;
    // Gemini writes the path of the model.
    let id = id.strip_prefix("models/").unwrap_or(id);
    let is_fit =
        (1..=ID_AT_MOST).contains(&id.len()) && !id.chars().any(|c| c.is_control() || c.is_whitespace());
    let context = CONTEXTS.iter().find_map(|key| fields.get(*key)?.as_u64()).filter(|tokens| *tokens > 0);
    is_fit.then(|| FoundModel { id: id.into(), context })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<(String, Option<u64>)> {
        let mut models = Models::default();
        models.add(page(body.as_bytes()).unwrap().models);
        models.into_list().into_iter().map(|model| (model.id.to_string(), model.context)).collect()
    }

    fn ids(body: &str) -> Vec<String> {
        read(body).into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn every_form_of_a_list_is_read() {
        for body in [
            r#"{"object":"list","data":[{"id":"a/b:7b","object":"model","owned_by":"x"},{"id":"c"}]}"#,
            r#"{"models":[{"name":"a/b:7b","model":"a/b:7b","size":1,"details":{}},{"name":"c"}]}"#,
            r#"{"models":[{"name":"other","model":"other"}],"object":"list","data":[{"id":"a/b:7b"},{"id":"c"}]}"#,
            r#"[{"id":"a/b:7b"},{"id":"c"}]"#,
            r#"{"models":[{"name":"models/a/b:7b"},{"name":"models/c"}]}"#,
        ] {
            assert_eq!(ids(body), ["a/b:7b", "c"], "{body}");
        }
        assert!(ids(r#"{"object":"list","data":[]}"#).is_empty());
    }

    #[test]
    fn the_context_is_read_where_a_server_states_it() {
        let body = r#"{"data":[{"id":"a","max_model_len":8192},{"id":"b","context_length":"many"},{"id":"c","context_window":0}]}"#;
        assert_eq!(read(body), [("a".into(), Some(8192)), ("b".into(), None), ("c".into(), None)]);
    }

    #[test]
    fn the_way_to_the_next_page_is_read_where_there_is_one() {
        let next = |body: &str| page(body.as_bytes()).unwrap().next;
        let anthropic = |more| format!(r#"{{"data":[],"has_more":{more},"first_id":"a","last_id":"b c&d"}}"#);
        assert_eq!(next(&anthropic("true")).as_deref(), Some("after_id=b+c%26d"));
        assert_eq!(next(&anthropic("false")), None);
        assert_eq!(next(r#"{"models":[],"nextPageToken":"t="}"#).as_deref(), Some("pageToken=t%3D"));
        for last in [
            r#"{"data":[],"has_more":true}"#,
            r#"{"data":[],"has_more":"yes","last_id":"a"}"#,
            r#"{"models":[],"nextPageToken":""}"#,
            r#"{"models":[],"nextPageToken":7}"#,
            "[]",
        ] {
            assert_eq!(next(last), None, "{last}");
        }
    }

    #[test]
    fn what_is_no_list_is_an_error_and_no_empty_list() {
        for body in
            ["", "<html>", "{}", r#"{"data":null}"#, r#"{"data":{}}"#, r#"{"error":"no"}"#, "null", "7"]
        {
            assert!(page(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn ids_that_no_request_could_use_are_left_out_and_the_list_is_bounded() {
        let long = "x".repeat(ID_AT_MOST + 1);
        let body = format!(
            r#"{{"data":[{{"id":"{long}"}},{{"id":""}},{{"id":"a\nb"}},{{"id":7}},null,"s",{{"id":"ok"}},{{"id":"ok"}}]}}"#
        );
        assert_eq!(ids(&body), ["ok"]);
        let many: Vec<String> =
            (0..MODELS_AT_MOST + 5).map(|number| format!(r#"{{"id":"m{number}"}}"#)).collect();
        assert_eq!(ids(&format!("[{}]", many.join(","))).len(), MODELS_AT_MOST);
    }
}
