//! The Model Context Protocol: the gateway's tools for agents, on standard input and output, and at `/mcp`.
//!
//! A door like the others: the tool table, its schemas and the reading of arguments are here, and what the tools do is
//! in `manage` and `exchange`. Framing and the negotiation of revisions (2024-11-05 to 2026-07-28) are rmcp's. Shapes
//! of arguments and results are those of mcp-llm-bridge (CONTRACT.md section 4).

pub mod http;

mod generate;
mod routing;
mod running;
mod schema;
mod server;
mod tools;
mod vault;

pub use running::Calls;
pub use server::{Tools, Visit};
