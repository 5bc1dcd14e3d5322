//! Groups of mcp-llm-bridge as routes: what they say in its words becomes what the plan follows.

use std::time::Duration;

use policy::{Condition, Member, Route, Snapshot, Strategy};
use serde_json::Number;
use store::{Group, GroupMember, GroupRule};
use wire::Fault;

/// Shares are whole numbers in routes: a weight of 1 is so many.
const SHARE: f64 = 1000.0;
/// The largest weight that a group may have; a thousandth of it counts still.
const MOST_WEIGHT: f64 = 1e6;
/// Members of a group, at most.
const MOST_MEMBERS: usize = 64;

/// The routes of all groups, in their order.
pub fn routes(groups: &[Group]) -> Vec<Route> {
    groups.iter().map(route).collect()
}

fn route(group: &Group) -> Route {
    let rule = &group.rule;
    let patterns = rule.model_pattern.as_deref().unwrap_or_default().split(',').map(str::trim);
    let models = patterns.filter(|pattern| !pattern.is_empty()).map(str::to_owned).collect();
    Route {
        name: group.id.as_str().into(),
        when: Condition { models, ..Condition::default() },
        strategy: Strategy::from_name(&rule.strategy).unwrap_or_default(),
        members: rule.members.iter().map(|of| member(of, rule)).collect(),
        sticky: rule.sticky_ttl.map(|seconds| Duration::from_secs(seconds.into())),
        ..Route::default()
    }
}

fn member(member: &GroupMember, rule: &GroupRule) -> Member {
    let of_provider = rule.weights.as_ref().and_then(|weights| weights.get(&member.provider));
    let weight = member.weight.as_ref().or(of_provider).and_then(Number::as_f64);
    let weight = weight.unwrap_or(1.0).clamp(0.0, MOST_WEIGHT);
    Member {
        provider: Some(member.provider.clone()),
        model: None,
        key: member.key_name.as_deref().map(Into::into),
        weight: (weight * SHARE).round() as u32,
        priority: member.priority.unwrap_or_default(),
    }
}

/// A name in a path: lower case, with dashes for all that is neither letter nor digit.
pub fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' };
    let words: String = name.chars().map(plain).collect();
    let slug = words.split_whitespace().collect::<Vec<_>>().join("-");
    if slug.is_empty() { "group".to_owned() } else { slug }
}

/// A rule that can be followed, with the providers' own names in place of other spellings.
///
/// # Errors
/// `Malformed`, naming the field.
pub fn checked(snapshot: &Snapshot, mut rule: GroupRule) -> Result<GroupRule, Fault> {
    if rule.members.is_empty() || rule.members.len() > MOST_MEMBERS {
        return Err(invalid("members", "must be a list of 1 to 64 members"));
    }
    if Strategy::from_name(&rule.strategy).is_none() {
        let known: Vec<&str> = Strategy::names().collect();
        return Err(invalid("strategy", &format!("must be one of {}", known.join(", "))));
    }
    for (at, member) in rule.members.iter_mut().enumerate() {
        let field = |name: &str| format!("members.{at}.{name}");
        let Some(found) = snapshot.provider(&member.provider) else {
            return Err(invalid(&field("provider"), &format!("'{}' is not known here", member.provider)));
        };
        member.provider = found.id.to_string();
        check_weight(&field("weight"), member.weight.as_ref())?;
        // An empty name is none.
        member.key_name = member.key_name.take().filter(|name| !name.trim().is_empty());
    }
    for (provider, weight) in rule.weights.iter().flatten() {
        check_weight(&format!("weights.{provider}"), Some(weight))?;
    }
    if rule.sticky_ttl == Some(0) {
        return Err(invalid("stickyTTL", "must be a positive number of seconds"));
    }
    Ok(rule)
}

fn check_weight(field: &str, weight: Option<&Number>) -> Result<(), Fault> {
    match weight.and_then(Number::as_f64) {
        Some(weight) if !(weight > 0.0 && weight <= MOST_WEIGHT) => {
            Err(invalid(field, "must be a positive number, a million at most"))
        }
        _ => Ok(()),
    }
}

fn invalid(field: &str, why: &str) -> Fault {
    Fault::malformed(field.to_owned(), format!("{field} {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_has_letters_digits_and_single_dashes() {
        for (name, expected) in [
            ("Fast models!", "fast-models"),
            ("--A__b--", "a-b"),
            ("GPT-4o", "gpt-4o"),
            ("\u{65e5}", "group"),
        ] {
            assert_eq!(slug(name), expected);
        }
    }

    #[test]
    fn a_group_becomes_a_route_of_the_same_meaning() {
        let rule: GroupRule = serde_json::from_str(
            r#"{"modelPattern": "gpt-*, claude-*", "strategy": "weighted", "stickyTTL": 60, "weights": {"groq": 0.5},
                "members": [{"provider": "openai", "keyName": "second", "weight": 3}, {"provider": "groq", "priority": 2}]}"#,
        )
        .unwrap();
        let at = jiff::Timestamp::UNIX_EPOCH;
        let route = route(&Group { id: "g".into(), name: "G".into(), rule, created_at: at, updated_at: at });
        assert_eq!(route.when.models, ["gpt-*", "claude-*"]);
        assert_eq!((route.strategy, route.sticky), (Strategy::Weighted, Some(Duration::from_secs(60))));
        assert_eq!((route.members[0].key.as_deref(), route.members[0].weight), (Some("second"), 3000));
        assert_eq!((route.members[1].weight, route.members[1].priority), (500, 2));
    }
}
