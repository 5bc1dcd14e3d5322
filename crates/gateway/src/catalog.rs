//! The catalogue: what ships in the binary about providers, programs and models.
//!
//! Data only, read once. What the operator adds or changes is merged elsewhere (`config::snapshot`). The sources are
//! `catalog/providers.toml`, `catalog/agents.toml` and `catalog/models.json`; the README there explains the fields.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

mod models;
mod row;

pub use models::Entry;
pub use row::{Agent, AuthRow, Key, Row, WireRow};

const PROVIDERS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/providers.toml"));
const AGENTS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/agents.toml"));
const MODELS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/models.json"));

/// Everything that ships.
#[derive(Debug)]
pub struct Catalogue {
    /// All providers and programs, as they are preferred and listed.
    pub order: Vec<String>,
    /// HTTP upstreams.
    pub providers: Vec<Row>,
    /// Command-line subscriptions.
    pub agents: Vec<Agent>,
    /// Models by provider, under the names of `models.json`.
    models: HashMap<&'static str, Vec<Entry<'static>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProvidersFile {
    order: Vec<String>,
    provider: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentsFile {
    agent: Vec<Agent>,
}

impl Catalogue {
    /// The catalogue of this binary; parsed at the first call.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: LazyLock<Catalogue> = LazyLock::new(Catalogue::parse);
        &EMBEDDED
    }

    /// The row of that id or spelling.
    pub fn provider(&self, name: &str) -> Option<&Row> {
        self.providers.iter().find(|row| row.id == name || row.spellings.iter().any(|other| other == name))
    }

    /// Models of a provider of `models.json`.
    pub fn models(&self, provider: &str) -> &[Entry<'static>] {
        self.models.get(provider).map_or(&[], Vec::as_slice)
    }

    fn parse() -> Self {
        let file: ProvidersFile = toml::from_str(PROVIDERS).expect("a test reads the providers that ship");
        let agents: AgentsFile = toml::from_str(AGENTS).expect("a test reads the programs that ship");
        let wanted = |name: &str| {
            let uses =
                |row: &Row| row.catalogue.as_deref() == Some(name) || row.like.as_deref() == Some(name);
            file.provider.iter().any(uses)
        };
        let models = models::parse(MODELS, wanted).expect("a test reads the models that ship");
        Self { order: file.order, providers: file.provider, agents: agents.agent, models }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use wire::{Operation, WireId};

    use super::*;

    #[test]
    fn the_order_names_every_provider_and_program_once() {
        let catalogue = Catalogue::embedded();
        let rows = catalogue.providers.iter().map(|row| row.id.clone());
        let mut all: Vec<String> =
            rows.chain(catalogue.agents.iter().map(|agent| agent.id.clone())).collect();
        let mut order = catalogue.order.clone();
        all.sort();
        order.sort();
        assert_eq!(all, order);
    }

    #[test]
    fn the_documented_order_comes_first() {
        let documented = [
            "anthropic",
            "openai",
            "google",
            "groq",
            "openrouter",
            "opencode-cli",
            "claude-cli",
            "gemini-cli",
            "codex-cli",
            "copilot-cli",
        ];
        assert_eq!(Catalogue::embedded().order[..10], documented);
    }

    #[test]
    fn no_two_providers_share_a_name_or_a_variable() {
        let catalogue = Catalogue::embedded();
        let (mut names, mut variables) = (HashSet::new(), HashSet::new());
        for row in &catalogue.providers {
            assert!(row.spellings.iter().chain([&row.id]).all(|name| names.insert(name)), "{}", row.id);
            assert!(row.env.iter().all(|prefix| variables.insert(prefix)), "{}", row.id);
        }
    }

    #[test]
    fn every_row_speaks_a_wire_that_we_have_at_a_complete_address() {
        for row in &Catalogue::embedded().providers {
            assert!(!row.wires.is_empty(), "{}", row.id);
            for wire in &row.wires {
                assert!(WireId::from_name(&wire.wire).is_some(), "{}: {}", row.id, wire.wire);
                let address = format!("{}{}", row.base, wire.path);
                assert!(address.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some()), "{address}");
            }
        }
    }

    #[test]
    fn every_operation_that_a_row_lacks_has_a_name() {
        for row in &Catalogue::embedded().providers {
            assert!(row.lacks.iter().all(|name| Operation::from_name(name).is_some()), "{}", row.id);
        }
    }

    #[test]
    fn every_row_says_where_and_when_it_was_read() {
        let rows = Catalogue::embedded().providers.iter().map(|row| &row.read);
        for read in rows.chain(Catalogue::embedded().agents.iter().map(|agent| &agent.read)) {
            let (day, source) = read.split_once(' ').unwrap();
            assert!(day.len() == 10 && day.starts_with("20") && !source.is_empty(), "{read}");
        }
    }

    #[test]
    fn every_default_model_is_listed_and_every_price_source_exists() {
        let catalogue = Catalogue::embedded();
        for row in &catalogue.providers {
            assert!(row.default_model.as_ref().is_none_or(|id| row.models.contains(id)), "{}", row.id);
            for name in row.catalogue.iter().chain(&row.like) {
                assert!(!catalogue.models(name).is_empty(), "{name} is not in models.json");
            }
        }
    }
}
