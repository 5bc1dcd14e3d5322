//! The envelope, with bytes of chance chosen by the test.

use std::sync::atomic::{AtomicU8, Ordering};

use zeroize::Zeroizing;

use super::*;

/// Bytes 1, 1, 1, ... on the first call, 2, 2, 2, ... on the second: repeatable, and distinct from call to call.
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) -> Result<(), VaultError> {
        out.fill(self.0.fetch_add(1, Ordering::Relaxed));
        Ok(())
    }
}

struct Broken;

impl Entropy for Broken {
    fn fill(&self, _: &mut [u8]) -> Result<(), VaultError> {
        Err(VaultError::NoEntropy)
    }
}

fn root(byte: u8) -> RootKey {
    RootKey::new(Zeroizing::new([byte; KEY_LEN]))
}

const KEK: u32 = 1;

fn vault() -> Vault {
    Vault::new(Uuid::from_u128(7), &root(1), Arc::new(Counting(AtomicU8::new(1))))
}

fn place() -> Place<'static> {
    Place {
        table: "credentials",
        row: Uuid::from_u128(1),
        provider: "acme",
        name: "default",
        project: "_global",
        version: 3,
    }
}

fn secret() -> Secret {
    Secret::new("sk-canary-0123456789".into())
}

#[test]
fn what_was_sealed_opens_in_its_place() {
    let vault = vault();
    let sealed = vault.seal(KEK, &place(), &secret()).unwrap();
    assert_eq!(vault.open(&place(), &sealed).unwrap().expose(), secret().expose());
}

#[test]
fn nothing_opens_in_another_place() {
    let vault = vault();
    let sealed = vault.seal(KEK, &place(), &secret()).unwrap();
    let elsewhere = [
        Place { table: "files", ..place() },
        Place { row: Uuid::from_u128(2), ..place() },
        Place { provider: "other", ..place() },
        Place { name: "second", ..place() },
        Place { project: "team", ..place() },
        Place { version: 4, ..place() },
        Place { version: 2, ..place() },
    ];
    for place in elsewhere {
        assert_eq!(vault.open(&place, &sealed).err(), Some(VaultError::Tampered), "{place:?}");
    }
}

#[test]
fn the_key_that_wraps_is_bound_by_number() {
    let vault = vault();
    let mut sealed = vault.seal(KEK, &place(), &secret()).unwrap();
    sealed.kek_no = 2;
    assert_eq!(vault.open(&place(), &sealed).err(), Some(VaultError::Tampered));
}

#[test]
fn parts_of_two_envelopes_do_not_mix() {
    let vault = vault();
    let first = vault.seal(KEK, &place(), &secret()).unwrap();
    let second = vault.seal(KEK, &place(), &secret()).unwrap();
    let mixed = Sealed { body: first.body, wrapped_key: second.wrapped_key, kek_no: 1 };
    assert_eq!(vault.open(&place(), &mixed).err(), Some(VaultError::Tampered));
}

#[test]
fn another_vault_or_root_does_not_open_it() {
    let sealed = vault().seal(KEK, &place(), &secret()).unwrap();
    let entropy = || Arc::new(Counting(AtomicU8::new(1)));
    let other_root = Vault::new(Uuid::from_u128(7), &root(2), entropy());
    let other_vault = Vault::new(Uuid::from_u128(8), &root(1), entropy());
    assert!(other_root.open(&place(), &sealed).is_err());
    assert!(other_vault.open(&place(), &sealed).is_err());
}

#[test]
fn every_write_has_a_data_key_and_nonces_of_its_own() {
    let vault = vault();
    let first = vault.seal(KEK, &place(), &secret()).unwrap();
    let second = vault.seal(KEK, &place(), &secret()).unwrap();
    assert_eq!(first.wrapped_key.len(), 60);
    assert_eq!(first.body[..12], [2; 12], "data key 1, body nonce 2, key nonce 3");
    assert_eq!(first.wrapped_key[..12], [3; 12]);
    assert_eq!(second.body[..12], [5; 12]);
    assert_eq!(second.wrapped_key[..12], [6; 12]);
    assert_ne!(first.body[12..], second.body[12..]);
}

#[test]
fn without_entropy_nothing_is_sealed() {
    let vault = Vault::new(Uuid::from_u128(7), &root(1), Arc::new(Broken));
    assert_eq!(vault.seal(KEK, &place(), &secret()).err(), Some(VaultError::NoEntropy));
    assert_eq!(RootKey::generate(&Broken).err(), Some(VaultError::NoEntropy));
}

#[test]
fn the_key_check_knows_its_root_and_its_vault() {
    let id = Uuid::from_u128(7);
    let check = root(1).check(id, FORMAT);
    assert!(root(1).matches(id, FORMAT, &check));
    assert!(!root(2).matches(id, FORMAT, &check));
    assert!(!root(1).matches(Uuid::from_u128(8), FORMAT, &check));
    assert!(!root(1).matches(id, FORMAT - 1, &check));
    assert!(!root(1).matches(id, FORMAT, &check[..8]));
}

#[test]
fn a_value_wrapped_anew_opens_under_the_new_key_and_keeps_its_body() {
    let (old, new) =
        (vault(), Vault::new(Uuid::from_u128(7), &root(2), Arc::new(Counting(AtomicU8::new(9)))));
    let sealed = old.seal(KEK, &place(), &secret()).unwrap();
    let wrapped_key = old.rewrap(&new, 2, &place(), &sealed).unwrap();
    let moved = Sealed { wrapped_key, kek_no: 2, body: sealed.body.clone() };
    assert_eq!(new.open(&place(), &moved).unwrap().expose(), secret().expose());
    assert_eq!(old.open(&place(), &moved).err(), Some(VaultError::Tampered));
    assert_eq!(new.open(&place(), &sealed).err(), Some(VaultError::Tampered));
}
