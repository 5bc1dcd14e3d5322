//! Groups of providers in SQLite. Their changes stand in the audit log like those of the vault, but they have no digest.

use async_trait::async_trait;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::SqliteStore;
use super::change::{Change, Event};
use super::ledger::{micros, timestamp};
use crate::Groups;
use crate::error::StoreError;
use crate::types::{By, Group, GroupRule};

#[async_trait]
impl Groups for SqliteStore {
    async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        let rows = sqlx::query("SELECT * FROM groups ORDER BY name, id").fetch_all(&self.readers).await?;
        Ok(rows.iter().map(group).collect::<sqlx::Result<_>>()?)
    }

    async fn create_group(
        &self,
        slug: &str,
        name: &str,
        rule: GroupRule,
        by: &By,
    ) -> Result<Group, StoreError> {
        let mut change = self.change(by).await?;
        let id = free_id(&mut change, slug).await?;
        let group = Group { id, name: name.to_owned(), rule, created_at: by.at, updated_at: by.at };
        write(&mut change, &group, "group.created").await?;
        change.commit().await?;
        Ok(group)
    }

    async fn update_group(
        &self,
        id: &str,
        name: &str,
        rule: GroupRule,
        by: &By,
    ) -> Result<Group, StoreError> {
        let mut change = self.change(by).await?;
        let found = one(&mut change, id).await?;
        let old = found.ok_or_else(|| StoreError::NotFound { what: format!("group {id}") })?;
        let group = Group { name: name.to_owned(), rule, updated_at: by.at, ..old };
        write(&mut change, &group, "group.updated").await?;
        change.commit().await?;
        Ok(group)
    }

    async fn delete_group(&self, id: &str, by: &By) -> Result<bool, StoreError> {
        let mut change = self.change(by).await?;
        let Some(group) = one(&mut change, id).await? else { return Ok(false) };
        sqlx::query("DELETE FROM groups WHERE id = ?").bind(id).execute(change.connection()).await?;
        note(&mut change, &group, "group.deleted").await?;
        change.commit().await?;
        Ok(true)
    }
}

async fn one(change: &mut Change<'_>, id: &str) -> Result<Option<Group>, StoreError> {
    let query = sqlx::query("SELECT * FROM groups WHERE id = ?").bind(id);
    let row = query.fetch_optional(change.connection()).await?;
    Ok(row.as_ref().map(group).transpose()?)
}

/// The slug itself, else with the first number that makes it unique.
async fn free_id(change: &mut Change<'_>, slug: &str) -> Result<String, StoreError> {
    let query = "SELECT id FROM groups WHERE id = ? OR id LIKE ? || '-%'";
    let query = sqlx::query_scalar(query).bind(slug).bind(slug);
    let taken: Vec<String> = query.fetch_all(change.connection()).await?;
    let mut candidates = std::iter::once(slug.to_owned()).chain((2..).map(|next| format!("{slug}-{next}")));
    let free = candidates.find(|candidate| !taken.contains(candidate));
    Ok(free.expect("numbers do not end before names do"))
}

async fn write(change: &mut Change<'_>, group: &Group, action: &str) -> Result<(), StoreError> {
    let rule = serde_json::to_string(&group.rule).expect("a rule has string keys and finite numbers");
    let query =
        "INSERT OR REPLACE INTO groups (id, name, rule, created_at, updated_at) VALUES (?, ?, ?, ?, ?)";
    sqlx::query(query)
        .bind(&group.id)
        .bind(&group.name)
        .bind(rule)
        .bind(micros(group.created_at))
        .bind(micros(group.updated_at))
        .execute(change.connection())
        .await?;
    note(change, group, action).await
}

async fn note(change: &mut Change<'_>, group: &Group, action: &str) -> Result<(), StoreError> {
    let target = format!("group/{}", group.id);
    change.record(&Event { action, target: &target, detail: &group.name, digest: None }).await
}

fn group(row: &SqliteRow) -> sqlx::Result<Group> {
    let rule: &str = row.try_get("rule")?;
    Ok(Group {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        rule: serde_json::from_str(rule).map_err(|error| sqlx::Error::Decode(error.into()))?,
        created_at: timestamp(row, "created_at")?,
        updated_at: timestamp(row, "updated_at")?,
    })
}
