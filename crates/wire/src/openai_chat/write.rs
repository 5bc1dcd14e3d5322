//! Writes a stream: events to chunks.

mod envelope;

use std::borrow::Cow;
use std::collections::HashMap;

use bytes::{BufMut, BytesMut};
use serde_json::Value;

use self::envelope::{Ending, Envelope};
use super::read::DONE;
use super::shape::{ImageUrl, out};
use super::{citation, fault, request, response, stop, thought};
use crate::chat::{Event, Extra, Loss, Origin, PartId, PartKind, Piece, Stop, StopReason, ToolKind, Usage};
use crate::dialect::{Dialect, Echo, StreamWriter};
use crate::fault::Fault;
use crate::json_writer::write_json;

/// State of one stream.
#[derive(Debug)]
pub(super) struct Writer {
    echo: Echo,
    envelope: Envelope,
    choices: HashMap<u32, Choice>,
    /// Parts that are open, and what is known of each.
    open: HashMap<PartId, Open>,
    usage: Option<Usage>,
    /// Fields without a canonical name.
    extra: Extra,
    losses: Vec<Loss>,
}

/// What has been written of a choice.
#[derive(Debug, Default)]
struct Choice {
    calls: u32,
    /// Code points of text, which citations count in.
    length: u64,
    refused: bool,
    /// Probabilities of the tokens that the next piece of text tells.
    logprobs: Option<Value>,
}

#[derive(Debug)]
struct Open {
    choice: u32,
    part: Part,
}

#[derive(Debug)]
enum Part {
    /// `before`: code points of text before it.
    Text {
        before: u64,
    },
    Refusal,
    /// A thought; kept whole, for its signature is written with it.
    Thinking {
        text: String,
        id: Option<String>,
        origin: Option<Origin>,
    },
    Call {
        index: u32,
        form: CallForm,
        argued: bool,
    },
    /// Not written.
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CallForm {
    Function,
    Custom,
    /// `function_call`, for clients that sent `functions`.
    Older,
}

impl Writer {
    pub(super) fn new(echo: Echo) -> Self {
        let envelope = Envelope::new(&echo);
        let (choices, open) = (HashMap::new(), HashMap::new());
        Self { echo, envelope, choices, open, usage: None, extra: Extra::default(), losses: Vec::new() }
    }

    fn delta(&mut self, choice: u32, delta: &out::Message<'_>, out: &mut BytesMut) {
        self.envelope.chunk(choice, delta, None, None, out);
    }

    fn lose(&mut self, code: &'static str, choice: u32) {
        self.losses.push(Loss::at(code, format!("choices[{choice}].delta")));
    }

    fn begin(&mut self, id: PartId, choice: u32, kind: &PartKind, out: &mut BytesMut) {
        let part = match kind {
            PartKind::Text => self.text(choice),
            PartKind::Refusal => Part::Refusal,
            PartKind::Thinking { id, origin } => {
                Part::Thinking { text: String::new(), id: id.clone(), origin: origin.clone() }
            }
            PartKind::ToolCall { id, name, kind } => self.call(choice, id, name, *kind, out),
            PartKind::Media { mime, data } if mime.starts_with("image/") => {
                self.picture(choice, mime, data, out);
                Part::Lost
            }
            PartKind::Media { .. } => self.lost("audio_out", choice),
            PartKind::RedactedThinking { .. } => self.lost("thinking_dropped", choice),
            PartKind::ServerTool { .. } => self.lost("server_tool", choice),
        };
        self.open.insert(id, Open { choice, part });
    }

    fn lost(&mut self, code: &'static str, choice: u32) -> Part {
        self.lose(code, choice);
        Part::Lost
    }

    fn text(&mut self, choice: u32) -> Part {
        let written = self.choices.entry(choice).or_default();
        let (before, after_call) = (written.length, written.calls > 0);
        if after_call {
            self.lose("block_order", choice);
        }
        Part::Text { before }
    }

    fn call(&mut self, choice: u32, id: &str, name: &str, kind: ToolKind, out: &mut BytesMut) -> Part {
        let written = self.choices.entry(choice).or_default();
        let index = written.calls;
        written.calls += 1;
        let form = match kind {
            _ if self.echo.legacy_functions => CallForm::Older,
            ToolKind::Custom => CallForm::Custom,
            ToolKind::Function | ToolKind::BuiltIn => CallForm::Function,
        };
        if form == CallForm::Older && index > 0 {
            return self.lost("parallel_tool_calls", choice);
        }
        let called = out::Called { name: Some(name), arguments: Some("") };
        let custom = out::CustomCalled { name: Some(name), input: Some("") };
        let delta = match form {
            CallForm::Older => out::Message { function_call: Some(called), ..Default::default() },
            CallForm::Function => first_piece(index, id, "function", Some(called), None),
            CallForm::Custom => first_piece(index, id, "custom", None, Some(custom)),
        };
        self.delta(choice, &delta, out);
        Part::Call { index, form, argued: false }
    }

    fn picture(&mut self, choice: u32, mime: &str, data: &str, out: &mut BytesMut) {
        let image_url = ImageUrl { url: format!("data:{mime};base64,{data}"), detail: None };
        let images = vec![out::Part::ImageUrl { image_url }];
        self.delta(choice, &out::Message { images, ..Default::default() }, out);
    }

    fn extend(&mut self, id: PartId, piece: &Piece, out: &mut BytesMut) {
        let Some(mut open) = self.open.remove(&id) else { return };
        let choice = open.choice;
        match (&mut open.part, piece) {
            (Part::Text { .. }, Piece::Text(text)) => {
                let written = self.choices.entry(choice).or_default();
                written.length = written.length.saturating_add(text.chars().count() as u64);
                let logprobs = written.logprobs.take();
                let content = Some(out::Content::Text(Cow::Borrowed(text)));
                let delta = out::Message { content, ..Default::default() };
                self.envelope.chunk(choice, &delta, None, logprobs.as_ref(), out);
            }
            (Part::Text { before }, Piece::Citation(cited)) => {
                let (annotation, less) = citation::encode(cited, *before);
                if less {
                    self.lose("citations", choice);
                }
                if annotation.is_some() {
                    let annotations = annotation.into_iter().collect();
                    self.delta(choice, &out::Message { annotations, ..Default::default() }, out);
                }
            }
            (Part::Refusal, Piece::Text(text)) => self.refuse(choice, text, out),
            (Part::Thinking { text: told, .. }, Piece::Text(text)) => {
                told.push_str(text);
                let reasoning_content = Some(Cow::Borrowed(text.as_str()));
                self.delta(choice, &out::Message { reasoning_content, ..Default::default() }, out);
            }
            (Part::Thinking { text, id, origin }, Piece::Signature(seal)) => {
                let detail = thought::detail(text, Some(seal), None, id.as_deref(), origin.as_ref());
                self.detail(choice, detail, out);
            }
            (Part::Thinking { text, id, origin }, Piece::Encrypted(seal)) => {
                let detail = thought::detail(text, None, Some(seal), id.as_deref(), origin.as_ref());
                self.detail(choice, detail, out);
            }
            (Part::Call { index, form, argued }, Piece::ToolInput(args)) if !args.is_empty() => {
                *argued = true;
                let delta = next_piece(*index, *form, args);
                self.delta(choice, &delta, out);
            }
            (Part::Call { index, form: CallForm::Function, .. }, Piece::Signature(seal)) => {
                let extra_content = Some(request::extra_content(seal));
                // Clients take every piece of a call to have a function (openai for Python 3.54, LangChain 1.7).
                let function = Some(out::Called { name: None, arguments: Some("") });
                let call =
                    out::ToolCall { index: Some(*index), function, extra_content, ..Default::default() };
                self.delta(choice, &out::Message { tool_calls: vec![call], ..Default::default() }, out);
            }
            _ => {}
        }
        self.open.insert(id, open);
    }

    fn detail(&mut self, choice: u32, detail: Option<super::shape::ReasoningDetail>, out: &mut BytesMut) {
        let reasoning_details: Vec<_> = detail.into_iter().collect();
        self.delta(choice, &out::Message { reasoning_details, ..Default::default() }, out);
    }

    fn refuse(&mut self, choice: u32, words: &str, out: &mut BytesMut) {
        self.choices.entry(choice).or_default().refused = true;
        let refusal = Some(out::Nullable(Some(Cow::Borrowed(words))));
        self.delta(choice, &out::Message { refusal, ..Default::default() }, out);
    }

    /// A call without arguments has an empty object, for clients parse what they get.
    fn close(&mut self, id: PartId, out: &mut BytesMut) {
        if let Some(Open { choice, part: Part::Call { index, form, argued: false } }) = self.open.remove(&id)
            && form != CallForm::Custom
        {
            self.delta(choice, &next_piece(index, form, "{}"), out);
        }
    }

    /// Holds probabilities back for the text that they are of. What has been held until then has no text.
    fn logprobs(&mut self, choice: u32, raw: &Value, out: &mut BytesMut) {
        let held = self.choices.entry(choice).or_default().logprobs.replace(raw.clone());
        self.without_text(choice, held, out);
    }

    fn without_text(&mut self, choice: u32, logprobs: Option<Value>, out: &mut BytesMut) {
        if logprobs.is_some() {
            self.envelope.chunk(choice, &out::Message::default(), None, logprobs.as_ref(), out);
        }
    }

    fn stop(&mut self, choice: u32, stop: &Stop, out: &mut BytesMut) {
        let held = self.choices.entry(choice).or_default().logprobs.take();
        self.without_text(choice, held, out);
        let refused = self.choices.entry(choice).or_default().refused;
        if let Some(words) = stop.explanation.as_deref()
            && stop.reason == StopReason::Filter
            && !refused
        {
            self.refuse(choice, words, out);
        }
        self.losses.extend(stop::loss(stop.reason, choice));
        let finish_reason = match stop.reason {
            StopReason::ToolUse if self.echo.legacy_functions => "function_call",
            reason => stop::word(reason),
        };
        let (inside, beside) = response::leftover_of(&self.extra, choice);
        let ending = Ending { finish_reason, native: stop.native.as_deref(), extra: beside };
        let delta = out::Message { extra: inside, ..Default::default() };
        self.envelope.chunk(choice, &delta, Some(&ending), None, out);
    }
}

fn first_piece<'a>(
    index: u32,
    id: &'a str,
    kind: &'static str,
    function: Option<out::Called<'a>>,
    custom: Option<out::CustomCalled<'a>>,
) -> out::Message<'a> {
    let call = out::ToolCall {
        index: Some(index),
        id: Some(id),
        kind: Some(kind),
        function,
        custom,
        extra_content: None,
    };
    out::Message { tool_calls: vec![call], ..Default::default() }
}

fn next_piece(index: u32, form: CallForm, args: &str) -> out::Message<'_> {
    let function = out::Called { name: None, arguments: Some(args) };
    let call = out::ToolCall { index: Some(index), ..Default::default() };
    match form {
        CallForm::Older => out::Message { function_call: Some(function), ..Default::default() },
        CallForm::Function => out::Message {
            tool_calls: vec![out::ToolCall { function: Some(function), ..call }],
            ..Default::default()
        },
        CallForm::Custom => {
            let custom = Some(out::CustomCalled { name: None, input: Some(args) });
            out::Message { tool_calls: vec![out::ToolCall { custom, ..call }], ..Default::default() }
        }
    }
}

impl StreamWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            Event::Start { id, model, created } => {
                self.envelope.start(&self.echo, id.as_deref(), model.as_deref(), *created);
            }
            Event::Open { part, choice, kind } => self.begin(*part, *choice, kind, out),
            Event::Delta { part, piece } => self.extend(*part, piece, out),
            Event::Close { part } => self.close(*part, out),
            Event::Logprobs { choice, raw } => self.logprobs(*choice, raw, out),
            Event::Usage(usage) => self.usage.get_or_insert_default().update(usage),
            Event::ServiceTier(tier) => self.envelope.service_tier(tier),
            Event::Fields(fields) => {
                fields.report(Dialect::OpenAiChat, &mut self.losses);
                self.extra.update(fields);
                self.envelope.extra(&self.extra);
            }
            Event::Foreign { from: Dialect::OpenAiChat, data } => {
                out.put_slice(b"data: ");
                out.put_slice(data);
                out.put_slice(b"\n\n");
            }
            Event::Foreign { .. } => self.lose("foreign", 0),
            Event::Stop { choice, stop } => self.stop(*choice, stop, out),
        }
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if let Some(usage) = self.usage.as_ref().filter(|_| self.echo.include_usage) {
            self.envelope.usage(usage, out);
        }
        out.put_slice(b"data: ");
        out.put_slice(DONE.as_bytes());
        out.put_slice(b"\n\n");
    }

    fn fail(&mut self, fault: &Fault, out: &mut BytesMut) {
        fail(fault, &self.echo.request_id, out);
    }

    fn losses(&mut self) -> Vec<Loss> {
        std::mem::take(&mut self.losses)
    }
}

/// An error as the last event of a stream.
pub(super) fn fail(fault: &Fault, request_id: &str, out: &mut BytesMut) {
    out.put_slice(b"data: ");
    write_json(out, &fault::object(fault, request_id));
    out.put_slice(b"\n\n");
}
