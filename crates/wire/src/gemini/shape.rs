//! What is read of this dialect: serde structs, nothing else. Requests may spell names in either way of proto JSON
//! (`functionCall`, `function_call`); answers have the first only.
//!
//! Source: Google's Gemini API reference (`generateContent`), Vertex AI's reference where it has more, and the recorded
//! traffic.

pub(crate) mod out;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::rest::keeps_rest;

/// A whole answer, or one chunk of a stream: both are a `GenerateContentResponse`.
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self", default, rename_all = "camelCase")]
pub(crate) struct Chunk<'a> {
    #[serde(borrow)]
    pub(crate) candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow)]
    pub(crate) prompt_feedback: Option<PromptFeedback<'a>>,
    /// Read by hand: the numbers may be odd.
    #[serde(borrow)]
    pub(crate) usage_metadata: Option<&'a RawValue>,
    pub(crate) model_version: Option<String>,
    pub(crate) response_id: Option<String>,
    #[serde(borrow)]
    pub(crate) error: Option<&'a RawValue>,
    #[serde(skip_deserializing)]
    pub(crate) rest: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self", default, rename_all = "camelCase")]
pub(crate) struct Candidate<'a> {
    pub(crate) index: Option<u32>,
    #[serde(borrow)]
    pub(crate) content: Option<Content<'a>>,
    /// A word, or its number when the client asked for numbers (`enum-encoding=int`).
    #[serde(borrow)]
    pub(crate) finish_reason: Option<&'a RawValue>,
    pub(crate) finish_message: Option<String>,
    pub(crate) grounding_metadata: Option<Value>,
    pub(crate) citation_metadata: Option<Value>,
    #[serde(borrow)]
    pub(crate) logprobs_result: Option<&'a RawValue>,
    #[serde(skip_deserializing)]
    pub(crate) rest: Map<String, Value>,
}

keeps_rest!(Chunk<'a>, Candidate<'a>, PromptFeedback<'a>);

/// Why a prompt got no answer at all.
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self", default, rename_all = "camelCase")]
pub(crate) struct PromptFeedback<'a> {
    #[serde(borrow)]
    pub(crate) block_reason: Option<&'a RawValue>,
    pub(crate) block_reason_message: Option<String>,
    #[serde(skip_deserializing)]
    pub(crate) rest: Map<String, Value>,
}

/// A turn.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Content<'a> {
    pub(crate) role: Option<String>,
    #[serde(borrow)]
    pub(crate) parts: Option<Vec<&'a RawValue>>,
}

/// A part; which fields it has says what it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Part<'a> {
    pub(crate) text: Option<String>,
    pub(crate) thought: Option<bool>,
    #[serde(alias = "thought_signature")]
    pub(crate) thought_signature: Option<String>,
    #[serde(borrow, alias = "function_call")]
    pub(crate) function_call: Option<FunctionCall<'a>>,
    #[serde(borrow, alias = "function_response")]
    pub(crate) function_response: Option<FunctionResponse<'a>>,
    #[serde(alias = "inline_data")]
    pub(crate) inline_data: Option<Blob>,
    #[serde(alias = "file_data")]
    pub(crate) file_data: Option<FileData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct FunctionCall<'a> {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    #[serde(borrow)]
    pub(crate) args: Option<&'a RawValue>,
    /// Pieces of the arguments, when the client asked for them to be streamed.
    #[serde(alias = "partial_args")]
    pub(crate) partial_args: Option<Vec<PartialArg>>,
    /// More of this call follows in a later part.
    #[serde(alias = "will_continue")]
    pub(crate) will_continue: Option<bool>,
}

/// A value at a place of the arguments; a text that will continue is appended to.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PartialArg {
    /// As `$.recipe.steps[2]`.
    pub(crate) json_path: String,
    pub(crate) string_value: Option<String>,
    pub(crate) number_value: Option<Value>,
    pub(crate) bool_value: Option<bool>,
    pub(crate) will_continue: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FunctionResponse<'a> {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    #[serde(borrow)]
    pub(crate) response: Option<&'a RawValue>,
    /// Images and files that belong to the result.
    #[serde(borrow)]
    pub(crate) parts: Option<Vec<&'a RawValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Blob {
    #[serde(alias = "mime_type")]
    pub(crate) mime_type: Option<String>,
    /// Base64 in either alphabet.
    pub(crate) data: String,
    #[serde(alias = "display_name")]
    pub(crate) display_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct FileData {
    #[serde(alias = "mime_type")]
    pub(crate) mime_type: Option<String>,
    #[serde(alias = "file_uri")]
    pub(crate) file_uri: String,
    #[serde(alias = "display_name")]
    pub(crate) display_name: Option<String>,
}

/// One declaration of `tools[].functionDeclarations`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Declaration {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// A subset of OpenAPI's schemas.
    pub(crate) parameters: Option<Value>,
    /// JSON Schema.
    #[serde(alias = "parameters_json_schema")]
    pub(crate) parameters_json_schema: Option<Box<RawValue>>,
}

/// `toolConfig.functionCallingConfig`
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct CallingConfig {
    pub(crate) mode: Option<Value>,
    #[serde(alias = "allowed_function_names")]
    pub(crate) allowed_function_names: Option<Vec<String>>,
}

/// An error, as a whole answer or inside a stream: `google.rpc.Status`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) code: Option<Value>,
    pub(crate) message: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) details: Option<Vec<Value>>,
}
