//! `/v1/providers`: who could answer, and why not.

use http::{HeaderMap, Response, StatusCode};
use policy::{Access, Standing};
use serde::Serialize;
use serde_json::json;
use wire::Fault;

use super::json as json_answer;
use super::scope::asked_project;
use crate::body::OutBody;
use crate::door::Caller;
use crate::world::World;

/// One of them.
#[derive(Serialize)]
pub struct Row<'a> {
    #[allow(missing_docs)]
    pub id: &'a str,
    /// For people.
    pub name: &'a str,
    /// `api`, `cli` or `demo`.
    pub r#type: &'static str,
    #[allow(missing_docs)]
    pub available: bool,
    /// Why it is not available, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Answers the list, in order of preference; `?project=` or `X-Project` asks for one project's view.
pub fn answer(
    world: &World,
    caller: &Caller,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Response<OutBody>, Fault> {
    let project = caller.project(asked_project(query, headers).as_deref())?;
    Ok(json_answer(StatusCode::OK, &json!({ "providers": rows(world, &caller.scope.access, &project) })))
}

/// All that a key may use, in order of preference, as a project sees them.
pub fn rows<'a>(world: &'a World, access: &Access, project: &str) -> Vec<Row<'a>> {
    world
        .snapshot
        .providers()
        .iter()
        .enumerate()
        .filter(|(_, provider)| access.to_provider(provider))
        .map(|(at, provider)| {
            let reason = world.unavailable(at, provider, project).map(|reason| provider.why(reason));
            let (id, name, available) = (&*provider.id, provider.name.as_str(), reason.is_none());
            Row { id, name, r#type: provider.kind.name(), available, reason }
        })
        .collect()
}
