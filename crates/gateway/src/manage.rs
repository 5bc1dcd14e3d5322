//! What can be asked of the gateway besides inference.

pub mod breakers;
pub mod credentials;
pub mod health;
pub mod latency;
pub mod models;
pub mod providers;
mod reply;
mod scope;

pub use reply::json;
