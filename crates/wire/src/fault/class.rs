//! What kind of error an upstream reported, and what follows from it.

use http::StatusCode;

use super::Blame;

/// What kind of error an upstream reported (DIALECTS: errors). Decides status, retry and fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The request is wrong; nobody else would take it.
    BadRequest,
    /// The prompt does not fit the model's context.
    ContextTooLong,
    /// Our credential is refused.
    Auth,
    /// Our account has no money left.
    Billing,
    /// Our credential may not do this.
    Permission,
    /// The provider does not have the model.
    NotFound,
    /// The request is too large.
    TooLarge,
    /// The request is understood and refused.
    Unprocessable,
    /// Too many requests or tokens.
    RateLimit,
    /// The provider failed.
    Server,
    /// The provider is overloaded.
    Overloaded,
    /// The provider timed out by itself.
    Timeout,
}

impl Class {
    /// Status for the client.
    pub fn status(self) -> StatusCode {
        match self {
            Class::BadRequest | Class::ContextTooLong => StatusCode::BAD_REQUEST,
            Class::NotFound => StatusCode::NOT_FOUND,
            Class::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Class::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Class::RateLimit => StatusCode::TOO_MANY_REQUESTS,
            Class::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Class::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Class::Auth | Class::Billing | Class::Permission | Class::Server => StatusCode::BAD_GATEWAY,
        }
    }

    /// The stable code that clients may test.
    pub fn code(self) -> &'static str {
        match self {
            Class::BadRequest | Class::Unprocessable => "invalid_request",
            Class::ContextTooLong => "context_too_long",
            Class::Auth | Class::Permission => "upstream_auth",
            Class::Billing => "upstream_billing",
            Class::NotFound => "model_not_found",
            Class::TooLarge => "request_too_large",
            Class::RateLimit => "rate_limited",
            Class::Server => "upstream_error",
            Class::Overloaded => "overloaded",
            Class::Timeout => "upstream_timeout",
        }
    }

    /// Whose doing it is.
    pub fn blame(self) -> Blame {
        match self {
            Class::BadRequest | Class::TooLarge | Class::Unprocessable => Blame::Client,
            Class::Auth | Class::Billing | Class::Permission => Blame::Credential,
            Class::ContextTooLong | Class::NotFound => Blame::Target,
            Class::RateLimit | Class::Server | Class::Overloaded | Class::Timeout => Blame::Upstream,
        }
    }
}
