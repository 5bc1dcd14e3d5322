//! Every value in force and where it comes from: `config show`.

use std::fmt;
use std::path::Path;

use serde::{Serialize, Serializer};

use super::environment::{Environment, Lookup};
use super::places::{MASKED, without_password};
use super::report::Report;
use super::{Config, Flags};

/// One value.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Its name in the file.
    pub key: String,
    /// Masked, where it is a secret.
    pub value: String,
    #[allow(missing_docs)]
    pub origin: Origin,
}

/// Who says so.
#[derive(Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// The file and the line.
    File(String, u64),
    /// A variable, and whether it stands in `.env`.
    Variable(String, bool),
    /// The command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(file, line) => write!(f, "{file}:{line}"),
            Origin::Variable(name, true) => write!(f, "{name} in .env"),
            Origin::Variable(name, false) => f.write_str(name),
            Origin::Flag(name) => f.write_str(name),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A setting that has a value whether or not the file names it.
struct Setting {
    key: &'static str,
    flag: Option<Flag>,
    /// The first that is set counts.
    variables: &'static [&'static str],
    value: fn(&Config) -> String,
}

/// Its name, and whether the command line has it.
type Flag = (&'static str, fn(&Flags) -> bool);

const fn row(key: &'static str, variables: &'static [&'static str], value: fn(&Config) -> String) -> Setting {
    Setting { key, flag: None, variables, value }
}

impl Setting {
    const fn with_flag(self, name: &'static str, is_said: fn(&Flags) -> bool) -> Self {
        Self { flag: Some((name, is_said)), ..self }
    }
}

static SETTINGS: [Setting; 17] = [
    row("server.host", &["LLM_GATEWAY_HOST"], |config| config.host.to_string())
        .with_flag("--host", |flags| flags.host.is_some()),
    row("server.port", &["LLM_GATEWAY_PORT"], |config| config.port.to_string())
        .with_flag("--port", |flags| flags.port.is_some()),
    row("server.auth_token", &["LLM_GATEWAY_AUTH_TOKEN"], |config| secret(config.auth_token.is_some())),
    row("ACCESS_API_KEYS", &["ACCESS_API_KEYS"], |config| format!("{} keys", config.access_keys.len())),
    row("server.cors_origins", &["LLM_GATEWAY_CORS_ORIGINS"], |config| list(&config.cors_origins)),
    row("server.allowed_hosts", &[], |config| list(&config.allowed_hosts)),
    row("server.max_body", &[], |config| config.body_limit.to_string()),
    row("server.max_prompt", &[], |config| config.prompt_limit.to_string()),
    row("server.max_in_flight", &[], |config| config.in_flight.to_string()),
    row("server.x_gateway", &[], |config| config.annotate.to_string()),
    row("responses.store", &[], |config| config.responses.store.to_string()),
    row("responses.retention", &[], |config| format!("{}s", config.responses.retention.as_secs_f64())),
    row("responses.max_bytes", &[], |config| config.responses.max_bytes.to_string()),
    row("data_dir", &["LLM_GATEWAY_DATA_DIR"], |config| config.data_dir.display().to_string()),
    row("db_path", &["LLM_GATEWAY_DB_PATH"], |config| config.database().display().to_string()),
    row("logging.level", &["LLM_GATEWAY_LOG", "LOG_LEVEL"], |config| config.log.clone()),
    row("LLM_GATEWAY_MASTER_KEY", &["LLM_GATEWAY_MASTER_KEY"], |config| secret(config.has_master_key())),
];

fn secret(is_set: bool) -> String {
    if is_set { MASKED.to_owned() } else { "none".to_owned() }
}

fn list(items: &[String]) -> String {
    serde_json::json!(items).to_string()
}

/// All values: those that are always there, then the rest of the file, then what the environment says of providers.
pub fn show(config: &Config, env: Lookup<'_>, working_dir: &Path) -> Vec<Shown> {
    let environment = Environment::new(env, working_dir, &mut Report::default());
    let always = SETTINGS.iter().map(|setting| Shown {
        key: setting.key.to_owned(),
        value: (setting.value)(config),
        origin: origin(setting, config, &environment),
    });
    let of_providers = of_providers(config, &environment);
    let said_elsewhere = |key: &str| {
        SETTINGS.iter().any(|setting| setting.key == key) || of_providers.iter().any(|shown| shown.key == key)
    };
    let of_file = config.places.all.iter().filter(|place| !said_elsewhere(&place.path)).filter_map(|place| {
        let origin = Origin::File(config.places.file.clone(), place.line);
        Some(Shown { key: place.path.clone(), value: place.value.clone()?, origin })
    });
    let mut shown: Vec<Shown> = always.chain(of_file).collect();
    shown.extend(of_providers);
    shown
}

fn origin(setting: &Setting, config: &Config, environment: &Environment<'_>) -> Origin {
    if let Some((name, _)) = setting.flag.filter(|(_, is_said)| is_said(&config.flags)) {
        return Origin::Flag(name);
    }
    let variable = setting.variables.iter().find_map(|name| variable(environment, name));
    let in_file = || {
        let line = config.places.line(setting.key)?;
        Some(Origin::File(config.places.file.clone(), line))
    };
    variable.or_else(in_file).unwrap_or(Origin::Default)
}

/// The variable, or the one that names a file with its value.
fn variable(environment: &Environment<'_>, name: &str) -> Option<Origin> {
    let names = [name.to_owned(), format!("{name}_FILE")];
    names.into_iter().find_map(|name| {
        environment.text(&name)?;
        let in_dotenv = environment.is_of_dotenv(&name);
        Some(Origin::Variable(name, in_dotenv))
    })
}

/// Keys and addresses of providers in the environment, which win over the file's.
fn of_providers(config: &Config, environment: &Environment<'_>) -> Vec<Shown> {
    let mut shown = Vec::new();
    for upstream in &config.upstreams.all {
        let section = upstream.settings.as_ref().map_or(&upstream.id, |settings| &settings.section);
        for (field, ending) in [("base_url", "BASE_URL"), ("api_key", "API_KEY")] {
            let found = upstream.prefixes().into_iter().find_map(|prefix| {
                let name = format!("{prefix}_{ending}");
                Some((variable(environment, &name)?, environment.text(&name)))
            });
            let Some((origin, text)) = found else { continue };
            let value = match text {
                Some(text) if field == "base_url" => without_password(&text),
                _ => MASKED.to_owned(),
            };
            shown.push(Shown { key: format!("providers.{section}.{field}"), value, origin });
        }
    }
    shown
}
