//! Server-sent events on paper: the legal spellings a reader must bear.

use crate::script::{Eol, Spelling};
use crate::stream::{Event, Frame};

/// Writes events in the spelling the script asks for.
pub(crate) fn frames(events: &[Event], spelling: Spelling) -> Vec<Frame> {
    let mut frames: Vec<Frame> =
        events.iter().map(|event| Frame { tag: event.tag, bytes: spell(event, spelling).into() }).collect();
    if let Some(first) = frames.first_mut().filter(|_| spelling.bom) {
        first.bytes = ["\u{feff}".as_bytes(), &first.bytes].concat().into();
    }
    frames
}

fn spell(event: &Event, spelling: Spelling) -> String {
    let eol = match spelling.eol {
        Eol::Lf => "\n",
        Eol::CrLf => "\r\n",
        Eol::Cr => "\r",
    };
    let colon = if spelling.nospace { ":" } else { ": " };
    let mut text = String::new();
    if spelling.comments {
        text.push_str(&format!(": FAKEPROV PROCESSING{eol}{eol}"));
    }
    if let Some(name) = event.name {
        text.push_str(&format!("event{colon}{name}{eol}"));
    }
    for line in lines(&event.data, spelling.multiline) {
        text.push_str(&format!("data{colon}{line}{eol}"));
    }
    text + eol
}

/// The data as one line, or as the lines of indented JSON: between tokens a line break means nothing.
fn lines(data: &str, multiline: bool) -> Vec<String> {
    let indented = || {
        let value: serde_json::Value = serde_json::from_str(data).ok()?;
        serde_json::to_string_pretty(&value).ok()
    };
    match indented().filter(|_| multiline) {
        Some(text) => text.lines().map(str::to_owned).collect(),
        None => vec![data.to_owned()],
    }
}
