//! Whether the models of a provider are read from its own list, where that is, and how often.

use std::time::Duration;

use policy::Endpoint;
use wire::WireId;

use super::file::Discover;
use super::report::Report;
use super::upstreams::Upstream;
use crate::egress::ListPlace;

/// How often where the file does not say: a list changes when somebody pulls a model.
const EVERY: Duration = Duration::from_secs(5 * 60);

/// The list of a provider. It is read where the file says so, and unasked where nobody else could know the models: of
/// local servers and of the operator's own, unless their section names models.
pub(super) fn list(upstream: &Upstream, report: &mut Report) -> Option<ListPlace> {
    let settings = upstream.settings.as_ref();
    let said = settings.and_then(|settings| settings.discover);
    let every = match said {
        Some(Discover::Off) => None,
        Some(Discover::Every(every)) => Some(every),
        Some(Discover::On) => Some(EVERY),
        None => is_usual(upstream).then_some(EVERY),
    };
    let endpoint = upstream.endpoints.first()?;
    let target = target(upstream, endpoint);
    if target.is_none() && said.is_some() && every.is_some() {
        report.warn(format!("providers.{}: discover has no effect, as no list is known there", upstream.id));
    }
    Some(ListPlace { target: target?, every })
}

fn is_usual(upstream: &Upstream) -> bool {
    let names_models = upstream.settings.as_ref().is_some_and(|settings| !settings.models.is_empty());
    let is_own = upstream.row.is_none_or(|row| row.local && upstream.is_configured);
    is_own && !names_models
}

/// Path and query: as the catalogue has it, else as is usual for the wire.
fn target(upstream: &Upstream, endpoint: &Endpoint) -> Option<String> {
    let url: http::Uri = endpoint.url.parse().ok()?;
    let chat = url.path_and_query()?.as_str();
    of_row(upstream, endpoint.wire, chat).or_else(|| Some(endpoint.wire.list_target(chat)?.into_owned()))
}

fn of_row(upstream: &Upstream, wire: WireId, chat: &str) -> Option<String> {
    let rows = upstream.row.map(|row| row.wires.as_slice()).unwrap_or_default();
    let row = rows.iter().find(|row| WireId::from_name(&row.wire) == Some(wire))?;
    let root = chat.split('?').next()?.strip_suffix(row.path.as_str())?;
    Some(format!("{root}{}", row.list.as_deref()?))
}
