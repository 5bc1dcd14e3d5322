//! Access keys: made, listed, changed, rotated, revoked; and `/admin/v1/keys`. Nobody hands out more than they have.

mod body;
mod row;

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use jiff::Timestamp;
use policy::Access;
use serde::de::DeserializeOwned;
use store::{AccessKey, By, KeyChanges, KeyRole, NewAccessKey, Secret, Store};
use wire::{Fault, RawObject};

pub use body::{Changes, NewKey, Rotation};
pub use row::{Issued, Row};

use super::fields::invalid;
use super::json as json_answer;
use super::reply::Page;
use super::scope::{asked_project, limit, parameter, seen_by};
use crate::app::App;
use crate::arrival::Arrival;
use crate::body::{OutBody, demand_json, read_limited};
use crate::credentials::fault;
use crate::door::Caller;

/// Bytes of a request about a key, at most.
const BODY_LIMIT: usize = 64 * 1024;
/// How long the old key is accepted after a rotation, unless the request says otherwise.
pub const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest overlap: two keys for ever would be no rotation.
const LONGEST_OVERLAP: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Answers every method of its routes; `id` stands for the `*` of the path.
pub async fn answer(
    app: &Arc<App>,
    caller: &Caller,
    arrival: Arrival,
    id: Option<&str>,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    let by = caller.acts(arrival);
    let (store, method) = (&*app.store, request.method().clone());
    let answer = match (&method, id) {
        (&Method::POST, None) => {
            let new = read::<NewKey>(request).await?.grant(&app.world().snapshot)?;
            let (key, secret) = create(store, caller, new, &by).await?;
            json_answer(StatusCode::CREATED, &Issued::of(&key, &secret))
        }
        // The only thing that is posted to a key that is there.
        (&Method::POST, Some(id)) => {
            let overlap = read::<Rotation>(request).await?.overlap();
            let (key, secret) = rotate(store, caller, id, overlap, &by).await?;
            json_answer(StatusCode::OK, &Issued::of(&key, &secret))
        }
        (&Method::PATCH, Some(id)) => {
            let changes = read::<Changes>(request).await?.checked(&app.world().snapshot)?;
            json_answer(StatusCode::OK, &Row::of(&update(store, caller, id, changes, &by).await?))
        }
        (&Method::DELETE, Some(id)) => {
            json_answer(StatusCode::OK, &Row::of(&revoke(store, caller, id, &by).await?))
        }
        (_, Some(id)) => return Ok(json_answer(StatusCode::OK, &Row::of(&find(store, caller, id).await?))),
        (_, None) => return list_page(store, caller, &request).await,
    };
    app.keys_changed().await?;
    Ok(answer)
}

async fn read<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, Fault> {
    demand_json(request.headers())?;
    RawObject::parse(read_limited(request.into_body(), BODY_LIMIT).await?)?.decode()
}

async fn list_page(
    store: &dyn Store,
    caller: &Caller,
    request: &Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    let query = request.uri().query();
    let project = seen_by(caller, asked_project(query, request.headers()).as_deref())?;
    let after = parameter(query, "cursor");
    let found = list(store, caller, project.as_deref()).await?;
    let from = after.map_or(Some(0), |after| found.iter().position(|key| key.id == after).map(|at| at + 1));
    let from = from.ok_or_else(|| invalid("cursor", "must be one that a list gave"))?;
    let data: Vec<Row<'_>> = found[from..].iter().take(limit(query)? as usize).map(Row::of).collect();
    let is_last = from + data.len() == found.len();
    let next_cursor = data.last().filter(|_| !is_last).map(|row| row.id.to_owned());
    Ok(json_answer(StatusCode::OK, &Page { data, next_cursor }))
}

/// Keys that a caller sees, oldest first; revoked ones too.
///
/// # Errors
/// Those of the store.
pub async fn list(
    store: &dyn Store,
    caller: &Caller,
    project: Option<&str>,
) -> Result<Vec<AccessKey>, Fault> {
    let mut found = store.access_keys().await.map_err(fault)?;
    found.retain(|key| sees(caller, key));
    if let Some(project) = project {
        found.retain(|key| key.grant.project.as_deref() == Some(project));
    }
    Ok(found)
}

/// A key that acts for any project is not there for a caller that belongs to one.
fn sees(caller: &Caller, key: &AccessKey) -> bool {
    match &key.grant.project {
        Some(project) => caller.sees(project),
        None => caller.scope.project.is_none(),
    }
}

/// One key, if it is there for this caller.
///
/// # Errors
/// `NotFound`; those of the store.
pub async fn find(store: &dyn Store, caller: &Caller, id: &str) -> Result<AccessKey, Fault> {
    let found = store.access_keys().await.map_err(fault)?;
    let found = found.into_iter().find(|key| key.id == id && sees(caller, key));
    found.ok_or_else(|| Fault::NotFound { what: format!("there is no access key {id}") })
}

/// Makes a key.
///
/// # Errors
/// `Malformed`, naming the field; `Forbidden`, when the key would reach farther than the caller's; those of the store.
pub async fn create(
    store: &dyn Store,
    caller: &Caller,
    new: NewAccessKey,
    by: &By,
) -> Result<(AccessKey, Secret), Fault> {
    let new = within(caller, new)?;
    if new.role == KeyRole::ProjectAdmin && new.project.is_none() {
        return Err(invalid("project", "is required for the admin of a project"));
    }
    if new.expires_at.is_some_and(|end| end <= by.at) {
        return Err(invalid("expires_at", "must lie in the future"));
    }
    let (key, secret) = store.create_key(new, by).await.map_err(fault)?;
    tracing::info!(key = key.id, name = key.grant.name, by = by.actor, "access key created");
    Ok((key, secret))
}

/// Changes what a key may do.
///
/// # Errors
/// `NotFound`; `Forbidden`, when the key reaches or would reach farther than the caller's; those of the store.
pub async fn update(
    store: &dyn Store,
    caller: &Caller,
    id: &str,
    changes: KeyChanges,
    by: &By,
) -> Result<AccessKey, Fault> {
    let found = usable(store, caller, id).await?;
    let grant = found.grant;
    let wanted = NewAccessKey {
        models: changes.models.clone().unwrap_or(grant.models),
        providers: changes.providers.clone().unwrap_or(grant.providers),
        expires_at: changes.expires_at.unwrap_or(grant.expires_at),
        ..grant
    };
    // What was left out means what the caller has, as for a new key.
    let wanted = within(caller, wanted)?;
    let changes = KeyChanges {
        models: changes.models.map(|_| wanted.models),
        providers: changes.providers.map(|_| wanted.providers),
        expires_at: changes.expires_at.map(|_| wanted.expires_at),
        ..changes
    };
    let key = store.update_key(id, changes, by).await.map_err(fault)?;
    tracing::info!(key = id, by = by.actor, "access key updated");
    Ok(key)
}

/// Gives a key a new secret part; the old one is accepted for `overlap` more.
///
/// # Errors
/// As [`update`].
pub async fn rotate(
    store: &dyn Store,
    caller: &Caller,
    id: &str,
    overlap: Duration,
    by: &By,
) -> Result<(AccessKey, Secret), Fault> {
    usable(store, caller, id).await?;
    let until = by.at.checked_add(overlap.min(LONGEST_OVERLAP)).map_err(Fault::internal)?;
    let rotated = store.rotate_key(id, until, by).await.map_err(fault)?;
    tracing::info!(key = id, by = by.actor, "access key rotated");
    Ok(rotated)
}

/// Makes a key open nothing any more.
///
/// # Errors
/// `NotFound`; those of the store.
pub async fn revoke(store: &dyn Store, caller: &Caller, id: &str, by: &By) -> Result<AccessKey, Fault> {
    find(store, caller, id).await?;
    let key = store.revoke_key(id, by).await.map_err(fault)?;
    tracing::info!(key = id, by = by.actor, "access key revoked");
    Ok(key)
}

/// A key that works, and that reaches no farther than the caller's: else changing it would be a way to a wider one.
async fn usable(store: &dyn Store, caller: &Caller, id: &str) -> Result<AccessKey, Fault> {
    let found = find(store, caller, id).await?;
    if found.revoked_at.is_some() || !found.intact {
        let why = "this key opens nothing any more (revoked, or changed outside the gateway); make a new one";
        return Err(Fault::Forbidden { why: why.to_owned() });
    }
    let grant = &found.grant;
    let reach = Access { models: grant.models.clone(), providers: grant.providers.clone() };
    if !caller.scope.access.covers(&reach) {
        return Err(wider());
    }
    Ok(found)
}

/// The new key with everything that it inherits, if it stays within the caller's reach.
fn within(caller: &Caller, mut new: NewAccessKey) -> Result<NewAccessKey, Fault> {
    let scope = &caller.scope;
    if scope.project.is_some() {
        new.project = Some(caller.project(new.project.as_deref())?);
    }
    if new.models.is_empty() {
        new.models.clone_from(&scope.access.models);
    }
    if new.providers.is_empty() {
        new.providers.clone_from(&scope.access.providers);
    }
    new.expires_at = new.expires_at.or(scope.expires_at);
    let reach = Access { models: new.models.clone(), providers: new.providers.clone() };
    let outlives = |end: Timestamp| new.expires_at.is_none_or(|new| new > end);
    if !scope.access.covers(&reach) || scope.expires_at.is_some_and(outlives) {
        return Err(wider());
    }
    Ok(new)
}

fn wider() -> Fault {
    Fault::Forbidden { why: "a key cannot make or change one that reaches farther than itself".to_owned() }
}

/// Providers by their own names. One that is not known would be a silent mistake: the key could use nothing.
///
/// # Errors
/// `Malformed`, naming the first unknown one.
pub fn known_providers(snapshot: &policy::Snapshot, names: Vec<String>) -> Result<Vec<String>, Fault> {
    let known = names.into_iter().map(|name| match snapshot.provider(&name) {
        Some(found) => Ok(found.id.to_string()),
        None => Err(invalid("providers", &format!("names '{name}', which is not known here"))),
    });
    known.collect()
}
