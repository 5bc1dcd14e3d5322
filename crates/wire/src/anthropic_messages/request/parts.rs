//! Parts of a turn as content blocks.

use serde_json::json;
use serde_json::value::RawValue;

use super::super::shape::Block;
use super::{Draft, cache, media, raw, text_block, tools};
use crate::Fault;
use crate::chat::{Loss, Origin, Part, ToolKind};
use crate::dialect::Dialect;

/// Whether a thought may be sent back: it is signed or sealed, and of this family.
pub(super) fn replayable(part: &Part) -> bool {
    let ours =
        |origin: &Option<Origin>| origin.as_ref().is_some_and(|it| it.dialect == Dialect::AnthropicMessages);
    match part {
        Part::Thinking { signature: Some(_), origin, .. } | Part::RedactedThinking { origin, .. } => {
            ours(origin)
        }
        _ => false,
    }
}

/// The blocks of a turn. `at` is the path of the turn.
pub(super) fn blocks<'a>(
    parts: &'a [Part],
    at: &str,
    draft: &mut Draft<'a>,
) -> Result<Vec<Block<'a>>, Fault> {
    let mut blocks = Vec::with_capacity(parts.len());
    for (place, part) in parts.iter().enumerate() {
        blocks.extend(block(part, &format!("{at}.content[{place}]"), draft)?);
    }
    Ok(blocks)
}

/// The block of a part; `None` for what is empty or lost.
fn block<'a>(part: &'a Part, at: &str, draft: &mut Draft<'a>) -> Result<Option<Block<'a>>, Fault> {
    Ok(match part {
        Part::Text { text, cache, .. } => text_if_any(text).map(|block| marked(block, cache.as_ref())),
        Part::Refusal { text } => text_if_any(text),
        Part::Image { source, detail, cache } => {
            Some(media::image(source, detail.as_ref(), cache.as_ref(), at, draft)?)
        }
        Part::File { source, name, cache } => {
            Some(media::document(source, name.as_deref(), cache.as_ref(), at, draft)?)
        }
        Part::Audio { .. } => return Err(draft.unsupported("sound", at)),
        Part::Thinking { .. } | Part::RedactedThinking { .. } => thought(part, at, draft),
        Part::ToolCall { id, name, args, kind, .. } => Some(Block::ToolUse {
            id: tools::call_id(id),
            name: draft.tool_name(name),
            input: input(args, *kind, at, draft),
        }),
        Part::ToolResult { call_id, parts, is_error, cache, .. } => Some(Block::ToolResult {
            tool_use_id: tools::call_id(call_id),
            content: blocks(parts, at, draft)?,
            is_error: *is_error,
            cache_control: cache.as_ref().map(cache::control),
        }),
        Part::ServerTool { raw, origin } => opaque(raw, origin, "server_tool", at, draft),
        Part::Foreign { raw, origin } => opaque(raw, origin, "part", at, draft),
    })
}

/// The upstream refuses a text of nothing but blanks, so it is left out.
fn text_if_any(text: &str) -> Option<Block<'_>> {
    (!text.trim().is_empty()).then(|| text_block(text))
}

fn marked<'a>(mut block: Block<'a>, mark: Option<&'a crate::chat::CacheMark>) -> Block<'a> {
    if let Block::Text { cache_control, .. } = &mut block {
        *cache_control = mark.map(cache::control);
    }
    block
}

/// A thought goes back verbatim or not at all; it never becomes visible text.
fn thought<'a>(part: &'a Part, at: &str, draft: &mut Draft<'a>) -> Option<Block<'a>> {
    match part {
        Part::Thinking { text, signature: Some(signature), .. } if replayable(part) => {
            Some(Block::Thinking { thinking: text, signature })
        }
        Part::RedactedThinking { data, .. } if replayable(part) => Some(Block::RedactedThinking { data }),
        _ => {
            draft.lose("thinking_dropped", at);
            None
        }
    }
}

fn opaque<'a>(
    raw: &'a serde_json::Value,
    origin: &Origin,
    code: &'static str,
    at: &str,
    draft: &mut Draft<'a>,
) -> Option<Block<'a>> {
    if origin.dialect == Dialect::AnthropicMessages {
        return Some(Block::Opaque(raw));
    }
    draft.losses.push(Loss::at(code, at));
    None
}

/// The arguments as the object that this dialect demands.
fn input(args: &str, kind: ToolKind, at: &str, draft: &mut Draft<'_>) -> Box<RawValue> {
    if kind == ToolKind::Custom {
        return raw(&json!({"input": args}));
    }
    match RawValue::from_string(args.trim().to_owned()) {
        Ok(object) if object.get().starts_with('{') => object,
        _ => {
            draft.lose("tool_args_invalid", at);
            raw(&json!({}))
        }
    }
}
