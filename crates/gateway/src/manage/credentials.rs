//! Keys of providers in the vault, by project; and `/v1/credentials`.

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use policy::{Kind, Provider, Snapshot};
use serde::Serialize;
use serde_json::json;
use store::{By, Credential, NewCredential, Secret, Store};
use wire::{Fault, RawObject};

use super::fields::{self, REQUIRED, invalid, optional_name};
use super::scope::{asked_project, seen_by};
use super::{civil, json as json_answer};
use crate::app::App;
use crate::arrival::Arrival;
use crate::body::{OutBody, demand_json, read_limited};
use crate::credentials::fault;
use crate::door::Caller;

/// Bytes of a request that stores a credential, at most.
const BODY_LIMIT: usize = 64 * 1024;

/// Answers every method of the route; `id` stands for the `*` of its path.
pub async fn answer(
    app: &Arc<App>,
    caller: &Caller,
    arrival: Arrival,
    id: Option<&str>,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    match (request.method(), id) {
        (&Method::POST, _) => {
            demand_json(request.headers())?;
            let header = asked_project(None, request.headers());
            let body = RawObject::parse(read_limited(request.into_body(), BODY_LIMIT).await?)?;
            let new = read(&body, caller, header)?;
            let stored = put(&*app.store, &app.world().snapshot, new, &caller.acts(arrival)).await?;
            app.credentials_changed().await?;
            Ok(json_answer(StatusCode::CREATED, &created(&stored)))
        }
        (&Method::DELETE, Some(id)) => {
            delete(&*app.store, caller, fields::id(id)?, &caller.acts(arrival)).await?;
            app.credentials_changed().await?;
            Ok(json_answer(StatusCode::OK, &json!({ "ok": true })))
        }
        _ => {
            let project = asked_project(request.uri().query(), request.headers());
            let found = list(&*app.store, caller, project.as_deref()).await?;
            let rows: Vec<Row<'_>> = found.iter().map(Row::of).collect();
            Ok(json_answer(StatusCode::OK, &json!({ "credentials": rows })))
        }
    }
}

/// What a body asks to be stored; `header` is the project that counts where the body names none.
///
/// # Errors
/// `Malformed`, naming the field; `Forbidden`, for a project that is not the caller's.
pub fn read(body: &RawObject, caller: &Caller, header: Option<String>) -> Result<NewCredential, Fault> {
    let asked = optional_name(body, "project")?.or(header);
    let named = optional_name(body, "provider")?;
    Ok(NewCredential {
        project: caller.project(asked.as_deref())?,
        // An absent provider is told apart from an unknown one where the valid ones are known.
        provider: named.unwrap_or_default(),
        key_name: optional_name(body, "keyName")?.unwrap_or_else(|| "default".to_owned()),
        api_key: fields::secret(body, "apiKey")?,
    })
}

/// Stores or replaces a credential of a known provider.
///
/// # Errors
/// `Malformed`, naming the field; those of the store.
pub async fn put(
    store: &dyn Store,
    snapshot: &Snapshot,
    new: NewCredential,
    by: &By,
) -> Result<Credential, Fault> {
    let new = checked(snapshot, new)?;
    let stored = store.put_credential(new, by).await.map_err(fault)?;
    let Credential { provider, key_name, project, .. } = &stored;
    tracing::info!(provider, key_name, project, by = by.actor, "credential stored");
    Ok(stored)
}

fn checked(snapshot: &Snapshot, new: NewCredential) -> Result<NewCredential, Fault> {
    let provider = known_provider(snapshot, &new.provider)?;
    let api_key = new.api_key.expose().trim();
    if api_key.is_empty() {
        return Err(invalid("apiKey", REQUIRED));
    }
    if !api_key.bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
        return Err(invalid("apiKey", "must be printable ASCII without spaces"));
    }
    let api_key = Secret::new(api_key.to_owned());
    let (key_name, project) = (fields::name("keyName", new.key_name)?, fields::name("project", new.project)?);
    Ok(NewCredential { provider, key_name, project, api_key })
}

/// A stored key that no provider could ever use would be a silent mistake.
fn known_provider(snapshot: &Snapshot, named: &str) -> Result<String, Fault> {
    let takes_a_key = |provider: &Provider| provider.auth.is_some() || provider.kind == Kind::Cli;
    // Other spellings become the provider's own name: a credential under `gemini` must be found for `google`.
    if let Some(found) = snapshot.provider(named).filter(|found| takes_a_key(found)) {
        return Ok(found.id.to_string());
    }
    let known = snapshot.providers().iter().filter(|provider| takes_a_key(provider));
    let known: Vec<&str> = known.map(|provider| &*provider.id).collect();
    let what = if named.is_empty() { REQUIRED.to_owned() } else { format!("'{named}' is not known here") };
    Err(invalid("provider", &format!("{what}; valid providers are {}", known.join(", "))))
}

/// Credentials that a caller sees: of one project and the global ones, or all.
///
/// # Errors
/// `Forbidden`, for a project that is not the caller's; those of the store.
pub async fn list(
    store: &dyn Store,
    caller: &Caller,
    project: Option<&str>,
) -> Result<Vec<Credential>, Fault> {
    let project = seen_by(caller, project)?;
    let mut found = store.credentials(project.as_deref()).await.map_err(fault)?;
    found.retain(|credential| caller.sees(&credential.project));
    Ok(found)
}

/// Removes a credential; another project's is not there for a caller that belongs to one.
///
/// # Errors
/// `NotFound`; those of the store.
pub async fn delete(store: &dyn Store, caller: &Caller, id: i64, by: &By) -> Result<(), Fault> {
    let missing = || Fault::NotFound { what: format!("there is no credential {id}") };
    let found = store.credential(id).await.map_err(fault)?;
    let is_hidden = match &found {
        Some(found) => !caller.sees(&found.project),
        // Only who sees all may let a row go that was removed outside the gateway.
        None => caller.scope.project.is_some(),
    };
    if is_hidden || !store.delete_credential(id, by).await.map_err(fault)? {
        return Err(missing());
    }
    tracing::info!(id, by = by.actor, "credential deleted");
    Ok(())
}

/// What the answer to a stored credential says.
pub fn created(stored: &Credential) -> serde_json::Value {
    json!({
        "id": stored.id, "provider": stored.provider, "keyName": stored.key_name, "project": stored.project,
    })
}

/// A credential as it is listed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row<'a> {
    id: i64,
    provider: &'a str,
    key_name: &'a str,
    project: &'a str,
    masked_value: &'a str,
    created_at: String,
    updated_at: String,
    /// Only said where it is not so.
    #[serde(skip_serializing_if = "Clone::clone")]
    intact: bool,
}

impl Row<'_> {
    /// Names of the columns of `line`.
    pub const HEAD: [&'static str; 6] = ["ID", "PROVIDER", "NAME", "PROJECT", "VALUE", "UPDATED"];

    /// The row in a table for people.
    pub fn line(&self) -> Vec<String> {
        let names = [self.provider, self.key_name, self.project, self.masked_value, &self.updated_at];
        std::iter::once(self.id.to_string()).chain(names.map(str::to_owned)).collect()
    }
}

impl<'a> Row<'a> {
    #[allow(missing_docs)]
    pub fn of(credential: &'a Credential) -> Self {
        Self {
            id: credential.id,
            provider: &credential.provider,
            key_name: &credential.key_name,
            project: &credential.project,
            masked_value: &credential.masked_value,
            created_at: civil(credential.created_at),
            updated_at: civil(credential.updated_at),
            intact: credential.intact,
        }
    }
}
