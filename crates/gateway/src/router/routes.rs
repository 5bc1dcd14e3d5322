//! Every route, in one flat table and in exactly one class; and the prefixes below which the routes of an API are found
//! too.

use http::{HeaderMap, Method};
use wire::{Fault, Operation, SurfaceId};

use crate::door::Role;
use crate::manage::responses::Wanted;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Anybody.
    Public,
    /// Anybody with a key that is known, or that is still to come in a message: the room has a door of its own.
    Socket,
    /// Anybody with a key.
    Inference,
    /// Who manages a project, for that project, and the holder of the gateway's token.
    ProjectAdmin,
    /// The holder of the gateway's token.
    Admin,
}

impl Class {
    /// The least that a caller has to be.
    fn role(self) -> Role {
        match self {
            Class::Public | Class::Socket | Class::Inference => Role::Caller,
            Class::ProjectAdmin => Role::ProjectAdmin,
            Class::Admin => Role::Admin,
        }
    }

    /// # Errors
    /// `Forbidden`: the key is known, but may not come in here.
    pub(super) fn require(self, role: Role) -> Result<(), Fault> {
        let (enough, why) = match self {
            Class::Public | Class::Socket | Class::Inference => return Ok(()),
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

/// What lives at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Home,
    Health,
    Live,
    Ready,
    Metrics,
    /// A model is asked for this, in the format of the route's surface.
    Ask(Operation),
    Socket,
    /// By POST a model is asked, by GET a socket is opened on which it will be.
    Responses,
    /// An answer that was kept.
    Stored(Wanted),
    /// The same as `Ask`, streamed because the path says so.
    AskStreamed(Operation),
    Models,
    Providers,
    Credentials,
    /// What would be done for a request.
    Explain,
    /// What is configured, and reading it again.
    Config,
    /// `config`, `stats`, or a provider whose breakers are to be closed.
    Breaker,
    Latency,
    Groups,
    Files,
    Keys,
    Audit,
    /// What all rooms of the administration take and answer.
    OpenApi,
    Mcp,
}

/// A path and what lives there.
#[derive(Debug)]
pub(super) struct Route {
    /// `*` stands for an id, which may itself hold slashes.
    pub(super) path: &'static str,
    pub(super) room: Room,
    pub(super) class: Class,
    pub(super) methods: &'static str,
    /// The format that is spoken here, errors included.
    pub(super) surface: SurfaceId,
}

use Class::{Admin, Inference, ProjectAdmin, Public};
use Operation::{Chat, Complete, CountTokens, Embed, EmbedOne};
use Room::{Ask, AskStreamed, Stored};
use SurfaceId::{
    AnthropicMessages as Anthropic, Gemini, Generate as Native, OpenAiChat as OpenAi,
    OpenAiResponses as Responses,
};

const READ: &str = "GET, HEAD";
const WRITE: &str = "POST";

/// Of two that fit, the first counts.
static ROUTES: [Route; 56] = [
    row("/v1/chat/completions", Ask(Chat), Inference, WRITE, OpenAi),
    row("/v1/ws", Room::Socket, Class::Socket, "GET", SurfaceId::Socket),
    row("/v1/completions", Ask(Complete), Inference, WRITE, OpenAi),
    row("/v1/embeddings", Ask(Embed), Inference, WRITE, OpenAi),
    row("/v1/responses", Room::Responses, Inference, "GET, POST", Responses),
    row("/v1/responses/input_tokens", Ask(CountTokens), Inference, WRITE, Responses),
    row("/v1/responses/*/input_items", Stored(Wanted::Input), Inference, READ, Responses),
    row("/v1/responses/*/cancel", Stored(Wanted::Cancel), Inference, WRITE, Responses),
    row("/v1/responses/*", Stored(Wanted::Answer), Inference, "GET, HEAD, DELETE", Responses),
    row("/v1/messages", Ask(Chat), Inference, WRITE, Anthropic),
    row("/v1/messages/count_tokens", Ask(CountTokens), Inference, WRITE, Anthropic),
    row("/v1beta/models/*:generateContent", Ask(Chat), Inference, WRITE, Gemini),
    row("/v1beta/models/*:streamGenerateContent", AskStreamed(Chat), Inference, WRITE, Gemini),
    row("/v1beta/models/*:countTokens", Ask(CountTokens), Inference, WRITE, Gemini),
    row("/v1beta/models/*:embedContent", Ask(EmbedOne), Inference, WRITE, Gemini),
    row("/v1beta/models/*:batchEmbedContents", Ask(Embed), Inference, WRITE, Gemini),
    row("/v1/models/*:generateContent", Ask(Chat), Inference, WRITE, Gemini),
    row("/v1/models/*:streamGenerateContent", AskStreamed(Chat), Inference, WRITE, Gemini),
    row("/v1/models/*:countTokens", Ask(CountTokens), Inference, WRITE, Gemini),
    row("/v1/models/*:embedContent", Ask(EmbedOne), Inference, WRITE, Gemini),
    row("/v1/models/*:batchEmbedContents", Ask(Embed), Inference, WRITE, Gemini),
    // A model with a slash in its id goes without `models/` (AI SDK: @ai-sdk/google 3.0, `getModelPath`).
    row("/v1beta/*:generateContent", Ask(Chat), Inference, WRITE, Gemini),
    row("/v1beta/*:streamGenerateContent", AskStreamed(Chat), Inference, WRITE, Gemini),
    row("/v1beta/*:countTokens", Ask(CountTokens), Inference, WRITE, Gemini),
    row("/v1beta/*:embedContent", Ask(EmbedOne), Inference, WRITE, Gemini),
    row("/v1beta/*:batchEmbedContents", Ask(Embed), Inference, WRITE, Gemini),
    row("/v1beta/models", Room::Models, Inference, READ, Gemini),
    row("/v1beta/models/*", Room::Models, Inference, READ, Gemini),
    row("/v1/models", Room::Models, Inference, READ, OpenAi),
    row("/v1/models/*", Room::Models, Inference, READ, OpenAi),
    row("/v1/generate", Ask(Chat), Inference, WRITE, Native),
    row("/v1/providers", Room::Providers, Inference, READ, Native),
    row("/v1/credentials", Room::Credentials, ProjectAdmin, "GET, HEAD, POST", Native),
    row("/v1/credentials/*", Room::Credentials, ProjectAdmin, "DELETE", Native),
    row("/v1/files", Room::Files, ProjectAdmin, "GET, HEAD, POST", Native),
    row("/v1/files/*", Room::Files, ProjectAdmin, "DELETE", Native),
    row("/admin/v1/keys", Room::Keys, ProjectAdmin, "GET, HEAD, POST", Native),
    row("/admin/v1/keys/*/rotate", Room::Keys, ProjectAdmin, WRITE, Native),
    row("/admin/v1/keys/*", Room::Keys, ProjectAdmin, "GET, HEAD, PATCH, DELETE", Native),
    row("/admin/v1/audit", Room::Audit, Admin, READ, Native),
    row("/admin/v1/config", Room::Config, Admin, READ, Native),
    row("/admin/v1/config/reload", Room::Config, Admin, WRITE, Native),
    row("/mcp", Room::Mcp, Inference, WRITE, Native),
    row("/admin/v1/route/explain", Room::Explain, Admin, WRITE, OpenAi),
    row("/v1/circuit-breaker/*", Room::Breaker, Admin, "GET, HEAD, PUT", Native),
    row("/v1/admin/reset-circuit-breaker/*", Room::Breaker, Admin, WRITE, Native),
    row("/v1/groups", Room::Groups, Admin, "GET, HEAD, POST", Native),
    row("/v1/groups/*", Room::Groups, Admin, "PUT, DELETE", Native),
    row("/v1/latency", Room::Latency, Inference, READ, Native),
    row("/openapi.json", Room::OpenApi, Inference, READ, Native),
    row("/health", Room::Health, Public, READ, Native),
    row("/livez", Room::Live, Public, READ, Native),
    row("/readyz", Room::Ready, Public, READ, Native),
    row("/ready", Room::Ready, Public, READ, Native),
    row("/metrics", Room::Metrics, Admin, READ, Native),
    row(HOME, Room::Home, Public, READ, Native),
];

const HOME: &str = "/";
/// Where all APIs have their models.
const SHARED: &str = "/v1/models";

/// Path and method of everything that lives here, and whether it needs a key; for tests that must miss none.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    ROUTES.iter().flat_map(|route| {
        let needs_key = route.class != Public;
        route.methods.split(", ").map(move |method| (route.path, method, needs_key))
    })
}

/// A way to use the administration, as its description tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Described {
    /// `*` stands for an id.
    pub path: &'static str,
    #[allow(missing_docs)]
    pub method: &'static str,
    /// What its caller has to be.
    pub role: Role,
}

/// Every path and method of the administration; what answers `GET` answers `HEAD` too, which is not told apart.
pub fn administration() -> impl Iterator<Item = Described> {
    ROUTES.iter().filter(|route| route.is_administration()).flat_map(|route| {
        let methods = route.methods.split(", ").filter(|method| *method != "HEAD");
        methods.map(|method| Described { path: route.path, method, role: route.class.role() })
    })
}

const fn row(
    path: &'static str,
    room: Room,
    class: Class,
    methods: &'static str,
    surface: SurfaceId,
) -> Route {
    Route { path, room, class, methods, surface }
}

/// Clients differ in what they append to a base URL: below its name an API is found with its version and without.
struct Prefix {
    path: &'static str,
    /// What stands before a path without version.
    version: &'static str,
    /// Formats of the API; lists of models come in the first.
    surfaces: &'static [SurfaceId],
}

static PREFIXES: [Prefix; 3] = [
    Prefix { path: "/openai", version: "/v1", surfaces: &[OpenAi, Responses] },
    Prefix { path: "/anthropic", version: "/v1", surfaces: &[Anthropic] },
    Prefix { path: "/gemini", version: "/v1beta", surfaces: &[Gemini] },
];

/// Headers by which clients of an API give themselves away, for the routes that all APIs have.
/// Source: CLIENTS.md section 2.
static GIVEAWAYS: [(&str, SurfaceId); 2] = [("x-goog-api-key", Gemini), ("anthropic-version", Anthropic)];

/// A route that was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) route: &'static Route,
    /// What stands for its `*`.
    pub(super) rest: Option<String>,
    /// The format that is spoken.
    pub(super) surface: SurfaceId,
}

impl Found {
    /// The route of a request.
    pub(super) fn of(path: &str, headers: &HeaderMap) -> Option<Self> {
        let below = |prefix: &'static Prefix| {
            let rest = path.strip_prefix(prefix.path)?;
            (rest.is_empty() || rest.starts_with('/')).then_some((prefix, rest))
        };
        match PREFIXES.iter().find_map(below) {
            Some((prefix, rest)) => prefix.find(rest),
            None => {
                let mut found = search(path, |_| true)?;
                if found.route.room == Room::Models && found.route.path.starts_with(SHARED) {
                    found.surface = given_away(headers).unwrap_or(found.surface);
                }
                Some(found)
            }
        }
    }
}

impl Prefix {
    /// The route of what follows the prefix.
    fn find(&self, rest: &str) -> Option<Found> {
        let mine = |route: &Route| {
            self.surfaces.contains(&route.surface) || matches!(route.room, Room::Models | Room::Home)
        };
        let rest = if rest.is_empty() { HOME } else { rest };
        let mut found = search(rest, mine).or_else(|| search(&format!("{}{rest}", self.version), mine))?;
        if found.route.room == Room::Models {
            found.surface = self.surfaces[0];
        }
        Some(found)
    }
}

fn given_away(headers: &HeaderMap) -> Option<SurfaceId> {
    GIVEAWAYS.iter().find(|(name, _)| headers.contains_key(*name)).map(|(_, surface)| *surface)
}

fn search(path: &str, fits: impl Fn(&Route) -> bool) -> Option<Found> {
    ROUTES.iter().filter(|route| fits(route)).find_map(|route| {
        let rest = route.rest(path)?;
        Some(Found { route, rest: rest.map(str::to_owned), surface: route.surface })
    })
}

/// Whether errors at this path are problem documents, whatever lives there.
pub(super) fn is_administration(path: &str) -> bool {
    path.starts_with("/admin/")
}

impl Route {
    /// `None`: not this route. Else what stands for the `*`, if it has one.
    fn rest<'a>(&self, path: &'a str) -> Option<Option<&'a str>> {
        let Some((before, after)) = self.path.split_once('*') else {
            return (self.path == path).then_some(None);
        };
        let rest = path.strip_prefix(before)?.strip_suffix(after)?;
        (!rest.is_empty()).then_some(Some(rest))
    }

    /// Errors are problem documents (RFC 9457) here.
    pub(super) fn is_administration(&self) -> bool {
        is_administration(self.path)
    }

    pub(super) fn allows(&self, method: &Method) -> bool {
        self.methods.split(", ").any(|allowed| allowed == method.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str) -> Option<(Room, Option<String>, SurfaceId)> {
        let found = Found::of(path, &HeaderMap::new())?;
        Some((found.route.room, found.rest, found.surface))
    }

    #[test]
    fn an_id_in_a_path_may_hold_slashes() {
        let id = Some("openai/gpt-4o".to_owned());
        assert_eq!(find("/v1/models/openai/gpt-4o"), Some((Room::Models, id, OpenAi)));
    }

    #[test]
    fn routes_of_an_api_are_found_below_its_name_with_and_without_version() {
        let model = |id: &str| Some(id.to_owned());
        for (path, room, rest, surface) in [
            ("/openai/v1/models/gpt-4o", Room::Models, model("gpt-4o"), OpenAi),
            ("/openai/models/gpt-4o", Room::Models, model("gpt-4o"), OpenAi),
            ("/openai/v1/chat/completions", Ask(Chat), None, OpenAi),
            ("/openai/chat/completions", Ask(Chat), None, OpenAi),
            ("/openai/embeddings", Ask(Embed), None, OpenAi),
            ("/anthropic/v1/messages", Ask(Chat), None, Anthropic),
            ("/anthropic/messages/count_tokens", Ask(CountTokens), None, Anthropic),
            ("/anthropic/v1/models", Room::Models, None, Anthropic),
            ("/gemini/v1beta/models/m:streamGenerateContent", AskStreamed(Chat), model("m"), Gemini),
            ("/gemini/v1/models/m:countTokens", Ask(CountTokens), model("m"), Gemini),
            ("/gemini/models/m:embedContent", Ask(EmbedOne), model("m"), Gemini),
            ("/gemini/models", Room::Models, None, Gemini),
        ] {
            assert_eq!(find(path), Some((room, rest, surface)), "{path}");
        }
    }

    #[test]
    fn the_method_of_a_model_is_not_part_of_its_id() {
        let id = Some("closeai/gpt-4o".to_owned());
        let path = "/v1beta/models/closeai/gpt-4o:batchEmbedContents";
        assert_eq!(find(path), Some((Ask(Embed), id, Gemini)));
        let bare = "/v1beta/closeai/gpt-4o:streamGenerateContent";
        assert_eq!(find(bare), Some((AskStreamed(Chat), Some("closeai/gpt-4o".to_owned()), Gemini)));
        let other = Some("m:unknown".to_owned());
        assert_eq!(find("/v1beta/models/m:unknown"), Some((Room::Models, other, Gemini)));
    }

    #[test]
    fn a_list_that_all_apis_have_is_given_to_the_one_whose_client_asks() {
        let asked = |path: &str, name: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, http::HeaderValue::from_static("x"));
            Found::of(path, &headers).map(|found| found.surface)
        };
        assert_eq!(asked("/v1/models", "x-goog-api-key"), Some(Gemini));
        assert_eq!(asked("/v1/models/m", "anthropic-version"), Some(Anthropic));
        assert_eq!(asked("/v1/models", "authorization"), Some(OpenAi));
        assert_eq!(asked("/openai/v1/models", "anthropic-version"), Some(OpenAi));
        assert_eq!(asked("/v1beta/models", "anthropic-version"), Some(Gemini));
        assert_eq!(asked("/v1/chat/completions", "x-goog-api-key"), Some(OpenAi));
    }

    #[test]
    fn the_name_of_an_api_alone_is_the_front_page() {
        for path in ["/openai", "/openai/", "/anthropic", "/gemini/"] {
            assert_eq!(find(path).map(|(room, ..)| room), Some(Room::Home), "{path}");
        }
    }

    #[test]
    fn no_other_route_is_found_below_a_name() {
        for path in [
            "/openai/v1/credentials",
            "/openai/health",
            "/openaiv1/models",
            "/openai/v1/generate",
            "/openai/v1/messages",
            "/anthropic/v1/chat/completions",
            "/gemini/v1/messages",
        ] {
            assert_eq!(find(path), None, "{path}");
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
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn nothing_that_needs_no_key_touches_a_model_or_a_secret() {
        for route in ROUTES.iter().filter(|route| route.class == Public) {
            let harmless = matches!(route.room, Room::Home | Room::Health | Room::Live | Room::Ready);
            assert!(harmless, "{}", route.path);
        }
    }
}
