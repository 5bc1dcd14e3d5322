//! Counting the tokens of a request, `POST /v1/messages/count_tokens`: asked by clients, and asked of providers. A count
//! where the provider has none is not made here.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::{fault, request};
use crate::chat::{ChatRequest, Encoded, Profile};
use crate::{Fault, RawObject};

/// What a client wants counted: a request without `max_tokens`.
pub fn decode_request(body: &RawObject) -> Result<ChatRequest, Fault> {
    request::decode(body)
}

/// A request to count tokens. `Undo` and losses concern nobody, for there is no answer to the request itself.
pub fn encode_request(request: &ChatRequest, profile: &Profile) -> Result<Encoded, Fault> {
    request::encode_count(request, profile)
}

/// The count in a provider's answer.
pub fn decode_answer(body: &[u8]) -> Result<u64, Fault> {
    #[derive(Deserialize)]
    struct Answer {
        input_tokens: u64,
    }
    let answer: Result<Answer, _> = serde_json::from_slice(body);
    answer.map(|answer| answer.input_tokens).map_err(|error| fault::bad_answer(error.to_string()))
}

/// The count for a client.
pub fn encode_answer(input_tokens: u64) -> Bytes {
    json!({"input_tokens": input_tokens}).to_string().into()
}
