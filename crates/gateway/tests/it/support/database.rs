//! SQLite files, looked at and made without the gateway.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::block_on;

/// Holds a database as another process would that writes for long; lets go when dropped.
pub struct Lock {
    runtime: tokio::runtime::Runtime,
    connection: Option<sqlx::SqliteConnection>,
}

impl Lock {
    pub fn of(path: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connection = runtime.block_on(async {
            let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
            sqlx::query("BEGIN EXCLUSIVE").execute(&mut connection).await.unwrap();
            connection
        });
        Self { runtime, connection: Some(connection) }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            let _ = self.runtime.block_on(connection.close());
        }
    }
}

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
