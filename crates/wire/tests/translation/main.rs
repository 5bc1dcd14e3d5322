//! Translation against recorded traffic: what the codecs read and write, seen by readers that share no code with them.

mod anthropic_answers;
mod anthropic_requests;
mod chat_grammar;
mod checkers;
mod events;
mod fixtures;
mod golden;
mod laws;
mod messages_grammar;
mod recording;
mod requests;
mod streams;
