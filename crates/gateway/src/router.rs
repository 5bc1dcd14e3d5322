//! From a request line to a room. Every route stands in one flat table and in exactly one class.

use std::net::SocketAddr;
use std::sync::Arc;

use http::header::{ALLOW, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use wire::{Fault, SurfaceId};

use crate::app::App;
use crate::arrival::{Arrival, is_plain_id};
use crate::body::OutBody;
use crate::door::{Caller, HostVerdict, Role, Scope};
use crate::{manage, mcp, problem, surface};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Anybody.
    Public,
    /// Anybody with a key.
    Inference,
    /// Who manages a project, for that project, and the holder of the gateway's token.
    ProjectAdmin,
    /// The holder of the gateway's token.
    Admin,
}

/// What lives at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Home,
    Health,
    Live,
    Ready,
    Metrics,
    ChatCompletions,
    Generate,
    Models,
    Providers,
    Credentials,
    Files,
    Keys,
    Audit,
    Mcp,
}

struct Route {
    /// Ends in `/*` when one more segment follows (an id, which may itself hold slashes).
    path: &'static str,
    room: Room,
    class: Class,
    methods: &'static str,
    /// Whose form errors take here.
    errors: SurfaceId,
}

use SurfaceId::{Generate as Native, OpenAiChat as OpenAi};

const ROUTES: [Route; 19] = [
    Route {
        path: "/v1/chat/completions",
        room: Room::ChatCompletions,
        class: Class::Inference,
        methods: "POST",
        errors: OpenAi,
    },
    Route {
        path: "/v1/models",
        room: Room::Models,
        class: Class::Inference,
        methods: "GET, HEAD",
        errors: OpenAi,
    },
    Route {
        path: "/v1/models/*",
        room: Room::Models,
        class: Class::Inference,
        methods: "GET, HEAD",
        errors: OpenAi,
    },
    Route {
        path: "/v1/generate",
        room: Room::Generate,
        class: Class::Inference,
        methods: "POST",
        errors: Native,
    },
    Route {
        path: "/v1/providers",
        room: Room::Providers,
        class: Class::Inference,
        methods: "GET, HEAD",
        errors: Native,
    },
    Route {
        path: "/v1/credentials",
        room: Room::Credentials,
        class: Class::ProjectAdmin,
        methods: "GET, HEAD, POST",
        errors: Native,
    },
    Route {
        path: "/v1/credentials/*",
        room: Room::Credentials,
        class: Class::ProjectAdmin,
        methods: "DELETE",
        errors: Native,
    },
    Route {
        path: "/v1/files",
        room: Room::Files,
        class: Class::ProjectAdmin,
        methods: "GET, HEAD, POST",
        errors: Native,
    },
    Route {
        path: "/v1/files/*",
        room: Room::Files,
        class: Class::ProjectAdmin,
        methods: "DELETE",
        errors: Native,
    },
    Route {
        path: "/admin/v1/keys",
        room: Room::Keys,
        class: Class::ProjectAdmin,
        methods: "GET, HEAD, POST",
        errors: Native,
    },
    Route {
        path: "/admin/v1/keys/*",
        room: Room::Keys,
        class: Class::ProjectAdmin,
        methods: "GET, HEAD, POST, PATCH, DELETE",
        errors: Native,
    },
    Route {
        path: "/admin/v1/audit",
        room: Room::Audit,
        class: Class::Admin,
        methods: "GET, HEAD",
        errors: Native,
    },
    Route { path: "/mcp", room: Room::Mcp, class: Class::Inference, methods: "POST", errors: Native },
    Route { path: "/health", room: Room::Health, class: Class::Public, methods: "GET, HEAD", errors: Native },
    Route { path: "/livez", room: Room::Live, class: Class::Public, methods: "GET, HEAD", errors: Native },
    Route { path: "/readyz", room: Room::Ready, class: Class::Public, methods: "GET, HEAD", errors: Native },
    Route { path: "/ready", room: Room::Ready, class: Class::Public, methods: "GET, HEAD", errors: Native },
    Route {
        path: "/metrics",
        room: Room::Metrics,
        class: Class::Admin,
        methods: "GET, HEAD",
        errors: Native,
    },
    Route { path: "/", room: Room::Home, class: Class::Public, methods: "GET, HEAD", errors: Native },
];

impl Route {
    /// The route of a path, and what stands for its `*`. Routes of OpenAI's API are found below `/openai` too, since
    /// clients differ in what they append to a base URL.
    fn find(path: &str) -> Option<(&'static Route, Option<&str>)> {
        let below_openai = path.strip_prefix("/openai").filter(|rest| rest.starts_with('/'));
        let path = below_openai.unwrap_or(path);
        let mut routes = ROUTES.iter().filter(|route| below_openai.is_none() || route.errors == OpenAi);
        routes.find_map(|route| match route.path.strip_suffix('*') {
            None => (route.path == path).then_some((route, None)),
            Some(prefix) => {
                path.strip_prefix(prefix).filter(|rest| !rest.is_empty()).map(|rest| (route, Some(rest)))
            }
        })
    }

    /// A fault in the form that clients of this route expect.
    fn refuse(&self, fault: &Fault, arrival: Arrival) -> Response<OutBody> {
        match self.path.starts_with("/admin/") {
            true => problem::details(fault, arrival),
            false => problem::answer(self.errors, fault, arrival),
        }
    }

    fn allows(&self, method: &Method) -> bool {
        self.methods.split(", ").any(|allowed| allowed == method.as_str())
    }
}

/// Path and method of everything that lives here, and whether it needs a key; for tests that must miss none.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    ROUTES.iter().flat_map(|route| {
        let needs_key = route.class != Class::Public;
        route.methods.split(", ").map(move |method| (route.path, method, needs_key))
    })
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// Answers one request; whatever goes wrong becomes an answer too.
pub async fn answer(app: &Arc<App>, peer: SocketAddr, request: Request<Incoming>) -> Response<OutBody> {
    let arrival = Arrival::now();
    let request_headers = RequestHeaders::of(request.headers());
    let mut response = enter(app, arrival, peer, request).await;
    request_headers.reflect(app, arrival, response.headers_mut());
    response
}

async fn enter(
    app: &Arc<App>,
    arrival: Arrival,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<OutBody> {
    let found = Route::find(request.uri().path());
    let errors = found.map_or(Native, |(route, _)| route.errors);
    let is_health = found.is_some_and(|(route, _)| route.room == Room::Health);
    match app.host_rule.judge(request.uri(), request.headers()) {
        HostVerdict::Misdirected if !is_health => return problem::misdirected(errors, arrival),
        HostVerdict::Malformed(why) => return problem::answer(errors, &Fault::malformed(None, why), arrival),
        _ => {}
    }
    if request.method() == Method::OPTIONS {
        return preflight(app, request.headers());
    }
    let Some((route, rest)) = found else {
        let what = format!("nothing lives at {}; see /v1/models, /v1/chat/completions", request.uri().path());
        return problem::answer(errors, &Fault::NotFound { what }, arrival);
    };
    if route.room == Room::Mcp && mcp::http::is_foreign(request.headers(), &app.cors) {
        let why = "a page of another origin may not use /mcp; list its origin in LLM_GATEWAY_CORS_ORIGINS";
        return problem::answer(errors, &Fault::Forbidden { why: why.to_owned() }, arrival);
    }
    let rest = rest.map(str::to_owned);
    let is_head = request.method() == Method::HEAD;
    let mut response = match admit(app, route, peer, &request) {
        Ok(caller) => match go_in(app, arrival, route, rest.as_deref(), caller, request).await {
            Ok(response) => response,
            Err(fault) => route.refuse(&fault, arrival),
        },
        Err(fault) => route.refuse(&fault, arrival),
    };
    if is_head {
        *response.body_mut() = OutBody::empty();
    }
    response
}

/// Method, key, role.
fn admit(app: &App, route: &Route, peer: SocketAddr, request: &Request<Incoming>) -> Result<Caller, Fault> {
    if route.class == Class::Public {
        if !route.allows(request.method()) {
            return Err(method_not_allowed(route, request.method()));
        }
        return Ok(Caller::new(None, Role::Caller, Scope::default()));
    }
    let caller = app.access.admit(request.headers(), peer.ip())?;
    if !route.allows(request.method()) {
        return Err(method_not_allowed(route, request.method()));
    }
    route.class.require(caller.role)?;
    Ok(caller)
}

impl Class {
    fn require(self, role: Role) -> Result<(), Fault> {
        let (enough, why) = match self {
            Class::Public | Class::Inference => return Ok(()),
            Class::ProjectAdmin => (
                role <= Role::ProjectAdmin,
                "this needs the gateway's own token (LLM_GATEWAY_AUTH_TOKEN) or the key of a project's admin",
            ),
            Class::Admin => {
                (role == Role::Admin, "this needs the gateway's own token (LLM_GATEWAY_AUTH_TOKEN)")
            }
        };
        if enough { Ok(()) } else { Err(Fault::Forbidden { why: why.to_owned() }) }
    }
}

fn method_not_allowed(route: &Route, method: &Method) -> Fault {
    Fault::MethodNotAllowed { method: method.to_string(), allowed: route.methods }
}

async fn go_in(
    app: &Arc<App>,
    arrival: Arrival,
    route: &Route,
    rest: Option<&str>,
    caller: Caller,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    match route.room {
        Room::ChatCompletions => Ok(surface::answer(app, arrival, OpenAi.into(), caller, request).await),
        Room::Generate => Ok(surface::answer(app, arrival, Native.into(), caller, request).await),
        Room::Models => manage::models::answer(app, rest, &caller, request.headers(), request.uri().query()),
        Room::Providers => manage::providers::answer(app, &caller, request.headers(), request.uri().query()),
        Room::Credentials => manage::credentials::answer(app, &caller, arrival, rest, request).await,
        Room::Files => manage::files::answer(app, &caller, arrival, rest, request).await,
        Room::Keys => manage::keys::answer(app, &caller, arrival, rest, request).await,
        Room::Audit => manage::audit::answer(app, request.uri().query()).await,
        Room::Mcp => mcp::http::answer(app, caller, request).await,
        Room::Home => Ok(manage::health::home()),
        Room::Health => Ok(manage::health::health(app)),
        Room::Live => Ok(manage::health::live()),
        Room::Ready => Ok(manage::health::ready(app)),
        Room::Metrics => Ok(manage::health::metrics()),
    }
}

fn preflight(app: &App, request: &HeaderMap) -> Response<OutBody> {
    let mut response = Response::new(OutBody::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE, OPTIONS"));
    app.cors.allow_preflight(request, response.headers_mut());
    response
}

/// What of a request's head comes back in its answer.
struct RequestHeaders {
    correlation_id: Option<HeaderValue>,
    origin: Option<HeaderValue>,
}

impl RequestHeaders {
    fn of(headers: &HeaderMap) -> Self {
        let correlation_id = headers.get(CORRELATION_ID).filter(|value| is_plain_id(value)).cloned();
        Self { correlation_id, origin: headers.get(http::header::ORIGIN).cloned() }
    }

    fn reflect(self, app: &App, arrival: Arrival, answer: &mut HeaderMap) {
        let mut buffer = uuid::Uuid::encode_buffer();
        let id = arrival.id.hyphenated().encode_lower(&mut buffer);
        let id = HeaderValue::from_str(id).expect("a uuid is a valid header");
        answer.insert(CORRELATION_ID, self.correlation_id.unwrap_or_else(|| id.clone()));
        answer.insert(REQUEST_ID, id);
        if let Some(origin) = self.origin {
            let mut request = HeaderMap::with_capacity(1);
            request.insert(http::header::ORIGIN, origin);
            app.cors.allow(&request, answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_in_a_path_may_hold_slashes() {
        let (route, rest) = Route::find("/v1/models/openai/gpt-4o").unwrap();
        assert_eq!((route.room, rest), (Room::Models, Some("openai/gpt-4o")));
    }

    #[test]
    fn routes_of_openai_are_found_below_its_name_and_no_others() {
        let (route, rest) = Route::find("/openai/v1/models/gpt-4o").unwrap();
        assert_eq!((route.room, rest), (Room::Models, Some("gpt-4o")));
        assert_eq!(Route::find("/openai/v1/chat/completions").unwrap().0.room, Room::ChatCompletions);
        for path in ["/openai/v1/credentials", "/openai/health", "/openai", "/openai/", "/openaiv1/models"] {
            assert!(Route::find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn no_other_spelling_of_a_path_finds_a_route() {
        for path in [
            "/v1/credentials/",
            "//v1/credentials",
            "/V1/credentials",
            "/v1/./credentials",
            "/v1/credentials%2f1",
            "",
        ] {
            assert!(Route::find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn nothing_that_needs_no_key_touches_a_model_or_a_secret() {
        for route in ROUTES.iter().filter(|route| route.class == Class::Public) {
            assert!(
                matches!(route.room, Room::Home | Room::Health | Room::Live | Room::Ready),
                "{}",
                route.path
            );
        }
    }
}
