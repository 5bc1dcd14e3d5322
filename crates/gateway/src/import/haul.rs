//! What was found at a source and can be kept here.

use store::{Entry, GroupRule, NewAuthFile, Secret};

use super::report::Report;

/// A key of a provider.
#[derive(Debug)]
pub struct Key {
    /// Id here.
    pub provider: String,
    #[allow(missing_docs)]
    pub name: String,
    #[allow(missing_docs)]
    pub project: String,
    #[allow(missing_docs)]
    pub secret: Secret,
    /// Where it stands at the source.
    pub place: Option<String>,
    /// What is not as it was there.
    pub remark: Option<String>,
}

/// An auth file of a program.
#[derive(Debug)]
pub struct File {
    #[allow(missing_docs)]
    pub file: NewAuthFile,
    /// Where it stands at the source.
    pub place: Option<String>,
    /// What is not as it was there.
    pub remark: Option<String>,
}

/// What a model costs.
#[derive(Debug)]
pub struct Price {
    /// Id here.
    pub provider: String,
    #[allow(missing_docs)]
    pub model: String,
    /// US dollars a million tokens.
    pub input: f64,
    /// US dollars a million tokens.
    pub output: f64,
    /// What is not as it was there.
    pub remark: Option<String>,
}

/// A group of providers.
#[derive(Debug)]
pub struct Group {
    #[allow(missing_docs)]
    pub id: String,
    #[allow(missing_docs)]
    pub name: String,
    #[allow(missing_docs)]
    pub rule: GroupRule,
    /// Where it stands at the source.
    pub place: Option<String>,
    /// What is not as it was there.
    pub remark: Option<String>,
}

/// Everything that one source holds.
#[derive(Debug, Default)]
pub struct Haul {
    /// For the vault.
    pub keys: Vec<Key>,
    /// For the vault, checked.
    pub files: Vec<File>,
    /// For the store, checked.
    pub groups: Vec<Group>,
    /// For the ledger.
    pub usage: Vec<Entry>,
    /// For the configuration file, if there is none yet.
    pub prices: Vec<Price>,
    /// A configuration file.
    pub config: Option<String>,
    /// What need not be stored to have a verdict.
    pub report: Report,
}

impl Key {
    /// As people name it.
    pub(super) fn label(&self) -> String {
        let Self { provider, name, project, .. } = self;
        match project.as_str() {
            store::GLOBAL => format!("credential {provider}/{name}"),
            project => format!("credential {provider}/{name} of project {project}"),
        }
    }

    fn is_same_row(&self, other: &Key) -> bool {
        (&self.provider, &self.name, &self.project) == (&other.provider, &other.name, &other.project)
    }
}

impl File {
    /// As people name it.
    pub(super) fn label(&self) -> String {
        let NewAuthFile { provider, file_name, project, .. } = &self.file;
        match project.as_str() {
            store::GLOBAL => format!("file {provider}/{file_name}"),
            project => format!("file {provider}/{file_name} of project {project}"),
        }
    }
}

impl Haul {
    /// Something of it is for vault or ledger.
    pub fn needs_store(&self) -> bool {
        !(self.keys.is_empty() && self.files.is_empty() && self.groups.is_empty() && self.usage.is_empty())
    }

    /// Adds a key, under a name of its own if two keys of the source have become one provider's.
    pub(super) fn add(&mut self, mut key: Key, other_name: &str) {
        if self.keys.iter().any(|held| held.is_same_row(&key)) {
            let taken = std::mem::replace(&mut key.name, other_name.to_owned());
            let remark = format!("named {other_name}: {}/{taken} is another key already", key.provider);
            key.remark = Some(key.remark.map_or(remark.clone(), |before| format!("{before}; {remark}")));
        }
        match self.keys.iter().find(|held| held.is_same_row(&key)) {
            Some(_) => self.report.not(key.place.clone(), key.label(), "that name is taken twice"),
            None => self.keys.push(key),
        }
    }
}
