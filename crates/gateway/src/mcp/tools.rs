//! The tool table.

use super::generate::TIMEOUT;
use super::schema::{Field, Kind, Output};

/// What a tool does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Generate,
    Models,
    StoreCredential,
    ListCredentials,
    DeleteCredential,
    StoreFile,
    ListFiles,
    DeleteFile,
    ListGroups,
    CreateGroup,
    DeleteGroup,
    ConfigureBreakers,
    BreakerStats,
}

/// Who may use a tool, and where it is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Anybody with a key.
    Inference,
    /// The holder of the gateway's token: vault, groups and breakers are not for everybody.
    ReadVault,
    /// The same, and not where writing is switched off.
    WriteVault,
}

/// One tool.
#[derive(Debug)]
pub(super) struct Tool {
    pub name: &'static str,
    pub title: &'static str,
    pub about: &'static str,
    pub action: Action,
    pub need: Need,
    pub input: &'static [Field],
    pub output: Output,
}

const PROJECT: Field =
    Field::new("project", Kind::Text, "Project whose credentials count (default: _global)");
const ID: Field = Field::required("id", Kind::Count, "Id, as listed");

const MEMBERS: &[Field] = &[
    Field::required("provider", Kind::Text, "Its provider"),
    Field::new("keyName", Kind::Text, "The only credential to use (default: any)"),
    Field::new("weight", Kind::Share, "Its share, when weighted (default: 1)"),
    Field::new("priority", Kind::MaybeCount, "Lower ones first, in failover (default: 0)"),
];

/// What a group says, beside its id.
const NAME: Field = Field::required("name", Kind::Text, "Its name");
const PATTERN: Field = Field::new(
    "modelPattern",
    Kind::Text,
    "Models that it takes, as gpt-*,claude-* (default: requests for the group by its id)",
);
const SHARING: Field = Field::required("members", Kind::Objects(MEMBERS), "Who serves");
const STRATEGY: Field =
    Field::required("strategy", Kind::Text, "round-robin, random, failover, weighted, or another of route's");
const STICKY: Field =
    Field::new("stickyTTL", Kind::Count, "Seconds for which a conversation goes back to who answered it");
const GROUP: &[Field] =
    &[Field::required("id", Kind::Text, "Id of the group"), NAME, PATTERN, SHARING, STRATEGY, STICKY];

/// Settings of circuit breakers.
const BREAKERS: [Field; 7] = [
    Field::new("enabled", Kind::Flag, "Whether breakers open at all"),
    Field::new("failureThreshold", Kind::Count, "Failures in a row that open one (default: 5)"),
    Field::new("resetTimeoutMs", Kind::Count, "Milliseconds until a probe may go (default: 30000)"),
    Field::new("halfOpenMaxAttempts", Kind::Count, "Probes in a row that close it (default: 2)"),
    Field::new("backoffBaseMs", Kind::MaybeCount, "First wait, where waits grow (default: they do not)"),
    Field::new("backoffMultiplier", Kind::Count, "By how much they grow (default: 2)"),
    Field::new("backoffMaxMs", Kind::Count, "The longest wait (default: 300000)"),
];

const GONE: Output = Output::Object(&[Field::required("ok", Kind::Flag, "It is gone")]);

/// Every tool, in the order in which it is listed.
pub(super) const TOOLS: [Tool; 13] = [
    Tool {
        name: "llm_generate",
        title: "Ask a language model",
        about: "Sends one prompt to a language model and returns its answer. The gateway chooses the provider by model, \
                and falls back to others when one fails.",
        action: Action::Generate,
        need: Need::Inference,
        input: &[
            Field::required(
                "prompt",
                Kind::Text,
                "What to say, 1 to 102400 characters where nothing else is set",
            ),
            Field::new("system", Kind::Text, "System instructions"),
            Field::new("provider", Kind::Text, "Provider to prefer, as in llm_models"),
            Field::new("model", Kind::Text, "Model, as in llm_models (default: that of the provider)"),
            Field::new("maxTokens", Kind::Count, "Most tokens of the answer (default: 4096)"),
            PROJECT,
            Field::new("strict", Kind::Flag, "Try no other target than the first"),
            Field::new(TIMEOUT, Kind::Count, "Most milliseconds that the call may take (default: no limit)"),
        ],
        output: Output::Object(&[
            Field::required("text", Kind::Text, "The answer"),
            Field::required("provider", Kind::Text, "Who answered"),
            Field::required("model", Kind::Text, "The model that answered"),
            Field::new("tokensUsed", Kind::MaybeCount, "Tokens in and out"),
            Field::new("requestedProvider", Kind::MaybeText, "The provider that was asked for"),
            Field::new("requestedModel", Kind::MaybeText, "The model that was asked for"),
            Field::required("resolvedProvider", Kind::Text, "The provider that was chosen"),
            Field::required("resolvedModel", Kind::Text, "The model that was chosen"),
            Field::required("fallbackUsed", Kind::Flag, "Another than the first choice answered"),
            Field::new("latencyMs", Kind::MaybeCount, "Milliseconds until the answer was there"),
            Field::new("inputTokens", Kind::MaybeCount, "Tokens in"),
            Field::new("outputTokens", Kind::MaybeCount, "Tokens out"),
            Field::new("costUsd", Kind::MaybeNumber, "Cost in US dollars; null if the price is unknown"),
        ]),
    },
    Tool {
        name: "llm_models",
        title: "List models",
        about: "Lists the models that can be asked right now.",
        action: Action::Models,
        need: Need::Inference,
        input: &[PROJECT],
        output: Output::List(
            "models",
            &[
                Field::required("id", Kind::Text, "What to give as model"),
                Field::required("name", Kind::Text, "Its name for people"),
                Field::required("provider", Kind::Text, "Who would answer"),
                Field::required("maxTokens", Kind::MaybeCount, "Most tokens of an answer; null if unknown"),
            ],
        ),
    },
    Tool {
        name: "vault_store",
        title: "Store a credential",
        about: "Stores an API key of a provider in the encrypted vault. One of the same provider, name and project is \
                replaced.",
        action: Action::StoreCredential,
        need: Need::WriteVault,
        input: &[
            Field::required("provider", Kind::Text, "Provider that the key is for"),
            Field::required("apiKey", Kind::Text, "The key"),
            Field::new("keyName", Kind::Text, "Tells several keys of a provider apart (default: default)"),
            PROJECT,
        ],
        output: Output::Object(&[
            Field::required("id", Kind::Count, "Id of the credential"),
            Field::required("provider", Kind::Text, "Its provider"),
            Field::required("keyName", Kind::Text, "Its name"),
            Field::required("project", Kind::Text, "Its project"),
        ]),
    },
    Tool {
        name: "vault_list",
        title: "List credentials",
        about: "Lists the credentials in the vault, masked: of one project and the global ones, or all.",
        action: Action::ListCredentials,
        need: Need::ReadVault,
        input: &[PROJECT],
        output: Output::List(
            "credentials",
            &[
                Field::required("id", Kind::Count, "Id of the credential"),
                Field::required("provider", Kind::Text, "Its provider"),
                Field::required("keyName", Kind::Text, "Its name"),
                Field::required("project", Kind::Text, "Its project"),
                Field::required("maskedValue", Kind::Text, "The beginning of the key"),
                Field::required("createdAt", Kind::Text, "YYYY-MM-DD HH:MM:SS, UTC"),
                Field::required("updatedAt", Kind::Text, "YYYY-MM-DD HH:MM:SS, UTC"),
            ],
        ),
    },
    Tool {
        name: "vault_delete",
        title: "Delete a credential",
        about: "Deletes a credential from the vault.",
        action: Action::DeleteCredential,
        need: Need::WriteVault,
        input: &[ID],
        output: GONE,
    },
    Tool {
        name: "vault_store_file",
        title: "Store an auth file",
        about: "Stores an auth file of a command-line program in the encrypted vault. One of the same provider, name and \
                project is replaced.",
        action: Action::StoreFile,
        need: Need::WriteVault,
        input: &[
            Field::required("provider", Kind::Text, "Program that the file is for"),
            Field::required("fileName", Kind::Text, "Bare name of the file, as auth.json"),
            Field::required("content", Kind::Text, "What the file holds"),
            PROJECT,
        ],
        output: Output::Object(&[
            Field::required("id", Kind::Count, "Id of the file"),
            Field::required("provider", Kind::Text, "Its program"),
            Field::required("fileName", Kind::Text, "Its name"),
            Field::required("project", Kind::Text, "Its project"),
        ]),
    },
    Tool {
        name: "vault_list_files",
        title: "List auth files",
        about: "Lists the auth files in the vault, never with their content: of one project and the global ones, or all.",
        action: Action::ListFiles,
        need: Need::ReadVault,
        input: &[PROJECT],
        output: Output::List(
            "files",
            &[
                Field::required("id", Kind::Count, "Id of the file"),
                Field::required("provider", Kind::Text, "Its program"),
                Field::required("fileName", Kind::Text, "Its name"),
                Field::required("project", Kind::Text, "Its project"),
                Field::required("version", Kind::Text, "What its content is at this moment, for comparing"),
                Field::required("createdAt", Kind::Text, "YYYY-MM-DD HH:MM:SS, UTC"),
                Field::required("updatedAt", Kind::Text, "YYYY-MM-DD HH:MM:SS, UTC"),
            ],
        ),
    },
    Tool {
        name: "vault_delete_file",
        title: "Delete an auth file",
        about: "Deletes an auth file from the vault.",
        action: Action::DeleteFile,
        need: Need::WriteVault,
        input: &[ID],
        output: GONE,
    },
    Tool {
        name: "list_groups",
        title: "List groups",
        about: "Lists the groups of providers that share the requests for some models.",
        action: Action::ListGroups,
        need: Need::ReadVault,
        input: &[],
        output: Output::List("groups", GROUP),
    },
    Tool {
        name: "create_group",
        title: "Create a group",
        about: "Lets several providers, or several keys of one, share the requests for some models.",
        action: Action::CreateGroup,
        need: Need::WriteVault,
        input: &[NAME, PATTERN, SHARING, STRATEGY, STICKY],
        output: Output::Object(GROUP),
    },
    Tool {
        name: "delete_group",
        title: "Delete a group",
        about: "Deletes a group. Requests go where they went before it was made.",
        action: Action::DeleteGroup,
        need: Need::WriteVault,
        input: &[Field::required("id", Kind::Text, "Id, as listed")],
        output: GONE,
    },
    Tool {
        name: "configure_circuit_breaker",
        title: "Configure circuit breakers",
        about: "Changes when circuit breakers open and close, for good and in every process. What is not named stays.",
        action: Action::ConfigureBreakers,
        need: Need::WriteVault,
        input: &BREAKERS,
        output: Output::Object(&BREAKERS),
    },
    Tool {
        name: "circuit_breaker_stats",
        title: "Show circuit breakers",
        about: "Shows what has failed lately, by provider and model, and which breakers are open.",
        action: Action::BreakerStats,
        need: Need::ReadVault,
        input: &[],
        output: Output::Object(&[Field::required("stats", Kind::Object, "By provider")]),
    },
];

/// The tool of that name.
pub(super) fn find(name: &str) -> Option<&'static Tool> {
    static TABLE: &[Tool] = &TOOLS;
    TABLE.iter().find(|tool| tool.name == name)
}
