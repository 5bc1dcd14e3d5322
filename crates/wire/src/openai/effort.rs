//! How much a model should think, in words: `reasoning_effort` of Chat and `reasoning.effort` of Responses.

use crate::chat::{Effort, Loss, Profile, ReasoningOption, Thinking};
use crate::fault::Fault;

/// The words of `reasoning_effort`. Source: OpenAI API reference, chat.
const WORDS: &[(&str, Effort)] = &[
    ("none", Effort::None),
    ("minimal", Effort::Minimal),
    ("low", Effort::Low),
    ("medium", Effort::Medium),
    ("high", Effort::High),
    ("xhigh", Effort::Xhigh),
    ("max", Effort::Max),
];

/// The most tokens of each effort; more is `xhigh`.
const BUDGETS: &[(u64, Effort)] = &[
    (0, Effort::None),
    (1024, Effort::Minimal),
    (4096, Effort::Low),
    (12_288, Effort::Medium),
    (24_576, Effort::High),
];

/// The effort that a word at `at` stands for.
pub(crate) fn decode(word: &str, at: &str) -> Result<Effort, Fault> {
    let known = WORDS.iter().find(|(known, _)| *known == word);
    known.map(|(_, effort)| *effort).ok_or_else(|| {
        let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
        Fault::malformed(at.to_owned(), format!("'{at}' must be one of {}", words.join(", ")))
    })
}

/// The value of `reasoning_effort` for a target; `None`: leave the field out.
pub(crate) fn encode(thinking: &Thinking, profile: &Profile, losses: &mut Vec<Loss>) -> Option<&'static str> {
    if !profile.abilities.reasoning {
        losses.push(Loss::field("reasoning_effort"));
        return None;
    }
    let asked = thinking.effort.or_else(|| thinking.budget.map(effort_of))?;
    let from_tokens = thinking.effort.is_none() && asked != Effort::None;
    let level = nearest(asked, &profile.reasoning);
    if from_tokens || level.is_none_or(|(_, exact)| !exact) {
        losses.push(Loss::at("effort", "reasoning_effort"));
    }
    let (level, _) = level?;
    WORDS.iter().find(|(_, effort)| *effort == level).map(|(word, _)| *word)
}

fn effort_of(tokens: u64) -> Effort {
    BUDGETS.iter().find(|(most, _)| tokens <= *most).map_or(Effort::Xhigh, |(_, effort)| *effort)
}

/// The nearest lower level that the model has, else its lowest; and whether that is what was asked. `None`: the model
/// thinks, but not by words.
fn nearest(asked: Effort, options: &[ReasoningOption]) -> Option<(Effort, bool)> {
    let levels = options.iter().find_map(|option| match option {
        ReasoningOption::Effort(levels) if !levels.is_empty() => Some(levels),
        _ => None,
    });
    match levels {
        Some(levels) => {
            let lower = levels.iter().filter(|level| **level <= asked).max();
            let level = *lower.or(levels.iter().min())?;
            Some((level, level == asked))
        }
        None if options.is_empty() => {
            // Only few servers know `max`.
            let level = if asked == Effort::Max { Effort::High } else { asked };
            Some((level, level == asked))
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(asked: Effort, levels: &[Effort]) -> Option<(Effort, bool)> {
        nearest(asked, &[ReasoningOption::Effort(levels.to_vec())])
    }

    #[test]
    fn a_level_that_the_model_lacks_goes_to_the_nearest_lower_one() {
        use Effort::{High, Low, Max, Medium, Minimal, None};
        assert_eq!(words(Max, &[Low, Medium, High]), Some((High, false)));
        assert_eq!(words(Medium, &[Low, Medium, High]), Some((Medium, true)));
        assert_eq!(words(None, &[Minimal, Low]), Some((Minimal, false)));
        assert_eq!(nearest(High, &[ReasoningOption::Toggle]), Option::None);
    }

    #[test]
    fn budgets_become_words() {
        let cases =
            [(0, Effort::None), (1024, Effort::Minimal), (1025, Effort::Low), (100_000, Effort::Xhigh)];
        for (tokens, effort) in cases {
            assert_eq!(effort_of(tokens), effort);
        }
    }
}
