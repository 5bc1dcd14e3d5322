//! Who changed what in the vault; and `/admin/v1/audit`.

use http::{Response, StatusCode};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use store::{AuditEntry, Store};
use wire::Fault;

use super::fields::invalid;
use super::json as json_answer;
use super::reply::Page;
use super::scope::{limit, parameter};
use crate::app::App;
use crate::body::OutBody;
use crate::credentials::fault;

/// Answers a page, newest first.
pub async fn answer(app: &App, query: Option<&str>) -> Result<Response<OutBody>, Fault> {
    let before = parameter(query, "cursor").map(|text| text.parse());
    let before = before.transpose().map_err(|_| invalid("cursor", "must be one that a list gave"))?;
    let (entries, next_cursor) = page(&*app.store, before, limit(query)?).await?;
    let data: Vec<Row<'_>> = entries.iter().map(Row::of).collect();
    Ok(json_answer(StatusCode::OK, &Page { data, next_cursor }))
}

/// Entries before one, newest first, and where the next page begins.
pub async fn page(
    store: &dyn Store,
    before: Option<i64>,
    limit: u32,
) -> Result<(Vec<AuditEntry>, Option<String>), Fault> {
    let page = store.audit(before, limit).await.map_err(fault)?;
    let is_full = page.len() == limit as usize;
    let next = page.last().filter(|last| is_full && last.seq > 1).map(|last| last.seq.to_string());
    Ok((page, next))
}

/// An entry as it is listed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditEntry")]
pub struct Row<'a> {
    /// Counts from 1 without a gap.
    seq: i64,
    at: Timestamp,
    /// On whose behalf, such as `key/ab12cd34`.
    actor: &'a str,
    /// What was done, such as `credential.stored`.
    action: &'a str,
    /// To what, such as `credential/7`.
    target: &'a str,
    /// The target as people know it.
    detail: &'a str,
    /// The request that asked for it; null: none did.
    request_id: Option<String>,
}

impl Row<'_> {
    /// Names of the columns of `line`.
    pub const HEAD: [&'static str; 6] = ["SEQ", "AT", "ACTOR", "ACTION", "TARGET", "DETAIL"];

    /// The row in a table for people.
    pub fn line(&self) -> Vec<String> {
        let words = [self.actor, self.action, self.target, self.detail];
        [self.seq.to_string(), self.at.to_string()].into_iter().chain(words.map(str::to_owned)).collect()
    }
}

impl<'a> Row<'a> {
    #[allow(missing_docs)]
    pub fn of(entry: &'a AuditEntry) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            actor: &entry.actor,
            action: &entry.action,
            target: &entry.target,
            detail: &entry.detail,
            request_id: entry.request_id.map(|id| id.to_string()),
        }
    }
}
