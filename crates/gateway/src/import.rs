//! Moving in: what another gateway keeps, read and taken over. The source is only read, never written.
//!
//! A reader for each source yields a [`Haul`]: what can be kept here, and a report of what was carried over, what only
//! in part, and what not. [`settle`] puts a haul into the vault.

pub mod env;
pub mod litellm;
pub mod llm_bridge;
pub mod mcp_llm_bridge;

mod haul;
mod keys;
mod prices;
mod report;
mod settle;

pub use haul::{File, Haul, Key, Price};
pub use report::{Report, Verdict};
pub use settle::{Intent, settle, write_config};

use std::path::Path;

use crate::exit::Failure;

/// The text of a source.
///
/// # Errors
/// 4: there is no such file; 74: it cannot be read.
fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        let code = if error.kind() == std::io::ErrorKind::NotFound { 4 } else { 74 };
        Failure::new(code, format!("{} cannot be read: {error}", path.display()))
    })
}
