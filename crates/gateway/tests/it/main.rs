//! The real binary in front of a scripted provider.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod access_keys;
mod auth_files;
mod bad_input;
mod catalogue;
mod client_faults;
mod clients_leave;
mod continued;
mod custody;
mod discovery;
mod doors;
mod egress;
mod fall_over;
mod fault_table;
mod first_minute;
mod grammar;
mod groups;
mod import;
mod ledger;
mod mcp_http;
mod mcp_stdio;
mod memory_bounds;
mod model_lists;
mod models;
mod native_ollama;
mod openapi;
mod operations;
mod process;
mod projects;
mod reload;
mod replay;
mod request_path;
mod route_explain;
mod routing;
mod secrets;
mod soaks;
mod socket;
mod storage_faults;
mod stored_responses;
mod strict_translation;
mod support;
mod upstream_faults;
mod vault;
mod vault_commands;
