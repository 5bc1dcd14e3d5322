//! Reads a stream: lines to events. A whole answer is read as a stream of one line.

use super::shape::{Line, ToolCall};
use crate::chat::{Event, PartId, PartKind, Piece, Stop, StopReason, ToolKind, Undo};
use crate::dialect::StreamReader;
use crate::fault::Fault;
use crate::frame::Frame;
use crate::json_writer::compact;
use crate::openai::names;

/// The only choice.
const CHOICE: u32 = 0;

/// State of one stream. It is whole when a line says that it is done.
#[derive(Debug)]
pub(super) struct Reader {
    undo: Undo,
    started: bool,
    done: bool,
    /// What the ids of calls follow from, where the server gives none.
    answer_id: String,
    parts: u32,
    calls: usize,
    open: Option<(PartId, Prose)>,
}

/// Parts that go on over several lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prose {
    Text,
    Thinking,
}

impl Reader {
    pub(super) fn new(undo: &Undo) -> Self {
        Self {
            undo: undo.clone(),
            started: false,
            done: false,
            answer_id: String::new(),
            parts: 0,
            calls: 0,
            open: None,
        }
    }

    fn line(&mut self, mut line: Line<'_>, out: &mut Vec<Event>) {
        self.start(&mut line, out);
        let usage = line.usage();
        let message = line.message.unwrap_or_default();
        self.text(Prose::Thinking, message.thinking, out);
        self.text(Prose::Text, message.content, out);
        for call in message.tool_calls.unwrap_or_default() {
            self.call(call, out);
        }
        out.extend(usage.map(Event::Usage));
        if line.done == Some(true) {
            self.close(out);
            self.done = true;
            out.push(Event::Stop { choice: CHOICE, stop: stop(line.done_reason.as_deref(), self.calls > 0) });
        }
    }

    fn start(&mut self, line: &mut Line<'_>, out: &mut Vec<Event>) {
        if self.started {
            return;
        }
        self.started = true;
        self.answer_id = line.created_at.take().unwrap_or_default();
        let model = line.model.take().filter(|model| !model.is_empty());
        out.push(Event::Start { id: None, model, created: None });
    }

    fn text(&mut self, prose: Prose, text: Option<String>, out: &mut Vec<Event>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        let part = match self.open {
            Some((part, open)) if open == prose => part,
            _ => {
                self.close(out);
                let kind = match prose {
                    Prose::Text => PartKind::Text,
                    Prose::Thinking => PartKind::Thinking { id: None, origin: None },
                };
                let part = self.open(kind, out);
                self.open = Some((part, prose));
                part
            }
        };
        out.push(Event::Delta { part, piece: Piece::Text(text) });
    }

    /// Calls come whole.
    fn call(&mut self, call: ToolCall<'_>, out: &mut Vec<Event>) {
        self.close(out);
        let made_up = || names::call_id(&self.answer_id, CHOICE, self.calls);
        let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(made_up);
        self.calls += 1;
        let name = self.undo.tool_name(&call.function.name.unwrap_or_default());
        let args = call.function.arguments.map_or_else(|| "{}".to_owned(), |args| compact(args.get()));
        let custom = self.undo.custom_tools.contains(&name);
        let (kind, args) =
            if custom { (ToolKind::Custom, free_text(args)) } else { (ToolKind::Function, args) };
        let part = self.open(PartKind::ToolCall { id, name, kind }, out);
        out.push(Event::Delta { part, piece: Piece::ToolInput(args) });
        out.push(Event::Close { part });
    }

    fn open(&mut self, kind: PartKind, out: &mut Vec<Event>) -> PartId {
        let part = PartId(self.parts);
        self.parts = self.parts.saturating_add(1);
        out.push(Event::Open { part, choice: CHOICE, kind });
        part
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        if let Some((part, _)) = self.open.take() {
            out.push(Event::Close { part });
        }
    }
}

/// The free text of a custom tool, which is the string `input`; arguments in another shape stand for themselves.
fn free_text(args: String) -> String {
    #[derive(serde::Deserialize)]
    struct Wrapped {
        input: String,
    }
    serde_json::from_str::<Wrapped>(&args).map_or(args, |wrapped| wrapped.input)
}

/// Why the answer ended: `stop`, `length`, or a word about the server itself (`load`, `unload`).
pub(super) fn stop(word: Option<&str>, called: bool) -> Stop {
    let reason = match word {
        Some("length") => StopReason::Length,
        _ if called => StopReason::ToolUse,
        _ => StopReason::End,
    };
    let native = word.filter(|word| !matches!(*word, "" | "stop" | "length")).map(str::to_owned);
    Stop { native, ..Stop::from(reason) }
}

impl StreamReader for Reader {
    /// What follows the last line is not heard.
    fn read(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Fault> {
        if !self.done {
            self.line(Line::read(frame.data)?, out);
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<Event>) -> Result<(), Fault> {
        if self.done {
            return Ok(());
        }
        let why = "it ended without a line that says it is done".to_owned();
        Err(Fault::Cut { provider: String::new(), why })
    }
}
