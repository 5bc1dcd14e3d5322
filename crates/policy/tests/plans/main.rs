//! Plans as a caller sees them: what both predecessors promise, and what holds for every plan.

mod contract;
mod laws;
mod operations;
mod support;
