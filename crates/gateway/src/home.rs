//! Where the vault is: the configured place, or the one beside a vault of another program.
//!
//! mcp-llm-bridge keeps its vault under the very name and in the very directory that are ours by default. Its file is
//! never touched: after an import our vault lies in a folder beside it, and is found there from then on. So both
//! programs go on working under the same environment, and going back is starting the other one.

use std::path::{Path, PathBuf};

use crate::config::Config;

/// The folder that holds our vault where its usual place is taken.
const BESIDE: &str = "gateway";

/// Turns to the vault that an import made beside a foreign one. Where there is none, the configured place is left for
/// the store to look at, which says what it found and how to take it over.
pub fn find(config: &mut Config) {
    if beside(config).join("vault.db").exists() {
        make_way(config);
    }
}

/// Turns to the place beside the configured one if another program's vault lies there.
pub fn make_way(config: &mut Config) {
    if is_foreign(database(config)) {
        config.data_dir = beside(config);
        config.db_path = None;
    }
}

/// The database file.
pub fn database(config: &Config) -> PathBuf {
    config.db_path.clone().unwrap_or_else(|| config.data_dir.join("vault.db"))
}

fn beside(config: &Config) -> PathBuf {
    database(config).parent().unwrap_or(Path::new(".")).join(BESIDE)
}

/// Asked on a thread of its own, since whoever reads a configuration may run within a runtime or without one. What is
/// damaged is told when it is opened.
fn is_foreign(database: PathBuf) -> bool {
    let asked = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        runtime.block_on(store::is_foreign(&database)).ok()
    });
    asked.join().ok().flatten().unwrap_or(false)
}
