//! Errors: what all of OpenAI's APIs say alike.

pub(super) use crate::openai::fault::{bad_answer, decode, encode, in_band, object};
