//! What can be asked of the gateway besides inference.

pub mod credentials;
pub mod health;
pub mod models;
pub mod providers;
mod reply;
mod scope;

pub use reply::json;
pub use scope::asked_project;
