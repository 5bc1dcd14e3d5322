//! Routes: a name, or names of a pattern, that the operator leads to targets of their choice.

use std::sync::Arc;
use std::time::Duration;

mod condition;
mod strategy;

pub use condition::{Condition, Modality};
pub use strategy::Strategy;

pub(crate) use strategy::Candidate;

use crate::plan::Ask;

/// Where some requests go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Route {
    /// Unique; a virtual model of this name exists where the condition names no models.
    pub name: Arc<str>,
    /// For which requests it holds.
    pub when: Condition,
    #[allow(missing_docs)]
    pub strategy: Strategy,
    #[allow(missing_docs)]
    pub members: Vec<Member>,
    /// For so long after its last answer a conversation goes back to who answered it; `None`: it does not.
    pub sticky: Option<Duration>,
    /// After so long without an answer the next target is asked as well; `None`: it is not.
    pub hedge: Option<Duration>,
    /// Who takes prompts that are too long for a member.
    pub when_too_long: Vec<Member>,
    /// Who is asked when a member declines for its content policy.
    pub when_refused: Vec<Member>,
}

/// A target of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// `None`: whoever serves the model.
    pub provider: Option<String>,
    /// `None`: the model that was asked for where the provider has it, else its default.
    pub model: Option<String>,
    /// Name of the only credential to use; `None`: any that the provider has.
    pub key: Option<Arc<str>>,
    /// Its share under [`Strategy::Weighted`].
    pub weight: u32,
    /// Lower ones first under [`Strategy::InOrder`].
    pub priority: u32,
}

impl Default for Member {
    fn default() -> Self {
        Self { provider: None, model: None, key: None, weight: 1, priority: 0 }
    }
}

impl Route {
    /// Whether it holds for a request.
    pub fn holds(&self, ask: &Ask<'_>) -> bool {
        let named = match self.when.models.is_empty() {
            true => ask.model == Some(&*self.name),
            false => self.when.names(ask.model.unwrap_or_default()),
        };
        named && self.when.holds(ask)
    }

    /// All targets that it names, for whatever case.
    pub fn all_members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().chain(&self.when_too_long).chain(&self.when_refused)
    }
}
