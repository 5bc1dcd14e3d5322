//! `providers:` - one section for each upstream, as LLM-Bridge has them, with more keys.

use std::time::Duration;

use policy::{Auth, ConditionalRules, Rate, Rules};
use store::Secret;
use wire::WireId;

use super::super::section::{Reader, Section, text};
use super::super::tree::{Node, Value};
use super::super::units::duration;
use super::proxy::{self, ProxyChoice};
use super::{prices, rules};

/// The name that no section may have.
const DEMO: &str = "demo";

/// One section.
#[derive(Debug)]
pub struct ProviderSettings {
    /// Its name, the prefix of its models.
    pub section: String,
    pub line: u64,
    pub name: Option<String>,
    /// Switched off by the operator when false.
    pub enabled: bool,
    /// It uses LLM-Bridge's word for the wire.
    pub has_adapter: bool,
    pub wire: Option<WireId>,
    pub base_url: Option<String>,
    pub credential: Credential,
    pub auth: Option<Auth>,
    pub headers: Vec<(String, String)>,
    /// LLM-Bridge's word: true wants the proxy at the top of the file, false none.
    pub requires_proxy: Option<bool>,
    pub proxy: ProxyChoice,
    /// Whether it may be at a private address; where nothing is said, when its address leaves no doubt that it is.
    pub allow_private: Option<bool>,
    /// Whether its models are read from its own list, and how often.
    pub discover: Option<Discover>,
    pub default_model: Option<String>,
    /// Takes models that are not listed.
    pub any_model: Option<bool>,
    /// What translation cannot carry is refused.
    pub strict_translation: Option<bool>,
    pub timeouts: TimeoutSettings,
    pub rules: Rules,
    pub conditional: Vec<ConditionalRules>,
    pub models: Vec<ModelSettings>,
}

/// What the section says about the server's own list of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discover {
    /// It is not read.
    Off,
    /// It is, as often as is usual.
    On,
    /// It is, this often.
    Every(Duration),
}

/// What the section says about its key.
#[derive(Debug)]
pub enum Credential {
    /// Nothing: environment or vault.
    Unsaid,
    /// This key.
    Key(Secret),
    /// It needs none.
    Keyless,
}

/// `timeouts:` and `timeout:`
#[derive(Debug, Default, Clone, Copy)]
pub struct TimeoutSettings {
    pub connect: Option<Duration>,
    pub head: Option<Duration>,
    pub idle: Option<Duration>,
    pub total: Option<Duration>,
}

/// One model of a section.
#[derive(Debug)]
pub struct ModelSettings {
    pub id: String,
    pub name: Option<String>,
    pub max_tokens: Option<u64>,
    pub timeout: Option<Duration>,
    /// The same, for this model.
    pub strict_translation: Option<bool>,
    pub context: Option<u64>,
    pub rate: Option<Rate>,
    pub rules: Rules,
}

/// All sections, in the order of the file.
pub(super) fn read(sections: &Section<'_>, reader: &mut Reader<'_>) -> Vec<ProviderSettings> {
    let mut providers = Vec::new();
    for (key, node) in sections.entries() {
        if !is_name(&key.name) {
            let what = "a provider's name is made of letters, digits, '-', '_' and '.'";
            reader.invalid(key.line, format_args!("'{}': {what}", key.name));
            continue;
        }
        if key.name == DEMO {
            reader.invalid(key.line, "'demo' is the built-in demonstration; choose another name");
        }
        let section = Section::open(sections.path_of(&key.name), node, reader);
        providers.push(provider(&key.name, key.line, section, reader));
    }
    providers
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn provider(name: &str, line: u64, mut section: Section<'_>, reader: &mut Reader<'_>) -> ProviderSettings {
    let (has_adapter, wire) = wire(&mut section, reader);
    let (keyless, auth) = auth(&mut section, reader);
    let key = key(&mut section, reader);
    let total = section.duration("timeout", reader);
    let timeouts =
        section.section("timeouts", reader).map(|section| timeouts(section, reader)).unwrap_or_default();
    let settings = ProviderSettings {
        section: name.to_owned(),
        line,
        name: section.text("name", reader),
        enabled: section.flag("enabled", reader).unwrap_or(true),
        has_adapter,
        wire,
        base_url: section.text("base_url", reader),
        credential: if keyless {
            Credential::Keyless
        } else {
            key.map_or(Credential::Unsaid, Credential::Key)
        },
        auth,
        headers: headers(&mut section, reader),
        requires_proxy: section.flag("requires_proxy", reader),
        proxy: proxy::choice(&mut section, reader),
        allow_private: section.flag("allow_private", reader),
        discover: section.value("discover", reader, discover),
        default_model: section.text("default_model", reader),
        any_model: section.flag("any_model", reader),
        strict_translation: section.flag("strict_translation", reader),
        timeouts: TimeoutSettings { total: timeouts.total.or(total), ..timeouts },
        rules: rules::read(&mut section, reader),
        conditional: rules::conditional(&mut section, reader),
        models: section.section("models", reader).map(|section| models(&section, reader)).unwrap_or_default(),
    };
    section.close(reader);
    settings
}

/// `wire`, or LLM-Bridge's `adapter`; and whether there is an `adapter`.
fn wire(section: &mut Section<'_>, reader: &mut Reader<'_>) -> (bool, Option<WireId>) {
    const WANTED: &str = "openai_chat, openai_responses, anthropic_messages, gemini or ollama_chat";
    let adapter = section.value("adapter", reader, text);
    let line = section.line_of("adapter");
    let wire = section.value("wire", reader, |node| WireId::from_name(&text(node)?).ok_or(WANTED));
    match (wire, adapter.as_deref()) {
        (Some(wire), adapter) => (adapter.is_some(), Some(wire)),
        (None, None) => (false, None),
        (None, Some("openai")) => (true, Some(WireId::OpenAiChat)),
        (None, Some("anthropic" | "claude")) => (true, Some(WireId::AnthropicMessages)),
        (None, Some("gemini")) => (true, Some(WireId::Gemini)),
        (None, Some(_)) => {
            let path = section.path_of("adapter");
            reader.invalid(line, format_args!("{path} must be openai, anthropic or gemini"));
            (true, None)
        }
    }
}

/// `auth: none`, or the header that carries the key.
fn auth(section: &mut Section<'_>, reader: &mut Reader<'_>) -> (bool, Option<Auth>) {
    let Some(node) = section.take("auth") else { return (false, None) };
    if matches!(&node.value, Value::Text(text) if text == "none") {
        return (true, None);
    }
    let mut auth = Section::open(section.path_of("auth"), node, reader);
    let header = auth.value("header", reader, |node| {
        let name = text(node)?.to_lowercase();
        http::HeaderName::from_bytes(name.as_bytes()).map(|_| name).map_err(|_| "the name of a header")
    });
    // As written: the space after `Bearer` counts.
    let prefix = auth.value("prefix", reader, |node| match &node.value {
        Value::Text(text) => Ok(text.clone()),
        _ => Err("text"),
    });
    auth.close(reader);
    let auth = header.map(|header| Auth { header, prefix: prefix.unwrap_or_default(), required: true });
    (false, auth)
}

/// A reference to a variable that is not set leaves the provider without a key; the others are not to suffer.
fn key(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<Secret> {
    let key = section.secret("api_key", reader)?;
    let line = section.line_of("api_key");
    key.map_err(|why| reader.warn(line, format_args!("{}: {why}", section.path_of("api_key")))).ok()
}

fn headers(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let Some(section) = section.section("headers", reader) else { return Vec::new() };
    let mut headers = Vec::new();
    for (key, node) in section.entries() {
        let name = http::HeaderName::from_bytes(key.name.as_bytes());
        let value = text(node).ok().filter(|value| http::HeaderValue::from_str(value).is_ok());
        match (name, value) {
            (Ok(name), Some(value)) => headers.push((name.as_str().to_owned(), value)),
            _ => reader.invalid(key.line, format_args!("{} is not a header", section.path_of(&key.name))),
        }
    }
    headers
}

fn discover(node: &Node) -> Result<Discover, &'static str> {
    match node.value {
        Value::Bool(true) => Ok(Discover::On),
        Value::Bool(false) => Ok(Discover::Off),
        _ => duration(node).map(Discover::Every).map_err(|_| "true, false, or how often, as 5m"),
    }
}

fn timeouts(mut section: Section<'_>, reader: &mut Reader<'_>) -> TimeoutSettings {
    let timeouts = TimeoutSettings {
        connect: section.duration("connect", reader),
        head: section.duration("head", reader),
        idle: section.duration("idle", reader),
        total: section.duration("total", reader),
    };
    section.close(reader);
    timeouts
}

fn models(section: &Section<'_>, reader: &mut Reader<'_>) -> Vec<ModelSettings> {
    let mut models = Vec::new();
    for (key, node) in section.entries() {
        let entry = Section::open(section.path_of(&key.name), node, reader);
        models.push(model(&key.name, entry, reader));
    }
    models
}

fn model(id: &str, mut section: Section<'_>, reader: &mut Reader<'_>) -> ModelSettings {
    let settings = ModelSettings {
        id: id.to_owned(),
        name: section.text("name", reader),
        max_tokens: section.count("max_tokens", reader),
        timeout: section.duration("timeout", reader),
        strict_translation: section.flag("strict_translation", reader),
        context: section.count("context", reader),
        rate: section.section("price", reader).map(|section| prices::rate(section, reader)),
        rules: rules::read(&mut section, reader),
    };
    section.close(reader);
    settings
}
