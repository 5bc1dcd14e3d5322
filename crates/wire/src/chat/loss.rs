//! What a translation could not carry.

use std::borrow::Cow;

/// One thing lost, approximated or moved, and where it stood. Shown to the client in `x-gateway-warnings` and kept in
/// the request log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Stable code, as `clamp` or `field:seed`.
    pub code: Cow<'static, str>,
    /// Path in the client's request or the upstream's answer, as `messages[2].content[0]`.
    pub at: String,
}

impl Loss {
    /// A loss at a path.
    pub fn at(code: impl Into<Cow<'static, str>>, at: impl Into<String>) -> Self {
        Self { code: code.into(), at: at.into() }
    }

    /// An unknown or untranslatable request field: code `field:<name>`.
    pub fn field(name: &str) -> Self {
        Self { code: Cow::Owned(format!("field:{name}")), at: name.to_owned() }
    }
}
