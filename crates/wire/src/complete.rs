//! OpenAI's legacy completions, `POST /v1/completions`: a text to be continued. Carried only, whole and streamed; there
//! is no canonical form, since no other dialect has the like.
//!
//! Streams and answers are those of chat completions but for `text` in place of a message, and are glanced at there.

use std::borrow::Cow;

use serde_json::Value;

use crate::chat::Profile;
use crate::dialect::Peek;
use crate::embed::no_model;
use crate::fault::Fault;
use crate::gateway_fields;
use crate::openai_chat::request;
use crate::raw::RawObject;

/// Enough to admit and plan. Checks the types of the top-level fields it knows.
///
/// # Errors
/// `Malformed`, naming the field.
pub fn peek(body: &RawObject) -> Result<Peek, Fault> {
    if body.raw("prompt").is_some_and(|prompt| !prompt.starts_with(['"', '[', 'n'])) {
        let why = "'prompt' must be a string, tokens, or an array of either";
        return Err(Fault::malformed("prompt".to_owned(), why));
    }
    let options: Option<Value> = body.get("stream_options")?;
    Ok(Peek {
        model: Some(body.get("model")?.ok_or_else(no_model)?),
        stream: body.get("stream")?.unwrap_or(false),
        include_usage: options.is_some_and(|options| options["include_usage"] == true),
        max_output: body.get("max_tokens")?,
        ..gateway_fields::peek(body)?
    })
}

/// Edits a carried body for its target: the model, and (for streams) asking for usage.
///
/// # Errors
/// `Malformed`, naming the field.
pub fn retarget(body: &mut RawObject, profile: &Profile, stream: bool) -> Result<(), Fault> {
    if body.get::<Cow<'_, str>>("model")?.as_deref() != Some(&*profile.model) {
        body.set("model", &*profile.model);
    }
    request::want_usage(body, profile, stream)
}
