//! Marks that say up to where a prompt should be cached.

use super::super::shape::{Block, CacheControl, ClientTool, Request, Tool};
use super::Draft;
use crate::chat::CacheMark;

/// Most marks that a request may have.
/// Source: DIALECTS, section 9; that the mark at the top level counts as one is the cautious reading.
const MOST: usize = 4;

/// A mark in this dialect.
pub(super) fn control(mark: &CacheMark) -> CacheControl<'_> {
    CacheControl { ttl: mark.ttl.as_deref() }
}

/// Asks for automatic caching when the client gave a cache key, and keeps the number of marks within the limit. A mark
/// covers all that stands before it, so the last ones are kept.
pub(super) fn mark<'a>(body: &mut Request<'a>, draft: &mut Draft<'a>) {
    let mut marks = marks(body);
    let most = marks.len().saturating_sub(MOST);
    for mark in marks.iter_mut().take(most) {
        **mark = None;
        draft.lose("cache", "cache_control");
    }
    if draft.request.cache_key.is_some() && marks.len() < MOST {
        body.cache_control = Some(CacheControl { ttl: None });
    }
}

/// All marks, in the order in which the provider reads the prompt: tools, system, messages.
fn marks<'b, 'a>(body: &'b mut Request<'a>) -> Vec<&'b mut Option<CacheControl<'a>>> {
    let tools = body.tools.iter_mut().filter_map(|tool| match tool {
        Tool::Client(ClientTool { cache_control, .. }) => Some(cache_control),
        Tool::BuiltIn(_) => None,
    });
    let blocks =
        body.system.iter_mut().chain(body.messages.iter_mut().flat_map(|turn| turn.content.iter_mut()));
    tools.chain(blocks.flat_map(of_block)).filter(|mark| mark.is_some()).collect()
}

fn of_block<'b, 'a>(block: &'b mut Block<'a>) -> Vec<&'b mut Option<CacheControl<'a>>> {
    match block {
        Block::Text { cache_control, .. }
        | Block::Image { cache_control, .. }
        | Block::Document { cache_control, .. } => vec![cache_control],
        Block::ToolResult { content, cache_control, .. } => {
            content.iter_mut().flat_map(of_block).chain([cache_control]).collect()
        }
        Block::Thinking { .. }
        | Block::RedactedThinking { .. }
        | Block::ToolUse { .. }
        | Block::Opaque(_) => vec![],
    }
}
