//! The vault tools: the same functions as `/v1/credentials`.

use bytes::Bytes;
use rmcp::model::JsonObject;
use serde_json::{Value, json};
use wire::{Fault, RawObject};

use crate::app::App;
use crate::manage::{credentials, models};

/// `vault_store`
pub(super) async fn store_credential(
    app: &App,
    arguments: JsonObject,
    project: Option<String>,
) -> Result<Value, Fault> {
    let body = RawObject::parse(Bytes::from(Value::Object(arguments).to_string()))?;
    Ok(json!(credentials::store(app, &body, project).await?))
}

/// `vault_list`
pub(super) async fn list_credentials(app: &App, project: Option<&str>) -> Result<Value, Fault> {
    Ok(json!(credentials::listed(app, project).await?))
}

/// `vault_delete`
pub(super) async fn delete_credential(app: &App, arguments: &JsonObject) -> Result<Value, Fault> {
    credentials::remove(app, id(arguments)).await?;
    Ok(json!({ "ok": true }))
}

/// `llm_models`
pub(super) fn list_models(app: &App, project: Option<&str>) -> Value {
    let models = models::available(&app.world(), project.unwrap_or(store::GLOBAL));
    let row = |model: models::ListedModel| json!({ "id": model.id, "name": model.name, "provider": model.provider, "maxTokens": model.max_tokens });
    models.into_iter().map(row).collect()
}

/// Checked before.
fn id(arguments: &JsonObject) -> i64 {
    arguments.get("id").and_then(Value::as_i64).unwrap_or_default()
}
