//! Decides what is answered, before any wire spells it.

use serde_json::{Value, json};

use crate::ask::{Ask, Forced, Format, Tool};
use crate::faults::Fault;
use crate::schema;
use crate::script::{Kind, Script, Stop};

/// What `text` answers: characters of one, two, three and four bytes.
pub const TEXT: &str =
    "Hello from the scripted provider: Gr\u{fc}\u{df}e, \u{4f60}\u{597d}, \u{1f980} and \u{20ac} 5.";

/// What `thinking` thinks.
const THOUGHT: &str = "The user wants an answer \u{2013} think first, then speak.";

/// Stands before a call that a user text orders of `obey`.
const ORDER: &str = "CALL ";

/// What `refusal` says.
const REFUSAL: &str = "I'm sorry, but I can't help with that.";

/// An answer of no wire yet.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) parts: Vec<Part>,
    pub(crate) stop: Stop,
    pub(crate) usage: Usage,
}

/// A part of an answer. Texts and arguments are in the pieces a stream sends.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Thinking(Vec<String>),
    Text(Vec<String>),
    /// Words by which the model declines.
    Refusal(Vec<String>),
    Call(Call),
}

/// A call of a tool.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) name: String,
    /// JSON, or the free text of a custom tool.
    pub(crate) arguments: Vec<String>,
    pub(crate) custom: bool,
}

impl Call {
    /// The arguments as the object they are.
    pub(crate) fn object(&self) -> Value {
        serde_json::from_str(&self.arguments.concat()).expect("arguments are JSON we wrote")
    }
}

/// What is said of tokens spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usage {
    /// Prompt 25, of which 5 came from a cache; output as many as pieces, thoughts among them.
    Counted {
        output: usize,
        reasoning: usize,
    },
    Absent,
    /// Negative, huge and textual numbers.
    Odd,
}

impl Answer {
    /// The whole visible text.
    pub(crate) fn text(&self) -> String {
        self.parts
            .iter()
            .filter_map(|part| if let Part::Text(pieces) = part { Some(pieces.concat()) } else { None })
            .collect()
    }

    /// The pieces of the visible text.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &str> {
        let texts = self.parts.iter().filter_map(|part| {
            if let Part::Text(pieces) | Part::Refusal(pieces) = part { Some(pieces) } else { None }
        });
        texts.flatten().map(String::as_str)
    }

    /// The words by which the model declines, if it does.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.parts
            .iter()
            .find_map(|part| if let Part::Refusal(pieces) = part { Some(pieces.concat()) } else { None })
    }

    /// The prompt itself was refused: there is nothing but that.
    pub(crate) fn blocked(&self) -> bool {
        self.parts.is_empty() && self.stop == Stop::Filter
    }

    /// The calls.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &Call> {
        self.parts.iter().filter_map(|part| if let Part::Call(call) = part { Some(call) } else { None })
    }

    /// The whole thought.
    pub(crate) fn thought(&self) -> String {
        self.parts
            .iter()
            .filter_map(|part| if let Part::Thinking(pieces) = part { Some(pieces.concat()) } else { None })
            .collect()
    }
}

/// Answers a request as the script orders.
pub(crate) fn compose(script: &Script, ask: &Ask) -> Answer {
    if script.kind == Kind::PromptBlock {
        return Answer { parts: Vec::new(), stop: Stop::Filter, usage: usage(script, &[]) };
    }
    let mut parts = Vec::new();
    if script.thinking && !ask.thoughtless {
        parts.push(Part::Thinking(words(THOUGHT)));
    }
    let calls = calls(script, ask);
    let called = !calls.is_empty();
    if called {
        parts.extend(calls);
    } else if script.kind == Kind::Refusal {
        parts.push(Part::Refusal(words(REFUSAL)));
    } else {
        parts.push(Part::Text(text(script, ask)));
    }
    let usual = if called { Stop::Tool } else { Stop::End };
    Answer { stop: script.stop.unwrap_or(usual), usage: usage(script, &parts), parts }
}

fn usage(script: &Script, parts: &[Part]) -> Usage {
    let count = |thoughts: bool| {
        let pieces = parts.iter().map(|part| match part {
            Part::Thinking(pieces) => pieces.len() * usize::from(thoughts),
            Part::Text(pieces) | Part::Refusal(pieces) | Part::Call(Call { arguments: pieces, .. }) => {
                pieces.len() * usize::from(!thoughts)
            }
        });
        pieces.sum::<usize>()
    };
    match script.fault {
        _ if script.nousage => Usage::Absent,
        Some(Fault::OddUsage) => Usage::Odd,
        _ => Usage::Counted { output: count(false) + count(true), reasoning: count(true) },
    }
}

fn calls(script: &Script, ask: &Ask) -> Vec<Part> {
    if script.kind == Kind::Obey && ask.forced == Forced::No {
        return ordered(ask).into_iter().collect();
    }
    let chosen: Vec<&Tool> = match (&ask.forced, &script.kind) {
        (Forced::Never, _) => Vec::new(),
        (Forced::Named(name), _) => ask.tools.iter().filter(|tool| tool.name == *name).collect(),
        (_, Kind::ToolsParallel) if ask.results.is_empty() => {
            let repeat = if ask.tools.len() == 1 { 2 } else { 1 };
            ask.tools.iter().cycle().take(ask.tools.len() * repeat).collect()
        }
        (_, Kind::Tool) if ask.results.is_empty() => ask.tools.iter().take(1).collect(),
        (Forced::Any, _) => ask.tools.iter().take(1).collect(),
        (Forced::No, _) => Vec::new(),
    };
    chosen.iter().enumerate().map(|(place, tool)| filled(tool, ask.serial, place)).collect()
}

/// The call that the user orders, unless it was made or the tool is not on offer.
fn ordered(ask: &Ask) -> Option<Part> {
    if !ask.results.is_empty() {
        return None;
    }
    let read = |at: usize| {
        let (name, rest) = ask.text[at + ORDER.len()..].split_once(' ')?;
        let tool = ask.tools.iter().find(|tool| tool.name == name && !tool.custom)?;
        // Programs wrap what their user said: whatever follows the arguments is not ours.
        let arguments = serde_json::Deserializer::from_str(rest).into_iter::<Value>().next()?.ok()?;
        arguments.is_object().then(|| call(tool, &arguments.to_string(), ask.serial, 0))
    };
    ask.text.match_indices(ORDER).find_map(|(at, _)| read(at))
}

/// A call with the least arguments that its schema allows.
fn filled(tool: &Tool, serial: usize, place: usize) -> Part {
    let arguments = if tool.custom { TEXT.to_owned() } else { schema::fill(&tool.schema).to_string() };
    call(tool, &arguments, serial, place)
}

fn call(tool: &Tool, arguments: &str, serial: usize, place: usize) -> Part {
    Part::Call(Call {
        id: format!("call_fake_{serial}_{place}"),
        name: tool.name.clone(),
        arguments: every(arguments, 7),
        custom: tool.custom,
    })
}

fn text(script: &Script, ask: &Ask) -> Vec<String> {
    match &ask.format {
        Format::Schema(schema) => return every(&schema::fill(schema).to_string(), 9),
        Format::Json => return every(&json!({"answer": TEXT}).to_string(), 9),
        Format::Text => {}
    }
    if !ask.results.is_empty() {
        return words(&quote(ask));
    }
    match script.kind {
        Kind::Json => every(&json!({"answer": TEXT}).to_string(), 9),
        Kind::Echo => words(&ask.text),
        Kind::ImageEcho => words(&images(&ask.images)),
        _ => numbered(script).unwrap_or_else(|| words(TEXT)),
    }
}

/// `n` pieces of `size` bytes, each with its number, when the script asks for either.
fn numbered(script: &Script) -> Option<Vec<String>> {
    let size = script
        .size
        .filter(|_| !matches!(script.fault, Some(Fault::GiantEvent | Fault::EndlessLine | Fault::Firehose)));
    if script.pieces.is_none() && size.is_none() {
        return None;
    }
    let piece = |number: usize| {
        let number = format!("{number} ");
        let filler = ".".repeat(size.unwrap_or(0).saturating_sub(number.len()));
        number + &filler
    };
    Some((0..script.pieces.unwrap_or(1)).map(piece).collect())
}

fn quote(ask: &Ask) -> String {
    let quoted = ask.results.iter().map(|result| {
        let failed = if result.is_error { " failed with" } else { "" };
        format!("{}{failed}: {}", result.call, result.text)
    });
    let quoted: Vec<String> = quoted.collect();
    let seen = if ask.images.is_empty() { String::new() } else { format!(" ({})", images(&ask.images)) };
    format!("Tool results: {}{seen}", quoted.join("; "))
}

fn images(types: &[String]) -> String {
    match types.len() {
        0 => "no images".to_owned(),
        1 => format!("1 image: {}", types[0]),
        count => format!("{count} images: {}", types.join(", ")),
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_inclusive(' ').map(str::to_owned).collect()
}

/// Pieces of so many characters.
fn every(text: &str, characters: usize) -> Vec<String> {
    let all: Vec<char> = text.chars().collect();
    all.chunks(characters).map(|piece| piece.iter().collect()).collect()
}
