//! How a command ends when it fails.

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

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(1, format!("{error:#}"))
    }
}
