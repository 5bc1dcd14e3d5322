//! Its groups of providers.

use policy::Snapshot;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use store::GroupRule;

use super::super::haul::{Group, Haul};
use super::rows::has_table;
use crate::groups::checked;

/// Takes all groups that can be followed here.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    snapshot: &Snapshot,
    haul: &mut Haul,
) -> sqlx::Result<()> {
    if !has_table(connection, "provider_groups").await? {
        return Ok(());
    }
    let rows = sqlx::query("SELECT * FROM provider_groups ORDER BY id").fetch_all(connection).await?;
    for row in &rows {
        let id: String = row.try_get("id")?;
        let name: String = row.try_get("name")?;
        let place = Some(format!("provider_groups:{id}"));
        match rule(row)?.and_then(|rule| settled(rule, snapshot)) {
            Ok((rule, remark)) => haul.groups.push(Group { id, name, rule, place, remark }),
            Err(why) => haul.report.not(place, format!("group {name}"), why),
        }
    }
    Ok(())
}

/// What a row says; the inner error: it cannot be read.
fn rule(row: &SqliteRow) -> sqlx::Result<Result<GroupRule, String>> {
    let members: String = row.try_get("members_json")?;
    let weights: Option<String> = row.try_get("weights_json")?;
    let (Ok(members), Ok(weights)) = (json(&members), weights.as_deref().map(json).transpose()) else {
        return Ok(Err("its members cannot be read".to_owned()));
    };
    let sticky: Option<i64> = row.try_get("sticky_ttl")?;
    Ok(Ok(GroupRule {
        model_pattern: row.try_get("model_pattern")?,
        members,
        strategy: row.try_get("strategy")?,
        weights,
        sticky_ttl: sticky.and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| *seconds > 0),
    }))
}

fn json<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text)
}

/// Without the members whose providers are not known here.
fn settled(mut rule: GroupRule, snapshot: &Snapshot) -> Result<(GroupRule, Option<String>), String> {
    let is_known = |provider: &String| snapshot.provider(provider).is_some();
    let strangers: Vec<String> =
        rule.members.iter().map(|member| member.provider.clone()).filter(|name| !is_known(name)).collect();
    rule.members.retain(|member| is_known(&member.provider));
    let remark = (!strangers.is_empty())
        .then(|| format!("left out, since no such provider is known: {}", strangers.join(", ")));
    match checked(snapshot, rule) {
        Ok(rule) => Ok((rule, remark)),
        Err(fault) => Err(remark.unwrap_or_else(|| fault.client_message("-"))),
    }
}
