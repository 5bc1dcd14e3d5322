//! The assembly: server, request path, vault and model administration, command line.

pub mod app;
pub mod arrival;
pub mod body;
pub mod breakers;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
pub mod credentials;
pub mod discovery;
pub mod door;
pub mod egress;
pub mod exchange;
pub mod exit;
pub mod follow;
pub mod groups;
pub mod hardening;
pub mod health;
pub mod home;
pub mod import;
pub mod items;
pub mod limits;
pub mod manage;
pub mod mcp;
pub mod openapi;
pub mod origins;
pub mod problem;
pub mod recall;
pub mod reload;
pub mod responses;
pub mod router;
pub mod server;
pub mod socket;
pub mod startup;
pub mod surface;
pub mod telemetry;
pub mod tokens;
pub mod world;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
