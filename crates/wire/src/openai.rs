//! What OpenAI's APIs have in common, whichever of them a server speaks: error objects, `data:` URLs, the words of
//! effort, and the limits of names. Their formats are in `openai_chat` and `openai_responses`.

pub(crate) mod effort;
pub(crate) mod fault;
pub(crate) mod media;
pub(crate) mod names;
