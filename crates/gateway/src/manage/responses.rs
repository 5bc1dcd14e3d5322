//! `/v1/responses/{id}`: answers that were kept, as OpenAI's API gives them out again. Only who asked for an answer finds
//! it: for everybody else there is none. No model is asked, and no row of the ledger is written.
//!
//! Source of paths, parameters and shapes: OpenAI API reference, Responses, and openai-python 3.54, read 2026-11-25.

mod list;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::json;
use store::{ResponseOwner, StoredResponse};
use wire::Fault;

use super::json as json_answer;
use super::scope::{asked_project, parameter};
use crate::app::App;
use crate::body::OutBody;
use crate::credentials;
use crate::door::Caller;
use crate::responses::oldest_kept;
use crate::world::World;

/// What is asked of a kept answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The answer itself, or that it be deleted.
    Answer,
    /// What it answers.
    Input,
    /// That it be cancelled.
    Cancel,
}

/// What of a request is read.
pub struct Query<'a> {
    #[allow(missing_docs)]
    pub method: &'a Method,
    #[allow(missing_docs)]
    pub headers: &'a HeaderMap,
    #[allow(missing_docs)]
    pub query: Option<&'a str>,
}

/// Answers a request about the answer with an id.
///
/// # Errors
/// `NotFound`: there is none for this caller, or none is kept. `Malformed`: it cannot be done.
pub async fn answer(
    app: &App,
    world: &Arc<World>,
    caller: &Caller,
    (id, wanted): (&str, Wanted),
    request: Query<'_>,
) -> Result<Response<OutBody>, Fault> {
    let settings = world.doors.responses;
    if !settings.store {
        let what = "this gateway keeps no responses; 'responses: {store: true}' in its configuration switches that on";
        return Err(Fault::NotFound { what: what.to_owned() });
    }
    let id = percent_decode_str(id).decode_utf8_lossy();
    let project = caller.project(asked_project(request.query, request.headers).as_deref())?;
    let owner = ResponseOwner { key: caller.identity(), project };
    let since = oldest_kept(&settings);
    if request.method == Method::DELETE {
        let deleted = app.store.delete_response(&owner, &id, since).await.map_err(credentials::fault)?;
        let told = json!({"id": id, "object": "response", "deleted": true});
        return if deleted { Ok(json_answer(StatusCode::OK, &told)) } else { Err(unknown(&id)) };
    }
    let found = app.store.response(&owner, &id, since).await.map_err(credentials::fault)?;
    let found = found.ok_or_else(|| unknown(&id))?;
    match wanted {
        Wanted::Answer => whole(found, request.query),
        Wanted::Input => Ok(json_answer(StatusCode::OK, &list::page(&found, request.query)?)),
        Wanted::Cancel => {
            let why = "only a response that was created with 'background': true can be cancelled";
            Err(Fault::malformed(None, why))
        }
    }
}

/// The answer as its client got it.
fn whole(found: StoredResponse, query: Option<&str>) -> Result<Response<OutBody>, Fault> {
    if parameter(query, "stream").is_some_and(|asked| asked == "true") {
        let why = "'stream': the events of a response are not kept, ask for it without";
        return Err(Fault::malformed("stream".to_owned(), why));
    }
    let mut response = Response::new(Bytes::from(found.answer).into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The same for an id that never was and for one of somebody else.
fn unknown(id: &str) -> Fault {
    Fault::NotFound { what: format!("Response with id '{id}' not found.") }
}
