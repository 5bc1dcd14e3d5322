//! The tools of groups and circuit breakers: the same functions as over HTTP.

use serde_json::{Value, json};
use wire::Fault;

use super::vault::{Errand, body};
use crate::arrival::Arrival;
use crate::manage::{breakers, groups};

/// `list_groups`
pub(super) async fn list_groups(errand: Errand<'_>) -> Result<Value, Fault> {
    let found = groups::list(errand.app).await?;
    Ok(found.iter().map(|group| json!(groups::Row::of(group))).collect())
}

/// `create_group`
pub(super) async fn create_group(errand: Errand<'_>) -> Result<Value, Fault> {
    let Errand { app, caller, arguments, .. } = errand;
    let group = groups::create(app, &body(arguments)?, &caller.acts(Arrival::now())).await?;
    Ok(json!(groups::Row::of(&group)))
}

/// `delete_group`
pub(super) async fn delete_group(errand: Errand<'_>) -> Result<Value, Fault> {
    let Errand { app, caller, arguments, .. } = errand;
    let id = arguments.get("id").and_then(Value::as_str).unwrap_or_default();
    groups::delete(app, id, &caller.acts(Arrival::now())).await?;
    Ok(json!({ "ok": true }))
}

/// `configure_circuit_breaker`
pub(super) async fn configure_breakers(errand: Errand<'_>) -> Result<Value, Fault> {
    let Errand { app, caller, arguments, .. } = errand;
    breakers::set(app, &body(arguments)?, &caller.acts(Arrival::now())).await
}
