//! The events of a streamed response, numbered from 0.

use serde_json::{Value, json};

use super::{content, envelope, finish, id, input_field, item, opened, text_part};
use crate::answer::{Answer, Call, Part};
use crate::ask::Ask;
use crate::stream::{Event, Tag};

/// All events, from first to last.
pub(super) fn write(ask: &Ask, answer: &Answer) -> Vec<Event> {
    let mut writer = Writer { ask, answer, events: Vec::new() };
    let mut response = envelope(ask);
    writer.say(Tag::Open, "response.created", json!({"response": response}));
    writer.say(Tag::Open, "response.in_progress", json!({"response": response}));
    for (place, part) in answer.parts.iter().enumerate() {
        writer.item(place, part);
    }
    finish(&mut response, ask, answer);
    let ended = if response["status"] == "completed" { "response.completed" } else { "response.incomplete" };
    writer.say(Tag::Finish, ended, json!({"response": response}));
    writer.events
}

struct Writer<'a> {
    ask: &'a Ask,
    answer: &'a Answer,
    events: Vec<Event>,
}

impl Writer<'_> {
    fn say(&mut self, tag: Tag, name: &'static str, fields: Value) {
        let mut data = json!({"type": name, "sequence_number": self.events.len()});
        if let (Some(data), Value::Object(fields)) = (data.as_object_mut(), fields) {
            data.extend(fields);
        }
        self.events.push(Event { tag, name: Some(name), data: data.to_string() });
    }

    fn item(&mut self, place: usize, part: &Part) {
        let begun = opened(self.ask, self.answer, place, part);
        self.say(Tag::Open, "response.output_item.added", json!({"output_index": place, "item": begun}));
        let within = Within { item: id(self.ask, self.answer, place, part), place };
        match part {
            Part::Thinking(pieces) => self.summary(&within, pieces),
            Part::Text(pieces) => self.text(&within, part, pieces),
            Part::Refusal(pieces) => self.refusal(&within, part, pieces),
            Part::Call(call) => self.call(&within, call),
        }
        let done = item(self.ask, self.answer, place, part);
        self.say(Tag::Open, "response.output_item.done", json!({"output_index": place, "item": done}));
    }

    fn summary(&mut self, within: &Within, pieces: &[String]) {
        let part = |text: &str| json!({"type": "summary_text", "text": text});
        let whole = pieces.concat();
        let added = within.summary(json!({"part": part("")}));
        self.say(Tag::Open, "response.reasoning_summary_part.added", added);
        for piece in pieces {
            self.say(
                Tag::Content,
                "response.reasoning_summary_text.delta",
                within.summary(json!({"delta": piece})),
            );
        }
        self.say(Tag::Open, "response.reasoning_summary_text.done", within.summary(json!({"text": whole})));
        self.say(
            Tag::Open,
            "response.reasoning_summary_part.done",
            within.summary(json!({"part": part(&whole)})),
        );
    }

    fn text(&mut self, within: &Within, part: &Part, pieces: &[String]) {
        let added = within.content(json!({"part": text_part("")}));
        self.say(Tag::Open, "response.content_part.added", added);
        for piece in pieces {
            let delta = within.content(json!({"delta": piece, "logprobs": []}));
            self.say(Tag::Content, "response.output_text.delta", delta);
        }
        let done = within.content(json!({"text": pieces.concat(), "logprobs": []}));
        self.say(Tag::Open, "response.output_text.done", done);
        self.say(Tag::Open, "response.content_part.done", within.content(json!({"part": content(part)})));
    }

    fn refusal(&mut self, within: &Within, part: &Part, pieces: &[String]) {
        let empty = json!({"type": "refusal", "refusal": ""});
        self.say(Tag::Open, "response.content_part.added", within.content(json!({"part": empty})));
        for piece in pieces {
            self.say(Tag::Content, "response.refusal.delta", within.content(json!({"delta": piece})));
        }
        self.say(Tag::Open, "response.refusal.done", within.content(json!({"refusal": pieces.concat()})));
        self.say(Tag::Open, "response.content_part.done", within.content(json!({"part": content(part)})));
    }

    fn call(&mut self, within: &Within, call: &Call) {
        let (delta, done) = if call.custom {
            ("response.custom_tool_call_input.delta", "response.custom_tool_call_input.done")
        } else {
            ("response.function_call_arguments.delta", "response.function_call_arguments.done")
        };
        for piece in &call.arguments {
            self.say(Tag::Content, delta, within.fields(json!({"delta": piece})));
        }
        let whole = json!({input_field(call): call.arguments.concat()});
        self.say(Tag::Open, done, within.fields(whole));
    }
}

/// Where in the output an event belongs.
struct Within {
    item: String,
    place: usize,
}

impl Within {
    fn fields(&self, more: Value) -> Value {
        let mut fields = json!({"item_id": self.item, "output_index": self.place});
        if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
            fields.extend(more);
        }
        fields
    }

    fn content(&self, mut more: Value) -> Value {
        more["content_index"] = json!(0);
        self.fields(more)
    }

    fn summary(&self, mut more: Value) -> Value {
        more["summary_index"] = json!(0);
        self.fields(more)
    }
}
