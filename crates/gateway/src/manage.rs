//! What can be asked of the gateway besides inference.

pub mod audit;
pub mod breakers;
pub mod config;
pub mod credentials;
mod fields;
pub mod files;
pub mod groups;
pub mod health;
pub mod keys;
pub mod latency;
pub mod models;
pub mod providers;
mod reply;
pub mod responses;
mod scope;

pub use reply::{Page, civil, json};
pub use scope::asked_project;
