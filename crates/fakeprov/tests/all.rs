//! The scripted provider, met over raw sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "all/answers.rs"]
mod answers;
#[path = "all/client.rs"]
mod client;
#[path = "all/faults.rs"]
mod faults;
#[path = "all/judge.rs"]
mod judge;
#[path = "all/replay.rs"]
mod replay;
