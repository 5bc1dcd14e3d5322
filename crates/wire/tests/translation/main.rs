//! Translation against recorded traffic: what the codecs read and write, seen by readers that share no code with them.

mod anthropic_answers;
mod events;
mod fixtures;
mod recording;
mod streams;
