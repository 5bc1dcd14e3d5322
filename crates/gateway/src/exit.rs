//! How a command ends when it fails.

use http::StatusCode;
use store::StoreError;
use wire::Fault;

/// A command that failed: what to print, and the exit code (CONVENTIONS.md, "Exit codes").
#[derive(Debug)]
pub struct Failure {
    #[allow(missing_docs)]
    pub code: u8,
    #[allow(missing_docs)]
    pub message: String,
}

impl Failure {
    /// A failure without a more precise code.
    pub fn new(code: u8, message: impl std::fmt::Display) -> Self {
        Self { code, message: message.to_string() }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let code = match (&fault, fault.status()) {
            (Fault::Store { retry_after: Some(_), .. }, _) => 75,
            (Fault::Store { .. }, _) => 74,
            (_, StatusCode::NOT_FOUND) => 4,
            (_, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => 5,
            (_, StatusCode::PRECONDITION_FAILED) => 7,
            (_, StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE) => 2,
            (_, StatusCode::INTERNAL_SERVER_ERROR) => 1,
            _ => 6,
        };
        Self::new(code, fault.client_message("-"))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Busy => 75,
            StoreError::NotFound { .. } => 4,
            StoreError::Refused { .. } | StoreError::Stale { .. } => 7,
            StoreError::Tampered { .. } | StoreError::Corrupt(_) => 65,
            StoreError::KeyGiven | StoreError::KeyReplaced | StoreError::KeyExhausted => 78,
            _ => 74,
        };
        Self::new(code, error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(1, format!("{error:#}"))
    }
}
