//! The file: YAML, a superset of LLM-Bridge's. Reads it into settings and reports every mistake; decides nothing.

use std::path::{Path, PathBuf};

use policy::{ConditionalRules, Route};
use store::Secret;

use super::Flags;
use super::environment::Environment;
use super::places::Places;
use super::report::Report;
use super::responses::{self, StoredResponses};
use super::section::{Reader, Section, text};
use super::tree;

mod prices;
mod provider;
mod proxy;
mod routes;
mod rules;

pub(super) use prices::OwnPrice;
pub(super) use provider::{Credential, Discover, ModelSettings, ProviderSettings, TimeoutSettings};
pub(super) use proxy::{GlobalProxy, ProxyChoice};

/// What the file says; `None` and empty where it says nothing.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// In the order of the file.
    pub(super) providers: Vec<ProviderSettings>,
    /// A section that stands in the file, or another provider's name.
    pub(super) default_provider: Option<String>,
    /// Providers that go before all others.
    pub(super) order: Vec<String>,
    /// Alias -> model.
    pub(super) aliases: Vec<(String, String)>,
    pub(super) routes: Vec<Route>,
    /// Rules for targets of all providers.
    pub(super) rules: Vec<ConditionalRules>,
    pub(super) prices: Vec<OwnPrice>,
    pub(super) server: ServerSettings,
    pub(super) responses: StoredResponses,
    pub(super) data_dir: Option<String>,
    pub(super) db_path: Option<String>,
    pub(super) log_level: Option<String>,
    pub(super) proxy: GlobalProxy,
    /// A file of certificates that are trusted beside the system's.
    pub(super) ca_file: Option<String>,
}

/// `server:`
#[derive(Debug, Default)]
pub(super) struct ServerSettings {
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) auth_token: Option<Secret>,
    pub(super) allowed_hosts: Option<Vec<String>>,
    pub(super) cors_origins: Option<Vec<String>>,
    pub(super) max_body: Option<usize>,
    pub(super) max_prompt: Option<u64>,
    pub(super) max_in_flight: Option<u64>,
    pub(super) x_gateway: Option<bool>,
}

/// The file to read: named by flag or variable, else the first that exists.
pub(super) fn find(flags: &Flags, environment: &Environment<'_>) -> Option<PathBuf> {
    let named = flags.config.clone().or_else(|| environment.text("LLM_GATEWAY_CONFIG").map(PathBuf::from));
    if let Some(path) = named {
        let path = environment.path(&path.to_string_lossy());
        environment.note(&path);
        return Some(path);
    }
    let user = environment.text("XDG_CONFIG_HOME").unwrap_or_else(|| "~/.config".to_owned());
    let user = format!("{user}/llm-gateway/config.yaml");
    let local = ["config.yaml", "configs/config.yaml"].into_iter().filter(|_| !flags.no_local_file);
    local
        .chain([user.as_str(), "/etc/llm-gateway/config.yaml"])
        .map(|path| environment.path(path))
        .inspect(|path| environment.note(path))
        .find(|path| path.is_file())
}

/// Reads the file.
pub(super) fn read(path: &Path, environment: &Environment<'_>, report: &mut Report) -> Settings {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&name, &text, environment, report),
        Err(error) => {
            report.invalid(format!("{name} cannot be read: {error}"));
            Settings::default()
        }
    }
}

fn parse(name: &str, text: &str, environment: &Environment<'_>, report: &mut Report) -> Settings {
    let root = match tree::parse(text) {
        Ok(root) => root,
        Err(why) => {
            report.invalid(format!("{name}: {why}"));
            return Settings::default();
        }
    };
    report.places = Places::of(name, &root);
    let reader = &mut Reader { file: name, environment, report };
    let mut top = Section::open("", &root, reader);
    let providers =
        top.section("providers", reader).map(|section| provider::read(&section, reader)).unwrap_or_default();
    let default_provider = top.text("default_provider", reader).or_else(|| first_of_llm_bridge(&providers));
    let settings = Settings {
        default_provider,
        providers,
        order: top.texts("order", reader).unwrap_or_default(),
        aliases: top.section("aliases", reader).map(|section| aliases(&section, reader)).unwrap_or_default(),
        routes: top
            .section("routes", reader)
            .map(|section| routes::read(&section, reader))
            .unwrap_or_default(),
        rules: rules::conditional(&mut top, reader),
        prices: top
            .section("prices", reader)
            .map(|section| prices::read(&section, reader))
            .unwrap_or_default(),
        server: top.section("server", reader).map(|section| server(section, reader)).unwrap_or_default(),
        responses: top
            .section("responses", reader)
            .map(|section| responses::read(section, reader))
            .unwrap_or_default(),
        data_dir: top.text("data_dir", reader),
        db_path: top.text("db_path", reader),
        log_level: top.section("logging", reader).and_then(|section| logging(section, reader)),
        proxy: proxy::global(&mut top, reader),
        ca_file: top.text("ca_file", reader),
    };
    top.close(reader);
    settings
}

/// In LLM-Bridge's file (known by `adapter`, a word of its own) the first section serves models without a prefix.
fn first_of_llm_bridge(providers: &[ProviderSettings]) -> Option<String> {
    providers.first().filter(|first| first.has_adapter).map(|first| first.section.clone())
}

fn aliases(section: &Section<'_>, reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let mut aliases = Vec::new();
    for (key, node) in section.entries() {
        match text(node) {
            Ok(model) => aliases.push((key.name.clone(), model)),
            Err(wanted) => {
                reader.invalid(node.line, format_args!("{} must be {wanted}", section.path_of(&key.name)))
            }
        }
    }
    aliases
}

fn server(mut section: Section<'_>, reader: &mut Reader<'_>) -> ServerSettings {
    let server = ServerSettings {
        host: section.text("host", reader),
        port: section.value("port", reader, |node| match node.value {
            tree::Value::Int(number) => u16::try_from(number).map_err(|_| "a port, 0 to 65535"),
            _ => Err("a port, 0 to 65535"),
        }),
        auth_token: match section.secret("auth_token", reader) {
            Some(Err(why)) => {
                reader.invalid(section.line_of("auth_token"), format_args!("server.auth_token: {why}"));
                None
            }
            token => token.and_then(Result::ok),
        },
        allowed_hosts: section.texts("allowed_hosts", reader),
        cors_origins: section.texts("cors_origins", reader),
        max_body: section.size("max_body", reader),
        max_prompt: section.count("max_prompt", reader),
        max_in_flight: section.count("max_in_flight", reader),
        x_gateway: section.flag("x_gateway", reader),
    };
    section.close(reader);
    server
}

/// Only the level has an effect yet; the rest of LLM-Bridge's section is checked and said to be unused.
fn logging(mut section: Section<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let level = section.value("level", reader, |node| match text(node)?.to_lowercase().as_str() {
        "warning" => Ok("warn".to_owned()),
        "critical" | "fatal" => Ok("error".to_owned()),
        level @ ("trace" | "debug" | "info" | "warn" | "error") => Ok(level.to_owned()),
        _ => Err("debug, info, warning or error"),
    });
    let unused: Vec<&str> =
        ["format", "output", "fields"].into_iter().filter(|key| section.take(key).is_some()).collect();
    if !unused.is_empty() {
        let what = unused.join(", ");
        reader.warn(
            section.line,
            format_args!("logging: {what} not in use yet; the log goes to standard error"),
        );
    }
    section.close(reader);
    level
}
