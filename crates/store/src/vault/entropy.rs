//! Where the vault's random bytes come from: nonces, data keys, ids. One place, so that a test can choose them.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use super::VaultError;

/// A source of unpredictable bytes.
pub(crate) trait Entropy: Send + Sync {
    /// Fills `out`, or says that the source failed; `out` must not be used then.
    fn fill(&self, out: &mut [u8]) -> Result<(), VaultError>;
}

/// The operating system's generator.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), VaultError> {
        SystemRandom::new().fill(out).map_err(|_| VaultError::NoEntropy)
    }
}

/// `N` fresh bytes.
pub(crate) fn fresh<const N: usize>(source: &dyn Entropy) -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    source.fill(&mut bytes)?;
    Ok(bytes)
}
