//! What went wrong, in our words.

mod class;
mod words;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

pub use class::Class;

/// What went wrong, by whose doing. Each dialect renders it; it is logged once, where it becomes an answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The client's request is not what its dialect says.
    #[error("{why}")]
    Malformed {
        /// Path of the field, as `messages[0].content`; `None` when the whole body is meant.
        at: Option<String>,
        #[allow(missing_docs)]
        why: String,
    },
    /// No key, a wrong one, or two different ones.
    #[error("{why}")]
    Unauthenticated {
        #[allow(missing_docs)]
        why: Cow<'static, str>,
    },
    /// The key is known, but not for this.
    #[error("{why}")]
    Forbidden {
        #[allow(missing_docs)]
        why: String,
    },
    /// No provider owns the model.
    #[error("{}", words::unknown_model(model, nearest))]
    UnknownModel {
        #[allow(missing_docs)]
        model: String,
        /// Known models with a similar name, nearest first.
        nearest: Vec<String>,
    },
    /// The client asked for a provider that does not exist.
    #[error("{}", words::unknown_provider(provider, known))]
    UnknownProvider {
        #[allow(missing_docs)]
        provider: String,
        /// Ids of the providers that exist.
        known: Vec<String>,
    },
    /// Some provider could serve this, but none is configured.
    #[error("{why}")]
    NoTarget {
        /// What is missing and how to supply it.
        why: String,
    },
    /// The request holds something that the target's dialect cannot say.
    #[error("{by} does not support {what}")]
    Unsupported {
        #[allow(missing_docs)]
        what: String,
        /// A model, a provider or this gateway.
        by: String,
        /// Path of the field.
        at: Option<String>,
    },
    /// The body is larger than the limit.
    #[error("the request body is larger than the limit of {limit} bytes")]
    TooLarge {
        /// Bytes.
        limit: u64,
    },
    /// The body is not sent in a form that we read (its `Content-Type` or `Content-Encoding`).
    #[error("{why}")]
    MediaType {
        #[allow(missing_docs)]
        why: String,
    },
    /// Nothing lives at this path.
    #[error("{what}")]
    NotFound {
        #[allow(missing_docs)]
        what: String,
    },
    /// What the request builds on has changed since the client read it.
    #[error("{why}")]
    Stale {
        #[allow(missing_docs)]
        why: String,
    },
    /// A conversation goes on from an answer that is there no more.
    #[error("{why}")]
    PreviousNotFound {
        #[allow(missing_docs)]
        why: String,
    },
    /// The path exists, but not for this method.
    #[error("{method} is not allowed here; use {allowed}")]
    MethodNotAllowed {
        #[allow(missing_docs)]
        method: String,
        /// For the `Allow` header.
        allowed: &'static str,
    },
    /// Too many requests, at us.
    #[error("{why}")]
    RateLimited {
        #[allow(missing_docs)]
        why: String,
        #[allow(missing_docs)]
        retry_after: Option<Duration>,
    },
    /// The gateway has all it can carry.
    #[error("this gateway is at its limit of requests in flight; try again shortly")]
    Overloaded,
    /// The gateway is about to stop.
    #[error("this gateway is shutting down; try again at another instance or shortly")]
    Draining,
    /// The upstream answered with an error.
    #[error("{0}")]
    Upstream(Box<UpstreamFault>),
    /// The upstream could not be reached, or its answer is not HTTP.
    #[error("{provider}: {why}")]
    Unreachable {
        #[allow(missing_docs)]
        provider: String,
        #[allow(missing_docs)]
        why: String,
    },
    /// A deadline passed.
    #[error("{provider} did not {phase} within {}", words::seconds(*after))]
    Timeout {
        #[allow(missing_docs)]
        provider: String,
        #[allow(missing_docs)]
        phase: Phase,
        #[allow(missing_docs)]
        after: Duration,
    },
    /// The limit passed that the client has set to its request as a whole.
    #[error("the request was not answered within its time limit of {} ms", limit.as_millis())]
    OutOfTime {
        #[allow(missing_docs)]
        limit: Duration,
    },
    /// The upstream's answer ended before it was complete.
    #[error("{provider} broke off its answer: {why}")]
    Cut {
        #[allow(missing_docs)]
        provider: String,
        #[allow(missing_docs)]
        why: String,
    },
    /// The upstream's answer is not what its dialect says.
    #[error("{provider} sent an answer that cannot be read: {why}")]
    BadAnswer {
        #[allow(missing_docs)]
        provider: String,
        #[allow(missing_docs)]
        why: String,
    },
    /// The store is busy or failing.
    #[error("{why}")]
    Store {
        #[allow(missing_docs)]
        why: String,
        #[allow(missing_docs)]
        retry_after: Option<Duration>,
    },
    /// Our own mistake. The client sees only the request id.
    #[error("internal error")]
    Internal {
        #[allow(missing_docs)]
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

/// An error that the upstream stated itself.
#[derive(Debug, Clone)]
pub struct UpstreamFault {
    /// Catalogue or configuration id; filled in by the attempt.
    pub provider: String,
    /// HTTP status, or 200 when the error stood inside an answer.
    pub status: u16,
    #[allow(missing_docs)]
    pub class: Class,
    /// The upstream's words, keys masked and account ids removed.
    pub message: String,
    /// Field that the upstream blames (`error.param`).
    pub param: Option<String>,
    /// The upstream's own code or type, in its words.
    pub code: Option<String>,
    /// How long the upstream asks to wait.
    pub retry_after: Option<Duration>,
    /// The body as received, for clients of the same dialect; `None` when it must not be shown or is not JSON.
    pub original: Option<Bytes>,
}

impl std::fmt::Display for UpstreamFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.message)
    }
}

impl From<UpstreamFault> for Fault {
    fn from(fault: UpstreamFault) -> Self {
        Fault::Upstream(Box::new(fault))
    }
}

/// What an upstream failed to do in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Accept the connection.
    Connect,
    /// Send the head of its answer.
    Head,
    /// Send the next bytes of its answer.
    Idle,
    /// Finish its answer.
    Total,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Phase::Connect => "accept a connection",
            Phase::Head => "begin its answer",
            Phase::Idle => "go on with its answer",
            Phase::Total => "finish its answer",
        })
    }
}

/// Whose doing a fault is: decides whether another target may do better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The client's; final.
    Client,
    /// This gateway's; final.
    Gateway,
    /// The credential's: the next credential or the next target may do better.
    Credential,
    /// This target's only (an unknown model, a full context): another target may do better.
    Target,
    /// The upstream's; the same target may do better a little later, another at once.
    Upstream,
}

impl Fault {
    /// An error in the client's request.
    pub fn malformed(at: impl Into<Option<String>>, why: impl Into<String>) -> Self {
        Fault::Malformed { at: at.into(), why: why.into() }
    }

    /// Our own mistake.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Fault::Internal { source: source.into() }
    }

    /// The HTTP status for the client. An upstream's 401 or 403 is about *our* credential and becomes 502, so that a
    /// client never mistakes it for its own key.
    pub fn status(&self) -> StatusCode {
        match self {
            Fault::Malformed { .. }
            | Fault::Unsupported { .. }
            | Fault::UnknownProvider { .. }
            | Fault::PreviousNotFound { .. } => StatusCode::BAD_REQUEST,
            Fault::Unauthenticated { .. } => StatusCode::UNAUTHORIZED,
            Fault::Forbidden { .. } => StatusCode::FORBIDDEN,
            Fault::UnknownModel { .. } | Fault::NotFound { .. } => StatusCode::NOT_FOUND,
            Fault::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Fault::Stale { .. } => StatusCode::PRECONDITION_FAILED,
            Fault::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Fault::MediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Fault::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Fault::NoTarget { .. } | Fault::Overloaded | Fault::Draining | Fault::Store { .. } => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Fault::Upstream(fault) => fault.class.status(),
            Fault::Unreachable { .. } | Fault::Cut { .. } | Fault::BadAnswer { .. } => {
                StatusCode::BAD_GATEWAY
            }
            Fault::Timeout { .. } | Fault::OutOfTime { .. } => StatusCode::GATEWAY_TIMEOUT,
            Fault::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The stable code that clients may test.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::Malformed { .. } => "invalid_request",
            Fault::Unauthenticated { .. } => "invalid_api_key",
            Fault::Forbidden { .. } => "forbidden",
            Fault::UnknownModel { .. } => "model_not_found",
            Fault::UnknownProvider { .. } => "provider_not_found",
            Fault::NoTarget { .. } => "no_target",
            Fault::Unsupported { .. } => "unsupported",
            Fault::TooLarge { .. } => "request_too_large",
            Fault::MediaType { .. } => "unsupported_media_type",
            Fault::NotFound { .. } => "not_found",
            Fault::MethodNotAllowed { .. } => "method_not_allowed",
            Fault::Stale { .. } => "stale",
            Fault::PreviousNotFound { .. } => "previous_response_not_found",
            Fault::RateLimited { .. } => "rate_limited",
            Fault::Overloaded | Fault::Draining => "overloaded",
            Fault::Upstream(fault) => fault.class.code(),
            Fault::Unreachable { .. } => "upstream_unreachable",
            Fault::Timeout { .. } => "upstream_timeout",
            Fault::OutOfTime { .. } => "time_limit",
            Fault::Cut { .. } => "upstream_cut",
            Fault::BadAnswer { .. } => "upstream_bad_answer",
            Fault::Store { .. } => "store_unavailable",
            Fault::Internal { .. } => "internal_error",
        }
    }

    /// Whose doing it is.
    pub fn blame(&self) -> Blame {
        match self {
            Fault::Upstream(fault) => fault.class.blame(),
            Fault::Unreachable { .. }
            | Fault::Timeout { .. }
            | Fault::Cut { .. }
            | Fault::BadAnswer { .. } => Blame::Upstream,
            // Another target may speak a dialect that can say it.
            Fault::Unsupported { .. } => Blame::Target,
            Fault::Overloaded | Fault::Draining | Fault::Store { .. } | Fault::Internal { .. } => {
                Blame::Gateway
            }
            Fault::Malformed { .. }
            | Fault::Unauthenticated { .. }
            | Fault::Forbidden { .. }
            | Fault::UnknownModel { .. }
            | Fault::UnknownProvider { .. }
            | Fault::NoTarget { .. }
            | Fault::TooLarge { .. }
            | Fault::MediaType { .. }
            | Fault::NotFound { .. }
            | Fault::Stale { .. }
            | Fault::PreviousNotFound { .. }
            | Fault::MethodNotAllowed { .. }
            | Fault::OutOfTime { .. }
            | Fault::RateLimited { .. } => Blame::Client,
        }
    }

    /// Whether an upstream may bill for a request that ended so: it took the request and did not refuse it, and only its
    /// answer is not to be had.
    pub fn may_be_billed(&self) -> bool {
        match self {
            Fault::Timeout { phase, .. } => *phase != Phase::Connect,
            Fault::Cut { .. } | Fault::BadAnswer { .. } => true,
            Fault::Upstream(stated) => (200..300).contains(&stated.status),
            _ => false,
        }
    }

    /// How long the client should wait, if that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Fault::RateLimited { retry_after, .. } | Fault::Store { retry_after, .. } => *retry_after,
            Fault::Upstream(fault) => fault.retry_after,
            Fault::Overloaded | Fault::Draining => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// The upstream declined the request, or withheld its answer, for its content policy.
    /// Source: OpenAI's and Azure's error codes `content_policy_violation` and `content_filter`, xAI's and Mistral's
    /// like them, Anthropic's "Output blocked by content filtering policy"; read 2026-11-25.
    pub fn is_content_policy(&self) -> bool {
        let Fault::Upstream(stated) = self else { return false };
        let codes = ["content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"];
        stated.code.as_deref().is_some_and(|code| codes.contains(&code))
            || stated.message.contains("content filtering policy")
            || stated.message.contains("content management policy")
    }

    /// Path of the field that is to blame, in the client's request.
    pub fn param(&self) -> Option<&str> {
        match self {
            Fault::Malformed { at, .. } | Fault::Unsupported { at, .. } => at.as_deref(),
            Fault::UnknownModel { .. } => Some("model"),
            Fault::UnknownProvider { .. } => Some("provider"),
            Fault::PreviousNotFound { .. } => Some("previous_response_id"),
            Fault::Upstream(fault) => fault.param.as_deref(),
            _ => None,
        }
    }

    /// The sentence for the client. Says who failed, what, and what to do; never a key, never a stack trace.
    pub fn client_message(&self, request_id: &str) -> String {
        match self {
            Fault::Internal { .. } => {
                format!("This gateway failed. Its log has the reason under request id {request_id}.")
            }
            Fault::Upstream(fault) if matches!(fault.class, Class::Auth | Class::Permission) => format!(
                "{} refused the gateway's credential (HTTP {}): {}. Check the key stored for this provider.",
                fault.provider,
                fault.status,
                fault.message.trim_end_matches('.')
            ),
            Fault::Upstream(fault) => format!("{}: {}", fault.provider, fault.message),
            other => other.to_string(),
        }
    }

    /// Names the provider in a fault that a codec made without knowing it.
    pub fn named(mut self, name: &str) -> Self {
        match &mut self {
            Fault::Upstream(fault) => fault.provider = name.to_owned(),
            Fault::Unreachable { provider, .. }
            | Fault::Timeout { provider, .. }
            | Fault::Cut { provider, .. }
            | Fault::BadAnswer { provider, .. } => *provider = name.to_owned(),
            _ => {}
        }
        self
    }
}
