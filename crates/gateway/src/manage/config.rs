//! `/admin/v1/config`: what is in force and since when, and reading it again.

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use wire::Fault;

use super::json as json_answer;
use crate::app::App;
use crate::body::{self, OutBody};

/// `GET`: what is in force. `POST .../reload`: reads everything again first.
///
/// # Errors
/// `Malformed`, with everything that is wrong: what was in force still is.
pub async fn answer(app: &Arc<App>, request: Request<Incoming>) -> Result<Response<OutBody>, Fault> {
    if request.method() != Method::POST {
        return Ok(json_answer(StatusCode::OK, &app.reload.status()));
    }
    body::pass_over(request).await;
    let status = app.reload().await;
    match status.errors.as_slice() {
        [] => Ok(json_answer(StatusCode::OK, &status)),
        errors => Err(Fault::malformed(None, errors.join("; "))),
    }
}
