//! HTTP/1.1 as a client speaks it, without sockets: bytes in, values out (RFC 9112).
//!
//! Here: the encoded request, the head of an answer, the framing of its body. Not here: reading, writing, deadlines.
//! Hand-written because a general client costs 2.6 us more a request and hands every chunk through a channel.

use std::borrow::Cow;

pub(crate) mod body;
pub(crate) mod head;
pub(crate) mod request;

/// An answer that is not HTTP/1.1 as we accept it; its connection must not be used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) Cow<'static, str>);

impl From<&'static str> for Malformed {
    fn from(why: &'static str) -> Self {
        Malformed(Cow::Borrowed(why))
    }
}

impl From<String> for Malformed {
    fn from(why: String) -> Self {
        Malformed(Cow::Owned(why))
    }
}
