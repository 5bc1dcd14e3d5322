//! Models of servers that list their own: read in the background, so that nothing waits for it, and put beside what the
//! catalogue and the file know.
//!
//! A list that cannot be read leaves the last one in force. Which lists are read is the configuration's
//! (`config::discovery`); what is made of them, the snapshot's (`policy::found`).

mod list;

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use foldhash::fast::RandomState;
use futures_util::future::join_all;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use policy::{Found, FoundModel};
use store::GLOBAL;
use upstream::{Call, Destination, Endpoint};
use wire::Fault;
use wire::fault::Phase;

use crate::app::App;
use crate::clock::{self, Instant};
use crate::credentials::Key;
use crate::exchange::{refusal, without_key};
use crate::world::{Listing, ModelList, Runtime, World};
use list::{Models, Page};

/// How often it is looked whether a list is due.
const GLANCE: Duration = Duration::from_millis(500);
/// A list that could not be read is read again after this, or when it is due if that is sooner.
const RETRY: Duration = Duration::from_secs(30);
/// How long one list may take, from the connection to its last byte.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pages of one list, at most; a server that always has more is not followed for ever.
const PAGES_AT_MOST: usize = 100;
/// Bytes of one page, at most; OpenRouter's has half a million.
const LIST_AT_MOST: usize = 4 * 1024 * 1024;

/// Reads lists until the gateway is gone.
pub async fn discover(app: Weak<App>) {
    let mut rounds = Rounds::default();
    loop {
        let Some(app) = app.upgrade() else { return };
        rounds.go(&app).await;
        drop(app);
        clock::sleep(GLANCE).await;
    }
}

/// What is remembered from round to round, by provider.
#[derive(Default)]
struct Rounds(HashMap<Arc<str>, Seen, RandomState>);

struct Seen {
    /// Another one, from another configuration, is due at once.
    endpoint: Arc<Endpoint>,
    due: Instant,
    fails: bool,
}

impl Rounds {
    /// Reads every list that is due, all at the same time.
    async fn go(&mut self, app: &App) {
        let world = app.world();
        let now = clock::now();
        let due: Vec<_> = world.listings().filter(|listing| self.is_due(listing, now)).collect();
        if due.is_empty() {
            return;
        }
        let answers = join_all(due.iter().map(|listing| listed(app, &world, listing))).await;
        let mut found = Found::clone(world.snapshot.found());
        for (listing, answer) in due.into_iter().zip(answers) {
            self.note(&listing, &answer);
            if let Ok(models) = answer {
                found.insert(listing.of.provider.clone(), models);
            }
        }
        if found != **world.snapshot.found() {
            app.models_found(&found);
        }
    }

    fn is_due(&self, listing: &Listing<'_>, now: Instant) -> bool {
        let is_same = |seen: &&Seen| Arc::ptr_eq(&seen.endpoint, &listing.list.endpoint);
        self.0.get(&listing.of.provider).filter(is_same).is_none_or(|seen| seen.due <= now)
    }

    /// Says what changed for the better or worse, and when to look again.
    fn note(&mut self, listing: &Listing<'_>, answer: &Result<Vec<FoundModel>, Fault>) {
        let provider = &listing.of.provider;
        let fails = answer.is_err();
        let before = self.0.get(provider).map(|seen| seen.fails);
        match answer {
            Err(fault) if before != Some(true) => {
                let why = fault.client_message("-");
                tracing::warn!(%provider, "the list of models of {provider} cannot be read: {why}");
            }
            Ok(models) if before != Some(false) => {
                tracing::info!(%provider, models = models.len(), "{provider} lists {} models", models.len());
            }
            _ => {}
        }
        let wait = if fails { listing.every.min(RETRY) } else { listing.every };
        let seen = Seen { endpoint: listing.list.endpoint.clone(), due: clock::now() + wait, fails };
        self.0.insert(provider.clone(), seen);
    }
}

/// A list, asked for with the key that requests of no project would use first.
async fn listed(app: &App, world: &World, listing: &Listing<'_>) -> Result<Vec<FoundModel>, Fault> {
    let of = listing.of;
    let keys = app.credentials.of(world, of, 0, GLOBAL, None).await?;
    let without = || Fault::NoTarget { why: format!("{} has no key yet", of.provider) };
    let key = keys.into_iter().next().ok_or_else(without)?;
    read(app, of, listing.list, key.as_deref()).await
}

/// One list with all its pages.
///
/// # Errors
/// What the provider says, without the key; or why there is no list.
pub async fn read(
    app: &App,
    of: &Runtime,
    list: &ModelList,
    key: Option<&Key>,
) -> Result<Vec<FoundModel>, Fault> {
    let headers = headers(of, list, key);
    let until = clock::now() + PATIENCE;
    let mut models = Models::default();
    let mut next = None;
    for _ in 0..PAGES_AT_MOST {
        let reading = page(app, of, list, next.as_deref(), headers.clone());
        let page = clock::timeout_at(until, reading).await.unwrap_or_else(|_| Err(too_slow(of)));
        let page = page.map_err(|fault| without_key(fault.named(&of.provider), key.map(|key| &key.value)))?;
        models.add(page.models);
        // A server that does not know the way to its next page gives the same one again.
        if page.next.is_none() || page.next == next || models.is_full() {
            break;
        }
        next = page.next;
    }
    Ok(models.into_list())
}

fn too_slow(of: &Runtime) -> Fault {
    Fault::Timeout { provider: of.provider.to_string(), phase: Phase::Total, after: PATIENCE }
}

/// Where a page is; `next` is what the one before it says, as a piece of a query.
fn at(list: &Arc<Endpoint>, next: Option<&str>) -> Arc<Endpoint> {
    let Some(next) = next else { return list.clone() };
    let target = list.target();
    let joint = if target.contains('?') { '&' } else { '?' };
    list.at(&format!("{target}{joint}{next}"))
}

fn headers(of: &Runtime, list: &ModelList, key: Option<&Key>) -> HeaderMap {
    let mut headers: HeaderMap = list.wire.wire().headers().into_iter().collect();
    headers.extend(of.headers.clone());
    headers.remove(CONTENT_TYPE);
    if let Some(key) = key {
        headers.insert(key.header.clone(), key.value.clone());
    }
    headers
}

async fn page(
    app: &App,
    of: &Runtime,
    list: &ModelList,
    next: Option<&str>,
    headers: HeaderMap,
) -> Result<Page, Fault> {
    let bad = |why| Fault::BadAnswer { provider: of.provider.to_string(), why };
    let call = Call {
        provider: of.provider.clone(),
        to: Destination::Http(at(&list.endpoint, next)),
        headers,
        body: Vec::<Bytes>::new(),
        timeouts: of.timeouts_of_list(PATIENCE),
    };
    let reply = app.upstreams.send(call).await?;
    if reply.status != 200 {
        return Err(refusal(list.wire.wire(), reply).await);
    }
    list::page(&reply.body.collect(LIST_AT_MOST).await?).map_err(bad)
}
