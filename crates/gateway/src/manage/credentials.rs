//! `/v1/credentials`: keys of providers in the vault, by project.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde::Serialize;
use serde_json::json;
use store::{By, Credential, GLOBAL, NewCredential, Secret};
use wire::{Fault, RawObject};

use super::json as json_answer;
use super::scope::asked_project;
use crate::app::App;
use crate::body::{OutBody, demand_json, read_limited};
use crate::credentials::fault;

/// Bytes of a request that stores a credential, at most.
const BODY_LIMIT: usize = 64 * 1024;
/// Characters of a name.
const NAME_LIMIT: usize = 128;
const REQUIRED: &str = "is required and must not be empty";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    id: i64,
    provider: &'a str,
    key_name: &'a str,
    project: &'a str,
    masked_value: &'a str,
    created_at: String,
    updated_at: String,
}

/// Answers every method of the route; `id` stands for the `*` of its path.
pub async fn answer(
    app: &Arc<App>,
    id: Option<&str>,
    by: &By,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    let project = asked_project(request.uri().query(), request.headers());
    match (request.method(), id) {
        (&Method::POST, _) => put(app, by, peer, request).await,
        (&Method::DELETE, Some(id)) => delete(app, id, by).await,
        _ => list(app, project.as_deref()).await,
    }
}

async fn list(app: &App, project: Option<&str>) -> Result<Response<OutBody>, Fault> {
    let credentials = app.store.credentials(project).await.map_err(fault)?;
    let rows: Vec<Row<'_>> = credentials.iter().map(row).collect();
    Ok(json_answer(StatusCode::OK, &json!({ "credentials": rows })))
}

async fn put(
    app: &Arc<App>,
    by: &By,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    demand_json(request.headers())?;
    let header_project = asked_project(None, request.headers());
    let body = RawObject::parse(read_limited(request.into_body(), BODY_LIMIT).await?)?;
    let new = NewCredential {
        provider: known_provider(app, optional(&body, "provider")?)?,
        api_key: Secret::new(required(&body, "apiKey")?),
        key_name: optional(&body, "keyName")?.unwrap_or_else(|| "default".to_owned()),
        project: optional(&body, "project")?.or(header_project).unwrap_or_else(|| GLOBAL.to_owned()),
    };
    if !new.api_key.expose().bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
        return Err(invalid("apiKey", "must be printable ASCII without spaces"));
    }
    let stored = app.store.put_credential(new, by).await.map_err(fault)?;
    app.credentials_changed().await?;
    tracing::info!(provider = stored.provider, key_name = stored.key_name, project = stored.project, %peer, "credential stored");
    let answer = json!({
        "id": stored.id, "provider": stored.provider, "keyName": stored.key_name, "project": stored.project,
    });
    Ok(json_answer(StatusCode::CREATED, &answer))
}

async fn delete(app: &Arc<App>, id: &str, by: &By) -> Result<Response<OutBody>, Fault> {
    let id: i64 = id.parse().map_err(|_| invalid("id", "must be a number"))?;
    if !app.store.delete_credential(id, by).await.map_err(fault)? {
        return Err(Fault::NotFound { what: format!("there is no credential {id}") });
    }
    app.credentials_changed().await?;
    tracing::info!(id, "credential deleted");
    Ok(json_answer(StatusCode::OK, &json!({ "ok": true })))
}

fn row(credential: &Credential) -> Row<'_> {
    Row {
        id: credential.id,
        provider: &credential.provider,
        key_name: &credential.key_name,
        project: &credential.project,
        masked_value: &credential.masked_value,
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
