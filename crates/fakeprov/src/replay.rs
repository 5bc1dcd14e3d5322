//! Serves recorded exchanges: `replay:<id>` answers with the response of `<id>.json`, byte for byte.

use std::path::Path;

use bytes::Bytes;
use serde_json::Value;

use crate::stream::{Form, Frame, Tag};

/// A recorded response.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Recorded,
}

/// Its body.
#[derive(Clone, Debug)]
pub(crate) enum Recorded {
    Whole(Bytes),
    Stream(Form, Vec<Frame>),
}

/// Reads a recording; says what is wrong when there is none of this id.
pub(crate) fn load(directory: Option<&Path>, id: &str) -> Result<Recording, String> {
    let directory = directory.ok_or("no directory of recordings was given")?;
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    if !plain {
        return Err(format!("{id} is no id of a recording"));
    }
    let text =
        std::fs::read(directory.join(format!("{id}.json"))).map_err(|error| format!("{id}: {error}"))?;
    let exchange: Value = serde_json::from_slice(&text).map_err(|error| format!("{id}: {error}"))?;
    read(&exchange["response"]).ok_or_else(|| format!("{id}: the response is incomplete"))
}

fn read(response: &Value) -> Option<Recording> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let headers = response["headers"].as_object().into_iter().flatten();
    Some(Recording {
        status: u16::try_from(response["status"].as_u64()?).ok()?,
        headers: headers.map(|(name, value)| (name.clone(), text(value))).collect(),
        body: body(response)?,
    })
}

fn body(response: &Value) -> Option<Recorded> {
    if let Some(body) = response.get("body") {
        let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        return Some(Recorded::Whole(text.into()));
    }
    let (form, events) = match (response.get("sse"), response.get("ndjson")) {
        (Some(events), _) => (Form::Sse, events),
        (None, Some(lines)) => (Form::Lines, lines),
        (None, None) => return None,
    };
    let frame = |event: &Value| Some(Frame { tag: Tag::Content, bytes: event.as_str()?.to_owned().into() });
    let frames = events.as_array()?.iter().map(frame).collect::<Option<_>>()?;
    Some(Recorded::Stream(form, frames))
}
