//! Events to a whole answer, and back.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{ChatResponse, Choice, Event, MediaSource, Part, PartId, PartKind, Piece, Stop, StopReason};

/// Gathers the events of a stream into a whole answer. Takes any sequence of events: what breaks the grammar (a piece
/// of a part that is not open, a text for a call) is left out.
#[derive(Debug, Default)]
pub struct Fold {
    response: ChatResponse,
    choices: BTreeMap<u32, Gathered>,
    /// Open parts: choice and position there.
    open: HashMap<PartId, (u32, usize)>,
}

#[derive(Debug, Default)]
struct Gathered {
    parts: Vec<Part>,
    stop: Option<Stop>,
    logprobs: Option<Value>,
}

impl Fold {
    /// Nothing gathered yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event of the stream.
    pub fn push(&mut self, event: &Event) {
        match event {
            Event::Start { id, model, created } => self.start(id.as_ref(), model.as_ref(), *created),
            Event::Open { part, choice, kind } => self.open(*part, *choice, kind),
            Event::Delta { part, piece } => self.extend(*part, piece),
            Event::Close { part } => drop(self.open.remove(part)),
            Event::Logprobs { choice, raw } => merge_logprobs(&mut self.choice(*choice).logprobs, raw),
            Event::Usage(usage) => self.response.usage.get_or_insert_default().update(usage),
            Event::ServiceTier(tier) => self.response.service_tier = Some(tier.clone()),
            Event::Fields(fields) => self.response.extra.update(fields),
            Event::Foreign { .. } => {}
            Event::Stop { choice, stop } => self.choice(*choice).stop = Some(stop.clone()),
        }
    }

    /// The answer so far. A choice that has not stopped ends in [`StopReason::Error`]: a cut is not passed off as
    /// complete.
    pub fn finish(self) -> ChatResponse {
        let mut response = self.response;
        response.choices =
            self.choices.into_iter().map(|(index, gathered)| gathered.into_choice(index)).collect();
        response
    }

    /// The first value of each field stands.
    fn start(&mut self, id: Option<&String>, model: Option<&String>, created: Option<u64>) {
        let response = &mut self.response;
        response.id = response.id.take().or_else(|| id.cloned());
        response.model = response.model.take().or_else(|| model.cloned());
        response.created = response.created.or(created);
    }

    fn open(&mut self, id: PartId, choice: u32, kind: &PartKind) {
        let parts = &mut self.choice(choice).parts;
        parts.push(opened(kind));
        let position = parts.len() - 1;
        self.open.insert(id, (choice, position));
    }

    fn extend(&mut self, id: PartId, piece: &Piece) {
        let Some(&(choice, position)) = self.open.get(&id) else { return };
        if let Some(part) = self.choice(choice).parts.get_mut(position) {
            extend(part, piece);
        }
    }

    fn choice(&mut self, index: u32) -> &mut Gathered {
        self.choices.entry(index).or_default()
    }
}

impl Gathered {
    fn into_choice(self, index: u32) -> Choice {
        let stop = self.stop.unwrap_or_else(|| StopReason::Error.into());
        Choice { index, parts: self.parts, stop, logprobs: self.logprobs }
    }
}

/// The part that an opening begins, still empty.
fn opened(kind: &PartKind) -> Part {
    match kind.clone() {
        PartKind::Text => Part::text(""),
        PartKind::Refusal => Part::Refusal { text: String::new() },
        PartKind::Thinking { id, origin } => {
            Part::Thinking { text: String::new(), signature: None, encrypted: None, id, origin }
        }
        PartKind::RedactedThinking { data, origin } => Part::RedactedThinking { data, origin },
        PartKind::ToolCall { id, name, kind } => {
            Part::ToolCall { id, name, args: String::new(), signature: None, kind }
        }
        PartKind::ServerTool { raw, origin } => Part::ServerTool { raw, origin },
        PartKind::Media { mime, data } => media(mime, data),
    }
}

fn media(mime: String, data: String) -> Part {
    match mime.split_once('/') {
        Some(("image", _)) => {
            Part::Image { source: MediaSource::Base64 { mime, data }, detail: None, cache: None }
        }
        Some(("audio", format)) => Part::Audio { format: format.to_owned(), data },
        _ => Part::File { source: MediaSource::Base64 { mime, data }, name: None, cache: None },
    }
}

fn extend(part: &mut Part, piece: &Piece) {
    match (part, piece) {
        (
            Part::Text { text, .. } | Part::Thinking { text, .. } | Part::Refusal { text },
            Piece::Text(more),
        ) => text.push_str(more),
        (Part::ToolCall { args, .. }, Piece::ToolInput(more)) => args.push_str(more),
        (Part::Thinking { signature, .. } | Part::ToolCall { signature, .. }, Piece::Signature(whole)) => {
            *signature = Some(whole.clone());
        }
        (Part::Thinking { encrypted, .. }, Piece::Encrypted(whole)) => *encrypted = Some(whole.clone()),
        (Part::Text { citations, .. }, Piece::Citation(citation)) => citations.push(citation.clone()),
        _ => {}
    }
}

/// Logprobs come in chunks of lists, one entry a token: the lists are joined name by name.
fn merge_logprobs(gathered: &mut Option<Value>, chunk: &Value) {
    let Some(Value::Object(mine)) = gathered else {
        *gathered = Some(chunk.clone());
        return;
    };
    let Value::Object(theirs) = chunk else { return };
    for (name, value) in theirs {
        match (mine.get_mut(name), value) {
            (Some(Value::Array(list)), Value::Array(more)) => list.extend(more.iter().cloned()),
            (Some(_), Value::Null) => {}
            _ => drop(mine.insert(name.clone(), value.clone())),
        }
    }
}

/// The events of a whole answer, each part in one piece.
///
/// What no stream says has no event and is left out: parts that only requests have (tool results, media by
/// reference, foreign parts) and names of media.
pub fn unfold(response: &ChatResponse) -> Vec<Event> {
    let mut events = vec![Event::Start {
        id: response.id.clone(),
        model: response.model.clone(),
        created: response.created,
    }];
    let mut ids = (0..).map(PartId);
    for choice in &response.choices {
        unfold_choice(choice, &mut ids, &mut events);
    }
    events.extend(response.service_tier.clone().map(Event::ServiceTier));
    events.extend(response.extra.from.map(|_| Event::Fields(response.extra.clone())));
    events.extend(response.usage.map(Event::Usage));
    events.extend(response.choices.iter().map(|it| Event::Stop { choice: it.index, stop: it.stop.clone() }));
    events
}

fn unfold_choice(choice: &Choice, ids: &mut impl Iterator<Item = PartId>, events: &mut Vec<Event>) {
    let logprobs = choice.logprobs.clone();
    events.extend(logprobs.map(|raw| Event::Logprobs { choice: choice.index, raw }));
    let parts = choice.parts.iter().filter_map(|part| Some((opening(part)?, pieces(part))));
    for ((kind, pieces), part) in parts.zip(ids) {
        events.push(Event::Open { part, choice: choice.index, kind });
        events.extend(pieces.into_iter().map(|piece| Event::Delta { part, piece }));
        events.push(Event::Close { part });
    }
}

/// How a part opens in a stream; `None`: no stream has such a part.
pub(crate) fn opening(part: &Part) -> Option<PartKind> {
    Some(match part.clone() {
        Part::Text { .. } => PartKind::Text,
        Part::Refusal { .. } => PartKind::Refusal,
        Part::Thinking { id, origin, .. } => PartKind::Thinking { id, origin },
        Part::RedactedThinking { data, origin } => PartKind::RedactedThinking { data, origin },
        Part::ToolCall { id, name, kind, .. } => PartKind::ToolCall { id, name, kind },
        Part::ServerTool { raw, origin } => PartKind::ServerTool { raw, origin },
        Part::Audio { data, format } => PartKind::Media { mime: format!("audio/{format}"), data },
        Part::Image { source: MediaSource::Base64 { mime, data }, .. }
        | Part::File { source: MediaSource::Base64 { mime, data }, .. } => PartKind::Media { mime, data },
        Part::Image { .. } | Part::File { .. } | Part::ToolResult { .. } | Part::Foreign { .. } => {
            return None;
        }
    })
}

/// What a part consists of, after its opening.
pub(crate) fn pieces(part: &Part) -> Vec<Piece> {
    let text = |text: &String| (!text.is_empty()).then(|| Piece::Text(text.clone()));
    match part {
        Part::Text { text: visible, citations, .. } => {
            text(visible).into_iter().chain(citations.iter().cloned().map(Piece::Citation)).collect()
        }
        Part::Refusal { text: words } => text(words).into_iter().collect(),
        Part::Thinking { text: thought, signature, encrypted, .. } => {
            let signature = signature.clone().map(Piece::Signature);
            text(thought)
                .into_iter()
                .chain(signature)
                .chain(encrypted.clone().map(Piece::Encrypted))
                .collect()
        }
        Part::ToolCall { args, signature, .. } => {
            let args = (!args.is_empty()).then(|| Piece::ToolInput(args.clone()));
            signature.clone().map(Piece::Signature).into_iter().chain(args).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::{ToolKind, Usage};

    fn folded(events: &[Event]) -> ChatResponse {
        let mut fold = Fold::new();
        events.iter().for_each(|event| fold.push(event));
        fold.finish()
    }

    #[test]
    fn parts_that_are_open_at_the_same_time_do_not_mix() {
        let call =
            |id: &str| PartKind::ToolCall { id: id.into(), name: "f".into(), kind: ToolKind::Function };
        let input = |part, text: &str| Event::Delta { part, piece: Piece::ToolInput(text.into()) };
        let (a, b) = (PartId(0), PartId(1));
        let response = folded(&[
            Event::Open { part: a, choice: 0, kind: call("a") },
            input(a, "{\"x\""),
            Event::Open { part: b, choice: 0, kind: call("b") },
            input(b, "{}"),
            input(a, ":1}"),
            Event::Stop { choice: 0, stop: StopReason::ToolUse.into() },
        ]);
        let args: Vec<_> = response.choices[0]
            .parts
            .iter()
            .map(|part| match part {
                Part::ToolCall { args, .. } => args.as_str(),
                other => panic!("not a call: {other:?}"),
            })
            .collect();
        assert_eq!(args, ["{\"x\":1}", "{}"]);
    }

    #[test]
    fn a_choice_that_never_stopped_is_not_passed_off_as_complete() {
        let response = folded(&[Event::Open { part: PartId(0), choice: 0, kind: PartKind::Text }]);
        assert_eq!(response.choices[0].stop.reason, StopReason::Error);
    }

    #[test]
    fn a_piece_without_its_part_is_left_out() {
        let stray = Event::Delta { part: PartId(7), piece: Piece::Text("stray".into()) };
        assert_eq!(folded(&[stray, Event::Close { part: PartId(7) }]), ChatResponse::default());
    }

    #[test]
    fn logprobs_of_all_chunks_are_joined() {
        let chunk =
            |token: &str| Event::Logprobs { choice: 0, raw: json!({"content": [token], "refusal": null}) };
        let response = folded(&[chunk("a"), chunk("b")]);
        assert_eq!(response.choices[0].logprobs, Some(json!({"content": ["a", "b"], "refusal": null})));
    }

    #[test]
    fn the_last_count_of_each_usage_field_stands() {
        let usage = |input, output| Event::Usage(Usage { input, output, ..Usage::default() });
        let response = folded(&[usage(Some(10), Some(1)), usage(None, Some(5))]);
        assert_eq!(response.usage, Some(Usage { input: Some(10), output: Some(5), ..Usage::default() }));
    }
}
