//! Keys of callers: one extractor, the same answer by every way of sending one.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use foldhash::fast::RandomState;
use http::{HeaderMap, header};
use store::Secret;
use wire::Fault;

use super::subprotocol;

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything (`LLM_GATEWAY_AUTH_TOKEN`, or a gateway without any key, which listens on loopback only).
    Admin,
    /// Call models (`ACCESS_API_KEYS`).
    Caller,
}

/// Who sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name of the key in logs and in the ledger; never the key. `None` on a gateway without keys.
    pub key_name: Option<Arc<str>>,
    #[allow(missing_docs)]
    pub role: Role,
}

/// Who calls a gateway that has no keys.
const ANYBODY: Caller = Caller { key_name: None, role: Role::Admin };

type Digest = [u8; 32];

/// The keys that open the door, as digests: a key itself is not kept.
#[derive(Debug, Default)]
pub struct Access {
    by_digest: HashMap<Digest, (Digest, Caller), RandomState>,
}

impl Access {
    /// The gateway's own token, and names and keys of callers.
    pub fn new<'a>(token: Option<&Secret>, keys: impl IntoIterator<Item = (&'a str, &'a Secret)>) -> Self {
        let mut access = Self::default();
        for (name, key) in keys {
            access.admit(key, name, Role::Caller);
        }
        if let Some(token) = token {
            access.admit(token, "admin", Role::Admin);
        }
        access
    }

    fn admit(&mut self, key: &Secret, name: &str, role: Role) {
        let digest = sha256(key.expose().as_bytes());
        self.by_digest.insert(digest, (digest, Caller { key_name: Some(name.into()), role }));
    }

    /// Whether no key is needed.
    pub fn is_open(&self) -> bool {
        self.by_digest.is_empty()
    }

    /// Who sent these headers, and the key in the query where the path allows one.
    ///
    /// # Errors
    /// `Unauthenticated`: no key, an unknown one, or two different ones.
    pub fn caller(&self, headers: &HeaderMap, in_query: Option<&str>) -> Result<Caller, Fault> {
        if self.is_open() {
            return Ok(ANYBODY);
        }
        let key = presented_key(headers, in_query.map(str::as_bytes))?;
        self.known(key.ok_or_else(|| unauthenticated("a key is needed: send 'Authorization: Bearer <key>'"))?)
    }

    /// Who opens a socket with these headers; besides the usual ways, a key may stand among the sub-protocols, since
    /// a page cannot set headers there. `None`: nobody yet, the key is to come in a message.
    ///
    /// # Errors
    /// `Unauthenticated`: an unknown key, or two different ones.
    pub fn socket_caller(&self, headers: &HeaderMap) -> Result<Option<Caller>, Fault> {
        if self.is_open() {
            return Ok(Some(ANYBODY));
        }
        presented_key(headers, subprotocol::keys(headers))?.map(|key| self.known(key)).transpose()
    }

    /// Who sends this key in a message; `Bearer ` may stand before it.
    ///
    /// # Errors
    /// `Unauthenticated`: an unknown key.
    pub fn holder(&self, key: &str) -> Result<Caller, Fault> {
        if self.is_open() {
            return Ok(ANYBODY);
        }
        self.known(bearer(key.as_bytes()).unwrap_or(key.as_bytes()))
    }

    fn known(&self, key: &[u8]) -> Result<Caller, Fault> {
        let digest = sha256(key);
        // The map is searched by a digest that a stranger cannot steer; the verdict itself takes constant time.
        match self.by_digest.get(&digest) {
            Some((known, caller)) if verify_slices_are_equal(known, &digest).is_ok() => Ok(caller.clone()),
            _ => Err(unauthenticated("the key is not known to this gateway")),
        }
    }
}

/// The one key in these headers, or in what was found in them besides.
fn presented_key<'a>(
    headers: &'a HeaderMap,
    besides: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Option<&'a [u8]>, Fault> {
    let mut found: Option<&[u8]> = None;
    let ways = headers.get_all(header::AUTHORIZATION).iter().map(|value| bearer(value.as_bytes())).chain(
        KEY_HEADERS.iter().flat_map(|name| headers.get_all(*name)).map(|value| Some(value.as_bytes())),
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
const KEY_HEADERS: [&str; 3] = ["x-api-key", "x-goog-api-key", "api-key"];

/// The token of a `Bearer` authorization; the scheme is not case-sensitive (RFC 9110, section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty() && !token.contains(&b' ')).then_some(token)
}

fn unauthenticated(why: &'static str) -> Fault {
    Fault::Unauthenticated { why: why.into() }
}

fn sha256(bytes: &[u8]) -> Digest {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn access() -> Access {
        let (token, key) = (Secret::new(TOKEN.to_owned()), Secret::new("short".to_owned()));
        Access::new(Some(&token), [("alice", &key)])
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
}
