//! Who sent a request, and what they may do. Which key that took is `access`'s business.

use std::sync::Arc;

use jiff::Timestamp;
use policy::Access;
use store::{AccessKey, By, GLOBAL, KeyRole};
use wire::Fault;

use crate::arrival::Arrival;

/// What a caller may do, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Everything (`LLM_GATEWAY_AUTH_TOKEN`, or a gateway without any key, which listens on loopback only).
    Admin,
    /// Call models, and manage credentials, files and keys of its project.
    ProjectAdmin,
    /// Call models (`ACCESS_API_KEYS`, and created keys).
    Caller,
}

impl From<KeyRole> for Role {
    fn from(role: KeyRole) -> Self {
        match role {
            KeyRole::Caller => Role::Caller,
            KeyRole::ProjectAdmin => Role::ProjectAdmin,
        }
    }
}

/// How far a key reaches. The default is everywhere.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The only project that the key may act for.
    pub project: Option<String>,
    /// Models and providers that it may use.
    pub access: Access,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// Who sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name of the key in logs and in the ledger; never the key. `None` on a gateway without keys.
    pub key_name: Option<Arc<str>>,
    #[allow(missing_docs)]
    pub role: Role,
    #[allow(missing_docs)]
    pub scope: Arc<Scope>,
    pub(super) proof: Proof,
}

/// What a caller showed at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nothing: the gateway asks for no key, or the caller is the gateway's own.
    Nothing,
    /// A key of the configuration.
    Configured(Fingerprint),
    /// A created key: its id, and since when it is as it is.
    Issued(Arc<str>, Timestamp),
}

/// The SHA-256 of a key, which tells keys apart and is not printed: short keys could be guessed from it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint(pub(super) [u8; 32]);

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprint(..)")
    }
}

impl Caller {
    /// Somebody whose key was not created here.
    pub fn new(key_name: Option<&str>, role: Role, scope: Scope) -> Self {
        Self { key_name: key_name.map(Into::into), role, scope: Arc::new(scope), proof: Proof::Nothing }
    }

    /// Somebody who may do everything.
    pub fn admin(key_name: Option<&str>) -> Self {
        Self::new(key_name, Role::Admin, Scope::default())
    }

    /// The holder of a created key.
    pub(super) fn holder(key: &AccessKey) -> Self {
        let grant = &key.grant;
        let access = Access { models: grant.models.clone(), providers: grant.providers.clone() };
        let scope = Scope { project: grant.project.clone(), access, expires_at: grant.expires_at };
        let proof = Proof::Issued(key.id.as_str().into(), key.updated_at);
        Self { proof, ..Self::new(Some(&grant.name), grant.role.into(), scope) }
    }

    /// The project of a request: the one that it names, else the only one that the key may act for, else the global one.
    ///
    /// # Errors
    /// `Forbidden`: the key belongs to another project.
    pub fn project(&self, asked: Option<&str>) -> Result<String, Fault> {
        match (&self.scope.project, asked) {
            (Some(own), Some(asked)) if own != asked => {
                Err(Fault::Forbidden { why: format!("this key belongs to another project than '{asked}'") })
            }
            (Some(own), _) => Ok(own.clone()),
            (None, asked) => Ok(asked.unwrap_or(GLOBAL).to_owned()),
        }
    }

    /// Whether what belongs to a project is there for this caller at all.
    pub fn sees(&self, project: &str) -> bool {
        self.scope.project.as_deref().is_none_or(|own| own == project)
    }

    /// Who stands in the audit log for a change that this request asks for.
    pub fn acts(&self, arrival: Arrival) -> By {
        let actor = self.identity().unwrap_or_else(|| "anybody (no key is asked for)".to_owned());
        By { actor, request_id: Some(arrival.id), at: arrival.wall }
    }

    /// Which key it was: created keys may share a name, but no two have the same id. `None`: it took none.
    pub fn identity(&self) -> Option<String> {
        match &self.proof {
            Proof::Issued(id, _) => Some(format!("key/{id}")),
            Proof::Nothing | Proof::Configured(_) => self.key_name.as_deref().map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_bound_to_a_project_cannot_leave_it() {
        let scope = Scope { project: Some("blue".into()), ..Scope::default() };
        let bound = Caller::new(Some("ci"), Role::Caller, scope);
        assert_eq!(bound.project(None).unwrap(), "blue");
        assert_eq!(bound.project(Some("blue")).unwrap(), "blue");
        for other in ["red", GLOBAL, ""] {
            assert!(matches!(bound.project(Some(other)), Err(Fault::Forbidden { .. })), "{other}");
            assert!(!bound.sees(other));
        }
    }

    #[test]
    fn who_is_not_bound_may_name_any_project() {
        let free = Caller::admin(None);
        assert_eq!(free.project(None).unwrap(), GLOBAL);
        assert_eq!(free.project(Some("red")).unwrap(), "red");
        assert!(free.sees("red"));
    }
}
