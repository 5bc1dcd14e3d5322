//! Keys of callers: one extractor, the same answer by every way of sending one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use foldhash::fast::RandomState;
use http::{HeaderMap, HeaderName, header};
use store::{IssuedKeys, Secret};
use wire::Fault;

use super::caller::{Caller, Fingerprint, Proof, Role, Scope};
use super::failures::Failures;
use super::subprotocol;
use crate::clock;

/// A key that the configuration names.
pub struct StaticKey<'a> {
    #[allow(missing_docs)]
    pub name: &'a str,
    #[allow(missing_docs)]
    pub secret: &'a Secret,
    #[allow(missing_docs)]
    pub scope: Scope,
}

/// The keys that open the door: those of the configuration as digests, and those that were created.
#[derive(Debug, Default)]
pub struct Access {
    configured: HashMap<Fingerprint, Caller, RandomState>,
    issued: Arc<ArcSwapOption<Issued>>,
    failures: Arc<Failures>,
}

/// Created keys, each with what its holder may do.
#[derive(Debug)]
struct Issued {
    keys: IssuedKeys,
    holders: HashMap<String, Caller, RandomState>,
}

impl Access {
    /// The gateway's own token, and keys of callers.
    pub fn new<'a>(token: Option<&Secret>, keys: impl IntoIterator<Item = StaticKey<'a>>) -> Self {
        let mut access = Self::default();
        for key in keys {
            access.know(key.secret, Caller::new(Some(key.name), Role::Caller, key.scope));
        }
        if let Some(token) = token {
            access.know(token, Caller::admin(Some("admin")));
        }
        access
    }

    fn know(&mut self, key: &Secret, caller: Caller) {
        let fingerprint = sha256(key.expose().as_bytes());
        let caller = Caller { proof: Proof::Configured(fingerprint), ..caller };
        self.configured.insert(fingerprint, caller);
    }

    /// The same keys of the configuration, with the created keys and the patience of another access; from then on
    /// both share them.
    pub(super) fn after(self, before: &Self) -> Self {
        Self { issued: before.issued.clone(), failures: before.failures.clone(), ..self }
    }

    /// Replaces the created keys.
    pub fn issue(&self, keys: IssuedKeys) {
        let holders = keys.iter().map(|key| (key.id.clone(), Caller::holder(key))).collect();
        self.issued.store(Some(Arc::new(Issued { keys, holders })));
    }

    /// Whether no key is needed. A created key that is sent all the same is held to its scope.
    pub fn is_open(&self) -> bool {
        self.configured.is_empty()
    }

    /// Who sent these headers, and the key in the query where the path allows one. A peer that sends many wrong keys has
    /// to wait between them; a right one never has to.
    ///
    /// # Errors
    /// As [`Access::caller`], or `RateLimited`.
    pub fn admit(&self, headers: &HeaderMap, in_query: Option<&str>, peer: IpAddr) -> Result<Caller, Fault> {
        let refused = match self.caller(headers, in_query) {
            Ok(caller) => return Ok(caller),
            Err(fault) => fault,
        };
        // Who sends no key guesses none.
        match presented_key(headers, in_query.map(str::as_bytes)) {
            Ok(Some(_)) => Err(self.guessed(peer, refused)),
            _ => Err(refused),
        }
    }

    /// What a wrong key gets: its refusal, or, when there were too many from its peer, a time to wait.
    fn guessed(&self, peer: IpAddr, refused: Fault) -> Fault {
        match self.failures.note(peer, clock::now()) {
            Ok(()) => refused,
            Err(wait) => Fault::RateLimited {
                why: "too many wrong keys from this address".to_owned(),
                retry_after: Some(wait),
            },
        }
    }

    /// Who sent these headers, and the key in the query where the path allows one.
    ///
    /// # Errors
    /// `Unauthenticated`: no key, an unknown one, or two different ones.
    pub fn caller(&self, headers: &HeaderMap, in_query: Option<&str>) -> Result<Caller, Fault> {
        match presented_key(headers, in_query.map(str::as_bytes)) {
            Ok(Some(key)) => self.known(key),
            _ if self.is_open() => Ok(Caller::admin(None)),
            Ok(None) => Err(unauthenticated("a key is needed: send 'Authorization: Bearer <key>'")),
            Err(fault) => Err(fault),
        }
    }

    /// Who opens a socket with these headers; besides the usual ways, a key may stand among the sub-protocols, since
    /// a page cannot set headers there. `None`: nobody yet, the key is to come in a message.
    ///
    /// # Errors
    /// `Unauthenticated`: an unknown key, or two different ones; `RateLimited`: too many unknown ones from this peer.
    pub fn socket_caller(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Option<Caller>, Fault> {
        match presented_key(headers, subprotocol::keys(headers)) {
            Ok(Some(key)) => self.known(key).map(Some).map_err(|refused| self.guessed(peer, refused)),
            _ if self.is_open() => Ok(Some(Caller::admin(None))),
            Ok(None) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Who sends this key in a message; `Bearer ` may stand before it.
    ///
    /// # Errors
    /// `Unauthenticated`: nobody's, or it is revoked or has expired; `RateLimited`: too many such from this peer.
    pub fn holder(&self, key: &str, peer: IpAddr) -> Result<Caller, Fault> {
        let known = self.known(bearer(key.as_bytes()).unwrap_or(key.as_bytes()));
        known.map_err(|refused| self.guessed(peer, refused))
    }

    /// Whose key this is. On a gateway that asks for none, a created key is held to its scope all the same.
    fn known(&self, key: &[u8]) -> Result<Caller, Fault> {
        let ours = std::str::from_utf8(key).ok().filter(|text| IssuedKeys::is_ours(text));
        if let Some(text) = ours
            && let Some(issued) = &*self.issued.load()
            && let Some(found) = issued.keys.find(text, clock::wall())
        {
            return issued.holders.get(&found.id).cloned().ok_or_else(unknown);
        }
        if self.is_open() && ours.is_none() {
            return Ok(Caller::admin(None));
        }
        let fingerprint = sha256(key);
        // The map is searched by a digest that a stranger cannot steer; the verdict itself takes constant time.
        match self.configured.get_key_value(&fingerprint) {
            Some((known, caller)) if verify_slices_are_equal(&known.0, &fingerprint.0).is_ok() => {
                Ok(caller.clone())
            }
            _ => Err(unknown()),
        }
    }

    /// Whether a caller may go on: its key is neither revoked nor expired nor changed since it came in, be it in the vault
    /// or in the configuration. Takes no lock and no digest, so that a connection that stays open may ask before every
    /// message.
    pub fn still_valid(&self, caller: &Caller) -> bool {
        let (id, since) = match &caller.proof {
            Proof::Nothing => return self.is_open(),
            Proof::Configured(key) => return self.configured.get(key) == Some(caller),
            Proof::Issued(id, since) => (id, since),
        };
        let issued = self.issued.load();
        let now = issued.as_ref().and_then(|issued| issued.keys.get(id));
        now.is_some_and(|key| key.is_valid(clock::wall()) && key.updated_at == *since)
    }
}

fn unknown() -> Fault {
    unauthenticated("the key is not known to this gateway")
}

/// The one key in these headers, or in what was found in them besides.
fn presented_key<'a>(
    headers: &'a HeaderMap,
    besides: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Option<&'a [u8]>, Fault> {
    let mut found: Option<&[u8]> = None;
    let ways =
        headers.get_all(header::AUTHORIZATION).iter().map(|value| bearer(value.as_bytes())).chain(
            KEY_HEADERS.iter().flat_map(|name| headers.get_all(name)).map(|value| Some(value.as_bytes())),
        );
    for key in ways.chain(besides.into_iter().map(Some)) {
        let key = key.ok_or_else(|| unauthenticated("the Authorization header must be 'Bearer <key>'"))?;
        if found.is_some_and(|other| other != key) {
            return Err(unauthenticated("two different keys in one request"));
        }
        found = Some(key);
    }
    Ok(found)
}

/// Headers by which the vendors' clients send a bare key (CLIENTS.md section 2).
static KEY_HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("api-key"),
];

/// The token of a `Bearer` authorization; the scheme is not case-sensitive (RFC 9110, section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty() && !token.contains(&b' ')).then_some(token)
}

fn unauthenticated(why: &'static str) -> Fault {
    Fault::Unauthenticated { why: why.into() }
}

fn sha256(bytes: &[u8]) -> Fingerprint {
    Fingerprint(digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn access() -> Access {
        let (token, key) = (Secret::new(TOKEN.to_owned()), Secret::new("short".to_owned()));
        let alice = StaticKey { name: "alice", secret: &key, scope: Scope::default() };
        Access::new(Some(&token), [alice])
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    fn role(pairs: &[(&'static str, &str)]) -> Option<Role> {
        access().caller(&headers(pairs), None).ok().map(|caller| caller.role)
    }

    #[test]
    fn every_way_of_sending_a_key_gives_the_same_answer() {
        for name in ["x-api-key", "x-goog-api-key", "api-key"] {
            assert_eq!(role(&[(name, TOKEN)]), Some(Role::Admin), "{name}");
            assert_eq!(role(&[(name, "short")]), Some(Role::Caller), "{name}");
        }
        for scheme in ["Bearer", "bearer", "BEARER"] {
            assert_eq!(
                role(&[("authorization", &format!("{scheme} {TOKEN}"))]),
                Some(Role::Admin),
                "{scheme}"
            );
        }
    }

    #[test]
    fn a_key_that_differs_in_its_last_character_is_refused_also_after_a_good_call() {
        let access = access();
        assert!(access.caller(&headers(&[("x-api-key", TOKEN)]), None).is_ok());
        let almost = format!("{}0", &TOKEN[..31]);
        assert!(access.caller(&headers(&[("x-api-key", &almost)]), None).is_err());
    }

    #[test]
    fn no_key_a_wrong_scheme_and_two_keys_are_refused() {
        assert_eq!(role(&[]), None);
        assert_eq!(role(&[("authorization", &format!("Basic {TOKEN}"))]), None);
        assert_eq!(role(&[("authorization", &format!("Bearer {TOKEN} extra"))]), None);
        assert_eq!(role(&[("x-api-key", TOKEN), ("api-key", "short")]), None);
        assert_eq!(role(&[("x-api-key", TOKEN), ("api-key", TOKEN)]), Some(Role::Admin));
    }

    #[test]
    fn a_key_in_the_query_counts_as_one_in_a_header() {
        let caller =
            |pairs, in_query| access().caller(&headers(pairs), in_query).ok().map(|caller| caller.role);
        assert_eq!(caller(&[], Some("short")), Some(Role::Caller));
        assert_eq!(caller(&[], Some("shorter")), None);
        assert_eq!(caller(&[("x-goog-api-key", TOKEN)], Some("short")), None);
    }

    #[test]
    fn without_any_key_everybody_is_admin() {
        assert_eq!(Access::default().caller(&HeaderMap::new(), None).unwrap().role, Role::Admin);
    }

    /// A connection that stays open asks before every message.
    #[tokio::test]
    async fn a_caller_goes_on_until_its_key_is_changed_or_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let options =
            store::OpenOptions { data_dir: dir.path().join("data"), db_path: None, master_key: None };
        let store = store::open(options).await.unwrap().store;
        let by = store::By { actor: "tests".into(), request_id: None, at: clock::wall() };
        let grant = store::NewAccessKey {
            name: "socket".into(),
            role: store::KeyRole::Caller,
            project: None,
            models: Vec::new(),
            providers: Vec::new(),
            labels: Default::default(),
            expires_at: None,
        };
        let access = access();
        let (key, secret) = store.create_key(grant, &by).await.unwrap();
        access.issue(store.issued_keys().await.unwrap());
        let caller = access.holder(secret.expose(), PEER).unwrap();
        assert!(access.still_valid(&caller));
        let later = store::By { at: by.at + std::time::Duration::from_secs(1), ..by };
        store.update_key(&key.id, store::KeyChanges::default(), &later).await.unwrap();
        access.issue(store.issued_keys().await.unwrap());
        assert!(!access.still_valid(&caller), "its scope may be another");
        let caller = access.holder(secret.expose(), PEER).unwrap();
        store.revoke_key(&key.id, &later).await.unwrap();
        access.issue(store.issued_keys().await.unwrap());
        assert!(!access.still_valid(&caller));
        let configured = access.holder("short", PEER).unwrap();
        assert!(access.still_valid(&configured));
    }

    #[test]
    fn a_caller_of_the_configuration_goes_on_until_its_key_is_taken_out_or_reaches_elsewhere() {
        let (old, new) = (Secret::new("short".to_owned()), Secret::new("other".to_owned()));
        let blue = || Scope { project: Some("blue".to_owned()), ..Scope::default() };
        let with = |secret, scope| Access::new(None, [StaticKey { name: "alice", secret, scope }]);
        let before = with(&old, Scope::default());
        let alice = before.holder("short", PEER).unwrap();
        assert!(with(&old, Scope::default()).after(&before).still_valid(&alice));
        assert!(!with(&new, Scope::default()).after(&before).still_valid(&alice), "another key of that name");
        assert!(!with(&old, blue()).after(&before).still_valid(&alice), "another reach");
        let anybody = Access::default().holder("anything", PEER).unwrap();
        assert!(Access::default().still_valid(&anybody));
        assert!(!before.still_valid(&anybody), "keys are asked for now");
    }
}
