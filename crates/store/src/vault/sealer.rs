//! Seals what stays in memory.

use std::sync::atomic::{AtomicI64, Ordering};

use zeroize::Zeroizing;

use super::MAX_WRAPS;
use super::aead::{KEY_LEN, Key, KeyBytes};
use super::entropy::{Entropy, SystemEntropy, fresh};

/// Seals bytes under a key that exists in this process only, so that what is kept of requests is not readable in a core
/// dump or a swapped page. It ends with the process.
pub struct Sealer {
    key: Key,
    /// How many messages the key has sealed.
    sealed: AtomicI64,
}

impl Sealer {
    /// A fresh key. `None`: the operating system has no random bytes.
    pub fn new() -> Option<Self> {
        let mut bytes = KeyBytes::new([0; KEY_LEN]);
        SystemEntropy.fill(bytes.as_mut_slice()).ok()?;
        Some(Self { key: Key::new(&bytes), sealed: AtomicI64::new(0) })
    }

    /// Seals `plain`, bound to `bound`: it opens only with the same. `None`: the key has done its share, or the system
    /// has no random bytes.
    pub fn seal(&self, bound: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let before = self.sealed.fetch_add(1, Ordering::Relaxed);
        if before >= MAX_WRAPS {
            return None;
        }
        let nonce = fresh(&SystemEntropy).ok()?;
        self.key.seal(nonce, bound, plain).ok()
    }

    /// What was sealed, if it is untouched and `bound` is the same.
    pub fn open(&self, bound: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.key.open(bound, sealed).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_what_it_was_bound_to_and_with_nothing_else() {
        let (sealer, other) = (Sealer::new().unwrap(), Sealer::new().unwrap());
        let sealed = sealer.seal(b"a", b"thought").unwrap();
        assert_eq!(sealer.open(b"a", &sealed).unwrap().as_slice(), b"thought");
        assert!(sealer.open(b"b", &sealed).is_none() && other.open(b"a", &sealed).is_none());
        assert_ne!(sealer.seal(b"a", b"thought").unwrap(), sealed);
    }
}
