//! The legacy Completions wire: a prompt, and the text that follows it. Source: the provider's API reference for completions.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::ask::Ask;
use crate::http::Request;
use crate::openai;
use crate::script::{Script, Stop};
use crate::stream::{Event, Tag};
use crate::wire::{Refusal, Wire, bearer, is, list, require, unknown};

/// Speaks `POST /completions`.
pub(crate) struct Completions;

const FIELDS: &[&str] = &[
    "model",
    "prompt",
    "best_of",
    "echo",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_tokens",
    "n",
    "presence_penalty",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "suffix",
    "temperature",
    "top_p",
    "user",
];

impl Wire for Completions {
    fn key<'a>(&self, request: &'a Request) -> Option<&'a str> {
        bearer(request)
    }

    fn judge(&self, _request: &Request, body: &Value, script: &Script) -> Result<Ask, Refusal> {
        require(body.is_object(), "body", "We could not parse the JSON body of your request.")?;
        require(body["model"].is_string(), "model", "you must provide a model parameter")?;
        let stranger = unknown(body, FIELDS).filter(|_| !script.lenient);
        if let Some(name) = stranger {
            return Err(Refusal::field(name, format!("Unrecognized request argument supplied: {name}")));
        }
        let counts = is(&body["max_tokens"], Value::is_u64);
        require(counts, "max_tokens", "Invalid 'max_tokens': expected an integer")?;
        Ok(Ask {
            model: body["model"].as_str().unwrap_or_default().to_owned(),
            stream: body["stream"] == true,
            usage: body["stream_options"]["include_usage"] == true,
            choices: body["n"].as_u64().unwrap_or(1),
            text: prompt(&body["prompt"])?,
            echo: body["echo"].clone(),
            ..Ask::default()
        })
    }

    fn whole(&self, ask: &Ask, answer: &Answer) -> Value {
        let before = if ask.echo == true { ask.text.as_str() } else { "" };
        let text = format!("{before}{}", answer.text());
        let mut body = envelope(ask);
        body["choices"] = (0..ask.choices).map(|index| choice(index, &text, Some(answer.stop))).collect();
        if let Some(usage) = openai::usage(answer.usage) {
            body["usage"] = usage;
        }
        body
    }

    fn stream(&self, ask: &Ask, answer: &Answer) -> Vec<Event> {
        let chunk = |tag, text: &str, stop| {
            let mut body = envelope(ask);
            body["choices"] = (0..ask.choices).map(|index| choice(index, text, stop)).collect();
            Event::plain(tag, &body)
        };
        let mut events: Vec<Event> = answer.pieces().map(|piece| chunk(Tag::Content, piece, None)).collect();
        events.push(chunk(Tag::Finish, "", Some(answer.stop)));
        if let Some(usage) = openai::usage(answer.usage).filter(|_| ask.usage) {
            let mut body = envelope(ask);
            body["usage"] = usage;
            events.push(Event::plain(Tag::Usage, &body));
        }
        events.push(Event { tag: Tag::Done, name: None, data: "[DONE]".into() });
        events
    }

    fn error(&self, refusal: &Refusal) -> Value {
        openai::error(refusal)
    }

    fn error_events(&self, refusal: &Refusal, _sent: usize) -> Vec<Event> {
        vec![Event::plain(Tag::Open, &self.error(refusal))]
    }
}

/// The text of a prompt: itself, or the first of several. Tokens have none.
fn prompt(prompt: &Value) -> Result<String, Refusal> {
    match prompt {
        Value::String(text) => Ok(text.clone()),
        Value::Array(all) if !all.is_empty() => Ok(list(prompt)[0].as_str().unwrap_or_default().to_owned()),
        _ => Err(Refusal::field(
            "prompt",
            "Invalid 'prompt': expected a string, an array of strings or of tokens",
        )),
    }
}

fn choice(index: u64, text: &str, stop: Option<Stop>) -> Value {
    json!({"index": index, "text": text, "logprobs": null, "finish_reason": stop.map(openai::finish)})
}

fn envelope(ask: &Ask) -> Value {
    json!({
        "id": format!("cmpl-fake-{}", ask.serial), "object": "text_completion", "created": openai::CREATED,
        "model": ask.model, "choices": [],
    })
}
