//! The real binary in front of a scripted provider.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod access_keys;
mod auth_files;
mod bad_input;
mod catalogue;
mod clients_leave;
mod continued;
mod custody;
mod doors;
mod fall_over;
mod first_minute;
mod groups;
mod import;
mod ledger;
mod mcp_http;
mod mcp_stdio;
mod model_lists;
mod models;
mod native_ollama;
mod operations;
mod process;
mod projects;
mod replay;
mod request_path;
mod route_explain;
mod routing;
mod secrets;
mod socket;
mod strict_translation;
mod support;
mod upstream_faults;
mod vault;
mod vault_commands;
