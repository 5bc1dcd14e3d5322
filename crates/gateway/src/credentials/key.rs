//! A secret in the form in which its provider wants it.

use http::{HeaderMap, HeaderName, HeaderValue};
use policy::KeyId;
use store::Secret;
use upstream::Scheme;
use wire::Fault;

/// A credential as it goes on a call. It has no `Debug`, and the header is marked sensitive.
pub struct Key {
    /// Which one it is, for what is remembered of it.
    pub id: KeyId,
    #[allow(missing_docs)]
    pub header: HeaderName,
    #[allow(missing_docs)]
    pub value: HeaderValue,
}

impl Key {
    /// Puts a secret in its provider's form.
    ///
    /// # Errors
    /// The secret has characters that no header can hold.
    pub fn new(id: KeyId, scheme: &Scheme, secret: &Secret) -> Result<Self, Fault> {
        let mut headers = HeaderMap::with_capacity(1);
        scheme.authorize(&mut headers, secret.expose())?;
        let value = headers.remove(&scheme.header).expect("authorize has just put it there");
        Ok(Self { id, header: scheme.header.clone(), value })
    }
}
