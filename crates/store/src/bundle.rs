//! Credentials and files in one file under a passphrase, to be carried to another vault. The file tells nothing without
//! the passphrase but its size; where the rows come from and go to is the caller's business.
//!
//! `magic | salt | memory | passes | lanes | nonce | ciphertext | tag`; all before the nonce is bound to the rest.

use std::borrow::Cow;

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::types::{NewAuthFile, NewCredential};
use crate::vault::{Key, KeyBytes, SystemEntropy, fresh};

const MAGIC: &[u8; 20] = b"LLM-GATEWAY-BUNDLE1\n";
const SALT: usize = 16;
const HEADER: usize = MAGIC.len() + SALT + 3 * 4;

/// Argon2id for a passphrase: KiB of memory, passes, lanes. Source: SAFETY.md section 2, point 1.
const COST: [u32; 3] = [64 * 1024, 3, 1];
/// What a bundle of somebody else may ask of this machine at most.
const HIGHEST_COST: [u32; 3] = [1024 * 1024, 16, 16];

/// What is carried.
#[derive(Debug, Default)]
pub struct Bundle {
    #[allow(missing_docs)]
    pub credentials: Vec<NewCredential>,
    #[allow(missing_docs)]
    pub files: Vec<NewAuthFile>,
}

/// Why a bundle could not be made or read.
#[derive(Debug, Error)]
pub enum BundleError {
    /// It is something else, or was cut or made by a newer program.
    #[error("this is not a bundle of llm-gateway, or one that this program cannot read")]
    NotABundle,
    /// The passphrase is wrong, or the bundle was changed; the two cannot be told apart.
    #[error("the passphrase is wrong, or the bundle was changed")]
    Sealed,
    /// Memory or random numbers are lacking.
    #[error("the bundle could not be sealed: {0}")]
    System(String),
}

impl Bundle {
    /// Seals everything under a passphrase. Takes about 64 MiB and a tenth of a second.
    pub fn seal(&self, passphrase: &Secret) -> Result<Vec<u8>, BundleError> {
        let system = |error: &dyn std::fmt::Display| BundleError::System(error.to_string());
        let salt: [u8; SALT] = fresh(&SystemEntropy).map_err(|error| system(&error))?;
        let mut sealed = header(&salt, COST);
        let key = key(passphrase, &salt, COST)?;
        let nonce = fresh(&SystemEntropy).map_err(|error| system(&error))?;
        let body = key.seal(nonce, &sealed, &self.to_json()).map_err(|error| system(&error))?;
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// What `seal` was given.
    pub fn open(sealed: &[u8], passphrase: &Secret) -> Result<Self, BundleError> {
        let (header, body) = sealed.split_at_checked(HEADER).ok_or(BundleError::NotABundle)?;
        let (salt, cost) = read_header(header).ok_or(BundleError::NotABundle)?;
        let plain = key(passphrase, salt, cost)?.open(header, body).map_err(|_| BundleError::Sealed)?;
        let content: Content<'_> = serde_json::from_slice(&plain).map_err(|_| BundleError::NotABundle)?;
        Ok(content.into())
    }

    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let lengths = self.credentials.iter().map(|new| new.api_key.expose().len());
        let lengths = lengths.chain(self.files.iter().map(|new| new.content.expose().len()));
        // Room for the worst escapes, so that the buffer does not move and leave copies behind.
        let room = lengths.map(|length| 6 * length + 1024).sum::<usize>() + 1024;
        let mut json = Zeroizing::new(Vec::with_capacity(room));
        serde_json::to_writer(&mut *json, &Content::of(self)).expect("strings can be written as JSON");
        json
    }
}

fn header(salt: &[u8; SALT], cost: [u32; 3]) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(salt);
    cost.iter().for_each(|number| header.extend_from_slice(&number.to_be_bytes()));
    header
}

fn read_header(header: &[u8]) -> Option<(&[u8; SALT], [u32; 3])> {
    let (salt, numbers) = header.strip_prefix(MAGIC)?.split_first_chunk::<SALT>()?;
    let (numbers, _) = numbers.as_chunks::<4>();
    let cost: [u32; 3] =
        numbers.iter().map(|bytes| u32::from_be_bytes(*bytes)).collect::<Vec<_>>().try_into().ok()?;
    let is_fair = cost.iter().zip(&HIGHEST_COST).all(|(asked, highest)| asked <= highest);
    is_fair.then_some((salt, cost))
}

fn key(
    passphrase: &Secret,
    salt: &[u8; SALT],
    [memory, passes, lanes]: [u32; 3],
) -> Result<Key, BundleError> {
    let mut key = KeyBytes::default();
    let params = Params::new(memory, passes, lanes, Some(key.len())).map_err(|_| BundleError::NotABundle)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose().as_bytes(), salt, key.as_mut_slice())
        .map_err(|error| BundleError::System(error.to_string()))?;
    Ok(Key::new(&key))
}

/// The JSON inside, by the names of the API.
#[derive(Serialize, Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    credentials: Vec<CredentialRow<'a>>,
    #[serde(borrow)]
    files: Vec<FileRow<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CredentialRow<'a> {
    provider: Cow<'a, str>,
    key_name: Cow<'a, str>,
    project: Cow<'a, str>,
    api_key: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileRow<'a> {
    provider: Cow<'a, str>,
    file_name: Cow<'a, str>,
    project: Cow<'a, str>,
    content: Cow<'a, str>,
}

impl<'a> Content<'a> {
    fn of(bundle: &'a Bundle) -> Self {
        let credentials = bundle.credentials.iter().map(|new| CredentialRow {
            provider: new.provider.as_str().into(),
            key_name: new.key_name.as_str().into(),
            project: new.project.as_str().into(),
            api_key: new.api_key.expose().into(),
        });
        let files = bundle.files.iter().map(|new| FileRow {
            provider: new.provider.as_str().into(),
            file_name: new.file_name.as_str().into(),
            project: new.project.as_str().into(),
            content: new.content.expose().into(),
        });
        Self { credentials: credentials.collect(), files: files.collect() }
    }
}

impl From<Content<'_>> for Bundle {
    fn from(content: Content<'_>) -> Self {
        let credentials = content.credentials.into_iter().map(|row| NewCredential {
            provider: row.provider.into_owned(),
            key_name: row.key_name.into_owned(),
            project: row.project.into_owned(),
            api_key: Secret::new(row.api_key.into_owned()),
        });
        let files = content.files.into_iter().map(|row| NewAuthFile {
            provider: row.provider.into_owned(),
            file_name: row.file_name.into_owned(),
            project: row.project.into_owned(),
            content: Secret::new(row.content.into_owned()),
        });
        Self { credentials: credentials.collect(), files: files.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle() -> Bundle {
        let secret = |text: &str| Secret::new(text.to_owned());
        Bundle {
            credentials: vec![NewCredential {
                provider: "acme".into(),
                key_name: "default".into(),
                project: "_global".into(),
                api_key: secret("sk-canary"),
            }],
            files: vec![NewAuthFile {
                provider: "claude".into(),
                file_name: "auth.json".into(),
                project: "team".into(),
                content: secret("{\"a\": \"\u{1F511}\\n\"}\n"),
            }],
        }
    }

    #[test]
    fn what_was_sealed_comes_back_under_its_passphrase_alone() {
        let passphrase = Secret::new("correct horse".into());
        let sealed = bundle().seal(&passphrase).unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"canary"));
        let opened = Bundle::open(&sealed, &passphrase).unwrap();
        assert_eq!(opened.credentials[0].api_key.expose(), "sk-canary");
        assert_eq!(
            (&*opened.files[0].file_name, opened.files[0].content.expose()),
            ("auth.json", bundle().files[0].content.expose())
        );
        let wrong = Bundle::open(&sealed, &Secret::new("correct horsf".into()));
        assert!(matches!(wrong, Err(BundleError::Sealed)));
        for at in [MAGIC.len(), HEADER, sealed.len() - 1] {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(matches!(Bundle::open(&bent, &passphrase), Err(BundleError::Sealed)), "byte {at}");
        }
    }

    #[test]
    fn what_is_no_bundle_or_asks_too_much_is_refused_before_any_work() {
        let passphrase = Secret::new("x".into());
        let greedy = header(&[0; SALT], [u32::MAX, 3, 1]);
        for text in [b"".as_slice(), b"SQLite format 3", &[0; 200], &[greedy.as_slice(), &[0; 64]].concat()] {
            assert!(matches!(Bundle::open(text, &passphrase), Err(BundleError::NotABundle)));
        }
    }
}
