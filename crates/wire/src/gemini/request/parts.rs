//! Parts of a turn, encoded.

use std::borrow::Cow;

use serde_json::json;
use serde_json::value::RawValue;

use super::thinking::by_level;
use super::{Draft, results};
use crate::chat::{Loss, MediaSource, Message, Origin, Part, Role, ToolKind};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::gemini::shape::out;
use crate::gemini::{media, signature};
use crate::json_writer::compact;

/// The parts of one turn.
pub(super) struct Parts<'a, 'd> {
    draft: &'d mut Draft<'a>,
    written: Vec<out::Part<'a>>,
    /// A signature that belongs to the call that comes next.
    waiting: Option<&'a str>,
    /// Media of results, for models that take none inside them: they follow all results.
    from_tools: Vec<out::Part<'a>>,
}

/// What is needed of the calls before: the name that a result answers to, by the id of its call.
pub(super) type NameOf<'c, 'a> = &'c dyn Fn(&str) -> Option<&'a str>;

/// The parts of a turn. `at` is its path.
pub(super) fn encode<'a>(
    message: &'a Message,
    at: &str,
    name_of: NameOf<'_, 'a>,
    draft: &mut Draft<'a>,
) -> Result<Vec<out::Part<'a>>, Fault> {
    let mut parts = Parts { draft, written: Vec::new(), waiting: None, from_tools: Vec::new() };
    for (place, part) in message.parts.iter().enumerate() {
        let next = message.parts.get(place + 1);
        parts.part(part, next, &format!("{at}.content[{place}]"), name_of)?;
    }
    if message.role == Role::Assistant {
        parts.sign_first_call();
    }
    let Parts { mut written, from_tools, .. } = parts;
    written.extend(from_tools);
    Ok(written)
}

impl<'a> Parts<'a, '_> {
    fn part(
        &mut self,
        part: &'a Part,
        next: Option<&'a Part>,
        at: &str,
        name_of: NameOf<'_, 'a>,
    ) -> Result<(), Fault> {
        match part {
            Part::Text { text, .. } | Part::Refusal { text } => {
                self.written.extend((!text.is_empty()).then(|| out::Part::text(text.as_str())));
            }
            Part::Image { .. } | Part::File { .. } | Part::Audio { .. } => {
                let media = self.media(part, at)?;
                self.written.push(media);
            }
            Part::Thinking { text, signature, origin, .. } if signature::is_ours(origin.as_ref()) => {
                self.thought(text, signature::legible(signature.as_deref()), next);
            }
            Part::Thinking { .. } | Part::RedactedThinking { .. } => self.lose("thinking_dropped", at),
            Part::ToolCall { id, name, args, signature, kind } => {
                self.call(id, name, args, signature::legible(signature.as_deref()), *kind, at);
            }
            Part::ToolResult { call_id, parts, is_error, .. } => {
                let name = name_of(call_id).ok_or_else(|| {
                    let why = format!("no call before this result has the id '{call_id}'");
                    Fault::malformed(at.to_owned(), why)
                })?;
                self.result(call_id, name, parts, *is_error, at)?;
            }
            Part::ServerTool { raw, origin } => self.opaque(raw, origin, "server_tool", at),
            Part::Foreign { raw, origin } => self.opaque(raw, origin, "foreign", at),
        }
        Ok(())
    }

    fn lose(&mut self, code: &'static str, at: &str) {
        self.draft.losses.push(Loss::at(code, at));
    }

    fn opaque(&mut self, raw: &'a serde_json::Value, origin: &Origin, code: &'static str, at: &str) {
        if origin.dialect == Dialect::Gemini {
            self.written.push(out::Part::Raw(raw));
        } else {
            self.lose(code, at);
        }
    }

    /// A thought goes back verbatim. One without words is the signature of the part beside it: of the call that follows,
    /// if that has none, else of the part before.
    fn thought(&mut self, text: &'a str, seal: Option<&'a str>, next: Option<&'a Part>) {
        let seal = match (text.is_empty(), seal) {
            (false, seal) => {
                self.written.push(out::Part::thought(text, seal.map(Cow::Borrowed)));
                return;
            }
            (true, None) => return,
            (true, Some(seal)) => seal,
        };
        if matches!(next, Some(Part::ToolCall { signature: None, .. })) {
            self.waiting = Some(seal);
            return;
        }
        out::sign_last(&mut self.written, seal);
    }

    fn call(
        &mut self,
        id: &'a str,
        name: &str,
        args: &'a str,
        seal: Option<&'a str>,
        kind: ToolKind,
        at: &str,
    ) {
        let name = self.draft.tool_name(name);
        let (function_call, taken) = call(id, name, args, kind);
        if !taken {
            self.lose("tool_args_invalid", at);
        }
        let seal = self.waiting.take().or(seal);
        let thought_signature = seal.map(Cow::Borrowed);
        let function_call = Some(function_call);
        self.written.push(out::Made { function_call, thought_signature, ..out::Made::default() }.into());
    }

    /// Models that think by levels refuse a turn whose first call is not signed. One that another model made has the
    /// value that says so. A model of which nothing is known may be such a one: older ones pass the value over, and where
    /// they signed another part of the turn, it is theirs.
    /// Source: DIALECTS, section 5.3; Google's page on thought signatures.
    fn sign_first_call(&mut self) {
        let is_signed =
            |part: &out::Part<'_>| matches!(part, out::Part::Made(made) if made.thought_signature.is_some());
        let profile = self.draft.profile;
        let unknown = profile.abilities.reasoning && profile.reasoning.is_empty();
        let may_demand = unknown && !self.written.iter().any(is_signed);
        if by_level(profile).is_none() && !may_demand {
            return;
        }
        let first = self.written.iter_mut().find_map(|part| match part {
            out::Part::Made(made) if made.function_call.is_some() => Some(made),
            _ => None,
        });
        if let Some(call) = first {
            call.thought_signature.get_or_insert(signature::bypass().into());
        }
    }

    fn result(
        &mut self,
        id: &'a str,
        name: &str,
        given: &'a [Part],
        is_error: bool,
        at: &str,
    ) -> Result<(), Fault> {
        let inside = by_level(self.draft.profile).is_some();
        let mut texts: Vec<Cow<'a, str>> = Vec::new();
        let mut parts = Vec::new();
        for part in given {
            match part {
                Part::Text { text, .. } | Part::Refusal { text } => texts.push(text.as_str().into()),
                Part::Image { .. } | Part::File { .. } | Part::Audio { .. } => {
                    parts.push(self.media(part, at)?);
                    if !inside {
                        texts.push(format!("[file {} of call {id}]", parts.len()).into());
                    }
                }
                Part::Foreign { raw, origin } if origin.dialect == Dialect::Gemini => {
                    parts.push(out::Part::Raw(raw));
                }
                _ => self.lose("foreign", at),
            }
        }
        if !inside && !parts.is_empty() {
            self.lose("tool_media", at);
            self.from_tools.append(&mut parts);
        }
        let response = results::encode(&texts.concat(), is_error);
        let name = self.draft.tool_name(name).into();
        let function_response = Some(out::FunctionResponse { id, name, response, parts });
        self.written.push(out::Made { function_response, ..out::Made::default() }.into());
        Ok(())
    }

    fn media(&mut self, part: &'a Part, at: &str) -> Result<out::Part<'a>, Fault> {
        let abilities = &self.draft.profile.abilities;
        match part {
            Part::Image { source, .. } => {
                self.draft.require(abilities.image, "images", at)?;
                if matches!(source, MediaSource::Url(url) if media::data_url(url).is_none()) {
                    self.lose("image_url", at);
                }
                self.source(source, None, at)
            }
            Part::Audio { data, format } => {
                self.draft.require(abilities.audio, "sound", at)?;
                Ok(media::blob(format!("audio/{format}"), data, None))
            }
            Part::File { source, name, .. } => {
                let is_pdf = matches!(source, MediaSource::Base64 { mime, .. } if mime == "application/pdf");
                self.draft.require(abilities.pdf || !is_pdf, "PDF documents", at)?;
                self.source(source, name.as_deref(), at)
            }
            _ => Err(self.draft.unsupported("this kind of part", at)),
        }
    }

    fn source(
        &self,
        source: &'a MediaSource,
        name: Option<&'a str>,
        at: &str,
    ) -> Result<out::Part<'a>, Fault> {
        Ok(match source {
            MediaSource::Url(url) => match media::data_url(url) {
                Some((mime, data)) => media::blob(mime, data, None),
                None => media::link(url),
            },
            MediaSource::Base64 { mime, data } => media::blob(mime.as_str(), data, None),
            MediaSource::FileId { of: Dialect::Gemini, id } => media::link(id),
            MediaSource::FileId { .. } => {
                return Err(self.draft.unsupported("files by id of another account", at));
            }
            MediaSource::Text(text) => match name {
                Some(name) => out::Part::text(format!("{name}\n\n{text}")),
                None => out::Part::text(text.as_str()),
            },
        })
    }
}

/// A call, and whether its arguments could be taken as they are: this dialect has room for an object only. Blanks between
/// its tokens go: a line feed would end the data of an event.
pub(in crate::gemini) fn call<'a>(
    id: &'a str,
    name: impl Into<Cow<'a, str>>,
    args: &str,
    kind: ToolKind,
) -> (out::FunctionCall<'a>, bool) {
    let raw = |value| serde_json::value::to_raw_value(&value).expect("a JSON value can be written as JSON");
    let given = match kind {
        ToolKind::Custom => Some(raw(json!({"input": args}))),
        _ => RawValue::from_string(compact(args)).ok().filter(|args| args.get().starts_with('{')),
    };
    let taken = given.is_some();
    let args = given.unwrap_or_else(|| raw(json!({})));
    (out::FunctionCall { id, name: name.into(), args }, taken)
}
