//! `/v1/models`: what can be asked for right now.

use std::collections::HashSet;

use http::{HeaderMap, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::json;
use wire::Fault;

use super::json as json_answer;
use super::scope::asked_project;
use crate::app::App;
use crate::body::OutBody;
use crate::world::World;

/// One model as OpenAI lists it, with what mcp-llm-bridge adds.
#[derive(Debug, Serialize, PartialEq)]
pub struct ListedModel {
    /// What to send as `model`.
    pub id: String,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
    name: String,
    provider: String,
    max_tokens: Option<u64>,
}

/// Answers the list, or one model of it.
pub fn answer(app: &App, id: Option<&str>, headers: &HeaderMap) -> Result<Response<OutBody>, Fault> {
    let project = asked_project(None, headers).unwrap_or_else(|| store::GLOBAL.to_owned());
    let mut models = available(&app.world(), &project);
    let Some(id) = id else {
        return Ok(json_answer(StatusCode::OK, &json!({ "object": "list", "data": models })));
    };
    // SDKs escape the slash of `provider/model`.
    let id = percent_decode_str(id).decode_utf8_lossy();
    match models.iter().position(|model| model.id == id) {
        Some(at) => Ok(json_answer(StatusCode::OK, &models.swap_remove(at))),
        None => Err(policy::unknown_model(&id, &app.world().snapshot)),
    }
}

/// The models of every available provider, each id once: the first owner answers it.
pub fn available(world: &World, project: &str) -> Vec<ListedModel> {
    let mut seen = HashSet::new();
    let mut models = Vec::new();
    for provider in policy::available(&world.snapshot, world, project) {
        for model in provider.listed_models() {
            let id = provider.listed_id(model);
            if seen.insert(id.clone()) {
                models.push(ListedModel {
                    id,
                    object: "model",
                    created: 0,
                    owned_by: "llm-gateway",
                    name: model.name.to_string(),
                    provider: provider.id.to_string(),
                    max_tokens: model.max_output,
                });
            }
        }
    }
    models
}
