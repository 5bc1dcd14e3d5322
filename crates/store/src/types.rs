//! The rows of the store, as the rest of the program sees them. How they are laid out in a database is the backend's.

mod access_key;
mod audit;
mod breaker_rule;
mod custody;
mod group;
mod response;
mod sealed;

use std::borrow::Cow;

use jiff::Timestamp;
use uuid::Uuid;

pub use access_key::{AccessKey, KeyChanges, KeyRole, NewAccessKey};
pub use audit::{AuditEntry, AuditVerdict, By};
pub use breaker_rule::BreakerRule;
pub use custody::{Inspection, Restored};
pub use group::{Group, GroupMember, GroupRule};
pub use response::{Chain, ChainLimits, NewResponse, ResponseOwner, ResponseRef, StoredResponse};
pub use sealed::{AuthFile, Credential, NewAuthFile, NewCredential, NoVersion, Version};

/// The project of what belongs to all projects.
pub const GLOBAL: &str = "_global";

/// A word of a fixed vocabulary: mostly static, owned when it was read back.
pub type Word = Cow<'static, str>;

/// One admitted request, as it ended. Token buckets are disjoint, and absent where the provider said nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The request's id, version 7: sorts by time.
    pub id: Uuid,
    /// When the request was admitted, to the microsecond.
    pub started_at: Timestamp,
    /// The name of the caller's key, never the key.
    pub key_name: Option<String>,
    /// The project it was made for.
    pub project: Word,
    /// The door it came in by, such as `openai_chat`.
    pub surface: Word,
    /// What was asked for, such as `chat`.
    pub operation: Word,
    /// The provider that answered, or was tried last.
    pub provider: Option<Word>,
    /// The dialect spoken to it.
    pub wire: Option<Word>,
    /// The model the client named.
    pub model_asked: Option<String>,
    /// The model sent upstream.
    pub model_sent: Option<String>,
    /// The model the provider says has answered.
    pub model_answered: Option<String>,
    /// Whether the client asked for a stream.
    pub stream: bool,
    /// Input tokens at full price.
    pub input: Option<i64>,
    /// Input tokens read from the provider's cache.
    pub cache_read: Option<i64>,
    /// Input tokens written to the provider's cache, for five minutes.
    pub cache_write: Option<i64>,
    /// Input tokens written to the provider's cache, for an hour.
    pub cache_write_1h: Option<i64>,
    /// All generated tokens, reasoning included.
    pub output: Option<i64>,
    /// Informative part of `output`.
    pub reasoning: Option<i64>,
    /// The provider reported numbers that cannot be: they are absent here.
    pub usage_odd: bool,
    /// Cost by our prices, in billionths of a US dollar; absent if the price is unknown, never zero for that.
    pub cost_nanos: Option<i64>,
    /// Cost as the provider stated it, in billionths of a US dollar.
    pub stated_cost_nanos: Option<i64>,
    /// Where the price came from.
    pub price_source: Option<Word>,
    /// The HTTP status the client got, or would have got.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// The stable code of the fault that ended it.
    pub fault_code: Option<Word>,
    /// How many times an upstream was tried.
    pub attempts: u32,
    /// The attempts one by one, as JSON, where there was more to tell than their number.
    pub attempts_detail: Option<String>,
    /// From admission to the first content byte, in microseconds.
    pub first_byte_us: Option<i64>,
    /// From admission to the end, in microseconds.
    pub total_us: i64,
    /// The id the client gave its request.
    pub client_request_id: Option<String>,
    /// What could not be translated, as JSON.
    pub losses: Option<String>,
}

impl Entry {
    /// A request that has just been admitted: nothing is known of its end, so its client counts as gone.
    pub fn admitted(id: Uuid, started_at: Timestamp, surface: Word, operation: Word) -> Self {
        Self {
            id,
            started_at,
            surface,
            operation,
            key_name: None,
            project: Cow::Borrowed(GLOBAL),
            provider: None,
            wire: None,
            model_asked: None,
            model_sent: None,
            model_answered: None,
            stream: false,
            input: None,
            cache_read: None,
            cache_write: None,
            cache_write_1h: None,
            output: None,
            reasoning: None,
            usage_odd: false,
            cost_nanos: None,
            stated_cost_nanos: None,
            price_source: None,
            status: 0,
            outcome: Outcome::ClientGone,
            fault_code: None,
            attempts: 0,
            attempts_detail: None,
            first_byte_us: None,
            total_us: 0,
            client_request_id: None,
            losses: None,
        }
    }
}

/// How a request ended, by whose doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Answered in full.
    Completed,
    /// The request was at fault.
    ClientError,
    /// The provider was at fault.
    UpstreamError,
    /// We were at fault.
    GatewayError,
    /// The client left before the end.
    ClientGone,
}

impl Outcome {
    /// Every outcome, in the order of declaration.
    pub const ALL: [Self; 5] =
        [Self::Completed, Self::ClientError, Self::UpstreamError, Self::GatewayError, Self::ClientGone];

    /// Its name in the database, in logs and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ClientError => "client_error",
            Self::UpstreamError => "upstream_error",
            Self::GatewayError => "gateway_error",
            Self::ClientGone => "client_gone",
        }
    }

    /// The outcome of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }
}

/// Sums over the whole ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows.
    pub requests: i64,
    /// Tokens of all input buckets. Wider than a row's, so that no sum can overflow.
    pub input: i128,
    /// Tokens of both output buckets.
    pub output: i128,
    /// Cost of the rows whose price is known, in billionths of a US dollar.
    pub cost_nanos: i128,
    /// Rows whose price is unknown.
    pub unpriced: i64,
}
