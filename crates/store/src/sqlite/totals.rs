//! Sums over the ledger that cannot overflow.
//!
//! SQLite's `sum` fails beyond 64 bits, and what providers report can be large. So the upper and lower halves of each
//! column are summed apart, and joined in 128 bits.

use std::sync::{Arc, LazyLock};

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqlitePool};

use crate::types::Totals;

const INPUT: [&str; 4] = ["input", "cache_read", "cache_write", "cache_write_1h"];
const OUTPUT: [&str; 2] = ["output", "reasoning"];

static QUERY: LazyLock<Arc<str>> = LazyLock::new(|| {
    let mut query = String::from("SELECT count(*) AS requests, count(*) - count(cost_nanos) AS unpriced");
    for column in INPUT.iter().chain(&OUTPUT).chain(&["cost_nanos"]) {
        query += &format!(
            ", coalesce(sum({column} >> 32), 0) AS {column}_high, coalesce(sum({column} & 4294967295), 0) AS {column}_low"
        );
    }
    query += " FROM ledger";
    query.into()
});

pub(super) async fn read(readers: &SqlitePool) -> sqlx::Result<Totals> {
    let row = sqlx::query(AssertSqlSafe(Arc::clone(&QUERY))).fetch_one(readers).await?;
    Ok(Totals {
        requests: row.try_get("requests")?,
        input: sum(&row, &INPUT)?,
        output: sum(&row, &OUTPUT)?,
        cost_nanos: sum(&row, &["cost_nanos"])?,
        unpriced: row.try_get("unpriced")?,
    })
}

fn sum(row: &SqliteRow, columns: &[&str]) -> sqlx::Result<i128> {
    columns.iter().try_fold(0, |sum, column| {
        let high: i64 = row.try_get(&*format!("{column}_high"))?;
        let low: i64 = row.try_get(&*format!("{column}_low"))?;
        Ok(sum + (i128::from(high) << 32) + i128::from(low))
    })
}
