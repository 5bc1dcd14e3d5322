//! Care of the vault as a whole: its rooms are `rotate`, `state` (inspection) and `backup`.

use std::path::Path;

use async_trait::async_trait;

use super::{SqliteStore, audit, backup, rotate, state};
use crate::Custody;
use crate::error::StoreError;
use crate::types::{AuditVerdict, By, Inspection, Restored};

#[async_trait]
impl Custody for SqliteStore {
    async fn rotate_kek(&self, by: &By) -> Result<u64, StoreError> {
        rotate::kek(self, by).await
    }

    async fn rotate_root(&self, by: &By) -> Result<(), StoreError> {
        rotate::root(self, by).await
    }

    async fn inspect(&self) -> Result<Inspection, StoreError> {
        let mut view = self.readers.begin().await?;
        let keys = self.lock.keys_for(&mut view).await?;
        let (rows, mut complaints) = state::complaints(&mut view, &keys).await?;
        let behind = rotate::behind(&mut view).await?;
        if behind > 0 {
            complaints.push(format!(
                "{behind} rows are still under an older key, since a rotation was broken off: rotate again"
            ));
        }
        let verdict = audit::verify(&mut view, &keys.macs).await?;
        let audit_entries = match verdict {
            AuditVerdict::Intact { entries } => entries,
            AuditVerdict::BrokenAt { seq } | AuditVerdict::Cut { seq } => seq,
        };
        complaints.extend(complaint(verdict));
        Ok(Inspection { rows, audit_entries, complaints })
    }

    async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        backup::write(self, to).await
    }

    async fn restore(&self, from: &Path, by: &By) -> Result<Restored, StoreError> {
        backup::restore(self, from, by).await
    }
}

fn complaint(verdict: AuditVerdict) -> Option<String> {
    match verdict {
        AuditVerdict::Intact { .. } => None,
        AuditVerdict::BrokenAt { seq } => {
            Some(format!("the audit log was changed outside the gateway at entry {seq}"))
        }
        AuditVerdict::Cut { seq } => {
            Some(format!("the audit log was cut outside the gateway after entry {seq}"))
        }
    }
}
