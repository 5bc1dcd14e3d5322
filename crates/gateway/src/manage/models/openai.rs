//! As OpenAI lists models, with what mcp-llm-bridge adds: `name`, `provider`, `max_tokens`.

use serde_json::{Value, json};
use wire::Fault;

use super::Listed;

/// All of them: this list has no pages.
pub(super) fn list(models: &[Listed], _query: Option<&str>) -> Result<Value, Fault> {
    let rows: Vec<Value> = models.iter().map(one).collect();
    Ok(json!({ "object": "list", "data": rows }))
}

pub(super) fn one(listed: &Listed) -> Value {
    json!({
        "id": listed.id,
        "object": "model",
        "created": 0,
        "owned_by": "llm-gateway",
        "name": listed.model.name,
        "provider": listed.provider.id.to_string(),
        "max_tokens": listed.model.max_output,
    })
}
