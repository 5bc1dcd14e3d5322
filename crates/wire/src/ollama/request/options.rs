//! How tokens are drawn, how many, and how much the model is to think.

use serde_json::{Map, Value, json};

use super::Draft;
use crate::chat::{Effort, Thinking};

/// Each effort with the word for it, and whether that says the same. Models that know no words take any for "yes".
/// Source: Ollama's docs/capabilities/thinking, read 2026-11-25.
const WORDS: &[(Effort, &str, bool)] = &[
    (Effort::Minimal, "low", false),
    (Effort::Low, "low", true),
    (Effort::Medium, "medium", true),
    (Effort::High, "high", true),
    (Effort::Xhigh, "high", false),
    (Effort::Max, "high", false),
];

/// `options`. Source: Ollama's docs/modelfile, read 2026-11-25.
pub(super) fn encode(draft: &mut Draft<'_>) -> Map<String, Value> {
    let request = draft.request;
    let (sampling, steerable) = (&request.sampling, draft.profile.abilities.temperature);
    let stops = (!request.stop.is_empty()).then(|| json!(request.stop));
    let mut options = Map::new();
    for (name, value, taken) in [
        ("num_predict", request.max_output.map(Value::from), true),
        ("temperature", sampling.temperature.map(Value::from), steerable),
        ("top_p", sampling.top_p.map(Value::from), steerable),
        ("top_k", sampling.top_k.map(Value::from), steerable),
        ("frequency_penalty", sampling.frequency_penalty.map(Value::from), steerable),
        ("presence_penalty", sampling.presence_penalty.map(Value::from), steerable),
        ("seed", sampling.seed.map(Value::from), true),
        ("stop", stops, true),
    ] {
        match value {
            Some(value) if taken => drop(options.insert(name.to_owned(), value)),
            Some(_) => draft.losses.push(crate::chat::Loss::field(name)),
            None => {}
        }
    }
    options
}

/// `think`: no, yes, or how much. `None`: leave it to the model.
pub(super) fn think(draft: &mut Draft<'_>) -> Option<Value> {
    let asked = draft.request.thinking.as_ref()?;
    let unwanted = asked.effort == Some(Effort::None) || asked.budget == Some(0);
    if !draft.profile.abilities.reasoning {
        if !unwanted {
            draft.lose("effort", "thinking");
        }
        return None;
    }
    if unwanted {
        return Some(json!(false));
    }
    let (value, exact) = wanted(asked)?;
    if !exact {
        draft.lose("effort", "thinking");
    }
    Some(value)
}

/// What says as much as this, and whether it says the same. There is no bound in tokens.
fn wanted(asked: &Thinking) -> Option<(Value, bool)> {
    if let Some(effort) = asked.effort {
        let (_, word, exact) = WORDS.iter().find(|(known, _, _)| *known == effort)?;
        return Some((json!(word), *exact));
    }
    match (asked.budget, asked.show) {
        (Some(_), _) => Some((json!(true), false)),
        (None, Some(false)) => None,
        (None, _) => Some((json!(true), true)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Abilities, ChatRequest, Profile, Sampling, Undo};

    fn thought(asked: Thinking) -> (Option<Value>, usize) {
        let request = ChatRequest { thinking: Some(asked), ..ChatRequest::default() };
        let profile = Profile::unknown("p", "m");
        let mut draft =
            Draft { request: &request, profile: &profile, losses: Vec::new(), undo: Undo::default() };
        (think(&mut draft), draft.losses.len())
    }

    #[test]
    fn thinking_is_asked_for_in_words_and_a_bound_in_tokens_is_a_loss() {
        let effort = |effort| Thinking { effort: Some(effort), ..Thinking::default() };
        let budget = |tokens| Thinking { budget: Some(tokens), ..Thinking::default() };
        for (asked, told, losses) in [
            (effort(Effort::None), Some(json!(false)), 0),
            (effort(Effort::Minimal), Some(json!("low")), 1),
            (effort(Effort::Medium), Some(json!("medium")), 0),
            (effort(Effort::Max), Some(json!("high")), 1),
            (budget(0), Some(json!(false)), 0),
            (budget(4000), Some(json!(true)), 1),
            (Thinking::default(), Some(json!(true)), 0),
            (Thinking { show: Some(false), ..Thinking::default() }, None, 0),
        ] {
            assert_eq!(thought(asked.clone()), (told, losses), "{asked:?}");
        }
    }

    #[test]
    fn a_model_that_takes_no_temperature_gets_none_and_the_loss_is_named() {
        let sampling = Sampling { temperature: Some(0.5), seed: Some(7), ..Sampling::default() };
        let request = ChatRequest { sampling, max_output: Some(9), ..ChatRequest::default() };
        let abilities = Abilities { temperature: false, ..Abilities::default() };
        let profile = Profile { abilities, ..Profile::unknown("p", "m") };
        let mut draft =
            Draft { request: &request, profile: &profile, losses: Vec::new(), undo: Undo::default() };
        assert_eq!(Value::Object(encode(&mut draft)), json!({"num_predict": 9, "seed": 7}));
        assert_eq!(draft.losses, [crate::chat::Loss::field("temperature")]);
    }
}
