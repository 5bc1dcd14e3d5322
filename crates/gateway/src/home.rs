//! Where the vault is: the configured place, or the one beside a vault of another program.
//!
//! mcp-llm-bridge keeps its vault under the very name and in the very directory that are ours by default. Its file is
//! never touched: after an import our vault lies in a folder beside it, and is found there from then on. So both
//! programs go on working under the same environment, and going back is starting the other one.

use std::path::{Path, PathBuf};

use store::OpenOptions;

use crate::config::Config;

/// The folder that holds our vault where its usual place is taken.
const BESIDE: &str = "gateway";

/// Where the vault is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Holds the key file, and the database unless `db_path` says otherwise.
    pub data_dir: PathBuf,
    /// The database, if not in `data_dir`.
    pub db_path: Option<PathBuf>,
}

impl Home {
    /// As configured.
    pub fn configured(config: &Config) -> Self {
        Self { data_dir: config.data_dir.clone(), db_path: config.db_path.clone() }
    }

    /// Where the gateway opens its vault: as configured, or beside a foreign vault where one was made by an import.
    pub async fn of(config: &Config) -> Self {
        let configured = Self::configured(config);
        let beside = configured.beside();
        if beside.database().exists() && configured.is_taken().await { beside } else { configured }
    }

    /// Where an import puts the vault: beside a foreign one, else as configured.
    pub async fn for_import(config: &Config) -> Self {
        let configured = Self::configured(config);
        if configured.is_taken().await { configured.beside() } else { configured }
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.db_path.clone().unwrap_or_else(|| self.data_dir.join("vault.db"))
    }

    /// How to open the vault there.
    pub fn options(self, config: &Config) -> OpenOptions {
        OpenOptions { data_dir: self.data_dir, db_path: self.db_path, master_key: config.master_key() }
    }

    fn beside(&self) -> Self {
        let database = self.database();
        let directory = database.parent().unwrap_or(Path::new("."));
        Self { data_dir: directory.join(BESIDE), db_path: None }
    }

    /// Whether another program's database lies in our place. What is damaged is told when it is opened.
    async fn is_taken(&self) -> bool {
        store::is_foreign(&self.database()).await.unwrap_or(false)
    }
}
