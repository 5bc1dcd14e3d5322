//! The tools of vault and models: the same functions as over HTTP.

use std::sync::Arc;

use bytes::Bytes;
use rmcp::model::JsonObject;
use serde_json::{Value, json};
use wire::{Fault, RawObject};

use crate::app::App;
use crate::arrival::Arrival;
use crate::door::Caller;
use crate::manage::{credentials, files, models};
use crate::world::World;

/// A call by somebody, for a project if one is named.
pub(super) struct Errand<'a> {
    pub app: &'a App,
    pub world: Arc<World>,
    pub caller: &'a Caller,
    pub project: Option<String>,
    pub arguments: JsonObject,
}

/// `vault_store`
pub(super) async fn store_credential(errand: Errand<'_>) -> Result<Value, Fault> {
    let Errand { app, world, caller, project, arguments } = errand;
    let new = credentials::read(&body(arguments)?, caller, project)?;
    let by = caller.acts(Arrival::now());
    let stored = credentials::put(&*app.store, &world.snapshot, new, &by).await?;
    app.credentials_changed().await?;
    Ok(credentials::created(&stored))
}

/// `vault_list`
pub(super) async fn list_credentials(errand: Errand<'_>) -> Result<Value, Fault> {
    let found = credentials::list(&*errand.app.store, errand.caller, errand.project.as_deref()).await?;
    Ok(found.iter().map(|credential| json!(credentials::Row::of(credential))).collect())
}

/// `vault_delete`
pub(super) async fn delete_credential(errand: Errand<'_>) -> Result<Value, Fault> {
    let Errand { app, caller, arguments, .. } = errand;
    credentials::delete(&*app.store, caller, id(&arguments), &caller.acts(Arrival::now())).await?;
    app.credentials_changed().await?;
    Ok(json!({ "ok": true }))
}

/// `vault_store_file`
pub(super) async fn store_file(errand: Errand<'_>) -> Result<Value, Fault> {
    let Errand { app, world, caller, project, arguments } = errand;
    let new = files::read(&body(arguments)?, caller, project)?;
    let by = caller.acts(Arrival::now());
    let stored = files::put(&*app.store, &world.snapshot, new, None, &by).await?;
    Ok(files::created(&stored))
}

/// `vault_list_files`
pub(super) async fn list_files(errand: Errand<'_>) -> Result<Value, Fault> {
    let found = files::list(&*errand.app.store, errand.caller, errand.project.as_deref()).await?;
    Ok(found.iter().map(|file| json!(files::Row::of(file))).collect())
}

/// `vault_delete_file`
pub(super) async fn delete_file(errand: Errand<'_>) -> Result<Value, Fault> {
    let Errand { app, caller, arguments, .. } = errand;
    files::delete(&*app.store, caller, id(&arguments), &caller.acts(Arrival::now())).await?;
    Ok(json!({ "ok": true }))
}

/// `llm_models`
pub(super) fn list_models(errand: &Errand<'_>) -> Result<Value, Fault> {
    let Errand { world, caller, project, .. } = errand;
    let project = caller.project(project.as_deref())?;
    let models = models::available(world, &project, &caller.scope.access);
    let row = |listed: models::Listed| {
        let (model, provider) = (listed.model, &listed.provider.id);
        json!({ "id": listed.id, "name": model.name, "provider": **provider, "maxTokens": model.max_output })
    };
    Ok(models.into_iter().map(row).collect())
}

pub(super) fn body(arguments: JsonObject) -> Result<RawObject, Fault> {
    RawObject::parse(Bytes::from(Value::Object(arguments).to_string()))
}

/// Checked before.
fn id(arguments: &JsonObject) -> i64 {
    arguments.get("id").and_then(Value::as_i64).unwrap_or_default()
}
