//! Who may come in: keys, `Host`, `Origin`.

mod access;
mod caller;
mod cors;
mod doors;
mod failures;
mod host;
pub mod subprotocol;

pub use access::{Access, StaticKey};
pub use caller::{Caller, Role, Scope};
pub use cors::Cors;
pub use doors::Doors;
pub use failures::Failures;
pub use host::{HostRule, HostVerdict};
