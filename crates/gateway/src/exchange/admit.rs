//! From a body to an inbound request: read, scanned, peeked at.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use policy::Ask;
use wire::chat::ChatRequest;
use wire::dialect::Peek;
use wire::{Fault, Head, Operation, RawObject, SurfaceId};

use super::meter::Meter;
use crate::arrival::Arrival;
use crate::door::Scope;

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

/// An admitted request.
pub struct Inbound {
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
    pub scope: Arc<Scope>,
    /// Only the first target may be tried.
    pub strict: bool,
    decoded: OnceLock<ChatRequest>,
}

impl Inbound {
    /// Scans and peeks; tells the meter what was asked for.
    ///
    /// # Errors
    /// `Malformed`, naming the field; `Forbidden`, when the key belongs to another project.
    pub fn admit(asked: Asked, headers: &HeaderMap, body: Bytes, meter: &mut Meter) -> Result<Self, Fault> {
        let Asked { surface, operation, head } = asked;
        let body = RawObject::parse(body)?;
        let peek = surface.surface().peek(&head, &body)?;
        let named = peek.project.clone().or_else(|| text(headers, "x-project"));
        let caller = meter.caller();
        let (project, scope) = (caller.project(named.as_deref())?, caller.scope.clone());
        let strict =
            peek.strict || text(headers, "x-gateway-no-fallback").is_some_and(|value| value != "false");
        meter.asked(&peek, &project);
        let arrival = meter.arrival();
        let forwarded = forwarded(surface, headers);
        Ok(Self {
            arrival,
            surface,
            operation,
            head,
            forwarded,
            body,
            peek,
            project,
            scope,
            strict,
            decoded: OnceLock::new(),
        })
    }

    /// What the plan needs to know.
    pub fn ask(&self) -> Ask<'_> {
        Ask {
            operation: self.operation,
            dialect: self.surface.dialect(),
            model: self.peek.model.as_deref(),
            provider: self.peek.provider.as_deref(),
            project: &self.project,
            access: &self.scope.access,
            strict: self.strict,
        }
    }

    /// The request in canonical form; decoded at most once, and only if some target speaks another dialect.
    pub fn decoded(&self) -> Result<&ChatRequest, Fault> {
        if let Some(request) = self.decoded.get() {
            return Ok(request);
        }
        let request = self.surface.surface().decode_request(&self.head, &self.body)?;
        Ok(self.decoded.get_or_init(|| request))
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

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}
