//! The client against a scripted server on loopback that speaks raw bytes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod cancel;
mod faults;
mod pool;
mod proxy;
mod reach;
mod server;
mod stream;
mod timing;
mod tls;
mod tunnel;
