//! From a body to an inbound request: read, scanned, peeked at.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use policy::{Ask, Needs, Snapshot};
use wire::chat::ChatRequest;
use wire::count::Counting;
use wire::dialect::Peek;
use wire::embed::{EmbedRequest, EmbedSurface};
use wire::{Fault, Head, Operation, RawObject, SurfaceId};

use super::meter::Meter;
use super::needs::{may_hold_media, needs};
use super::session;
use super::stored::Turn;
use super::time_limit::TimeLimit;
use crate::arrival::Arrival;
use crate::clock;
use crate::door;
use crate::recall::{Owner, Recall};
use crate::world::World;

/// Whose credentials are used, where the body does not say it.
const PROJECT: HeaderName = HeaderName::from_static("x-project");
/// Only the first target may be tried.
const NO_FALLBACK: HeaderName = HeaderName::from_static("x-gateway-no-fallback");
/// The plan is asked for, not an answer.
const EXPLAIN: HeaderName = HeaderName::from_static("x-gateway-explain");
/// What the client labels its request with, as `batch, nightly`.
const TAGS: HeaderName = HeaderName::from_static("x-gateway-tags");

/// Fields that hold tools, in one dialect or another.
const TOOLS: [&str; 2] = ["tools", "functions"];

/// Bytes of a name at most. It is kept in the ledger, said in the log and sent back in headers, whether anything goes by
/// it or not.
pub(super) const NAME_AT_MOST: usize = 512;

/// What a route asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    #[allow(missing_docs)]
    pub surface: SurfaceId,
    #[allow(missing_docs)]
    pub operation: Operation,
    /// What the path says.
    pub head: Head,
}

impl From<SurfaceId> for Asked {
    /// To continue a conversation.
    fn from(surface: SurfaceId) -> Self {
        Self { surface, operation: Operation::Chat, head: Head::default() }
    }
}

impl Asked {
    /// Model, streaming and the like, by the rules of the operation.
    fn peek(&self, body: &RawObject) -> Result<Peek, Fault> {
        let surface = self.surface.surface();
        match self.operation {
            Operation::Chat => surface.peek(&self.head, body),
            Operation::CountTokens => counting(self.surface)?.peek(surface, &self.head, body),
            Operation::Embed | Operation::EmbedOne => embeddings(self.surface)?.peek(&self.head, body),
            Operation::Complete => wire::complete::peek(body),
        }
    }
}

fn bound(field: &str, name: Option<&str>) -> Result<(), Fault> {
    match name {
        Some(name) if name.len() > NAME_AT_MOST => {
            Err(Fault::malformed(field.to_owned(), format!("'{field}' is longer than {NAME_AT_MOST} bytes")))
        }
        _ => Ok(()),
    }
}

/// How a surface counts tokens.
///
/// # Errors
/// `Internal`: it does not, and no route should have led here.
pub(super) fn counting(surface: SurfaceId) -> Result<&'static Counting, Fault> {
    surface.counts().ok_or_else(|| Fault::internal(format!("{} does not count tokens", surface.name())))
}

/// How a surface speaks of embeddings.
///
/// # Errors
/// `Internal`: it does not, and no route should have led here.
pub(super) fn embeddings(surface: SurfaceId) -> Result<&'static dyn EmbedSurface, Fault> {
    surface.embeds().ok_or_else(|| Fault::internal(format!("{} does not embed", surface.name())))
}

/// An admitted request.
pub struct Inbound {
    /// What holds for it from the door to the meter, whatever is configured meanwhile.
    pub world: Arc<World>,
    #[allow(missing_docs)]
    pub arrival: Arrival,
    #[allow(missing_docs)]
    pub surface: SurfaceId,
    #[allow(missing_docs)]
    pub operation: Operation,
    /// What the request said outside of its body.
    pub head: Head,
    /// Headers of the client that go upstream when the request is carried.
    pub forwarded: Vec<(HeaderName, HeaderValue)>,
    /// The body as received.
    pub body: RawObject,
    /// What a glance at the body told.
    pub peek: Peek,
    /// Whose credentials are used: body, else `X-Project`, else `_global`.
    pub project: String,
    /// How far the caller's key reaches.
    pub reach: Arc<door::Scope>,
    /// How long the client is willing to wait.
    pub time_limit: Option<TimeLimit>,
    /// Only the first target may be tried.
    pub strict: bool,
    /// The client wants to know what would happen, and nothing to be sent.
    pub explain: bool,
    /// What its answer will be kept with; `None`: it will not be.
    pub(super) turn: Option<Turn>,
    /// Name of the access key that it was sent with.
    key: Option<Arc<str>>,
    /// What the client labels it with.
    tags: Vec<String>,
    /// What a header calls the conversation.
    named: Option<String>,
    session: OnceLock<u64>,
    needs: OnceLock<Needs>,
    /// Boxed, as the texts: most requests are never decoded, and all of them move through several hands.
    decoded: OnceLock<Box<ChatRequest>>,
    texts: OnceLock<Box<EmbedRequest>>,
}

impl Inbound {
    /// Scans and peeks; tells the meter what was asked for.
    ///
    /// # Errors
    /// `Malformed`, naming the field or the header; `Forbidden`, when the key belongs to another project.
    pub fn admit(
        world: Arc<World>,
        asked: Asked,
        headers: &HeaderMap,
        time_limit: Option<TimeLimit>,
        body: Bytes,
        meter: &mut Meter,
    ) -> Result<Self, Fault> {
        let body = RawObject::parse(body)?;
        let mut asked = asked;
        asked.head.longest_prompt = Some(world.doors.prompt_limit);
        let peek = asked.peek(&body)?;
        let Asked { surface, operation, head } = asked;
        let named = peek.project.clone().or_else(|| text(headers, &PROJECT));
        for (field, name) in [("model", &peek.model), ("provider", &peek.provider), ("project", &named)] {
            bound(field, name.as_deref())?;
        }
        let caller = meter.caller();
        let (project, reach) = (caller.project(named.as_deref())?, caller.scope.clone());
        let strict = peek.strict || text(headers, &NO_FALLBACK).is_some_and(|value| value != "false");
        let key = caller.key_name.clone();
        let explain = text(headers, &EXPLAIN).is_some_and(|value| value != "false");
        meter.asked(&peek, &project);
        let arrival = meter.arrival();
        let forwarded = forwarded(surface, headers);
        Ok(Self {
            world,
            arrival,
            surface,
            operation,
            head,
            forwarded,
            body,
            peek,
            project,
            reach,
            time_limit,
            strict,
            explain,
            turn: None,
            key,
            tags: tags(headers),
            named: session::in_header(headers),
            session: OnceLock::new(),
            needs: OnceLock::new(),
            decoded: OnceLock::new(),
            texts: OnceLock::new(),
        })
    }

    /// Another body takes the place of the one that it came with, of which nothing but its top level has been read.
    pub(super) fn replace_body(&mut self, body: RawObject) -> Result<(), Fault> {
        let asked = Asked { surface: self.surface, operation: self.operation, head: self.head.clone() };
        self.peek = asked.peek(&body)?;
        self.body = body;
        Ok(())
    }

    /// What the plan needs to know; `world` knows whether it asks for the conversation.
    pub fn ask(&self, world: &Snapshot) -> Ask<'_> {
        Ask {
            operation: self.operation,
            dialect: self.surface.dialect(),
            model: self.peek.model.as_deref(),
            provider: self.peek.provider.as_deref(),
            project: &self.project,
            access: &self.reach.access,
            strict: self.strict,
            needs: self.needs(),
            key: self.key.as_deref(),
            tags: &self.tags,
            size: u64::try_from(self.body.as_bytes().len()).unwrap_or(u64::MAX),
            session: self.session(world),
            dice: clock::dice(self.arrival.id),
        }
    }

    /// Which conversation it belongs to; `None`: no route wants to know.
    pub fn session(&self, world: &Snapshot) -> Option<u64> {
        let owner = (self.key.as_deref(), self.project.as_str());
        let read = || session::session(self.named.as_deref(), &self.body, owner);
        world.is_sticky().then(|| *self.session.get_or_init(read))
    }

    /// What the conversation holds that not every model takes. It is decoded only when its bytes look as if it might: most
    /// requests are carried and never read.
    fn needs(&self) -> Needs {
        let tools = TOOLS.iter().any(|name| self.body.has(name));
        if self.operation != Operation::Chat || !may_hold_media(self.body.as_bytes()) {
            return Needs { tools, ..Needs::default() };
        }
        let read = || self.surface.surface().decode_request(&self.head, &self.body).ok();
        let needs = || read().map(|request| needs(&request)).unwrap_or_default();
        Needs { tools, ..*self.needs.get_or_init(needs) }
    }

    /// Whose conversation it is.
    pub fn owner(&self, meter: &Meter) -> Owner {
        Owner { key: meter.caller().identity(), project: self.project.clone() }
    }

    /// The request in canonical form; decoded at most once, and only if some target speaks another dialect.
    /// Thoughts that the client could not carry are put back.
    pub fn decoded(&self, recall: &Recall, meter: &Meter) -> Result<&ChatRequest, Fault> {
        if let Some(request) = self.decoded.get() {
            return Ok(request);
        }
        let surface = self.surface.surface();
        let mut request = match self.operation {
            Operation::CountTokens => {
                counting(self.surface)?.decode_request(surface, &self.head, &self.body)?
            }
            _ => surface.decode_request(&self.head, &self.body)?,
        };
        recall.restore(&self.owner(meter), &mut request);
        Ok(self.decoded.get_or_init(|| Box::new(request)))
    }

    /// The texts to embed, in canonical form; decoded at most once.
    pub fn texts(&self) -> Result<&EmbedRequest, Fault> {
        if let Some(request) = self.texts.get() {
            return Ok(request);
        }
        let request = embeddings(self.surface)?.decode_request(&self.head, &self.body)?;
        Ok(self.texts.get_or_init(|| Box::new(request)))
    }
}

fn forwarded(surface: SurfaceId, headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    let names = surface.surface().forwarded_headers().iter().copied().map(HeaderName::from_static);
    let with_values = names.flat_map(|name| {
        let values = headers.get_all(&name).iter().cloned().collect::<Vec<_>>();
        values.into_iter().map(move |value| (name.clone(), value))
    });
    with_values.collect()
}

fn tags(headers: &HeaderMap) -> Vec<String> {
    let all = text(headers, &TAGS).unwrap_or_default();
    all.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}
