//! Formats and translation, pure: bytes in, values and bytes out.
//!
//! A *surface* is a format that clients speak to us, a *wire* one that we speak to a provider. Requests go surface
//! -> [`chat::ChatRequest`] -> wire; answers come back wire -> [`chat::Event`]s (or a whole [`chat::ChatResponse`])
//! -> surface. No codec knows another codec. What a translation cannot carry is a [`chat::Loss`]; what it does not
//! know survives in [`chat::Extra`] for the dialect it came from.
//!
//! Nothing here does I/O, asks the time or throws dice; that is what keeps it fit for fuzzing and folding.

pub mod anthropic_messages;
pub mod chat;
pub mod complete;
pub mod count;
pub mod dialect;
pub mod embed;
pub mod fault;
pub mod frame;
mod gateway_fields;
pub mod gemini;
pub mod generate;
mod json_writer;
pub mod ollama;
mod openai;
pub mod openai_chat;
pub mod openai_responses;
pub mod raw;
mod rest;
pub mod scrub;

pub use dialect::{Dialect, Head, Operation, Surface, SurfaceId, Wire, WireId};
pub use fault::Fault;
pub use raw::RawObject;
