//! Migrations: forward only, in a transaction of the caller, their versions in the table `migrations`.

use sqlx::SqliteConnection;

/// Marks a database file as ours, in its header: "LGW1".
pub(super) const APPLICATION_ID: u32 = u32::from_be_bytes(*b"LGW1");

struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

/// All of them, oldest first. What was released is never edited.
const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "vault_and_ledger",
        sql: include_str!("../../migrations/sqlite/0001_vault_and_ledger.sql"),
    },
    Migration {
        version: 2,
        name: "files_keys_and_audit",
        sql: include_str!("../../migrations/sqlite/0002_files_keys_and_audit.sql"),
    },
    Migration { version: 3, name: "groups", sql: include_str!("../../migrations/sqlite/0003_groups.sql") },
    Migration {
        version: 4,
        name: "breakers",
        sql: include_str!("../../migrations/sqlite/0004_breakers.sql"),
    },
    Migration {
        version: 5,
        name: "responses",
        sql: include_str!("../../migrations/sqlite/0005_responses.sql"),
    },
];

/// The schema that this program reads and writes.
pub(super) const LATEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// Marks an empty database as ours and gives it the table of versions.
pub(super) async fn found(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let mark = format!("PRAGMA application_id = {APPLICATION_ID}");
    // Safe: a constant. A pragma takes no parameters.
    sqlx::query(sqlx::AssertSqlSafe(mark)).execute(&mut *connection).await?;
    let table = "CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT";
    sqlx::query(table).execute(connection).await?;
    Ok(())
}

/// The version of the schema in the database.
pub(super) async fn version(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT max(version) FROM migrations").fetch_one(connection).await
}

/// Applies what is missing.
pub(super) async fn migrate(connection: &mut SqliteConnection, from: i64) -> sqlx::Result<()> {
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > from) {
        sqlx::raw_sql(migration.sql).execute(&mut *connection).await?;
        sqlx::query("INSERT INTO migrations (version, name) VALUES (?, ?)")
            .bind(migration.version)
            .bind(migration.name)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
