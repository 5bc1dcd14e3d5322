//! JSON answers.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::body::OutBody;

/// `YYYY-MM-DD HH:MM:SS`, UTC, as mcp-llm-bridge wrote it.
pub fn civil(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    #[allow(missing_docs)]
    pub data: Vec<T>,
    /// What to send as `cursor` for the next page; null: this is the last one.
    pub next_cursor: Option<String>,
}

/// A JSON answer that no cache keeps.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response<OutBody> {
    let body = serde_json::to_vec(value).expect("answers are plain structs and maps with string keys");
    let mut response = Response::new(Bytes::from(body).into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
