//! Groups of providers as they are kept; in JSON they look as in mcp-llm-bridge.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Number;

/// A group, and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// A slug of the name that it was made with.
    pub id: String,
    #[allow(missing_docs)]
    pub name: String,
    #[allow(missing_docs)]
    pub rule: GroupRule,
    #[allow(missing_docs)]
    pub created_at: Timestamp,
    #[allow(missing_docs)]
    pub updated_at: Timestamp,
}

/// Which requests a group takes, and who serves them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupRule {
    /// Patterns of models, separated by commas; without any, requests for the group by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_pattern: Option<String>,
    #[allow(missing_docs)]
    pub members: Vec<GroupMember>,
    /// `round-robin`, `random`, `failover`, `weighted`, or a strategy of ours.
    pub strategy: String,
    /// Shares of providers whose members have none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<BTreeMap<String, Number>>,
    /// For so many seconds a conversation goes back to who answered it.
    #[serde(default, rename = "stickyTTL", skip_serializing_if = "Option::is_none")]
    pub sticky_ttl: Option<u32>,
}

/// Who serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupMember {
    #[allow(missing_docs)]
    pub provider: String,
    /// Name of the only credential to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_name: Option<String>,
    /// Its share, in any unit; as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Number>,
    /// Lower ones first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
}
