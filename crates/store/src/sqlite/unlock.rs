//! The keys to a database while it is open. Another process may give the vault a new master key meanwhile; then the key
//! file has it, and the keys are made anew from there.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::errors::vault_error;
use crate::error::StoreError;
use crate::master_key;
use crate::vault::{self, Entropy, Macs, Place, ResponseKeys, RootKey, Sealed, SystemEntropy, Vault};

/// The table and name under which the key of all MACs is sealed.
const MAC_KEY: &str = "mac-key";

/// Everything that is derived from one master key.
pub(super) struct Unlocked {
    pub vault: Vault,
    pub macs: Arc<Macs>,
    pub responses: ResponseKeys,
    /// The key check of that master key.
    check: Vec<u8>,
}

/// Opens what is sealed in one database.
pub(super) struct Lock {
    database: PathBuf,
    /// `None`: the master key was given, and no file can have a newer one.
    key_file: Option<PathBuf>,
    unlocked: RwLock<Arc<Unlocked>>,
}

impl Lock {
    pub(super) fn new(database: PathBuf, key_file: Option<PathBuf>, unlocked: Unlocked) -> Self {
        Self { database, key_file, unlocked: RwLock::new(Arc::new(unlocked)) }
    }

    pub(super) fn database(&self) -> &Path {
        &self.database
    }

    pub(super) fn key_file(&self) -> Option<&Path> {
        self.key_file.as_deref()
    }

    /// The keys of the moment.
    pub(super) fn keys(&self) -> Arc<Unlocked> {
        Arc::clone(&self.unlocked.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn replace(&self, unlocked: Unlocked) {
        *self.unlocked.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(unlocked);
    }

    /// The keys that fit the database as this connection sees it.
    pub(super) async fn keys_for(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Arc<Unlocked>, StoreError> {
        let row = LockRow::read(connection).await?;
        let keys = self.keys();
        if keys.check == row.check {
            return Ok(keys);
        }
        self.replace(self.with_new_key(&row)?);
        Ok(self.keys())
    }

    /// Reads the key file again: the vault has another master key than ours.
    fn with_new_key(&self, row: &LockRow) -> Result<Unlocked, StoreError> {
        let lost = || StoreError::KeyReplaced;
        let file = self.key_file.as_deref().ok_or_else(lost)?;
        let root = master_key::matching(file, |root| root.matches(row.vault, vault::FORMAT, &row.check));
        Unlocked::new(row, &root.ok_or_else(lost)?, Arc::new(SystemEntropy))
    }
}

impl Unlocked {
    /// Derives everything from the root that fits this row.
    pub(super) fn new(row: &LockRow, root: &RootKey, entropy: Arc<dyn Entropy>) -> Result<Self, StoreError> {
        let what = || "the vault's own key".to_owned();
        let vault = Vault::new(row.vault, root, entropy);
        let own = vault.open(&mac_key_place(row.vault), &row.mac_key);
        let derived =
            own.and_then(|own| Ok((Macs::new(row.vault, &own)?, ResponseKeys::new(row.vault, &own)?)));
        let (macs, responses) = derived.map_err(|error| vault_error(error, what))?;
        Ok(Self { vault, macs: Arc::new(macs), responses, check: row.check.clone() })
    }
}

/// What of the vault's row the keys are made from.
pub(super) struct LockRow {
    pub vault: Uuid,
    pub check: Vec<u8>,
    pub mac_key: Sealed,
}

impl LockRow {
    pub(super) async fn read(connection: &mut SqliteConnection) -> sqlx::Result<Self> {
        let query = "SELECT id, key_check, mac_key_body, mac_key_wrapped, mac_key_kek_no FROM vault";
        let row = sqlx::query(query).fetch_one(connection).await?;
        let vault = Uuid::from_slice(row.try_get(0)?).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let mac_key = Sealed { body: row.try_get(2)?, wrapped_key: row.try_get(3)?, kek_no: row.try_get(4)? };
        Ok(Self { vault, check: row.try_get(1)?, mac_key })
    }
}

/// Where the key of all MACs is sealed.
pub(super) fn mac_key_place(vault: Uuid) -> Place<'static> {
    Place { table: "vault", row: vault, provider: "", name: MAC_KEY, project: "", version: 1 }
}
