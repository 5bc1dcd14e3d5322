//! OpenAI Chat against recorded traffic of eighteen providers, seen by a naive reader that shares no code with the codec.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed step fails the test")]

mod carried;
mod errors;
mod fixtures;
mod naive;
mod requests;
mod streamed;
mod whole;
mod written;
