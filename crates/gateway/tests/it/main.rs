//! The real binary in front of a scripted provider.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bad_input;
mod catalogue;
mod clients_leave;
mod custody;
mod doors;
mod first_minute;
mod ledger;
mod model_lists;
mod models;
mod operations;
mod process;
mod replay;
mod request_path;
mod secrets;
mod socket;
mod support;
mod upstream_faults;
mod vault;
