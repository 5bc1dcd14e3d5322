//! Stores and credentials for tests.

use std::path::Path;

use jiff::Timestamp;
use store::{By, NewCredential, OpenError, OpenOptions, Opened, Secret};

pub async fn open(directory: &Path) -> Result<Opened, OpenError> {
    store::open(OpenOptions { data_dir: directory.join("data"), db_path: None, master_key: None }).await
}

/// The `n`th second of 2026.
pub fn second(n: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + n).unwrap()
}

/// Somebody, at the `n`th second of 2026.
pub fn by(n: i64) -> By {
    By { actor: "tests".into(), request_id: None, at: second(n) }
}

pub fn new_credential(provider: &str, key_name: &str, project: &str, api_key: &str) -> NewCredential {
    NewCredential {
        provider: provider.into(),
        key_name: key_name.into(),
        project: project.into(),
        api_key: Secret::new(api_key.into()),
    }
}
