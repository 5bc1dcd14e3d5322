//! What the holder of a key may use. A pattern is a name in which `*` stands for any run of characters.

use crate::provider::{Model, Provider};

/// Models and providers that a request may reach. The default is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Patterns of models, as `gpt-*` or `openrouter/*`; empty: all.
    pub models: Vec<String>,
    /// Ids of providers; empty: all.
    pub providers: Vec<String>,
}

impl Access {
    /// Everything.
    pub const ALL: &'static Access = &Access { models: Vec::new(), providers: Vec::new() };

    /// Whether a provider may be used at all.
    pub fn to_provider(&self, provider: &Provider) -> bool {
        let named = |name: &String| **name == *provider.id || provider.spellings.contains(name);
        self.providers.is_empty() || self.providers.iter().any(named)
    }

    /// Whether this model of this provider may be used: a pattern fits its id, its id behind the provider's, or the name
    /// under which it is listed.
    pub fn to_model(&self, provider: &Provider, model: &Model) -> bool {
        if !self.to_provider(provider) || self.models.is_empty() {
            return self.to_provider(provider);
        }
        let full = format!("{}/{}", provider.id, model.id);
        let names = [&*model.id, &*full, model.listed_as.as_deref().unwrap_or(&full)];
        let fits = |pattern: &String| names.iter().any(|name| matches(pattern, name));
        self.models.iter().any(fits)
    }

    /// Whether everything that `other` may use may be used here too. Patterns are compared as text: one that only
    /// happens to match less counts as wider.
    pub fn covers(&self, other: &Access) -> bool {
        let covered = |ours: &[String], theirs: &[String], fits: fn(&str, &str) -> bool| {
            let within = |name: &String| ours.iter().any(|pattern| fits(pattern, name));
            ours.is_empty() || (!theirs.is_empty() && theirs.iter().all(within))
        };
        covered(&self.models, &other.models, |pattern, name| {
            pattern == name || (!name.contains('*') && matches(pattern, name))
        }) && covered(&self.providers, &other.providers, |ours, theirs| ours == theirs)
    }
}

/// Whether `name` fits a pattern. Linear in both: the text between two stars is looked for once, from the left.
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(models: &[&str], providers: &[&str]) -> Access {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Access { models: owned(models), providers: owned(providers) }
    }

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, name) in [
            ("gpt-4o", "gpt-4o"),
            ("gpt-*", "gpt-4o"),
            ("*", ""),
            ("*-mini", "gpt-4o-mini"),
            ("openrouter/*", "openrouter/openai/gpt-4o"),
            ("a*b*c", "a-b-b-c"),
            ("**", "x"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("gpt-4o", "gpt-4o-mini"),
            ("gpt-*", "o3"),
            ("*-mini", "gpt-4o-minimal"),
            ("a*a", "a"),
            ("a*b*c", "a-c"),
            ("", "x"),
            ("GPT-*", "gpt-4o"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn nobody_passes_on_more_than_they_have() {
        let ours = access(&["gpt-*", "o3"], &["openai"]);
        assert!(ours.covers(&access(&["gpt-*"], &["openai"])));
        assert!(ours.covers(&access(&["gpt-4o", "o3"], &["openai"])));
        for wider in [
            access(&[], &["openai"]),
            access(&["gpt-4o"], &[]),
            access(&["*"], &["openai"]),
            access(&["gp*"], &["openai"]),
            access(&["o3*"], &["openai"]),
            access(&["gpt-4o"], &["openai", "groq"]),
        ] {
            assert!(!ours.covers(&wider), "{wider:?}");
            assert!(Access::ALL.covers(&wider));
        }
    }
}
