//! Stored responses: turns of conversations that clients leave to the gateway.

use jiff::Timestamp;

/// Who may see a response: the key that asked, and the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseOwner {
    /// Which key, as no two have it; `None`: the gateway asks for none.
    pub key: Option<String>,
    #[allow(missing_docs)]
    pub project: String,
}

/// A response by its row: ids are given by providers, and may repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseRef {
    #[allow(missing_docs)]
    pub id: String,
    pub(crate) row: i64,
}

/// A response to be stored.
#[derive(Clone, Debug)]
pub struct NewResponse {
    #[allow(missing_docs)]
    pub owner: ResponseOwner,
    #[allow(missing_docs)]
    pub id: String,
    /// The one that it goes on from.
    pub previous: Option<ResponseRef>,
    #[allow(missing_docs)]
    pub created_at: Timestamp,
    /// What was new in this turn: a JSON array of items.
    pub input: String,
    /// The answer: a JSON object.
    pub answer: String,
}

/// A stored response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    #[allow(missing_docs)]
    pub at: ResponseRef,
    #[allow(missing_docs)]
    pub created_at: Timestamp,
    /// What was new in this turn: a JSON array of items.
    pub input: String,
    /// The answer: a JSON object.
    pub answer: String,
}

/// How far back a conversation is followed.
#[derive(Clone, Copy, Debug)]
pub struct ChainLimits {
    /// Nothing older is known.
    pub since: Timestamp,
    #[allow(missing_docs)]
    pub turns: u32,
    /// Bytes of all turns together.
    pub bytes: u64,
}

/// All turns of a conversation up to and with one response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Oldest first; at least one.
    Whole(Vec<StoredResponse>),
    /// There is no such response.
    Unknown,
    /// It goes on from a response that is there no more.
    Broken {
        /// The id of that one.
        missing: String,
    },
    /// It has more turns than may be followed.
    TooManyTurns,
    /// It has more bytes than may be read.
    TooLarge,
}
