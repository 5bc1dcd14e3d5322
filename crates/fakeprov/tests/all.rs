//! The scripted provider, met over raw sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "all/answers.rs"]
mod answers;
#[path = "all/client.rs"]
mod client;
#[path = "all/faults.rs"]
mod faults;
#[path = "all/gemini.rs"]
mod gemini;
#[path = "all/judge.rs"]
mod judge;
#[path = "all/ollama.rs"]
mod ollama;
#[path = "all/replay.rs"]
mod replay;
#[path = "all/responses.rs"]
mod responses;
#[path = "all/signatures.rs"]
mod signatures;
#[path = "all/work.rs"]
mod work;
