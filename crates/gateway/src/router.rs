//! From a request line to a room: the host, the route, the key, and what lives there.

mod caught;
mod routes;

pub use routes::{Described, administration, routes};

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use http::header::{ALLOW, CONNECTION, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use wire::frame::Framing;
use wire::{Fault, Head, SurfaceId};

use caught::caught;
use routes::{Class, Found, Room, Route};

use crate::app::App;
use crate::arrival::{Arrival, is_plain_id};
use crate::body::OutBody;
use crate::door::{Caller, Cors, Doors, HostVerdict, Role, Scope};
use crate::exchange::Asked;
use crate::socket::{self, Spoken};
use crate::telemetry::metrics;
use crate::world::World;
use crate::{body, manage, mcp, openapi, problem, surface};

const NATIVE: SurfaceId = SurfaceId::Generate;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// Answers one request; whatever goes wrong becomes an answer too.
pub async fn answer(app: &Arc<App>, peer: SocketAddr, request: Request<Incoming>) -> Response<OutBody> {
    let arrival = Arrival::now();
    let request_headers = RequestHeaders::of(request.headers());
    // The only look at what is configured: from here on it is handed along.
    let world = app.world();
    let uri = request.uri().clone();
    let mut response = match caught(pin!(enter(app, &world, arrival, peer, request))).await {
        Ok(response) => response,
        Err(panic) => {
            metrics::panicked();
            let found = Found::of(uri.path(), &HeaderMap::new());
            problem::answer(found.map_or(NATIVE, |found| found.surface), &Fault::internal(panic), arrival)
        }
    };
    // What is ready with us is written together with this: one wake-up of the caller's side serves many answers.
    tokio::task::yield_now().await;
    request_headers.reflect(&world.doors.cors, arrival, &mut response);
    response
}

async fn enter(
    app: &Arc<App>,
    world: &Arc<World>,
    arrival: Arrival,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<OutBody> {
    let found = Found::of(request.uri().path(), request.headers());
    if let Some(answer) = early(&world.doors, arrival, found.as_ref(), &request) {
        return body::turned_away(request, answer).await;
    }
    let Some(found) = found else {
        let answer = nowhere(request.uri().path(), arrival);
        return body::turned_away(request, answer).await;
    };
    let is_head = request.method() == Method::HEAD;
    let (route, errors) = (found.route, found.surface);
    let refuse = |fault: Fault| match route.is_administration() {
        true => problem::details(&fault, arrival),
        false => problem::answer(errors, &fault, arrival),
    };
    let mut response = match admit(&world.doors, &found, peer, &request) {
        Ok(caller) => go_in(app, world, (arrival, peer), found, caller, request).await.unwrap_or_else(refuse),
        Err(fault) => body::turned_away(request, refuse(fault)).await,
    };
    if is_head {
        *response.body_mut() = OutBody::empty();
    }
    response
}

/// Bytes of a path that are said again in an answer.
const PATH_SHOWN: usize = 200;

fn nowhere(path: &str, arrival: Arrival) -> Response<OutBody> {
    let shown = &path[..path.floor_char_boundary(PATH_SHOWN)];
    let more = if shown.len() < path.len() { "..." } else { "" };
    let what = format!("nothing lives at {shown}{more}; see /v1/models, /v1/chat/completions");
    match routes::is_administration(path) {
        true => problem::details(&Fault::NotFound { what }, arrival),
        false => problem::answer(NATIVE, &Fault::NotFound { what }, arrival),
    }
}

/// What is answered before anybody asks who is there: a `Host` that is not ours, a preflight, a page of a stranger.
fn early(
    doors: &Doors,
    arrival: Arrival,
    found: Option<&Found>,
    request: &Request<Incoming>,
) -> Option<Response<OutBody>> {
    let errors = found.map_or(NATIVE, |found| found.surface);
    let goes_to = |room: Room| found.is_some_and(|found| found.route.room == room);
    match doors.host_rule.judge(request.version(), request.uri(), request.headers()) {
        HostVerdict::Misdirected
            if goes_to(Room::Health) && matches!(*request.method(), Method::GET | Method::HEAD) =>
        {
            return Some(manage::health::live());
        }
        HostVerdict::Misdirected => return Some(problem::misdirected(errors, arrival)),
        _ if has_odd_coding(request.headers()) => {
            let fault = Fault::malformed(None, "a request body may be chunked, and nothing else");
            return Some(problem::answer(errors, &fault, arrival));
        }
        HostVerdict::Malformed(why) => {
            return Some(problem::answer(errors, &Fault::malformed(None, why), arrival));
        }
        _ => {}
    }
    if request.method() == Method::OPTIONS {
        return Some(preflight(&doors.cors, found, request.headers()));
    }
    if goes_to(Room::Mcp) && mcp::http::is_foreign(request.headers(), &doors.cors) {
        let why = "a page of another origin may not use /mcp; list its origin in LLM_GATEWAY_CORS_ORIGINS";
        return Some(problem::answer(errors, &Fault::Forbidden { why: why.to_owned() }, arrival));
    }
    None
}

/// Whether others may read the end of the body differently.
fn has_odd_coding(headers: &HeaderMap) -> bool {
    let coding = headers.get(TRANSFER_ENCODING);
    coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
}

/// Method, key, role.
fn admit(
    doors: &Doors,
    found: &Found,
    peer: SocketAddr,
    request: &Request<Incoming>,
) -> Result<Caller, Fault> {
    let route = found.route;
    if matches!(route.class, Class::Public | Class::Socket) {
        if !route.allows(request.method()) {
            return Err(method_not_allowed(route, request.method()));
        }
        return Ok(Caller::new(None, Role::Caller, Scope::default()));
    }
    let in_query = key_in_query(found, request.uri());
    let caller = doors.access.admit(request.headers(), in_query.as_deref(), peer.ip())?;
    if !route.allows(request.method()) {
        return Err(method_not_allowed(route, request.method()));
    }
    route.class.require(caller.role)?;
    Ok(caller)
}

/// The key that plain clients of the Gemini API send as `?key=`.
fn key_in_query(found: &Found, uri: &Uri) -> Option<String> {
    let query = uri.query().filter(|_| found.surface == SurfaceId::Gemini)?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "key").map(|(_, key)| key.into_owned())
}

fn method_not_allowed(route: &Route, method: &Method) -> Fault {
    Fault::MethodNotAllowed { method: method.to_string(), allowed: route.methods }
}

async fn go_in(
    app: &Arc<App>,
    world: &Arc<World>,
    (arrival, peer): (Arrival, SocketAddr),
    found: Found,
    caller: Caller,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    let rest = found.rest.as_deref();
    match found.route.room {
        Room::Ask(operation) => {
            let asked = Asked { surface: found.surface, operation, head: head(rest) };
            Ok(surface::answer(app, world.clone(), arrival, asked, caller, request).await)
        }
        Room::Explain => {
            surface::explained(app, world.clone(), arrival, found.surface.into(), caller, request).await
        }
        Room::Config => manage::config::answer(app, request).await,
        Room::Breaker => manage::breakers::answer(app, &caller, arrival, rest, request).await,
        Room::Groups => manage::groups::answer(app, &caller, arrival, rest, request).await,
        Room::Latency => Ok(manage::latency::answer(app)),
        Room::Socket => socket::open(app, world, (arrival, peer.ip()), Spoken::Chat, request),
        Room::Responses if request.method() == Method::GET => {
            socket::open(app, world, (arrival, peer.ip()), Spoken::Responses, request)
        }
        Room::Responses => {
            Ok(surface::answer(app, world.clone(), arrival, found.surface.into(), caller, request).await)
        }
        Room::Stored(wanted) => {
            let (uri, headers) = (request.uri(), request.headers());
            let query = manage::responses::Query { method: request.method(), headers, query: uri.query() };
            let id = rest.unwrap_or_default();
            manage::responses::answer(app, world, &caller, (id, wanted), query).await
        }
        Room::AskStreamed(operation) => {
            let head = Head { stream: true, framing: framing(request.uri()), ..head(rest) };
            let asked = Asked { surface: found.surface, operation, head };
            Ok(surface::answer(app, world.clone(), arrival, asked, caller, request).await)
        }
        Room::Models => {
            let (headers, query) = (request.headers(), request.uri().query());
            manage::models::answer(world, rest, &caller, found.surface, headers, query)
        }
        Room::Providers => {
            manage::providers::answer(world, &caller, request.headers(), request.uri().query())
        }
        Room::Credentials => manage::credentials::answer(app, &caller, arrival, rest, request).await,
        Room::Files => manage::files::answer(app, &caller, arrival, rest, request).await,
        Room::Keys => manage::keys::answer(app, &caller, arrival, rest, request).await,
        Room::Audit => manage::audit::answer(app, request.uri().query()).await,
        Room::OpenApi => Ok(openapi::answer()),
        Room::Mcp => Box::pin(mcp::http::answer(app, world, caller, request)).await,
        Room::Home => Ok(manage::health::home()),
        Room::Health => Ok(manage::health::health(app)),
        Room::Live => Ok(manage::health::live()),
        Room::Ready => Ok(manage::health::ready(app)),
        Room::Metrics => Ok(manage::health::metrics()),
    }
}

/// What the path says of a request: the model, where it stands there.
fn head(model: Option<&str>) -> Head {
    // Clients escape the slash of `provider/model`.
    let model = model.map(|model| percent_decode_str(model).decode_utf8_lossy().into_owned());
    Head { model, ..Head::default() }
}

/// Paths that ask for a stream give it as one JSON array, unless their query says otherwise.
fn framing(uri: &Uri) -> Framing {
    let asks = |query: &str| {
        form_urlencoded::parse(query.as_bytes()).any(|pair| pair == ("alt".into(), "sse".into()))
    };
    if uri.query().is_some_and(asks) { Framing::Sse } else { Framing::JsonArray }
}

fn preflight(cors: &Cors, found: Option<&Found>, request: &HeaderMap) -> Response<OutBody> {
    let mut response = Response::new(OutBody::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Some(found) = found {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(found.route.methods));
    }
    cors.allow_preflight(request, response.headers_mut());
    response
}

/// What of a request's head comes back in its answer.
struct RequestHeaders {
    correlation_id: Option<HeaderValue>,
    origin: Option<HeaderValue>,
    /// Where the next request would begin cannot be told, so that there is none.
    is_last: bool,
}

impl RequestHeaders {
    fn of(headers: &HeaderMap) -> Self {
        let correlation_id = headers.get(CORRELATION_ID).filter(|value| is_plain_id(value)).cloned();
        let is_last = headers.contains_key(TRANSFER_ENCODING) || headers.contains_key(UPGRADE);
        Self { correlation_id, origin: headers.get(http::header::ORIGIN).cloned(), is_last }
    }

    fn reflect(self, cors: &Cors, arrival: Arrival, answer: &mut Response<OutBody>) {
        if self.is_last && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let answer = answer.headers_mut();
        let mut buffer = uuid::Uuid::encode_buffer();
        let id = arrival.id.hyphenated().encode_lower(&mut buffer);
        let id = HeaderValue::from_str(id).expect("a uuid is a valid header");
        answer.insert(CORRELATION_ID, self.correlation_id.unwrap_or_else(|| id.clone()));
        answer.insert(REQUEST_ID, id);
        if let Some(origin) = self.origin {
            let mut request = HeaderMap::with_capacity(1);
            request.insert(http::header::ORIGIN, origin);
            cors.allow(&request, answer);
        }
    }
}
