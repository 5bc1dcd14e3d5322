//! The handshake (RFC 6455, section 4.2), and who may open a socket at all.

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use wire::{Fault, SurfaceId};

use super::{Socket, Spoken};
use crate::app::App;
use crate::arrival::Arrival;
use crate::body::OutBody;
use crate::door::{Caller, subprotocol};
use crate::exchange::TimeLimit;
use crate::problem;
use crate::world::World;

/// Appended to the client's key before it is hashed. Source: RFC 6455, section 1.3.
const ACCEPT_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// Travels in the extensions of the 101: what the server does with the connection once that answer is out.
#[derive(Clone)]
pub struct Handover {
    /// The connection, when HTTP has let go of it.
    pub upgrade: OnUpgrade,
    #[allow(missing_docs)]
    pub socket: Socket,
}

/// Whether the client wants to leave HTTP for a WebSocket.
pub fn is_wanted(headers: &HeaderMap) -> bool {
    lists(headers, CONNECTION, "upgrade") && lists(headers, UPGRADE, "websocket")
}

/// Answers a request for a socket: 101, or why not.
///
/// # Errors
/// `Forbidden`: a page of a stranger asks; `Unauthenticated`: a wrong key; `RateLimited`: one of too many from this peer;
/// `Malformed`: not a handshake, or a header that no request could be sent with.
pub fn open(
    app: &Arc<App>,
    world: &World,
    (arrival, peer): (Arrival, IpAddr),
    spoken: Spoken,
    mut request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    let surface = spoken.surface();
    if !is_wanted(request.headers()) {
        return Ok(upgrade_required(surface, arrival));
    }
    let accept = accept(request.headers())?;
    let caller = admit(world, request.headers(), peer)?;
    // It holds for each message. Better to hear of a mistake now than with every one of them.
    TimeLimit::of(request.headers(), arrival)?;
    let mut response = Response::new(OutBody::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, WEBSOCKET);
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(name) = subprotocol::spoken(request.headers()) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, name);
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let headers = lasting(surface, request.headers());
    let body_limit = world.doors.body_limit;
    let socket = Socket { app: app.clone(), spoken, peer, caller, body_limit, headers };
    response.extensions_mut().insert(Handover { upgrade, socket });
    Ok(response)
}

/// Origin, then key.
fn admit(world: &World, headers: &HeaderMap, peer: IpAddr) -> Result<Option<Caller>, Fault> {
    if !world.doors.cors.admits_socket(headers) {
        let why =
            "pages of this origin may not open a socket here; LLM_GATEWAY_CORS_ORIGINS lists those that may";
        return Err(Fault::Forbidden { why: why.to_owned() });
    }
    world.doors.access.socket_caller(headers, peer)
}

/// 426: the path is there, but for WebSockets only.
fn upgrade_required(surface: SurfaceId, arrival: Arrival) -> Response<OutBody> {
    let why = "this is a WebSocket endpoint: connect with 'Upgrade: websocket'";
    let mut response = problem::answer(surface, &Fault::malformed(None, why), arrival);
    *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
    response.headers_mut().insert(UPGRADE, WEBSOCKET);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    response
}

/// The proof that the handshake was understood.
fn accept(headers: &HeaderMap) -> Result<HeaderValue, Fault> {
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Fault::malformed(None, "'Sec-WebSocket-Version' must be 13"));
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok()).unwrap_or_default();
    if BASE64.decode(key).map_or(0, |nonce| nonce.len()) != 16 {
        return Err(Fault::malformed(None, "'Sec-WebSocket-Key' must be 16 bytes in base64"));
    }
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{ACCEPT_SUFFIX}").as_bytes());
    Ok(HeaderValue::from_str(&BASE64.encode(digest)).expect("base64 is a valid header"))
}

/// The headers of the handshake that speak about the requests to come.
fn lasting(surface: SurfaceId, headers: &HeaderMap) -> HeaderMap {
    let forwarded = surface.surface().forwarded_headers();
    let lasts = |name: &HeaderName| {
        let name = name.as_str();
        name == "x-project" || name.starts_with("x-gateway-") || forwarded.contains(&name)
    };
    headers
        .iter()
        .filter(|(name, _)| lasts(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whether a comma-separated header has this word.
fn lists(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_header_is_that_of_the_specification() {
        let mut headers = HeaderMap::new();
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="));
        assert_eq!(accept(&headers).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static("dGhl"));
        assert!(accept(&headers).is_err());
    }

    #[test]
    fn an_upgrade_is_found_in_lists_and_in_any_case() {
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("WebSocket"));
        assert!(is_wanted(&headers));
        headers.insert(UPGRADE, HeaderValue::from_static("h2c"));
        assert!(!is_wanted(&headers));
    }
}
