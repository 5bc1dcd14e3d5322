//! `/openapi.json`: the administration (`/admin/v1`) as OpenAPI 3.1 describes it, so that clients can be made and checked.
//!
//! Paths, methods and roles come from the table of routes, schemas from the types that handlers read and write; only what
//! a type cannot say stands here, in one flat table. The APIs for inference follow their vendors' own descriptions.

mod document;
mod operations;

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};

use crate::body::OutBody;

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| document::document().to_string().into());

/// Answers the description.
pub fn answer() -> Response<OutBody> {
    let mut response = Response::new(DOCUMENT.clone().into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
