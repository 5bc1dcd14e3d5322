//! Properties that hold for every conversation, not only for recorded ones.

mod any;
mod encoding;
mod folding;
mod gemini;
mod leftover;
mod messages;
mod responses;
mod round_trip;
mod streaming;
mod surviving;
