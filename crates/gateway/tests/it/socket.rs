//! `/v1/ws`: LLM-Bridge's protocol over a WebSocket, and what was added to it.

mod answers;
mod doors;
mod explained;
mod load;
mod messages;
mod responses;
mod violations;
