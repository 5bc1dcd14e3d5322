//! Models that a server says it has, beside those that are known of it. Asking for the list is done elsewhere.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::provider::{Model, Provider};

/// One model of a server's own list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundModel {
    #[allow(missing_docs)]
    pub id: Arc<str>,
    /// Tokens of prompt and answer together, where the list says.
    pub context: Option<u64>,
}

/// What servers say they have, by the id of the provider.
pub type Found = HashMap<Arc<str>, Vec<FoundModel>, RandomState>;

impl Provider {
    /// The same with the models of its own list. What is known of a model stays; one that was not listed to clients now
    /// is, as the others are: plainly, or below the name of the provider, which two servers with the same model need.
    pub(crate) fn with_found(&self, found: &[FoundModel]) -> Self {
        let mut provider = self.clone();
        for model in found {
            let known = self.models.get(&model.id).map(|known| Model::clone(known));
            let known = known.unwrap_or_else(|| self.unlisted(&model.id));
            let listed_as = known.listed_as.clone().unwrap_or_else(|| self.name_of_found(&model.id));
            let context = known.context.or(model.context);
            let merged = Model { listed_as: Some(listed_as), context, ..known };
            provider.models.insert(model.id.clone(), Arc::new(merged));
        }
        provider
    }

    fn name_of_found(&self, id: &str) -> String {
        let lists_plainly = self.listed_models().any(|model| model.listed_as.as_deref() == Some(&*model.id));
        let prefix = self.section.as_deref().unwrap_or(&self.id);
        if lists_plainly { id.to_owned() } else { format!("{prefix}/{id}") }
    }
}
