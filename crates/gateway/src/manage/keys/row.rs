//! Access keys as answers and the command line show them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use store::{AccessKey, Secret};

/// A key as it is listed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AccessKey")]
pub struct Row<'a> {
    pub(super) id: &'a str,
    /// For people, logs and the ledger.
    name: &'a str,
    /// What people see of it: start and end.
    masked_key: String,
    /// `caller` or `project_admin`.
    role: &'static str,
    /// The only project that it may act for; null: any.
    project: Option<&'a str>,
    /// Patterns of models that it may use; none: all.
    models: &'a [String],
    /// Providers that it may use; none: all.
    providers: &'a [String],
    labels: &'a BTreeMap<String, String>,
    created_by: &'a str,
    created_at: Timestamp,
    updated_at: Timestamp,
    expires_at: Option<Timestamp>,
    /// Since when it opens nothing any more.
    revoked_at: Option<Timestamp>,
    /// Until when the key before the last rotation is accepted too.
    old_key_until: Option<Timestamp>,
    /// Only said where it is not so.
    #[serde(skip_serializing_if = "Clone::clone")]
    intact: bool,
}

impl<'a> Row<'a> {
    #[allow(missing_docs)]
    pub fn of(key: &'a AccessKey) -> Self {
        let grant = &key.grant;
        Self {
            id: &key.id,
            name: &grant.name,
            masked_key: format!("gw_{}_...{}", key.id, key.ending),
            role: grant.role.as_str(),
            project: grant.project.as_deref(),
            models: &grant.models,
            providers: &grant.providers,
            labels: &grant.labels,
            created_by: &key.created_by,
            created_at: key.created_at,
            updated_at: key.updated_at,
            expires_at: grant.expires_at,
            revoked_at: key.revoked_at,
            old_key_until: key.old_until,
            intact: key.intact,
        }
    }
}

impl Row<'_> {
    /// Names of the columns of `line`.
    pub const HEAD: [&'static str; 6] = ["ID", "NAME", "ROLE", "PROJECT", "MODELS", "STATE"];

    /// The row in a table for people.
    pub fn line(&self) -> Vec<String> {
        let state = match (self.intact, self.revoked_at, self.expires_at) {
            (false, ..) => "changed outside the gateway".to_owned(),
            (_, Some(at), _) => format!("revoked {}", super::super::civil(at)),
            (_, _, Some(end)) => format!("until {}", super::super::civil(end)),
            _ => "valid".to_owned(),
        };
        let models = if self.models.is_empty() { "all".to_owned() } else { self.models.join(",") };
        let project = self.project.unwrap_or("any").to_owned();
        vec![self.id.to_owned(), self.name.to_owned(), self.role.to_owned(), project, models, state]
    }
}

/// A key as it is shown once, when it is made.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "IssuedAccessKey")]
pub struct Issued<'a> {
    #[serde(flatten)]
    row: Row<'a>,
    /// The key itself.
    key: &'a str,
}

impl<'a> Issued<'a> {
    #[allow(missing_docs)]
    pub fn of(key: &'a AccessKey, secret: &'a Secret) -> Self {
        Self { row: Row::of(key), key: secret.expose() }
    }
}
