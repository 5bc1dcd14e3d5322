//! A small world to plan in: providers by a few words each.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use policy::{Ask, Auth, Endpoint, Kind, Model, Plan, Provider, Reason, Rules, Snapshot, Standing, Timeouts};
use wire::chat::Profile;
use wire::{Fault, Operation, WireId};

/// A provider with these models, the first of them its default.
pub fn provider(id: &str, models: &[&str]) -> Provider {
    let profile = Profile::unknown(id, "");
    Provider {
        id: id.into(),
        spellings: Vec::new(),
        name: id.to_uppercase(),
        kind: Kind::Api,
        endpoints: vec![Endpoint {
            wire: WireId::OpenAiChat,
            url: format!("https://{id}.example/v1/chat/completions"),
            auth: None,
        }],
        auth: Some(Auth { header: "authorization".into(), prefix: "Bearer ".into(), required: true }),
        key_names: vec![format!("{}_API_KEY", id.to_uppercase())],
        extra_headers: Vec::new(),
        default_model: models.first().map(|id| (*id).into()),
        models: models.iter().map(|id| ((*id).into(), model(id, &profile))).collect(),
        lacks: Vec::new(),
        takes_any_model: true,
        section: None,
        program: None,
        rules: Rules::default(),
        conditional: Vec::new(),
        timeouts: Timeouts::default(),
        strict_translation: false,
        disabled: None,
        profile,
    }
}

pub fn demo() -> Provider {
    Provider { kind: Kind::Demo, auth: None, takes_any_model: false, ..provider("demo", &["demo"]) }
}

fn model(id: &str, profile: &Profile) -> Arc<Model> {
    let sent_as = policy::provider::without_variant(id);
    Arc::new(Model {
        id: id.into(),
        name: id.to_owned(),
        made_for: Operation::Chat,
        profile: Arc::new(Profile { model: sent_as.into(), ..profile.clone() }),
        rate: None,
        price_source: None,
        context: None,
        max_output: None,
        listed_as: Some(id.to_owned()),
        max_tokens: None,
        rules: Rules::default(),
        timeout: None,
        strict_translation: None,
    })
}

/// The order and the models that mcp-llm-bridge documents, and the demonstration.
pub fn documented() -> Snapshot {
    Snapshot::new(vec![
        provider("anthropic", &["claude-sonnet-4-20250514"]),
        provider("openai", &["gpt-4o", "gpt-4o-mini", "o3-mini"]),
        Provider { spellings: vec!["gemini".into()], ..provider("google", &["gemini-2.5-flash"]) },
        provider("groq", &["llama-3.3-70b-versatile", "openai/gpt-oss-120b"]),
        provider("openrouter", &["deepseek/deepseek-chat", "openai/gpt-4o", "anthropic/claude-sonnet-4"]),
        demo(),
    ])
}

/// What LLM-Bridge's file makes: sections, the first of them the default.
pub fn from_file() -> Snapshot {
    let section =
        |id: &str, models: &[&str]| Provider { section: Some(id.to_owned()), ..provider(id, models) };
    Snapshot::new(vec![
        provider("openai", &["gpt-4o", "gpt-5"]),
        provider("openrouter", &["closeai/gpt-4o"]),
        section("deepseek", &["deepseek-chat"]),
        section("closeai", &["gpt-4o", "o3-mini", "o3-mini<high>", "deepseek-chat"]),
        demo(),
    ])
    .with_default_provider(Some("closeai"))
    .with_aliases(HashMap::from([("fast".into(), "deepseek/deepseek-chat".into())]))
}

/// Providers with a credential; with a project, only in that project.
pub struct Keys(HashSet<String>);

impl Keys {
    pub fn of(ids: &[&str]) -> Self {
        Self(ids.iter().map(|id| (*id).to_owned()).collect())
    }
}

impl Standing for Keys {
    fn unavailable(&self, _: usize, provider: &Provider, project: &str) -> Option<Reason> {
        let found = self.0.contains(&*provider.id) || self.0.contains(&format!("{}@{project}", provider.id));
        (provider.needs_credential() && !found).then_some(Reason::NoCredential)
    }
}

pub fn ask<'a>(model: Option<&'a str>) -> Ask<'a> {
    Ask::chat(model)
}

/// `provider:model` of every target, in order.
pub fn targets(plan: Result<Plan, Fault>) -> Vec<String> {
    plan.expect("a plan")
        .targets()
        .iter()
        .map(|target| format!("{}:{}", target.provider.id, target.model.id))
        .collect()
}
