//! What a configuration says of the doors, in one piece: a request is judged by one of them from its first header to its
//! last.

use super::{Access, Cors, HostRule, Scope, StaticKey};
use crate::config::{Config, StoredResponses};

/// The doors of one configuration.
#[derive(Debug)]
pub struct Doors {
    /// Who may come in.
    pub access: Access,
    /// Which `Host` headers are answered.
    pub host_rule: HostRule,
    /// Which web pages may read answers.
    pub cors: Cors,
    /// Bytes of a request's body, at most.
    pub body_limit: usize,
    /// Characters of a prompt at `/v1/generate`, at most.
    pub prompt_limit: usize,
    /// Requests at the same time, at most.
    pub in_flight: usize,
    /// Whether `x_gateway` is written into whole answers.
    pub annotate: bool,
    /// What is kept of answers.
    pub responses: StoredResponses,
}

impl Doors {
    /// As a configuration says.
    pub fn of(config: &Config) -> Self {
        let access = Access::new(
            config.auth_token.as_ref(),
            config.access_keys.iter().map(|key| StaticKey {
                name: &key.name,
                secret: &key.secret,
                scope: Scope {
                    project: key.project.clone(),
                    access: policy::Access { models: key.models.clone(), providers: key.providers.clone() },
                    expires_at: None,
                },
            }),
        );
        Self {
            host_rule: HostRule::new(config.host, &config.allowed_hosts),
            cors: Cors::new(&config.cors_origins, !access.is_open()),
            access,
            body_limit: config.body_limit,
            prompt_limit: config.prompt_limit,
            in_flight: config.in_flight,
            annotate: config.annotate,
            responses: config.responses,
        }
    }

    /// The same, with what the doors before them learned: created keys, and who guesses.
    #[must_use]
    pub fn after(self, before: &Self) -> Self {
        Self { access: self.access.after(&before.access), ..self }
    }
}
