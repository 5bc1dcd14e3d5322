//! Plans as a caller sees them: what both predecessors promise, and what holds for every plan.

mod cases;
mod contract;
mod found;
mod health;
mod laws;
mod operations;
mod routes;
mod support;
mod worlds;
