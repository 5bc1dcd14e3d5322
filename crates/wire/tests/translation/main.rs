//! Translation against recorded traffic: what the codecs read and write, seen by readers that share no code with them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod anthropic_answers;
mod anthropic_requests;
mod chat_grammar;
mod chat_recording;
mod checkers;
mod crossing;
mod events;
mod features;
mod fixtures;
mod gemini_answers;
mod gemini_grammar;
mod gemini_recording;
mod gemini_requests;
mod gemini_written;
mod golden;
mod laws;
mod matrix;
mod messages_grammar;
mod messages_requests;
mod messages_stream;
#[expect(dead_code, reason = "the tests of Chat compare our canonical form with it, too")]
#[path = "../openai_chat/naive.rs"]
mod naive;
mod ollama;
mod recording;
mod requests;
mod responses_answers;
mod responses_checkers;
mod responses_golden;
mod responses_grammar;
mod responses_input_grammar;
mod responses_recording;
mod responses_requests;
mod streams;
mod to_messages;
