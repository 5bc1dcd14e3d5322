//! Settings of circuit breakers in SQLite. Like those of groups, their changes stand in the audit log without a digest.

use async_trait::async_trait;
use sqlx::{Executor, Sqlite};

use super::SqliteStore;
use super::change::Event;
use super::ledger::micros;
use crate::Breakers;
use crate::error::StoreError;
use crate::types::{BreakerRule, By};

#[async_trait]
impl Breakers for SqliteStore {
    async fn breakers(&self) -> Result<BreakerRule, StoreError> {
        Ok(kept(&self.readers).await?)
    }

    async fn change_breakers(&self, changes: BreakerRule, by: &By) -> Result<BreakerRule, StoreError> {
        let mut change = self.change(by).await?;
        let rule = kept(change.connection()).await?.with(changes);
        sqlx::query("INSERT OR REPLACE INTO breakers (one, rule, updated_at) VALUES (1, ?, ?)")
            .bind(written(&rule))
            .bind(micros(by.at))
            .execute(change.connection())
            .await?;
        let detail = written(&changes);
        let event = Event { action: "breakers.changed", target: "breakers", detail: &detail, digest: None };
        change.record(&event).await?;
        change.commit().await?;
        Ok(rule)
    }
}

fn written(rule: &BreakerRule) -> String {
    serde_json::to_string(rule).expect("a rule has fixed keys, numbers and flags")
}

async fn kept<'c>(from: impl Executor<'c, Database = Sqlite>) -> sqlx::Result<BreakerRule> {
    let query = sqlx::query_scalar::<_, String>("SELECT rule FROM breakers");
    match query.fetch_optional(from).await? {
        Some(rule) => serde_json::from_str(&rule).map_err(|error| sqlx::Error::Decode(error.into())),
        None => Ok(BreakerRule::default()),
    }
}
