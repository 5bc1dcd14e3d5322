//! `/v1/credentials`: keys of providers in the vault, by project.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde::Serialize;
use serde_json::json;
use store::{Credential, GLOBAL, NewCredential, Secret};
use wire::{Fault, RawObject};

use super::json as json_answer;
use super::scope::asked_project;
use crate::app::App;
use crate::body::{OutBody, demand_json, read_limited};
use crate::clock;
use crate::credentials::fault;

/// Bytes of a request that stores a credential, at most.
const BODY_LIMIT: usize = 64 * 1024;
/// Characters of a name.
const NAME_LIMIT: usize = 128;
const REQUIRED: &str = "is required and must not be empty";

/// A credential as it is listed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    id: i64,
    provider: String,
    key_name: String,
    project: String,
    masked_value: String,
    created_at: String,
    updated_at: String,
}

/// What storing a credential answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stored {
    id: i64,
    provider: String,
    key_name: String,
    project: String,
}

/// Answers every method of the route; `id` stands for the `*` of its path.
pub async fn answer(
    app: &Arc<App>,
    id: Option<&str>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    let project = asked_project(request.uri().query(), request.headers());
    match (request.method(), id) {
        (&Method::POST, _) => put(app, peer, request).await,
        (&Method::DELETE, Some(id)) => delete(app, id).await,
        _ => list(app, project.as_deref()).await,
    }
}

async fn list(app: &App, project: Option<&str>) -> Result<Response<OutBody>, Fault> {
    Ok(json_answer(StatusCode::OK, &json!({ "credentials": listed(app, project).await? })))
}

async fn put(
    app: &Arc<App>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    demand_json(request.headers())?;
    let header_project = asked_project(None, request.headers());
    let body = RawObject::parse(read_limited(request.into_body(), BODY_LIMIT).await?)?;
    let stored = store(app, &body, header_project).await?;
    tracing::info!(id = stored.id, %peer, "credential {} came over HTTP", stored.id);
    Ok(json_answer(StatusCode::CREATED, &stored))
}

async fn delete(app: &Arc<App>, id: &str) -> Result<Response<OutBody>, Fault> {
    remove(app, id.parse().map_err(|_| invalid("id", "must be a number"))?).await?;
    Ok(json_answer(StatusCode::OK, &json!({ "ok": true })))
}

/// All credentials, or those of one project and the global ones; masked.
///
/// # Errors
/// The store does not answer.
pub async fn listed(app: &App, project: Option<&str>) -> Result<Vec<Listed>, Fault> {
    let credentials = app.store.credentials(project).await.map_err(fault)?;
    Ok(credentials.iter().map(row).collect())
}

/// Stores or replaces the credential that `body` describes: `provider`, `apiKey`, `keyName`, `project`; `project` is
/// taken when the body names none.
///
/// # Errors
/// `Malformed`, naming the field.
pub async fn store(app: &App, body: &RawObject, project: Option<String>) -> Result<Stored, Fault> {
    let new = NewCredential {
        provider: known_provider(app, optional(body, "provider")?)?,
        api_key: Secret::new(required(body, "apiKey")?),
        key_name: optional(body, "keyName")?.unwrap_or_else(|| "default".to_owned()),
        project: optional(body, "project")?.or(project).unwrap_or_else(|| GLOBAL.to_owned()),
    };
    if !new.api_key.expose().bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
        return Err(invalid("apiKey", "must be printable ASCII without spaces"));
    }
    let Credential { id, provider, key_name, project, .. } =
        app.store.put_credential(new, clock::wall()).await.map_err(fault)?;
    app.credentials_changed().await?;
    tracing::info!(provider, key_name, project, "credential stored");
    Ok(Stored { id, provider, key_name, project })
}

/// Removes a credential.
///
/// # Errors
/// `NotFound`.
pub async fn remove(app: &App, id: i64) -> Result<(), Fault> {
    if !app.store.delete_credential(id).await.map_err(fault)? {
        return Err(Fault::NotFound { what: format!("there is no credential {id}") });
    }
    app.credentials_changed().await?;
    tracing::info!(id, "credential deleted");
    Ok(())
}

fn row(credential: &Credential) -> Listed {
    Listed {
        id: credential.id,
        provider: credential.provider.clone(),
        key_name: credential.key_name.clone(),
        project: credential.project.clone(),
        masked_value: credential.masked_value.clone(),
        created_at: civil(credential.created_at),
        updated_at: civil(credential.updated_at),
    }
}

/// `YYYY-MM-DD HH:MM:SS`, UTC, as mcp-llm-bridge wrote it.
fn civil(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A stored key that no provider could ever use would be a silent mistake.
fn known_provider(app: &App, named: Option<String>) -> Result<String, Fault> {
    let world = app.world();
    let takes_a_key =
        |provider: &policy::Provider| provider.auth.is_some() || provider.kind == policy::Kind::Cli;
    // Other spellings become the provider's own name: a credential under `gemini` must be found for `google`.
    let found = named.as_deref().and_then(|name| world.snapshot.provider(name));
    if let Some(found) = found.filter(|found| takes_a_key(found)) {
        return Ok(found.id.to_string());
    }
    let known = world.snapshot.providers().iter().filter(|provider| takes_a_key(provider));
    let known: Vec<&str> = known.map(|provider| &*provider.id).collect();
    let what = named.map_or(REQUIRED.to_owned(), |name| format!("'{name}' is not known here"));
    Err(invalid("provider", &format!("{what}; valid providers are {}", known.join(", "))))
}

fn required(body: &RawObject, field: &'static str) -> Result<String, Fault> {
    optional(body, field)?.ok_or_else(|| invalid(field, REQUIRED))
}

fn optional(body: &RawObject, field: &'static str) -> Result<Option<String>, Fault> {
    let value = body.get::<String>(field)?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match &value {
        Some(text) if field != "apiKey" && !is_name(text) => {
            Err(invalid(field, "must be at most 128 characters without control characters"))
        }
        _ => Ok(value),
    }
}

fn is_name(text: &str) -> bool {
    text.chars().count() <= NAME_LIMIT && !text.chars().any(char::is_control)
}

fn invalid(field: &str, why: &str) -> Fault {
    Fault::malformed(field.to_owned(), format!("{field} {why}"))
}
