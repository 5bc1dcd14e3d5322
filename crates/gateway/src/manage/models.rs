//! `/v1/models`: what can be asked for right now.

use std::collections::HashSet;

use http::{HeaderMap, Response, StatusCode};
use percent_encoding::percent_decode_str;
use policy::Access;
use serde::Serialize;
use serde_json::json;
use wire::{Fault, Operation};

use super::json as json_answer;
use super::scope::asked_project;
use crate::app::App;
use crate::body::OutBody;
use crate::door::Caller;
use crate::world::World;

/// One model as OpenAI lists it, with what mcp-llm-bridge adds.
#[derive(Debug, Serialize, PartialEq)]
pub struct ListedModel {
    /// What to send as `model`.
    pub id: String,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
    /// For people.
    pub name: String,
    /// Id of the provider that would answer.
    pub provider: String,
    /// Most tokens of an answer, where known.
    pub max_tokens: Option<u64>,
}

/// Answers the list, or one model; `?project=` or `X-Project` asks for one project's view.
pub fn answer(
    app: &App,
    id: Option<&str>,
    caller: &Caller,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Response<OutBody>, Fault> {
    let project = caller.project(asked_project(query, headers).as_deref())?;
    let access = &caller.scope.access;
    let Some(id) = id else {
        let models = available(&app.world(), &project, access);
        return Ok(json_answer(StatusCode::OK, &json!({ "object": "list", "data": models })));
    };
    // SDKs escape the slash of `provider/model`.
    let id = percent_decode_str(id).decode_utf8_lossy();
    Ok(json_answer(StatusCode::OK, &one(&app.world(), &id, &project, access)?))
}

/// What a request for this name would reach, listed or not, under the name that was asked for. A name that a provider
/// would only pass on unread is not a model that we know.
fn one(world: &World, id: &str, project: &str, access: &Access) -> Result<ListedModel, Fault> {
    let ask = policy::Ask {
        operation: Operation::Chat,
        dialect: None,
        model: Some(id),
        provider: None,
        project,
        access,
        strict: true,
    };
    let unknown = || Fault::UnknownModel { model: id.to_owned(), nearest: Vec::new() };
    let plan = policy::plan(&ask, &world.snapshot, world).map_err(|fault| match fault {
        Fault::NoTarget { .. } | Fault::Forbidden { .. } => unknown(),
        other => other,
    })?;
    let lead = plan.targets().first().filter(|target| target.provider.model(&target.model.id).is_some());
    let lead = lead.ok_or_else(unknown)?;
    Ok(listed(id.to_owned(), &lead.provider, &lead.model))
}

/// The models of every available provider that a key may use, each id once: the first owner answers it.
pub fn available(world: &World, project: &str, access: &Access) -> Vec<ListedModel> {
    let mut seen = HashSet::new();
    let mut models = Vec::new();
    for provider in policy::available(&world.snapshot, world, project) {
        for model in provider.listed_models().filter(|model| access.to_model(provider, model)) {
            let id = provider.listed_id(model);
            if seen.insert(id.clone()) {
                models.push(listed(id, provider, model));
            }
        }
    }
    models
}

fn listed(id: String, provider: &policy::Provider, model: &policy::Model) -> ListedModel {
    ListedModel {
        id,
        object: "model",
        created: 0,
        owned_by: "llm-gateway",
        name: model.name.to_string(),
        provider: provider.id.to_string(),
        max_tokens: model.max_output,
    }
}
