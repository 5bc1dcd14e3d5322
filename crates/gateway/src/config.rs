//! Configuration: defaults, then one YAML file, then the environment, then flags - each wins over the one before.
//!
//! [`load`] reads all of it and reports every mistake at once; [`build_snapshot`] makes of it, and of the catalogue,
//! what requests are planned on. The environment is passed in. Nothing is sent anywhere, and nothing is written.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use policy::{ConditionalRules, DemoRole, Route};
use store::Secret;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use upstream::CertificateDer;
use wire::generate::MAX_PROMPT;

use crate::catalog::Catalogue;
use crate::egress::Egresses;

mod discovery;
mod door;
pub(crate) mod dotenv;
mod egress;
mod endpoint;
mod environment;
mod file;
mod places;
mod report;
mod responses;
mod section;
mod show;
mod snapshot;
mod sources;
pub(crate) mod tree;
mod units;
mod upstreams;

pub use door::AccessKey;
pub use environment::Lookup;
pub use report::{ConfigError, Warning};
pub use responses::StoredResponses;
pub use show::{Origin, Shown, show};
pub use snapshot::build_snapshot;
pub use sources::Sources;

use environment::Environment;
use file::{OwnPrice, ServerSettings, Settings};
use places::Places;
use report::Report;
use upstreams::Upstreams;

/// The JSON Schema of the file.
pub const SCHEMA: &str = include_str!("config/schema.json");

const PORT: u16 = 3456;
const BODY_LIMIT: usize = 32 * 1024 * 1024;
const IN_FLIGHT: u64 = 4096;

/// Everything that can be configured, merged and checked.
#[derive(Debug)]
pub struct Config {
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// What the command line said.
    pub flags: Flags,
    /// Everything that was read, the file among it.
    pub sources: Sources,
    /// Address to listen at.
    pub host: IpAddr,
    #[allow(missing_docs)]
    pub port: u16,
    /// May do everything; at least 32 characters.
    pub auth_token: Option<Secret>,
    /// May call models.
    pub access_keys: Vec<AccessKey>,
    /// Web pages that may read answers: origins, or `*`. Empty: the default of the door.
    pub cors_origins: Vec<String>,
    /// `Host` headers that are answered beside the obvious ones.
    pub allowed_hosts: Vec<String>,
    /// Bytes of a request's body, at most.
    pub body_limit: usize,
    /// Characters of a prompt at `/v1/generate`, at most.
    pub prompt_limit: usize,
    /// Requests at the same time, at most.
    pub in_flight: usize,
    /// Whether `x_gateway` is written into whole chat answers.
    pub annotate: bool,
    /// What is kept of answers.
    pub responses: StoredResponses,
    /// Where database and master key live.
    pub data_dir: PathBuf,
    /// The database, where it is not in `data_dir`.
    pub db_path: Option<PathBuf>,
    /// A filter for the log, as `info`.
    pub log: String,
    /// Keys from environment and file, by provider id; used, never stored.
    pub provider_keys: HashMap<String, Secret>,
    /// Certificates that are trusted beside the system's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    master_key: Option<Secret>,
    /// Whether circuit breakers open at all.
    pub breakers: bool,
    demo: DemoRole,
    upstreams: Upstreams,
    aliases: Vec<(String, String)>,
    routes: Vec<Route>,
    rules: Vec<ConditionalRules>,
    prices: Vec<OwnPrice>,
    warnings: Vec<Warning>,
    places: Places,
}

/// What the command line says.
#[derive(Debug, Default, Clone)]
pub struct Flags {
    /// The file.
    pub config: Option<PathBuf>,
    /// An IP address or `localhost`.
    pub host: Option<String>,
    #[allow(missing_docs)]
    pub port: Option<u16>,
    /// The demonstration takes part beside real providers.
    pub demo: bool,
    /// A file in the working directory is not ours: it is what is to be imported.
    pub no_local_file: bool,
}

impl Config {
    /// The master key, if it is given and not kept in a file of the data directory. A copy, to be handed to the vault.
    pub fn master_key(&self) -> Option<Secret> {
        self.master_key.as_ref().map(|key| Secret::new(key.expose().to_owned()))
    }

    /// The file of the database.
    pub fn database(&self) -> PathBuf {
        self.db_path.clone().unwrap_or_else(|| self.data_dir.join("vault.db"))
    }

    /// Whether the master key is given.
    pub fn has_master_key(&self) -> bool {
        self.master_key.is_some()
    }

    /// How every provider is reached.
    pub fn egresses(&self) -> Egresses {
        self.upstreams.all.iter().map(|upstream| (upstream.id.clone(), upstream.egress.clone())).collect()
    }

    /// What the operator should know.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// Reads file, environment and flags.
///
/// # Errors
/// All that is wrong, a line each: with exit code 3 when a value is invalid, 78 when the gateway refuses to run like this.
pub fn load(flags: &Flags, env: Lookup<'_>, working_dir: &Path) -> Result<Config, ConfigError> {
    let mut report = Report::default();
    let environment = Environment::new(env, working_dir, &mut report);
    let file = file::find(flags, &environment);
    let settings =
        file.as_deref().map(|path| file::read(path, &environment, &mut report)).unwrap_or_default();
    let mut config = assemble(flags, &environment, settings, file, &mut report);
    config.sources = environment.sources();
    config.places = report.places.clone();
    match report.finish() {
        Ok(warnings) => Ok(Config { warnings, ..config }),
        Err(error) => Err(error.with(config.sources)),
    }
}

fn assemble(
    flags: &Flags,
    environment: &Environment<'_>,
    settings: Settings,
    file: Option<PathBuf>,
    report: &mut Report,
) -> Config {
    let server = settings.server;
    let host = host(flags, environment, &server, report);
    let port = flags.port.or_else(|| port(environment, report)).or(server.port).unwrap_or(PORT);
    let token = environment.secret("LLM_GATEWAY_AUTH_TOKEN", report).or(server.auth_token);
    let has_token = token.is_some();
    let keys = environment.secret("ACCESS_API_KEYS", report);
    let access_keys = door::access_keys(keys.as_ref(), report);
    door::check_openness(environment, host, (has_token, !access_keys.is_empty()), report);
    let mut upstreams = Upstreams {
        default_provider: settings.default_provider,
        order: settings.order,
        ..Upstreams::default()
    };
    let (sections, catalogue) = (settings.providers, Catalogue::embedded());
    let provider_keys = upstreams.gather(sections, &settings.proxy, port, environment, catalogue, report);
    Config {
        file,
        flags: flags.clone(),
        sources: Sources::default(),
        host,
        port,
        auth_token: door::token(token, report),
        access_keys,
        cors_origins: cors_origins(environment, server.cors_origins, report),
        allowed_hosts: server.allowed_hosts.unwrap_or_default(),
        body_limit: server.max_body.unwrap_or(BODY_LIMIT),
        prompt_limit: server
            .max_prompt
            .map_or(MAX_PROMPT, |most| usize::try_from(most).unwrap_or(usize::MAX)),
        in_flight: usize::try_from(server.max_in_flight.unwrap_or(IN_FLIGHT)).unwrap_or(usize::MAX),
        annotate: server.x_gateway.unwrap_or(true),
        responses: settings.responses,
        data_dir: data_dir(environment, settings.data_dir, report),
        db_path: environment
            .text("LLM_GATEWAY_DB_PATH")
            .or(settings.db_path)
            .map(|path| environment.path(&path)),
        log: log(environment, settings.log_level, report),
        provider_keys,
        extra_roots: extra_roots(environment, settings.ca_file.as_deref(), report),
        master_key: environment.secret("LLM_GATEWAY_MASTER_KEY", report),
        breakers: breakers(environment, report),
        demo: if flags.demo { DemoRole::Always } else { DemoRole::WhenAlone },
        upstreams,
        aliases: settings.aliases,
        routes: settings.routes,
        rules: settings.rules,
        prices: settings.prices,
        warnings: Vec::new(),
        places: Places::default(),
    }
}

fn host(
    flags: &Flags,
    environment: &Environment<'_>,
    server: &ServerSettings,
    report: &mut Report,
) -> IpAddr {
    let places = [
        ("--host", flags.host.clone()),
        ("LLM_GATEWAY_HOST", environment.text("LLM_GATEWAY_HOST")),
        ("server.host", server.host.clone()),
    ];
    let found = places.into_iter().find_map(|(place, text)| Some((place, text?)));
    let Some((place, text)) = found else { return IpAddr::from([127, 0, 0, 1]) };
    door::host(&text).unwrap_or_else(|wanted| {
        report.invalid_of(place, format!("{place}: '{text}' must be {wanted}"));
        IpAddr::from([127, 0, 0, 1])
    })
}

/// mcp-llm-bridge's switch.
fn breakers(environment: &Environment<'_>, report: &mut Report) -> bool {
    const NAME: &str = "LLM_GATEWAY_CIRCUIT_BREAKER_ENABLED";
    match environment.text(NAME).map(|text| text.to_ascii_lowercase()).as_deref() {
        None | Some("true" | "1") => true,
        Some("false" | "0") => false,
        Some(_) => {
            report.invalid(format!("{NAME} must be true or false"));
            true
        }
    }
}

fn port(environment: &Environment<'_>, report: &mut Report) -> Option<u16> {
    let text = environment.text("LLM_GATEWAY_PORT")?;
    let port = text.parse();
    port.map_err(|_| report.invalid(format!("LLM_GATEWAY_PORT: '{text}' is not a port, 0 to 65535"))).ok()
}

fn cors_origins(
    environment: &Environment<'_>,
    file: Option<Vec<String>>,
    report: &mut Report,
) -> Vec<String> {
    let listed = environment.text("LLM_GATEWAY_CORS_ORIGINS").map(|text| {
        text.split(',').map(|origin| origin.trim().to_owned()).filter(|origin| !origin.is_empty()).collect()
    });
    let origins: Vec<String> = listed.or(file).unwrap_or_default();
    for origin in origins.iter().filter(|origin| !door::is_origin(origin)) {
        report.invalid_of(
            "server.cors_origins",
            format!("CORS origin '{origin}' must be * or like https://app.example.com"),
        );
    }
    origins
}

/// The certificates of `ca_file`.
fn extra_roots(
    environment: &Environment<'_>,
    file: Option<&str>,
    report: &mut Report,
) -> Vec<CertificateDer<'static>> {
    let Some(file) = file else { return Vec::new() };
    let read = std::fs::read(environment.path(file)).map_err(|error| format!("cannot be read: {error}"));
    read.and_then(|pem| upstream::certificates(&pem)).unwrap_or_else(|why| {
        report.invalid(format!("ca_file: {file} {why}"));
        Vec::new()
    })
}

fn data_dir(environment: &Environment<'_>, file: Option<String>, report: &mut Report) -> PathBuf {
    let named = environment.text("LLM_GATEWAY_DATA_DIR").or(file);
    let named = named.or_else(|| environment.text("HOME").map(|home| format!("{home}/.llm-gateway")));
    named.map(|path| environment.path(&path)).unwrap_or_else(|| {
        report.invalid("there is no home directory to keep data in: set LLM_GATEWAY_DATA_DIR");
        PathBuf::new()
    })
}

/// `LOG_LEVEL` is mcp-llm-bridge's name for it. Many programs read that one, so it may say what we do not know.
fn log(environment: &Environment<'_>, file: Option<String>, report: &mut Report) -> String {
    const WANTED: &str =
        "must be a level (off, error, warn, info, debug, trace) or a filter such as gateway=debug";
    let own = environment.text("LLM_GATEWAY_LOG").map(|text| log_filter(&text));
    let shared = environment.text("LOG_LEVEL").map(|text| log_filter(&text));
    match (own, shared) {
        (Some(Some(filter)), _) | (None, Some(Some(filter))) => return filter,
        (Some(None), _) => report.invalid(format!("LLM_GATEWAY_LOG {WANTED}")),
        (None, Some(None)) => report.warn(format!("LOG_LEVEL {WANTED}; it is left aside")),
        (None, None) => {}
    }
    file.unwrap_or_else(|| "info".to_owned())
}

/// As `tracing` reads it. A single word has to be a level: `tracing` would take any other for the name of a module.
fn log_filter(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let filter = match text.as_str() {
        "warning" => "warn",
        "fatal" => "error",
        "silent" => "off",
        other => other,
    };
    let is_filter = match filter.contains(['=', ',']) {
        true => EnvFilter::try_new(filter).is_ok(),
        false => filter.parse::<LevelFilter>().is_ok(),
    };
    is_filter.then(|| filter.to_owned())
}
