//! Who may come in: keys, `Host`, `Origin`.

mod access;
mod cors;
mod host;
pub mod subprotocol;

pub use access::{Access, Caller, Role};
pub use cors::Cors;
pub use host::{HostRule, HostVerdict};
