//! `/v1/groups`: groups of providers that share the requests for some models, as mcp-llm-bridge has them.

use std::collections::BTreeMap;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde::Serialize;
use serde_json::{Number, json};
use store::{By, Group, GroupMember, GroupRule};
use wire::{Fault, RawObject};

use super::fields::{REQUIRED, invalid, optional_name};
use super::{civil, json as json_answer};
use crate::app::App;
use crate::arrival::Arrival;
use crate::body::{OutBody, demand_json, read_limited};
use crate::credentials::fault;
use crate::door::Caller;
use crate::groups;

/// Bytes of a request that describes a group, at most.
const BODY_LIMIT: usize = 64 * 1024;
/// Characters of a pattern, at most: it is matched at every request.
const PATTERN_LIMIT: usize = 1024;

/// Answers every method of both routes; `id` stands for the `*` of the path.
pub async fn answer(
    app: &App,
    caller: &Caller,
    arrival: Arrival,
    id: Option<&str>,
    request: Request<Incoming>,
) -> Result<Response<OutBody>, Fault> {
    let by = caller.acts(arrival);
    match (request.method(), id) {
        (&Method::POST, _) => {
            let group = create(app, &read(request).await?, &by).await?;
            Ok(json_answer(StatusCode::CREATED, &Row::of(&group)))
        }
        (&Method::PUT, Some(id)) => {
            let group = update(app, id, &read(request).await?, &by).await?;
            Ok(json_answer(StatusCode::OK, &Row::of(&group)))
        }
        (&Method::DELETE, Some(id)) => {
            delete(app, id, &by).await?;
            Ok(json_answer(StatusCode::OK, &json!({ "ok": true })))
        }
        _ => {
            let found = list(app).await?;
            let rows: Vec<Row<'_>> = found.iter().map(Row::of).collect();
            Ok(json_answer(StatusCode::OK, &json!({ "groups": rows })))
        }
    }
}

async fn read(request: Request<Incoming>) -> Result<RawObject, Fault> {
    demand_json(request.headers())?;
    RawObject::parse(read_limited(request.into_body(), BODY_LIMIT).await?)
}

/// All groups, by name.
///
/// # Errors
/// Those of the store.
pub async fn list(app: &App) -> Result<Vec<Group>, Fault> {
    app.store.groups().await.map_err(fault)
}

/// Makes a group of what a body says.
///
/// # Errors
/// `Malformed`, naming the field; those of the store.
pub async fn create(app: &App, body: &RawObject, by: &By) -> Result<Group, Fault> {
    let name = optional_name(body, "name")?.ok_or_else(|| invalid("name", REQUIRED))?;
    let missing = |field| move || invalid(field, "is required");
    let rule = GroupRule {
        model_pattern: pattern(body)?,
        members: body.get::<Vec<GroupMember>>("members")?.ok_or_else(missing("members"))?,
        strategy: body.get::<String>("strategy")?.ok_or_else(missing("strategy"))?,
        weights: body.get("weights")?,
        sticky_ttl: body.get("stickyTTL")?,
    };
    let rule = groups::checked(&app.world().snapshot, rule)?;
    let group = app.store.create_group(&groups::slug(&name), &name, rule, by).await.map_err(fault)?;
    tracing::info!(group = group.id, by = by.actor, "group created");
    app.groups_changed().await?;
    Ok(group)
}

/// Changes of a group what a body names; the rest stays.
///
/// # Errors
/// `NotFound`; `Malformed`, naming the field; those of the store.
pub async fn update(app: &App, id: &str, body: &RawObject, by: &By) -> Result<Group, Fault> {
    let found = list(app).await?.into_iter().find(|group| group.id == id);
    let Group { name, rule, .. } = found.ok_or_else(|| missing(id))?;
    let name = optional_name(body, "name")?.unwrap_or(name);
    let rule = GroupRule {
        model_pattern: if body.has("modelPattern") { pattern(body)? } else { rule.model_pattern },
        members: body.get("members")?.unwrap_or(rule.members),
        strategy: body.get("strategy")?.unwrap_or(rule.strategy),
        weights: if body.has("weights") { body.get("weights")? } else { rule.weights },
        sticky_ttl: if body.has("stickyTTL") { body.get("stickyTTL")? } else { rule.sticky_ttl },
    };
    let rule = groups::checked(&app.world().snapshot, rule)?;
    let group = app.store.update_group(id, &name, rule, by).await.map_err(fault)?;
    tracing::info!(group = id, by = by.actor, "group changed");
    app.groups_changed().await?;
    Ok(group)
}

/// Removes a group.
///
/// # Errors
/// `NotFound`; those of the store.
pub async fn delete(app: &App, id: &str, by: &By) -> Result<(), Fault> {
    if !app.store.delete_group(id, by).await.map_err(fault)? {
        return Err(missing(id));
    }
    tracing::info!(group = id, by = by.actor, "group deleted");
    app.groups_changed().await
}

fn missing(id: &str) -> Fault {
    Fault::NotFound { what: format!("there is no group '{id}'") }
}

fn pattern(body: &RawObject) -> Result<Option<String>, Fault> {
    let pattern = body.get::<String>("modelPattern")?.filter(|pattern| !pattern.trim().is_empty());
    match pattern {
        Some(long) if long.len() > PATTERN_LIMIT => {
            Err(invalid("modelPattern", "must be at most 1024 characters"))
        }
        pattern => Ok(pattern),
    }
}

/// A group as clients see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_pattern: Option<&'a str>,
    members: &'a [GroupMember],
    strategy: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<&'a BTreeMap<String, Number>>,
    #[serde(rename = "stickyTTL", skip_serializing_if = "Option::is_none")]
    sticky_ttl: Option<u32>,
    created_at: String,
    updated_at: String,
}

impl<'a> Row<'a> {
    #[allow(missing_docs)]
    pub fn of(group: &'a Group) -> Self {
        let Group { id, name, rule, created_at, updated_at } = group;
        Self {
            id,
            name,
            model_pattern: rule.model_pattern.as_deref(),
            members: &rule.members,
            strategy: &rule.strategy,
            weights: rule.weights.as_ref(),
            sticky_ttl: rule.sticky_ttl,
            created_at: civil(*created_at),
            updated_at: civil(*updated_at),
        }
    }
}
