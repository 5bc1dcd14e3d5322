//! Lists of models: what can be asked for right now, in the form of the API whose client asks.

use std::collections::HashSet;
use std::sync::Arc;

use http::{HeaderMap, Response, StatusCode};
use percent_encoding::percent_decode_str;
use policy::{Access, Model, Provider};
use serde_json::Value;
use wire::{Fault, SurfaceId};

use super::json as json_answer;
use super::scope::asked_project;
use crate::body::OutBody;
use crate::door::Caller;
use crate::world::World;

mod anthropic;
mod gemini;
mod openai;
mod page;

/// A model that can be asked for.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What to send as `model`.
    pub id: String,
    /// Who has it.
    pub provider: Arc<Provider>,
    #[allow(missing_docs)]
    pub model: Arc<Model>,
}

/// How an API lists models.
struct Form {
    /// Its answer to a query.
    list: fn(&[Listed], Option<&str>) -> Result<Value, Fault>,
    one: fn(&Listed) -> Value,
}

/// What most clients read.
static OPENAI: Form = Form { list: openai::list, one: openai::one };

/// The forms of surfaces that have another than OpenAI's.
static FORMS: [(SurfaceId, Form); 2] = [
    (SurfaceId::AnthropicMessages, Form { list: anthropic::list, one: anthropic::one }),
    (SurfaceId::Gemini, Form { list: gemini::list, one: gemini::one }),
];

/// Answers the list, or one model; `?project=` or `X-Project` asks for one project's view.
///
/// # Errors
/// `UnknownModel`; `Malformed` for a page that cannot be.
pub fn answer(
    world: &World,
    id: Option<&str>,
    caller: &Caller,
    surface: SurfaceId,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Response<OutBody>, Fault> {
    let form = FORMS.iter().find(|(of, _)| *of == surface).map_or(&OPENAI, |(_, form)| form);
    let project = caller.project(asked_project(query, headers).as_deref())?;
    let access = &caller.scope.access;
    let Some(id) = id else {
        let models = available(world, &project, access);
        return Ok(json_answer(StatusCode::OK, &(form.list)(&models, query)?));
    };
    // SDKs escape the slash of `provider/model`.
    let id = percent_decode_str(id).decode_utf8_lossy();
    Ok(json_answer(StatusCode::OK, &(form.one)(&one(world, &id, &project, access)?)))
}

/// What a request for this name would reach, listed or not, under the name that was asked for. A name that a provider
/// would only pass on unread is not a model that we know.
///
/// # Errors
/// `UnknownModel`.
pub fn one(world: &World, id: &str, project: &str, access: &Access) -> Result<Listed, Fault> {
    let ask = policy::Ask { dialect: None, project, access, strict: true, ..policy::Ask::chat(Some(id)) };
    let unknown = || Fault::UnknownModel { model: id.to_owned(), nearest: Vec::new() };
    let plan = policy::plan(&ask, &world.snapshot, world).map_err(|fault| match fault {
        Fault::NoTarget { .. } | Fault::Forbidden { .. } => unknown(),
        other => other,
    })?;
    let lead = plan.targets().first().filter(|target| target.provider.model(&target.model.id).is_some());
    let lead = lead.ok_or_else(unknown)?;
    Ok(Listed { id: id.to_owned(), provider: lead.provider.clone(), model: lead.model.clone() })
}

/// The models of every available provider that a key may use, each id once: the operator's default provider answers it,
/// else the first owner.
pub fn available(world: &World, project: &str, access: &Access) -> Vec<Listed> {
    let mut seen = HashSet::new();
    let mut models = Vec::new();
    let providers = policy::available(&world.snapshot, world, project);
    let default = world
        .snapshot
        .default_provider()
        .filter(|it| providers.iter().any(|provider| Arc::ptr_eq(provider, it)));
    let of_default = |id: &str| {
        let (provider, model) =
            default.filter(|_| !id.contains('/')).and_then(|it| Some((it, it.model(id)?)))?;
        access.to_model(provider, model).then_some((provider, model))
    };
    for provider in &providers {
        for model in provider.listed_models().filter(|model| access.to_model(provider, model)) {
            let id = provider.listed_id(model);
            if seen.insert(id.clone()) {
                let (provider, model) = of_default(&id).unwrap_or((provider, model));
                models.push(Listed { id, provider: provider.clone(), model: model.clone() });
            }
        }
    }
    models
}
