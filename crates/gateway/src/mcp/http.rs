//! `/mcp`: streamable HTTP. Every request stands alone and is authenticated by itself; no session is kept.
//!
//! A session id is handed out all the same, since clients send it back: it tells one client's requests from another's
//! when a `notifications/cancelled` names a request by its number. Revision 2026-07-28 has no sessions, and there a
//! client cancels by leaving.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use wire::Fault;

use super::running::{Call, Running};
use super::server::{Tools, Visit};
use crate::app::App;
use crate::body::{OutBody, demand_json, read_limited};
use crate::clock;
use crate::door::{Caller, Cors};
use crate::manage::{asked_project, json as json_answer};
use crate::world::World;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// Whether the page that sent a request is of another origin than ours and of none that is listed. Programs send no
/// `Origin`.
pub fn is_foreign(headers: &HeaderMap, cors: &Cors) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let host = headers.get(HOST).map(HeaderValue::as_bytes).unwrap_or_default();
    let ours = |scheme: &[u8]| origin.as_bytes().strip_prefix(scheme).is_some_and(|name| name == host);
    !(ours(b"http://") || ours(b"https://") || cors.lists(origin))
}

/// What of a message is looked at before it is handed on.
#[derive(Deserialize, Default)]
struct Glance {
    #[serde(default)]
    method: String,
    id: Option<Value>,
    params: Option<Cancelled>,
}

#[derive(Deserialize)]
struct Cancelled {
    #[serde(rename = "requestId")]
    request_id: Option<Value>,
}

/// Answers one message of a client that has passed the door.
///
/// # Errors
/// The body is too large or does not arrive.
pub async fn answer(
    app: &Arc<App>,
    world: &Arc<World>,
    caller: Caller,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    let (head, body) = request.into_parts();
    let body = read_limited(body, world.doors.body_limit).await?;
    // What is no such message is rmcp's to refuse.
    let glance: Glance = serde_json::from_slice(&body).unwrap_or_default();
    let session = head.headers.get(SESSION).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let call_of = |id: Option<Value>| Some(Call::new(&caller, session.as_deref()?, id?));
    if glance.method == "notifications/cancelled" {
        if let Some(call) = call_of(glance.params.and_then(|params| params.request_id)) {
            app.mcp_calls.cancel(&call);
        }
        return Ok(accepted());
    }
    let running = Running::list(&app.mcp_calls, call_of(glance.id));
    let project = asked_project(None, &head.headers);
    let visit =
        Visit { running: Some(Arc::new(running)), world: Some(world.clone()), ..Visit::new(caller, project) };
    let mut response = service(app).handle(message(&head.headers, body.clone(), visit)).await;
    if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE && demand_json(&head.headers).is_ok() {
        return Ok(not_a_message(&body));
    }
    if glance.method == "initialize" && response.status() == StatusCode::OK {
        let id = HeaderValue::from_str(&clock::request_id().to_string()).expect("a uuid is a valid header");
        response.headers_mut().insert(SESSION, id);
    }
    Ok(response.map(OutBody::Boxed))
}

fn accepted() -> Response<OutBody> {
    let mut response = Response::new(OutBody::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

/// For what rmcp calls an unsupported media type (3.11), as JSON-RPC has it.
fn not_a_message(body: &[u8]) -> Response<OutBody> {
    let (code, message) = match serde_json::from_slice::<IgnoredAny>(body) {
        Err(_) => (-32700, "the body is not JSON"),
        Ok(_) => (-32600, "the body is no message of JSON-RPC 2.0; batches are not taken"),
    };
    let error = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": message } });
    json_answer(StatusCode::BAD_REQUEST, &error)
}

/// Host and Origin were judged at the door, and the size of the body while it was read.
fn service(app: &Arc<App>) -> StreamableHttpService<Tools, NeverSessionManager> {
    let app = app.clone();
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(usize::MAX)
        .disable_allowed_hosts();
    StreamableHttpService::new(move || Ok(Tools::for_many(app.clone())), Arc::default(), config)
}

/// The request as rmcp gets it: with the visitor, and without the key or anything else that is not the protocol's.
fn message(headers: &HeaderMap, body: Bytes, visit: Visit) -> Request<Full<Bytes>> {
    let mut message = Request::new(Full::new(body));
    *message.method_mut() = Method::POST;
    let is_protocol = |name: &HeaderName| {
        [HOST, ACCEPT, CONTENT_TYPE].contains(name) || (name.as_str().starts_with("mcp-") && *name != SESSION)
    };
    for (name, value) in headers.iter().filter(|(name, _)| is_protocol(name)) {
        message.headers_mut().append(name, value.clone());
    }
    message.extensions_mut().insert(visit);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(origin: &'static str, cors: &Cors) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("127.0.0.1:3456"));
        headers.insert(ORIGIN, HeaderValue::from_static(origin));
        is_foreign(&headers, cors)
    }

    #[test]
    fn a_page_is_foreign_unless_it_is_ours_or_listed() {
        let any = Cors::new(&[], true);
        let listed = Cors::new(&["https://app.example".into()], true);
        for origin in
            ["https://evil.example", "null", "http://127.0.0.1:9", "http://127.0.0.1:3456.evil.example"]
        {
            assert!(foreign(origin, &any) && foreign(origin, &listed), "{origin}");
        }
        assert!(!foreign("http://127.0.0.1:3456", &any));
        assert!(!foreign("https://app.example", &listed));
        assert!(!is_foreign(&HeaderMap::new(), &any));
    }

    #[test]
    fn a_message_goes_on_without_the_key() {
        let mut headers = HeaderMap::new();
        for name in [
            "authorization",
            "x-api-key",
            "mcp-session-id",
            "mcp-protocol-version",
            "accept",
            "cookie",
            "host",
        ] {
            headers.insert(name, HeaderValue::from_static("x"));
        }
        let caller = Caller::admin(None);
        let sent = message(&headers, Bytes::new(), Visit::new(caller, None));
        let mut names: Vec<_> = sent.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "host", "mcp-protocol-version"]);
    }
}
