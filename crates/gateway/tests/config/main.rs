//! Configuration as an operator meets it: file, environment and flags in, a configuration or a list of mistakes out.

mod defaults;
mod door;
mod egress;
mod environment;
mod file;
mod llm_bridge;
mod log;
mod prices;
mod routes;
mod rules;
mod show;
mod support;
