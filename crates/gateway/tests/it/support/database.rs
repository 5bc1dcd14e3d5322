//! SQLite files, looked at and made without the gateway.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::block_on;

/// Runs a statement on a database, which is made if absent; yields the first column of its first row, if it has one.
pub fn sql(path: &Path, statement: &'static str) -> Option<String> {
    block_on(async {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        let row = sqlx::query_scalar::<_, String>(statement).fetch_optional(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        row
    })
}
