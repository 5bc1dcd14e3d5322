//! What requests about access keys say. Whether the caller may ask for it is decided elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use policy::Snapshot;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use store::{KeyChanges, KeyRole, NewAccessKey};
use wire::Fault;

use super::super::fields::{self, REQUIRED, invalid, trimmed};
use super::{OVERLAP, known_providers};

/// Entries of a list of patterns, providers or labels, at most.
const LIST_LIMIT: usize = 256;

// A misspelt field is refused here: the limit that it was to set would not hold.

/// A key that is to be made. What it leaves out, it has from the key that makes it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "NewAccessKey")]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// For people, logs and the ledger.
    #[schemars(required, length(min = 1, max = 128))]
    name: Option<String>,
    /// `caller` (the default) or `project_admin`.
    role: Option<String>,
    /// The only project that the key may act for.
    project: Option<String>,
    /// Patterns of models that it may use, such as `gpt-*`; none: all.
    #[schemars(length(max = 256))]
    models: Option<Vec<String>>,
    /// Providers that it may use; none: all.
    #[schemars(length(max = 256))]
    providers: Option<Vec<String>>,
    /// Words for whoever manages the keys.
    #[schemars(extend("maxProperties" = 256))]
    labels: Option<BTreeMap<String, String>>,
    /// When it ends; null: never.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Timestamp>")]
    expires_at: Option<Option<String>>,
}

/// What is to be different about a key; what is left out stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "AccessKeyChanges")]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// For people, logs and the ledger.
    #[schemars(length(min = 1, max = 128))]
    name: Option<String>,
    /// Patterns of models that it may use; none: all that the caller may.
    #[schemars(length(max = 256))]
    models: Option<Vec<String>>,
    /// Providers that it may use; none: all that the caller may.
    #[schemars(length(max = 256))]
    providers: Option<Vec<String>>,
    /// Words for whoever manages the keys.
    #[schemars(extend("maxProperties" = 256))]
    labels: Option<BTreeMap<String, String>>,
    /// When it ends; null: never.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Timestamp>")]
    expires_at: Option<Option<String>>,
}

/// How a key gets its new secret part.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "AccessKeyRotation")]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Seconds for which the old key is accepted too: a day unless said otherwise, 30 days at most.
    overlap_seconds: Option<u64>,
}

impl NewKey {
    /// # Errors
    /// `Malformed`, naming the field.
    pub(super) fn grant(self, snapshot: &Snapshot) -> Result<NewAccessKey, Fault> {
        let Self { name, role, project, models, providers, labels, expires_at } = self;
        let changes = Changes { name, models, providers, labels, expires_at }.checked(snapshot)?;
        let role = trimmed("role", role)?;
        let role = role.map_or(Some(KeyRole::Caller), |name| KeyRole::from_name(&name));
        Ok(NewAccessKey {
            name: changes.name.ok_or_else(|| invalid("name", REQUIRED))?,
            role: role.ok_or_else(|| invalid("role", "must be caller or project_admin"))?,
            project: trimmed("project", project)?,
            models: changes.models.unwrap_or_default(),
            providers: changes.providers.unwrap_or_default(),
            labels: changes.labels.unwrap_or_default(),
            expires_at: changes.expires_at.flatten(),
        })
    }
}

impl Changes {
    /// # Errors
    /// `Malformed`, naming the field.
    pub(super) fn checked(self, snapshot: &Snapshot) -> Result<KeyChanges, Fault> {
        if self.labels.as_ref().is_some_and(|labels| labels.len() > LIST_LIMIT) {
            return Err(invalid("labels", "must have at most 256 entries"));
        }
        let providers = names("providers", self.providers)?;
        Ok(KeyChanges {
            name: trimmed("name", self.name)?,
            models: names("models", self.models)?,
            providers: providers.map(|names| known_providers(snapshot, names)).transpose()?,
            labels: self.labels,
            expires_at: self.expires_at.map(|end| end.as_deref().map(time).transpose()).transpose()?,
        })
    }
}

impl Rotation {
    pub(super) fn overlap(&self) -> Duration {
        self.overlap_seconds.map_or(OVERLAP, Duration::from_secs)
    }
}

fn names(field: &'static str, found: Option<Vec<String>>) -> Result<Option<Vec<String>>, Fault> {
    let Some(found) = found else { return Ok(None) };
    if found.len() > LIST_LIMIT || found.iter().any(String::is_empty) {
        return Err(invalid(field, "must be a list of at most 256 names, none of them empty"));
    }
    found.into_iter().map(|text| fields::name(field, text)).collect::<Result<_, _>>().map(Some)
}

fn time(text: &str) -> Result<Timestamp, Fault> {
    text.parse().map_err(|_| invalid("expires_at", "must be a time such as 2027-01-31T00:00:00Z, or null"))
}

/// Tells null, which takes the end away, from a field that is not there.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}
