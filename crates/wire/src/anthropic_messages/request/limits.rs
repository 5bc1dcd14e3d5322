//! What this dialect cannot say: refused where the answer would be another, dropped and reported elsewhere.

use super::Draft;
use crate::Fault;
use crate::dialect::Dialect;

/// Refuses what would change the answer's shape or meaning in silence.
pub(super) fn refuse(draft: &Draft<'_>) -> Result<(), Fault> {
    let sampling = &draft.request.sampling;
    if sampling.n.is_some_and(|n| n > 1) {
        return Err(draft.unsupported("more than one answer (n)", "n"));
    }
    if sampling.logprobs == Some(true) || sampling.top_logprobs.is_some_and(|top| top > 0) {
        return Err(draft.unsupported("logprobs", "logprobs"));
    }
    draft.request.extra.refuse_in(Dialect::AnthropicMessages, &draft.profile.model)
}

/// Reports the fields that have no place here. A penalty of zero is no penalty.
pub(super) fn report_dropped_fields(draft: &mut Draft<'_>) {
    let request = draft.request;
    let sampling = &request.sampling;
    let biased =
        sampling.logit_bias.as_ref().is_some_and(|bias| bias.as_object().is_none_or(|map| !map.is_empty()));
    let fields = [
        ("frequency_penalty", sampling.frequency_penalty.is_some_and(|penalty| penalty != 0.0)),
        ("presence_penalty", sampling.presence_penalty.is_some_and(|penalty| penalty != 0.0)),
        ("seed", sampling.seed.is_some()),
        ("logit_bias", biased),
        ("verbosity", request.verbosity.is_some()),
        ("metadata", request.metadata.is_some()),
    ];
    for (name, _) in fields.into_iter().filter(|(_, given)| *given) {
        draft.lose_field(name);
    }
    for name in request.extra.lost_in(Dialect::AnthropicMessages) {
        draft.lose_field(name);
    }
}

/// `auto` and `standard_only` are all there is.
/// Source: DIALECTS, section 9.
pub(super) fn service_tier(draft: &mut Draft<'_>) -> Option<&'static str> {
    match draft.request.service_tier.as_deref()? {
        "auto" => Some("auto"),
        "default" | "standard_only" => Some("standard_only"),
        _ => {
            draft.lose_field("service_tier");
            None
        }
    }
}
