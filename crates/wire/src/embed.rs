//! Embeddings: texts in, vectors out. The canonical request and answer, and what a dialect does with them.
//!
//! As with conversations, a request whose surface is of the target's dialect is carried, and the glance at its answer
//! tells what is counted; otherwise it is decoded here and written anew. Turning tokens into texts is not done here: it
//! takes a vocabulary.

use bytes::Bytes;

use crate::chat::{Extra, Loss, Usage};
use crate::dialect::{Head, Peek};
use crate::fault::Fault;
use crate::raw::RawObject;

pub mod gemini;
pub mod ollama;
pub mod openai;
mod vector;

/// Texts to be turned into vectors.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EmbedRequest {
    /// The model as the client named it.
    pub model: String,
    /// In the order of the vectors.
    pub inputs: Vec<Input>,
    /// Numbers of each vector, where the client wants another count than the model's usual one.
    pub dimensions: Option<u64>,
    /// How the client wants its vectors written.
    pub form: VectorForm,
    /// Stable id of the end user, as the client gave it.
    pub end_user: Option<String>,
    /// The client asked for one vector, and its format tells that from a list of one.
    pub single: bool,
    /// Top-level fields that have no canonical name.
    pub extra: Extra,
}

/// One text, which becomes one vector.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Input {
    #[allow(missing_docs)]
    pub content: Content,
    /// What the vector is for, in Gemini's words: `RETRIEVAL_QUERY` and the like.
    pub task: Option<String>,
    /// Title of the document that the text comes from.
    pub title: Option<String>,
}

/// The text itself.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Content {
    Text(String),
    /// Numbers in the vocabulary of the model, as LangChain sends them.
    Tokens(Vec<u32>),
}

impl Default for Content {
    fn default() -> Self {
        Content::Text(String::new())
    }
}

/// How vectors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VectorForm {
    /// As an array of numbers.
    #[default]
    Floats,
    /// As base64 of 32-bit floats, the low byte first.
    Base64,
}

/// Vectors in the order of the inputs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EmbedResponse {
    /// The model that the upstream says has answered.
    pub model: Option<String>,
    /// Single precision, which is what every provider computes in.
    pub vectors: Vec<Vec<f32>>,
    /// `None`: the upstream reported none.
    pub usage: Option<Usage>,
}

/// A request ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    #[allow(missing_docs)]
    pub body: Bytes,
    /// What could not be carried.
    pub losses: Vec<Loss>,
}

/// What a carried answer says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Glance {
    /// Token counts.
    pub usage: Option<Usage>,
    /// How the first vector is written; `None`: there is none.
    pub form: Option<VectorForm>,
}

/// The half that faces clients.
pub trait EmbedSurface: Sync {
    /// Enough to admit and plan. Checks the types of the top-level fields it knows.
    ///
    /// # Errors
    /// `Malformed`, naming the field.
    fn peek(&self, head: &Head, body: &RawObject) -> Result<Peek, Fault>;

    /// How the client wants its vectors written.
    ///
    /// # Errors
    /// `Malformed`, naming the field.
    fn form(&self, body: &RawObject) -> Result<VectorForm, Fault>;

    /// The whole request in canonical form.
    ///
    /// # Errors
    /// `Malformed`, naming the field; `Unsupported` for what is no text.
    fn decode_request(&self, head: &Head, body: &RawObject) -> Result<EmbedRequest, Fault>;

    /// An answer in this format; `model` stands in it when the upstream named none.
    fn encode_response(&self, response: &EmbedResponse, request: &EmbedRequest, model: &str) -> Bytes;
}

/// The half that faces upstreams.
pub trait EmbedWire: Sync {
    /// Edits a carried body for its target: the model. Everything else stays byte for byte.
    ///
    /// # Errors
    /// `Malformed`, naming the field.
    fn retarget(&self, body: &mut RawObject, model: &str) -> Result<(), Fault>;

    /// Whether texts may be sent as tokens.
    fn takes_tokens(&self) -> bool;

    /// A request in this format.
    ///
    /// # Errors
    /// `Unsupported`: tokens, where only texts are taken.
    fn encode_request(&self, request: &EmbedRequest, model: &str) -> Result<Encoded, Fault>;

    /// A whole answer.
    ///
    /// # Errors
    /// `BadAnswer`: it is not what this format says.
    fn decode_response(&self, body: &[u8]) -> Result<EmbedResponse, Fault>;

    /// What a carried answer says.
    ///
    /// # Errors
    /// `BadAnswer`: it has no vectors.
    fn glance(&self, body: &RawObject) -> Result<Glance, Fault>;
}

/// Vectors and continuations of a model that the gateway chose would be of no use.
pub(crate) fn no_model() -> Fault {
    Fault::malformed("model".to_owned(), "'model' is missing")
}

/// An answer that is not what its format says.
fn bad_answer(why: impl Into<String>) -> Fault {
    Fault::BadAnswer { provider: String::new(), why: why.into() }
}
