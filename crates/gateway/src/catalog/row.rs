//! The rows of `providers.toml` and `agents.toml`, as they are written there.

use std::collections::BTreeMap;

use serde::Deserialize;

/// An HTTP upstream.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    #[allow(missing_docs)]
    pub id: String,
    /// For people.
    pub name: String,
    /// Other names that files and requests may use.
    #[serde(default)]
    pub spellings: Vec<String>,
    /// Scheme and host; the paths of `wires` are appended.
    pub base: String,
    /// Formats that it speaks, the preferred one first.
    pub wires: Vec<WireRow>,
    #[allow(missing_docs)]
    pub auth: AuthRow,
    /// Whether it works without a key.
    #[serde(default)]
    pub key: Key,
    /// Beginnings of variable names: `ACME` for `ACME_API_KEY`.
    pub env: Vec<String>,
    /// On this machine; takes part only when its address is configured.
    #[serde(default)]
    pub local: bool,
    /// Its name in `models.json`.
    pub catalogue: Option<String>,
    /// The provider of `models.json` whose models have the same abilities, at other prices.
    pub like: Option<String>,
    #[allow(missing_docs)]
    pub default_model: Option<String>,
    /// Models that are listed to clients.
    #[serde(default)]
    pub models: Vec<String>,
    /// On every request; never credentials.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Operations that it does not offer although its wires have them, as `Operation::name` has them.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// Knows the role `developer`.
    #[serde(default)]
    pub developer_role: bool,
    /// Takes `stream_options`.
    #[serde(default = "yes")]
    pub stream_options: bool,
    /// Takes `top_k` and other sampling fields beyond OpenAI's.
    #[serde(default = "yes")]
    pub open_sampling: bool,
    /// Takes `web_search_options`.
    #[serde(default)]
    pub web_search_options: bool,
    /// The only name of the output limit that it knows.
    pub max_tokens_field: Option<String>,
    /// The same, for models that reason.
    pub reasoning_max_tokens_field: Option<String>,
    /// Day and source.
    pub read: String,
}

/// One format of a provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireRow {
    /// As `WireId::name` has it.
    pub wire: String,
    /// From the root of the host.
    pub path: String,
    /// How the key is presented here, where it differs from the provider's usual way.
    pub auth: Option<AuthRow>,
    /// Where it lists its models, from the root of the host, if not where the wire usually has it.
    pub list: Option<String>,
    /// Spoken only, and then alone, when the configured address ends in this: `/openai`.
    pub when_base_ends: Option<String>,
}

/// How the key is presented.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthRow {
    /// Lower case.
    pub header: String,
    /// What stands before the key, its space included.
    #[serde(default)]
    pub prefix: String,
}

/// Whether a provider works without a key.
#[derive(Debug, Deserialize, Default, PartialEq, Eq, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub enum Key {
    /// It does not.
    #[default]
    Required,
    /// It does.
    Optional,
}

/// A command-line subscription.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    #[allow(missing_docs)]
    pub id: String,
    /// For people.
    pub name: String,
    /// Looked for on `PATH`.
    pub program: String,
    #[allow(missing_docs)]
    pub default_model: String,
    /// Models that are listed to clients.
    pub models: Vec<String>,
    /// Day and source.
    pub read: String,
}

fn yes() -> bool {
    true
}
