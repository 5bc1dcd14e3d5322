//! Thinking and the output limit: one decides the other.

use super::super::shape::Thinking;
use super::Draft;
use super::parts::replayable;
use crate::chat::{self, Effort, Part, ReasoningOption, Role};

/// The output limit for a model of which none is known; every model takes it.
const UNKNOWN_LIMIT: u64 = 4096;
/// The output limit where the client names none; more would only hold back rate limits.
const USUAL_LIMIT: u64 = 8192;
/// The smallest budget that is accepted.
/// Source: DIALECTS, section 5.1.
const LEAST_BUDGET: u64 = 1024;

/// Effort in words, in the words of adaptive models and in tokens for budget models.
const EFFORTS: &[(Effort, &str, u64)] = &[
    (Effort::Minimal, "low", 1024),
    (Effort::Low, "low", 2048),
    (Effort::Medium, "medium", 8192),
    (Effort::High, "high", 16_384),
    (Effort::Xhigh, "xhigh", 32_000),
    (Effort::Max, "max", u64::MAX),
];

/// Upper ends of the budgets that stand for an effort.
const BUDGETS: &[(u64, Effort)] = &[
    (1024, Effort::Minimal),
    (4096, Effort::Low),
    (12_288, Effort::Medium),
    (24_576, Effort::High),
    (u64::MAX, Effort::Xhigh),
];

/// What is sent about thinking.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) thinking: Option<Thinking>,
    /// `output_config.effort`
    pub(super) effort: Option<&'static str>,
    pub(super) max_tokens: u64,
}

impl Plan {
    /// The model will think.
    pub(super) fn is_on(&self) -> bool {
        matches!(self.thinking, Some(Thinking::Adaptive { .. } | Thinking::Enabled { .. }))
    }

    fn without(thinking: Option<Thinking>, draft: &Draft<'_>) -> Self {
        let usual = draft.profile.max_output.map_or(UNKNOWN_LIMIT, |limit| limit.min(USUAL_LIMIT));
        Plan { thinking, effort: None, max_tokens: draft.request.max_output.unwrap_or(usual) }
    }
}

/// How a model is told to think.
#[derive(Debug, Clone, Copy)]
enum Style<'a> {
    /// In words; empty: any.
    Adaptive(&'a [Effort]),
    /// In tokens, at most so many.
    Budget(Option<u64>),
}

impl<'a> Style<'a> {
    /// A model that is steered by words and by tokens is adaptive if it knows the word `max`: the one model family
    /// with words but without that one takes no `adaptive`. A model that knows only on and off takes a budget, as all
    /// models did first; one of which nothing is known is taken to be new.
    /// Source: Amazon Bedrock's and Vercel's pages on adaptive thinking (Claude 4.6 and later), read 2026-11-25, against
    /// the levels in the catalogue.
    fn of(options: &'a [ReasoningOption]) -> Self {
        let levels = options.iter().find_map(|option| match option {
            ReasoningOption::Effort(levels) => Some(levels.as_slice()),
            _ => None,
        });
        let budget = options.iter().find_map(|option| match option {
            ReasoningOption::Budget { max, .. } => Some(*max),
            _ => None,
        });
        match (levels, budget) {
            (Some(levels), Some(_)) if levels.contains(&Effort::Max) => Style::Adaptive(levels),
            (_, Some(max)) => Style::Budget(max),
            (Some(levels), None) => Style::Adaptive(levels),
            (None, None) if options.is_empty() => Style::Adaptive(&[]),
            (None, None) => Style::Budget(None),
        }
    }
}

/// Decides on thinking and the output limit.
pub(super) fn plan(draft: &mut Draft<'_>) -> Plan {
    let Some(wanted) = &draft.request.thinking else { return Plan::without(None, draft) };
    let unwanted = wanted.effort == Some(Effort::None) || wanted.budget == Some(0);
    if !draft.profile.abilities.reasoning {
        if !unwanted {
            draft.lose("effort", "thinking");
        }
        return Plan::without(None, draft);
    }
    if unwanted {
        return off(draft);
    }
    if lacks_thoughts(&draft.request.messages) && can_be_off(&draft.profile.reasoning) {
        draft.lose("thinking_off", "messages");
        return Plan::without(Some(Thinking::Disabled), draft);
    }
    match Style::of(&draft.profile.reasoning) {
        Style::Adaptive(levels) => adaptive(draft, wanted, levels),
        Style::Budget(most) => budget(draft, wanted, most),
    }
}

/// A model that cannot be kept from thinking thinks as little as it can.
fn off(draft: &mut Draft<'_>) -> Plan {
    if can_be_off(&draft.profile.reasoning) {
        return Plan::without(Some(Thinking::Disabled), draft);
    }
    let Style::Adaptive(levels) = Style::of(&draft.profile.reasoning) else {
        return Plan::without(Some(Thinking::Disabled), draft);
    };
    let least = chat::Thinking { effort: Some(Effort::Minimal), ..chat::Thinking::default() };
    adaptive(draft, &least, levels)
}

fn can_be_off(options: &[ReasoningOption]) -> bool {
    let only_words = options.iter().all(|option| matches!(option, ReasoningOption::Effort(_)));
    options.is_empty() || !only_words
}

/// The last assistant turn calls tools without the signed thoughts that led there: with thinking on, the upstream
/// would refuse it.
fn lacks_thoughts(messages: &[chat::Message]) -> bool {
    let last = messages.iter().rfind(|message| message.role == Role::Assistant);
    last.is_some_and(|turn| {
        turn.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }))
            && !turn.parts.iter().any(replayable)
    })
}

fn adaptive(draft: &mut Draft<'_>, wanted: &chat::Thinking, levels: &[Effort]) -> Plan {
    let asked = wanted.effort.or_else(|| wanted.budget.map(effort_of));
    let level = asked.map(|asked| nearest(asked, levels));
    if level != wanted.effort {
        draft.lose("effort", "thinking");
    }
    let row = level.map(row);
    let display = Some(if wanted.show == Some(false) { "omitted" } else { "summarized" });
    // The limit includes the thoughts, so an unknown one must leave room for them.
    let room = row.map_or(USUAL_LIMIT, |(_, _, tokens)| tokens.min(32_000));
    let usual = draft.profile.max_output.unwrap_or(UNKNOWN_LIMIT + room);
    Plan {
        thinking: Some(Thinking::Adaptive { display }),
        effort: row.map(|(_, word, _)| word),
        max_tokens: draft.request.max_output.unwrap_or(usual),
    }
}

/// The level itself, or the nearest lower one that the model has, or its lowest. Only `xhigh` is not known to all models
/// that take words, so one of which nothing is known does not get it.
/// Source: DIALECTS, section 5.1, and the recorded refusal of `xhigh` by Claude Opus 4.6.
fn nearest(asked: Effort, levels: &[Effort]) -> Effort {
    let asked = asked.max(Effort::Low);
    if levels.is_empty() {
        return if asked == Effort::Xhigh { Effort::High } else { asked };
    }
    let known = levels.iter().copied().filter(|level| *level >= Effort::Low);
    let lower = known.clone().filter(|level| *level <= asked).max();
    lower.or(known.min()).unwrap_or(asked)
}

fn budget(draft: &mut Draft<'_>, wanted: &chat::Thinking, most: Option<u64>) -> Plan {
    let asked = wanted.budget.unwrap_or_else(|| row(wanted.effort.unwrap_or(Effort::Medium)).2);
    let fitted = fit(asked.min(most.unwrap_or(32_000).max(LEAST_BUDGET)), draft);
    if wanted.budget != fitted.map(|(budget, _)| budget) {
        draft.lose("effort", "thinking");
    }
    let Some((budget_tokens, max_tokens)) = fitted else {
        draft.lose("thinking_off", "max_tokens");
        return Plan::without(None, draft);
    };
    if draft.request.max_output.is_some_and(|asked| asked < max_tokens) {
        draft.lose("max_tokens", "max_tokens");
    }
    let display = (wanted.show == Some(false)).then_some("omitted");
    Plan { thinking: Some(Thinking::Enabled { budget_tokens, display }), effort: None, max_tokens }
}

/// Budget and output limit so that the budget is the smaller one: the limit is raised first, the budget lowered then.
/// `None`: there is no room for thinking.
fn fit(budget: u64, draft: &Draft<'_>) -> Option<(u64, u64)> {
    let budget = budget.max(LEAST_BUDGET);
    let most = draft.profile.max_output.unwrap_or(u64::MAX);
    let limit = match (draft.request.max_output, draft.profile.max_output) {
        (Some(asked), _) if budget < asked => asked,
        (Some(asked), _) => budget.saturating_add(asked).min(most),
        (None, Some(limit)) => limit,
        (None, None) => budget.saturating_add(UNKNOWN_LIMIT),
    };
    let budget = budget.min(limit.saturating_sub(1));
    (budget >= LEAST_BUDGET).then_some((budget, limit))
}

fn row(effort: Effort) -> (Effort, &'static str, u64) {
    EFFORTS.iter().copied().find(|(step, _, _)| *step >= effort).unwrap_or(EFFORTS[0])
}

fn effort_of(budget: u64) -> Effort {
    BUDGETS.iter().find(|(most, _)| budget <= *most).map_or(Effort::Xhigh, |(_, effort)| *effort)
}
