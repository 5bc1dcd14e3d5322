//! How tokens are drawn, and where they stop.

use super::Draft;

/// Sampling as this dialect takes it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sampling {
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) top_k: Option<u64>,
}

/// Some models take none of it, thinking forbids most of it, and the newest models refuse `temperature` and `top_p`
/// together.
/// Source: DIALECTS, sections 5.1 and 9.
pub(super) fn sampling(draft: &mut Draft<'_>, thinking: bool) -> Sampling {
    if !draft.profile.abilities.temperature {
        return none(draft);
    }
    if thinking { beside_thinking(draft) } else { plain(draft) }
}

fn none(draft: &mut Draft<'_>) -> Sampling {
    let asked = &draft.request.sampling;
    let fields = [
        ("temperature", asked.temperature.is_some()),
        ("top_p", asked.top_p.is_some()),
        ("top_k", asked.top_k.is_some()),
    ];
    for (name, _) in fields.into_iter().filter(|(_, given)| *given) {
        draft.lose_field(name);
    }
    Sampling::default()
}

/// With thinking, temperature is 1 and need not be said; `top_p` may be 0.95 or more; `top_k` may not be there.
fn beside_thinking(draft: &mut Draft<'_>) -> Sampling {
    let asked = &draft.request.sampling;
    let top_p = asked.top_p.filter(|top_p| *top_p >= 0.95);
    let fields = [
        ("temperature", asked.temperature.is_some_and(|temperature| temperature != 1.0)),
        ("top_p", asked.top_p != top_p),
        ("top_k", asked.top_k.is_some()),
    ];
    for (name, _) in fields.into_iter().filter(|(_, lost)| *lost) {
        draft.lose("sampling", name);
    }
    Sampling { top_p, ..Sampling::default() }
}

fn plain(draft: &mut Draft<'_>) -> Sampling {
    let asked = &draft.request.sampling;
    let temperature = asked.temperature.map(|temperature| temperature.clamp(0.0, 1.0));
    if temperature != asked.temperature {
        draft.lose("clamp", "temperature");
    }
    let top_p = asked.top_p.filter(|_| temperature.is_none());
    if top_p.is_none() && asked.top_p.is_some_and(|top_p| top_p != 1.0) {
        draft.lose("sampling", "top_p");
    }
    Sampling { temperature, top_p, top_k: asked.top_k }
}

/// Stop texts of nothing but blanks are refused upstream, hence dropped.
pub(super) fn stop_sequences<'a>(draft: &mut Draft<'a>) -> Vec<&'a str> {
    let (kept, blank): (Vec<_>, Vec<_>) =
        draft.request.stop.iter().map(String::as_str).partition(|stop| !stop.trim().is_empty());
    if !blank.is_empty() {
        draft.lose("stop", "stop");
    }
    kept
}
