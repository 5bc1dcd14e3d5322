//! For which requests a route holds. What a condition does not mention, it does not mind.

use crate::glob::fits;
use crate::plan::{Ask, Needs};

/// All of it has to be true of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition {
    /// Patterns of the models; empty: see [`super::Route::name`]. A request without a model has the empty name.
    pub models: Vec<String>,
    /// Projects, one of which it has to be for.
    pub projects: Vec<String>,
    /// Patterns of names of access keys, one of which it has to be sent with.
    pub keys: Vec<String>,
    /// Tags, one of which it has to carry.
    pub tags: Vec<String>,
    /// Bytes of the body, at least.
    pub least: Option<u64>,
    /// Bytes of the body, at most.
    pub most: Option<u64>,
    /// What it holds, one of these.
    pub modalities: Vec<Modality>,
    /// Whether it brings tools.
    pub tools: Option<bool>,
}

/// What a conversation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Modality {
    /// Nothing but text.
    Text,
    #[allow(missing_docs)]
    Images,
    /// PDF documents.
    Documents,
    /// Sound.
    Audio,
}

const MODALITIES: [(&str, Modality); 4] = [
    ("text", Modality::Text),
    ("images", Modality::Images),
    ("documents", Modality::Documents),
    ("audio", Modality::Audio),
];

impl Modality {
    /// By the name that files have for it.
    pub fn from_name(name: &str) -> Option<Self> {
        MODALITIES.iter().find(|(known, _)| *known == name.trim()).map(|(_, modality)| *modality)
    }

    fn is_in(self, needs: Needs) -> bool {
        match self {
            Modality::Text => !(needs.images || needs.documents || needs.audio),
            Modality::Images => needs.images,
            Modality::Documents => needs.documents,
            Modality::Audio => needs.audio,
        }
    }
}

impl Condition {
    /// Whether one of its patterns fits a model's name.
    pub(super) fn names(&self, model: &str) -> bool {
        self.models.iter().any(|pattern| fits(pattern, model))
    }

    /// Whether everything but the model is as it wants it.
    pub(super) fn holds(&self, ask: &Ask<'_>) -> bool {
        one_of(&self.projects, |project| project == ask.project)
            && one_of(&self.keys, |pattern| ask.key.is_some_and(|key| fits(pattern, key)))
            && one_of(&self.tags, |tag| ask.tags.contains(tag))
            && self.least.is_none_or(|least| ask.size >= least)
            && self.most.is_none_or(|most| ask.size <= most)
            && one_of(&self.modalities, |modality| modality.is_in(ask.needs))
            && self.tools.is_none_or(|wanted| ask.needs.tools == wanted)
    }
}

/// Nothing wanted is anything goes.
fn one_of<T>(wanted: &[T], is: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(is)
}
