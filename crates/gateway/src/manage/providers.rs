//! `/v1/providers`: who could answer, and why not.

use http::{HeaderMap, Response, StatusCode};
use policy::Standing;
use serde::Serialize;
use serde_json::json;
use wire::Fault;

use super::json as json_answer;
use super::scope::asked_project;
use crate::body::OutBody;
use crate::door::Caller;
use crate::world::World;

#[derive(Serialize)]
struct ListedProvider<'a> {
    id: &'a str,
    name: &'a str,
    r#type: &'static str,
    available: bool,
    /// Why it is not available, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Answers the list, in order of preference; `?project=` or `X-Project` asks for one project's view.
pub fn answer(
    world: &World,
    caller: &Caller,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Response<OutBody>, Fault> {
    let project = caller.project(asked_project(query, headers).as_deref())?;
    let providers: Vec<ListedProvider<'_>> = world
        .snapshot
        .providers()
        .iter()
        .enumerate()
        .filter(|(_, provider)| caller.scope.access.to_provider(provider))
        .map(|(at, provider)| {
            let reason = world.unavailable(at, provider, &project).map(|reason| provider.why(reason));
            let available = reason.is_none();
            ListedProvider {
                id: &provider.id,
                name: &provider.name,
                r#type: provider.kind.name(),
                available,
                reason,
            }
        })
        .collect();
    Ok(json_answer(StatusCode::OK, &json!({ "providers": providers })))
}
