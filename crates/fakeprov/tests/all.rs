//! The scripted provider, met over raw sockets.

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
