//! Models of one provider: those of its section, those that the catalogue lists, and all others that `models.json` has.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use policy::{Model, Rate, Rules};
use wire::Operation;
use wire::chat::Profile;

use super::super::file::{ModelSettings, ProviderSettings};
use super::{max_tokens_field, without_variant};
use crate::catalog::{Catalogue, Entry, Row};

type Models = IndexMap<Arc<str>, Arc<Model>, RandomState>;

/// What is known of a provider's models.
pub(super) struct Known<'a> {
    pub(super) row: Option<&'static Row>,
    pub(super) settings: Option<&'a ProviderSettings>,
    pub(super) catalogue: &'a Catalogue,
    /// What holds for every model of the provider.
    pub(super) profile: &'a Profile,
    /// The operator's own, by model.
    pub(super) prices: HashMap<&'a str, &'a Rate>,
}

impl Known<'_> {
    /// By id, in the order of listing. A section that names models lists exactly those, under its own name.
    pub(super) fn models(&self) -> Models {
        let facts = self.facts();
        let of_file = self.settings.map(|settings| settings.models.as_slice()).unwrap_or_default();
        let mut models = Models::default();
        let section = self.settings.map(|settings| settings.section.as_str()).unwrap_or_default();
        for settings in of_file {
            let listed_as = Some(format!("{section}/{}", settings.id));
            self.add(&mut models, &settings.id, &facts, Some(settings), listed_as);
        }
        for id in self.row.iter().flat_map(|row| &row.models) {
            let listed_as = of_file.is_empty().then(|| id.clone());
            self.add(&mut models, id, &facts, None, listed_as);
        }
        for entry in self.owned() {
            self.add(&mut models, &entry.id, &facts, None, None);
        }
        models
    }

    fn add(
        &self,
        models: &mut Models,
        id: &str,
        facts: &HashMap<&str, &Entry<'static>>,
        settings: Option<&ModelSettings>,
        listed_as: Option<String>,
    ) {
        if !models.contains_key(id) {
            let sent_as = without_variant(id);
            let model = self.model(id, sent_as, facts.get(sent_as).copied(), settings, listed_as);
            models.insert(model.id.clone(), Arc::new(model));
        }
    }

    fn model(
        &self,
        id: &str,
        sent_as: &str,
        entry: Option<&Entry<'static>>,
        settings: Option<&ModelSettings>,
        listed_as: Option<String>,
    ) -> Model {
        // Of a provider that is only like another, the prices are its own and not known.
        let priced = entry.filter(|_| self.row.is_some_and(|row| row.catalogue.is_some()));
        let own = self.prices.get(id).or_else(|| self.prices.get(sent_as)).map(|rate| (*rate).clone());
        let set_rate = settings.and_then(|settings| settings.rate.clone()).or(own).map(|rate| (rate, "file"));
        let rate = set_rate.or_else(|| priced.and_then(|entry| Some((entry.rate()?, entry.source))));
        let max_tokens = settings.and_then(|settings| settings.max_tokens);
        let named = settings.and_then(|settings| settings.name.as_deref());
        Model {
            id: id.into(),
            name: named.or(entry.map(|entry| &*entry.name)).unwrap_or(id).to_owned(),
            made_for: entry.map_or(Operation::Chat, Entry::made_for),
            profile: Arc::new(self.profile_of(sent_as, entry)),
            price_source: rate.as_ref().map(|(_, source)| (*source).into()),
            rate: rate.map(|(rate, _)| rate),
            context: settings.and_then(|settings| settings.context).or(entry.and_then(|entry| entry.context)),
            max_output: max_tokens.or(entry.and_then(|entry| entry.max_output)),
            listed_as,
            max_tokens,
            rules: settings.map(|settings| settings.rules.clone()).unwrap_or_default(),
            timeout: settings.and_then(|settings| settings.timeout),
            strict_translation: settings.and_then(|settings| settings.strict_translation),
        }
    }

    fn profile_of(&self, sent_as: &str, entry: Option<&Entry<'static>>) -> Profile {
        let mut profile = Profile { model: sent_as.into(), ..self.profile.clone() };
        let Some(entry) = entry else { return profile };
        profile.max_output = entry.max_output;
        profile.abilities = entry.abilities();
        profile.reasoning = entry.reasoning();
        let reasoning_field = self.row.and_then(|row| row.reasoning_max_tokens_field.as_deref());
        if let Some(field) = reasoning_field.filter(|_| entry.reasons()) {
            profile.max_tokens_field = max_tokens_field(Some(field));
        }
        profile
    }

    /// Entries of `models.json` that are this provider's own.
    fn owned(&self) -> &[Entry<'static>] {
        let name = self.row.and_then(|row| row.catalogue.as_deref());
        name.map(|name| self.catalogue.models(name)).unwrap_or_default()
    }

    /// What is known of models by the id that goes upstream, its own or those of a provider that is like it.
    fn facts(&self) -> HashMap<&str, &Entry<'static>> {
        let name = self.row.and_then(|row| row.catalogue.as_deref().or(row.like.as_deref()));
        let entries = name.map(|name| self.catalogue.models(name)).unwrap_or_default();
        entries.iter().map(|entry| (&*entry.id, entry)).collect()
    }
}

/// A listed model of which nothing is known.
pub(super) fn plain(id: &str, profile: &Profile) -> (Arc<str>, Arc<Model>) {
    let id: Arc<str> = id.into();
    let model = Model {
        name: id.to_string(),
        made_for: Operation::Chat,
        profile: Arc::new(Profile { model: id.clone(), ..profile.clone() }),
        rate: None,
        price_source: None,
        context: None,
        max_output: None,
        listed_as: Some(id.to_string()),
        max_tokens: None,
        rules: Rules::default(),
        timeout: None,
        strict_translation: None,
        id: id.clone(),
    };
    (id, Arc::new(model))
}
