//! What clients ask for besides a conversation to be continued.

mod completions;
mod counting;
mod embeddings;
mod recorded;
mod routes;
