//! Access keys: made, listed, changed, rotated, revoked; and `/admin/v1/keys`. Nobody hands out more than they have.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use jiff::Timestamp;
use policy::Access;
use serde::Serialize;
use serde_json::json;
use store::{AccessKey, By, KeyChanges, KeyRole, NewAccessKey, Secret, Store};
use wire::{Fault, RawObject};

use super::fields::{self, REQUIRED, invalid, optional_name};
use super::json as json_answer;
use super::scope::{asked_project, limit, parameter, seen_by};
use crate::app::App;
use crate::arrival::Arrival;
use crate::body::{OutBody, demand_json, read_limited};
use crate::credentials::fault;
use crate::door::Caller;

/// Bytes of a request about a key, at most.
const BODY_LIMIT: usize = 64 * 1024;
/// Entries of a list of patterns, providers or labels, at most.
const LIST_LIMIT: usize = 256;
/// How long the old key is accepted after a rotation, unless the request says otherwise.
pub const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest overlap: two keys for ever would be no rotation.
const LONGEST_OVERLAP: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Answers every method of the route; `rest` stands for the `*` of its path.
pub async fn answer(
    app: &Arc<App>,
    caller: &Caller,
    arrival: Arrival,
    rest: Option<&str>,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    let by = caller.acts(arrival);
    let (store, method) = (&*app.store, request.method().clone());
    let (id, action) = match rest.and_then(|rest| rest.split_once('/')) {
        Some((id, action)) => (Some(id), Some(action)),
        None => (rest, None),
    };
    let answer = match (&method, id, action) {
        (&Method::GET | &Method::HEAD, None, _) => return list_page(store, caller, &request).await,
        (&Method::GET | &Method::HEAD, Some(id), None) => {
            return Ok(json_answer(StatusCode::OK, &Row::of(&find(store, caller, id).await?)));
        }
        (&Method::POST, None, _) => {
            let new = read_new(&body(request).await?, &app.world().snapshot)?;
            let (key, secret) = create(store, caller, new, &by).await?;
            json_answer(StatusCode::CREATED, &with_secret(&key, &secret))
        }
        (&Method::POST, Some(id), Some("rotate")) => {
            let overlap = read_overlap(&body(request).await?)?;
            let (key, secret) = rotate(store, caller, id, overlap, &by).await?;
            json_answer(StatusCode::OK, &with_secret(&key, &secret))
        }
        (&Method::PATCH, Some(id), None) => {
            let changes = read_changes(&body(request).await?, &app.world().snapshot)?;
            json_answer(StatusCode::OK, &Row::of(&update(store, caller, id, changes, &by).await?))
        }
        (&Method::DELETE, Some(id), None) => {
            json_answer(StatusCode::OK, &Row::of(&revoke(store, caller, id, &by).await?))
        }
        _ => return Err(Fault::NotFound { what: "there is nothing to do by this name".to_owned() }),
    };
    app.keys_changed().await?;
    Ok(answer)
}

async fn body(request: Request<Incoming>) -> Result<RawObject, Fault> {
    demand_json(request.headers())?;
    RawObject::parse(read_limited(request.into_body(), BODY_LIMIT).await?)
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
    let page: Vec<Row<'_>> = found[from..].iter().take(limit(query)? as usize).map(Row::of).collect();
    let is_last = from + page.len() == found.len();
    let next = page.last().filter(|_| !is_last).map(|row| row.id);
    Ok(json_answer(StatusCode::OK, &json!({ "data": page, "next_cursor": next })))
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

fn read_new(body: &RawObject, snapshot: &policy::Snapshot) -> Result<NewAccessKey, Fault> {
    let role = optional_name(body, "role")?;
    let role = role.map_or(Some(KeyRole::Caller), |name| KeyRole::from_name(&name));
    let changes = read_changes(body, snapshot)?;
    Ok(NewAccessKey {
        name: changes.name.ok_or_else(|| invalid("name", REQUIRED))?,
        role: role.ok_or_else(|| invalid("role", "must be caller or project_admin"))?,
        project: optional_name(body, "project")?,
        models: changes.models.unwrap_or_default(),
        providers: changes.providers.unwrap_or_default(),
        labels: changes.labels.unwrap_or_default(),
        expires_at: changes.expires_at.flatten(),
    })
}

fn read_changes(body: &RawObject, snapshot: &policy::Snapshot) -> Result<KeyChanges, Fault> {
    let providers = names(body, "providers")?;
    let labels = body.get::<BTreeMap<String, String>>("labels")?;
    if labels.as_ref().is_some_and(|labels| labels.len() > LIST_LIMIT) {
        return Err(invalid("labels", "must have at most 256 entries"));
    }
    Ok(KeyChanges {
        name: optional_name(body, "name")?,
        models: names(body, "models")?,
        providers: providers.map(|names| known_providers(snapshot, names)).transpose()?,
        labels,
        expires_at: expiry(body)?,
    })
}

fn names(body: &RawObject, field: &'static str) -> Result<Option<Vec<String>>, Fault> {
    let Some(found) = body.get::<Vec<String>>(field)? else { return Ok(None) };
    if found.len() > LIST_LIMIT || found.iter().any(String::is_empty) {
        return Err(invalid(field, "must be a list of at most 256 names, none of them empty"));
    }
    found.into_iter().map(|text| fields::name(field, text)).collect::<Result<_, _>>().map(Some)
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

/// `Some(None)` for null, which takes the end away.
fn expiry(body: &RawObject) -> Result<Option<Option<Timestamp>>, Fault> {
    let Some(found) = body.get::<serde_json::Value>("expires_at")? else {
        return Ok(body.has("expires_at").then_some(None));
    };
    let end = found.as_str().and_then(|text| text.parse().ok());
    end.map(|end| Some(Some(end)))
        .ok_or_else(|| invalid("expires_at", "must be a time such as 2027-01-31T00:00:00Z, or null"))
}

fn read_overlap(body: &RawObject) -> Result<Duration, Fault> {
    let seconds = body.get::<u64>("overlap_seconds")?;
    Ok(seconds.map_or(OVERLAP, Duration::from_secs))
}

/// A key as it is listed.
#[derive(Debug, Serialize)]
pub struct Row<'a> {
    id: &'a str,
    name: &'a str,
    /// What people see of it: start and end.
    masked_key: String,
    role: &'static str,
    project: Option<&'a str>,
    models: &'a [String],
    providers: &'a [String],
    labels: &'a BTreeMap<String, String>,
    created_by: &'a str,
    created_at: Timestamp,
    updated_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    /// Until when the key before the last rotation is accepted too.
    old_key_until: Option<Timestamp>,
    /// Only said where it is not so.
    #[serde(skip_serializing_if = "Clone::clone")]
    intact: bool,
}

impl<'a> Row<'a> {
    #[allow(missing_docs)]
    pub fn of(key: &'a AccessKey) -> Self {
        let grant = &key.grant;
        Self {
            id: &key.id,
            name: &grant.name,
            masked_key: format!("gw_{}_...{}", key.id, key.ending),
            role: grant.role.as_str(),
            project: grant.project.as_deref(),
            models: &grant.models,
            providers: &grant.providers,
            labels: &grant.labels,
            created_by: &key.created_by,
            created_at: key.created_at,
            updated_at: key.updated_at,
            expires_at: grant.expires_at,
            revoked_at: key.revoked_at,
            old_key_until: key.old_until,
            intact: key.intact,
        }
    }
}

impl Row<'_> {
    /// Names of the columns of `line`.
    pub const HEAD: [&'static str; 6] = ["ID", "NAME", "ROLE", "PROJECT", "MODELS", "STATE"];

    /// The row in a table for people.
    pub fn line(&self) -> Vec<String> {
        let state = match (self.intact, self.revoked_at, self.expires_at) {
            (false, ..) => "changed outside the gateway".to_owned(),
            (_, Some(at), _) => format!("revoked {}", super::civil(at)),
            (_, _, Some(end)) => format!("until {}", super::civil(end)),
            _ => "valid".to_owned(),
        };
        let models = if self.models.is_empty() { "all".to_owned() } else { self.models.join(",") };
        let project = self.project.unwrap_or("any").to_owned();
        vec![self.id.to_owned(), self.name.to_owned(), self.role.to_owned(), project, models, state]
    }
}

/// A key as it is shown once, when it is made.
pub fn with_secret(key: &AccessKey, secret: &Secret) -> serde_json::Value {
    let mut row = json!(Row::of(key));
    row["key"] = secret.expose().into();
    row
}
