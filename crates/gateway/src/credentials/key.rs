//! A secret in the form in which its provider wants it.

use http::{HeaderMap, HeaderName, HeaderValue};
use store::Secret;
use upstream::Scheme;
use wire::Fault;

/// A credential as it goes on a call. It has no `Debug`, and the header is marked sensitive.
pub struct Key {
    #[allow(missing_docs)]
    pub header: HeaderName,
    #[allow(missing_docs)]
    pub value: HeaderValue,
    /// Its id in the vault; `None`: it is configured.
    pub stored: Option<i64>,
}

impl Key {
    /// Puts a secret in its provider's form; `stored` is its id in the vault.
    ///
    /// # Errors
    /// The secret has characters that no header can hold.
    pub fn new(scheme: &Scheme, secret: &Secret, stored: Option<i64>) -> Result<Self, Fault> {
        let mut headers = HeaderMap::with_capacity(1);
        scheme.authorize(&mut headers, secret.expose())?;
        let value = headers.remove(&scheme.header).expect("authorize has just put it there");
        Ok(Self { header: scheme.header.clone(), value, stored })
    }
}
