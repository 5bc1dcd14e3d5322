//! The rows of its tables, still sealed.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use store::GLOBAL;

/// A sealed text.
pub(super) struct Sealed {
    pub value: Vec<u8>,
    pub iv: Vec<u8>,
    pub tag: Vec<u8>,
}

/// A credential, or a file under its name.
pub(super) struct Held {
    pub id: i64,
    pub provider: String,
    pub name: String,
    pub project: String,
    pub sealed: Sealed,
}

/// Everything sealed in a vault.
pub(super) struct Rows {
    pub credentials: Vec<Held>,
    pub files: Vec<Held>,
    known: bool,
}

impl Rows {
    pub(super) async fn read(connection: &mut SqliteConnection) -> sqlx::Result<Self> {
        let known = has_table(connection, "credentials").await?
            && has_column(connection, "credentials", "auth_tag").await?;
        if !known {
            return Ok(Self { credentials: Vec::new(), files: Vec::new(), known });
        }
        let credentials =
            sqlx::query("SELECT * FROM credentials ORDER BY id").fetch_all(&mut *connection).await?;
        let files = match has_table(connection, "files").await? {
            true => sqlx::query("SELECT * FROM files ORDER BY id").fetch_all(connection).await?,
            false => Vec::new(),
        };
        let held = |rows: Vec<SqliteRow>, name: &str| -> sqlx::Result<Vec<Held>> {
            rows.iter().map(|row| self::held(row, name)).collect()
        };
        Ok(Self { credentials: held(credentials, "key_name")?, files: held(files, "file_name")?, known })
    }

    pub(super) fn is_of_mcp_llm_bridge(&self) -> bool {
        self.known
    }

    pub(super) fn sealed(&self) -> impl Iterator<Item = &Sealed> {
        self.credentials.iter().chain(&self.files).map(|held| &held.sealed)
    }
}

/// The oldest vaults have neither projects nor names.
fn held(row: &SqliteRow, name: &str) -> sqlx::Result<Held> {
    let text = |column: &str, otherwise: &str| match row.try_get::<Option<String>, _>(column) {
        Ok(text) => Ok(text.unwrap_or_else(|| otherwise.to_owned())),
        Err(sqlx::Error::ColumnNotFound(_)) => Ok(otherwise.to_owned()),
        Err(error) => Err(error),
    };
    Ok(Held {
        id: row.try_get("id")?,
        provider: row.try_get("provider")?,
        name: text(name, "default")?,
        project: text("project", GLOBAL)?,
        sealed: Sealed {
            value: row.try_get("encrypted_value")?,
            iv: row.try_get("iv")?,
            tag: row.try_get("auth_tag")?,
        },
    })
}

/// Whether there is such a table.
pub(super) async fn has_table(connection: &mut SqliteConnection, table: &'static str) -> sqlx::Result<bool> {
    let query =
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?");
    Ok(query.bind(table).fetch_one(connection).await? > 0)
}

async fn has_column(
    connection: &mut SqliteConnection,
    table: &'static str,
    column: &'static str,
) -> sqlx::Result<bool> {
    let query = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM pragma_table_info(?) WHERE name = ?");
    Ok(query.bind(table).bind(column).fetch_one(connection).await? > 0)
}

/// How many rows a table has; none if there is no such table.
pub(super) async fn count(connection: &mut SqliteConnection, table: &'static str) -> sqlx::Result<i64> {
    if !has_table(connection, table).await? {
        return Ok(0);
    }
    // A table's name cannot be bound; it is one of ours.
    let statement = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar::<_, i64>(statement).fetch_one(connection).await
}
