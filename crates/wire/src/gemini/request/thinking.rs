//! How much the model is asked to think: `thinkingConfig`, by a level (Gemini 3) or by a number of tokens (before).

use serde_json::{Map, Value, json};

use super::Draft;
use super::fields::Fields;
use crate::chat::{Effort, Profile, ReasoningOption, Thinking};
use crate::fault::Fault;

/// Each level with its effort, lowest first. Source: DIALECTS, section 5.1.
const LEVELS: &[(&str, Effort)] =
    &[("minimal", Effort::Minimal), ("low", Effort::Low), ("medium", Effort::Medium), ("high", Effort::High)];

/// Tokens for each effort; the two highest are as much as the model has. Source: DIALECTS, section 5.1.
const BUDGETS: &[(Effort, u64)] = &[
    (Effort::None, 0),
    (Effort::Minimal, 512),
    (Effort::Low, 2048),
    (Effort::Medium, 8192),
    (Effort::High, 24_576),
];

/// The effort that a number of tokens amounts to: at most so many. Source: DIALECTS, section 5.1.
const EFFORTS: &[(u64, Effort)] = &[
    (0, Effort::None),
    (1024, Effort::Minimal),
    (4096, Effort::Low),
    (12_288, Effort::Medium),
    (24_576, Effort::High),
];

/// Tokens where the model thinks as much as it sees fit.
const DYNAMIC: i64 = -1;

pub(super) fn decode(config: &mut Fields) -> Result<Option<Thinking>, Fault> {
    let Some(given) = config.take::<Map<String, Value>>("thinkingConfig")? else { return Ok(None) };
    let mut fields = Fields::new("generationConfig.thinkingConfig", given);
    let budget = fields.number("thinkingBudget")?.filter(|budget| *budget != DYNAMIC);
    let budget = budget.map(u64::try_from).transpose();
    let budget = budget.map_err(|_| fields.wrong("thinkingBudget", "it must be -1 or more"))?;
    let level: Option<String> = fields.take("thinkingLevel")?;
    let effort = level.map(|level| effort(&level, &fields)).transpose()?.flatten();
    // Thoughts are hidden unless the client asks for them.
    let show = Some(fields.take("includeThoughts")?.unwrap_or(false));
    Ok(Some(Thinking { effort, budget, show }))
}

fn effort(level: &str, fields: &Fields) -> Result<Option<Effort>, Fault> {
    let level = level.to_lowercase();
    if level == "thinking_level_unspecified" {
        return Ok(None);
    }
    let known = LEVELS.iter().find(|(word, _)| *word == level);
    let words = || LEVELS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    let wrong = || fields.wrong("thinkingLevel", &format!("it must be one of {}", words()));
    known.map(|(_, effort)| Some(*effort)).ok_or_else(wrong)
}

/// Whether a model is told to think by levels. One of which nothing is known takes a number: the newer models still do.
pub(super) fn by_level(profile: &Profile) -> Option<&[Effort]> {
    profile.reasoning.iter().find_map(|option| match option {
        ReasoningOption::Effort(levels) => Some(levels.as_slice()),
        _ => None,
    })
}

/// The `thinkingConfig` of a request; `None`: leave it out.
pub(super) fn encode(asked: &Thinking, draft: &mut Draft<'_>) -> Option<Value> {
    let unwanted = asked.effort == Some(Effort::None) || asked.budget == Some(0);
    if !draft.profile.abilities.reasoning {
        if !unwanted {
            draft.lose("effort", "thinking");
        }
        return None;
    }
    let mut config = match by_level(draft.profile) {
        Some(levels) => level(asked, unwanted, levels, draft),
        None => budget(asked, unwanted, draft),
    };
    if asked.show == Some(true) && !unwanted {
        config.insert("includeThoughts".to_owned(), true.into());
    }
    (!config.is_empty()).then(|| Value::Object(config))
}

fn level(asked: &Thinking, unwanted: bool, levels: &[Effort], draft: &mut Draft<'_>) -> Map<String, Value> {
    let effort = if unwanted { Some(Effort::None) } else { asked.effort.or(asked.budget.map(effort_of)) };
    let Some(effort) = effort else { return Map::new() };
    let wanted = effort.clamp(Effort::Minimal, Effort::High);
    let level = nearest(wanted, levels);
    let exact = level == effort && asked.effort.is_some();
    if !unwanted && !exact {
        draft.lose("effort", "thinking");
    }
    let word = LEVELS.iter().find(|(_, effort)| *effort == level).map(|(word, _)| json!(word));
    word.into_iter().map(|word| ("thinkingLevel".to_owned(), word)).collect()
}

/// The level itself, or the nearest lower one that the model has, or its lowest.
fn nearest(wanted: Effort, levels: &[Effort]) -> Effort {
    let known = || levels.iter().copied().filter(|level| (Effort::Minimal..=Effort::High).contains(level));
    let lower = known().filter(|level| *level <= wanted).max();
    lower.or_else(|| known().min()).unwrap_or(wanted)
}

fn budget(asked: &Thinking, unwanted: bool, draft: &mut Draft<'_>) -> Map<String, Value> {
    let (min, max) = range(draft.profile);
    let wanted = match (asked.budget, asked.effort) {
        _ if unwanted => Some(0),
        (Some(tokens), _) => Some(tokens),
        (None, effort) => effort.map(|effort| tokens_of(effort, max)),
    };
    let Some(wanted) = wanted else { return Map::new() };
    let tokens = wanted.clamp(min, max.unwrap_or(u64::MAX).max(min));
    if asked.budget != Some(tokens) && !unwanted {
        draft.lose("effort", "thinking");
    }
    Map::from_iter([("thinkingBudget".to_owned(), tokens.into())])
}

fn range(profile: &Profile) -> (u64, Option<u64>) {
    let range = profile.reasoning.iter().find_map(|option| match option {
        ReasoningOption::Budget { min, max } => Some((min.unwrap_or(0), *max)),
        _ => None,
    });
    range.unwrap_or((0, None))
}

fn tokens_of(effort: Effort, most: Option<u64>) -> u64 {
    let row = BUDGETS.iter().find(|(step, _)| *step == effort);
    row.map_or_else(|| most.unwrap_or(24_576), |(_, tokens)| *tokens)
}

fn effort_of(tokens: u64) -> Effort {
    EFFORTS.iter().find(|(most, _)| tokens <= *most).map_or(Effort::Xhigh, |(_, effort)| *effort)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ChatRequest;

    fn encoded(asked: Thinking, reasoning: Vec<ReasoningOption>) -> (Value, usize) {
        let request = ChatRequest::default();
        let profile = Profile { reasoning, ..Profile::unknown("p", "m") };
        let mut draft = Draft::new(&request, &profile);
        let config = encode(&asked, &mut draft).unwrap_or_default();
        (config, draft.losses.len())
    }

    fn effort(effort: Effort) -> Thinking {
        Thinking { effort: Some(effort), ..Thinking::default() }
    }

    #[test]
    fn levels_go_to_the_nearest_lower_one_that_the_model_has() {
        let levels = || vec![ReasoningOption::Effort(vec![Effort::Low, Effort::High])];
        for (asked, word, losses) in [
            (Effort::None, "low", 0),
            (Effort::Low, "low", 0),
            (Effort::Medium, "low", 1),
            (Effort::High, "high", 0),
            (Effort::Max, "high", 1),
        ] {
            assert_eq!(
                encoded(effort(asked), levels()),
                (json!({"thinkingLevel": word}), losses),
                "{asked:?}"
            );
        }
        let tokens = Thinking { budget: Some(9000), ..Thinking::default() };
        assert_eq!(encoded(tokens, levels()), (json!({"thinkingLevel": "low"}), 1));
    }

    #[test]
    fn budgets_stay_within_what_the_model_takes() {
        let range = || vec![ReasoningOption::Budget { min: Some(128), max: Some(32_768) }];
        for (asked, tokens, losses) in [
            (effort(Effort::None), 128, 0),
            (effort(Effort::Low), 2048, 1),
            (effort(Effort::Max), 32_768, 1),
            (Thinking { budget: Some(5000), ..Thinking::default() }, 5000, 0),
            (Thinking { budget: Some(50_000), ..Thinking::default() }, 32_768, 1),
        ] {
            assert_eq!(encoded(asked, range()), (json!({"thinkingBudget": tokens}), losses));
        }
    }

    #[test]
    fn thoughts_are_asked_for_only_where_they_are_wanted() {
        let shown = Thinking { show: Some(true), ..Thinking::default() };
        assert_eq!(encoded(shown, vec![]).0, json!({"includeThoughts": true}));
        assert_eq!(encoded(Thinking::default(), vec![]).0, Value::Null);
    }
}
