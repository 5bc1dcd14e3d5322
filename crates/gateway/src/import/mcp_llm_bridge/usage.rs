//! Its usage log, as rows of the ledger.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use store::{Entry, GLOBAL, Outcome};
use uuid::{Builder, Uuid};

use super::super::haul::Haul;
use super::rows::has_table;

/// Where prices of imported rows come from.
const SOURCE: &str = "mcp-llm-bridge";

/// Takes all rows. An import that is repeated adds none twice: a row's id follows from what it says.
pub(super) async fn take(connection: &mut SqliteConnection, haul: &mut Haul) -> sqlx::Result<()> {
    if !has_table(connection, "usage_logs").await? {
        return Ok(());
    }
    let rows = sqlx::query("SELECT * FROM usage_logs ORDER BY id").fetch_all(connection).await?;
    let mut undated = 0;
    for row in &rows {
        match entry(row)? {
            Some(entry) => haul.usage.push(entry),
            None => undated += 1,
        }
    }
    if !haul.usage.is_empty() {
        let why = "it booked all tokens of answers that did not stream as input; its costs are kept as it reckoned them";
        haul.report.approximated(None, format!("{} requests of the usage log", haul.usage.len()), why);
    }
    if undated > 0 {
        haul.report.not(None, format!("{undated} requests of the usage log"), "their time cannot be read");
    }
    Ok(())
}

fn entry(row: &SqliteRow) -> sqlx::Result<Option<Entry>> {
    let created: String = row.try_get("created_at")?;
    let Some(at) = timestamp(&created) else { return Ok(None) };
    let (id, provider): (i64, String) = (row.try_get("id")?, row.try_get("provider")?);
    let model: String = row.try_get("model")?;
    let succeeded = row.try_get::<i64, _>("success")? != 0;
    let cost: f64 = row.try_get("cost_usd")?;
    let project: Option<String> = row.try_get("project")?;
    let request_id = request_id(at, &format!("{id}\0{created}\0{provider}\0{model}"));
    Ok(Some(Entry {
        project: project.unwrap_or_else(|| GLOBAL.to_owned()).into(),
        model_asked: Some(model.clone()),
        model_sent: Some(model),
        provider: Some(provider.into()),
        input: Some(row.try_get("tokens_in")?),
        output: Some(row.try_get("tokens_out")?),
        cost_nanos: Some((cost * 1e9).round() as i64),
        price_source: Some(SOURCE.into()),
        status: if succeeded { 200 } else { 502 },
        outcome: if succeeded { Outcome::Completed } else { Outcome::UpstreamError },
        attempts: 1,
        total_us: row.try_get::<i64, _>("latency_ms")?.saturating_mul(1000),
        ..Entry::admitted(request_id, at, "generate".into(), "chat".into())
    }))
}

/// `YYYY-MM-DD HH:MM:SS`, UTC.
fn timestamp(text: &str) -> Option<Timestamp> {
    let civil: DateTime = text.parse().ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Sorts by time, as the ids of requests do, and is the same for the same row.
fn request_id(at: Timestamp, row: &str) -> Uuid {
    let digest = digest(&SHA256, row.as_bytes());
    let random = digest.as_ref().first_chunk().expect("SHA-256 has 32 bytes");
    let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_same_id_at_every_import_and_sorts_by_time() {
        let early = timestamp("2026-01-02 03:04:05").unwrap();
        let late = timestamp("2026-01-02 03:04:06").unwrap();
        assert_eq!(early.to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(request_id(early, "1"), request_id(early, "1"));
        assert_ne!(request_id(early, "1"), request_id(early, "2"));
        assert!(request_id(early, "9") < request_id(late, "1"));
        assert_eq!(timestamp("yesterday"), None);
    }
}
