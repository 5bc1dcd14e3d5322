//! Credentials and auth files in SQLite: the same kind of table, shown in two ways.

use async_trait::async_trait;

use super::SqliteStore;
use super::sealed::{CREDENTIALS, FILES, New, Put, Stored};
use crate::Secrets;
use crate::error::StoreError;
use crate::secret::Secret;
use crate::types::{AuthFile, By, Credential, NewAuthFile, NewCredential, Version};

#[async_trait]
impl Secrets for SqliteStore {
    async fn put_credential(&self, new: NewCredential, by: &By) -> Result<Credential, StoreError> {
        let NewCredential { provider, key_name, project, api_key } = new;
        let row = New { provider: &provider, name: &key_name, project: &project, secret: &api_key };
        let Put { version, created_at } = self.put(&CREDENTIALS, &row, None, by).await?;
        let (id, masked_value, updated_at) = (version.row, api_key.mask(), by.at);
        Ok(Credential { id, provider, key_name, project, masked_value, intact: true, created_at, updated_at })
    }

    async fn credentials(&self, project: Option<&str>) -> Result<Vec<Credential>, StoreError> {
        let rows = self.list(&CREDENTIALS, project).await?;
        Ok(rows.into_iter().map(|(row, secret)| credential(row, secret)).collect())
    }

    async fn credential(&self, id: i64) -> Result<Option<Credential>, StoreError> {
        let found = self.stored(&CREDENTIALS, id).await?;
        Ok(found.map(|(row, secret)| credential(row, secret.ok())))
    }

    async fn delete_credential(&self, id: i64, by: &By) -> Result<bool, StoreError> {
        self.delete(&CREDENTIALS, id, by).await
    }

    async fn open_credential(&self, id: i64) -> Result<Secret, StoreError> {
        self.open_secret(&CREDENTIALS, id).await
    }

    async fn put_file(&self, new: NewAuthFile, by: &By) -> Result<AuthFile, StoreError> {
        put_file(self, new, None, by).await
    }

    async fn replace_file(
        &self,
        new: NewAuthFile,
        version: Version,
        by: &By,
    ) -> Result<AuthFile, StoreError> {
        put_file(self, new, Some(version), by).await
    }

    async fn files(&self, project: Option<&str>) -> Result<Vec<AuthFile>, StoreError> {
        let rows = self.list(&FILES, project).await?;
        Ok(rows.into_iter().map(|(row, secret)| file(row, secret.is_some())).collect())
    }

    async fn file(&self, id: i64) -> Result<Option<AuthFile>, StoreError> {
        Ok(self.stored(&FILES, id).await?.map(|(row, secret)| file(row, secret.is_ok())))
    }

    async fn delete_file(&self, id: i64, by: &By) -> Result<bool, StoreError> {
        self.delete(&FILES, id, by).await
    }

    async fn open_file(&self, id: i64) -> Result<Secret, StoreError> {
        self.open_secret(&FILES, id).await
    }

    async fn generation(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT generation FROM vault").fetch_one(&self.readers).await?)
    }
}

async fn put_file(
    store: &SqliteStore,
    new: NewAuthFile,
    version: Option<Version>,
    by: &By,
) -> Result<AuthFile, StoreError> {
    let NewAuthFile { provider, file_name, project, content } = new;
    let row = New { provider: &provider, name: &file_name, project: &project, secret: &content };
    let Put { version, created_at } = store.put(&FILES, &row, version, by).await?;
    let (id, updated_at) = (version.row, by.at);
    Ok(AuthFile { id, provider, file_name, project, version, intact: true, created_at, updated_at })
}

/// The mask is made from the secret each time: stored, it would be seven characters of a key in the clear.
fn credential(row: Stored, secret: Option<Secret>) -> Credential {
    let Stored { id, provider, name: key_name, project, created_at, updated_at, .. } = row;
    let intact = secret.is_some();
    let masked_value = secret.map_or_else(|| "***".into(), |secret| secret.mask());
    Credential { id, provider, key_name, project, masked_value, intact, created_at, updated_at }
}

fn file(row: Stored, intact: bool) -> AuthFile {
    let Stored { id, provider, name: file_name, project, version, created_at, updated_at, .. } = row;
    let version = Version { row: id, number: version };
    AuthFile { id, provider, file_name, project, version, intact, created_at, updated_at }
}
