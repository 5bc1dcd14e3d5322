//! The command line: what can be said, and how commands end.

mod audit;
mod banner;
mod chat;
mod config;
mod doctor;
mod files;
mod import;
mod keys;
mod local;
mod mcp;
mod models;
mod providers;
mod route;
mod serve;
mod status;
mod vault;

use std::ffi::OsString;
use std::io::Write;
use std::net::IpAddr;
use std::num::{NonZero, ParseIntError};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::exit::Failure;

/// One address between your programs and the language models they use.
#[derive(Debug, Parser)]
#[command(
    name = "llm-gateway",
    version,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true
)]
struct Cli {
    /// Print what is there as JSON, when no command is given.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the HTTP API; needs no file and no key.
    Serve(ServeArgs),
    /// Serve the tools of the Model Context Protocol on standard input and output.
    Mcp(McpArgs),
    /// Take over what another gateway keeps; the source is only read.
    Import(ImportArgs),
    /// Stream one answer to the terminal.
    Chat(ChatArgs),
    /// Say who would serve a request, and why.
    Route {
        #[command(subcommand)]
        command: RouteCommand,
    },
    /// Access keys of callers.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Secrets of providers; they are read from a prompt, a file or standard input, never from an argument.
    #[command(subcommand)]
    Vault(vault::Command),
    /// Auth files of command-line programs.
    #[command(subcommand)]
    Files(files::Command),
    /// Who could answer.
    #[command(subcommand)]
    Providers(providers::Command),
    /// What can be asked for.
    #[command(subcommand)]
    Models(models::Command),
    /// Who changed what in the vault.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Look whether everything is as it should be.
    Doctor(doctor::Args),
    /// The configuration: whether it is valid, what holds, what can be written.
    #[command(subcommand)]
    Config(config::Command),
    /// Print the script by which a shell completes the command line.
    Completions {
        #[allow(missing_docs)]
        shell: Shell,
    },
    /// Print the version.
    Version {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum RouteCommand {
    /// Print targets in order with their reasons, and the bodies that would go upstream; nothing is sent.
    Explain(ExplainArgs),
}

/// What every command takes that needs the configuration.
#[derive(Debug, Args, Default)]
pub struct CommonArgs {
    /// Configuration file (default: ./config.yaml and the usual places; none is needed).
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
    /// Address to listen on (default: 127.0.0.1).
    #[arg(long)]
    pub host: Option<IpAddr>,
    /// Port to listen on (default: 3456; 0: any free one).
    #[arg(short, long)]
    pub port: Option<u16>,
    /// Offer the built-in demonstration provider beside the configured ones.
    #[arg(long)]
    pub demo: bool,
    /// Serve the API without the dashboard.
    #[arg(long)]
    pub no_ui: bool,
    /// Runtimes that carry connections (default: one a core).
    #[arg(long, env = "LLM_GATEWAY_WORKERS", value_name = "N", hide_env_values = true, value_parser = at_least_one)]
    pub workers: Option<usize>,
}

/// `mcp`
#[derive(Debug, Args)]
pub struct McpArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
    /// Project of calls that name none (default: _global).
    #[arg(long)]
    pub project: Option<String>,
    /// Leave out the tools that write to the vault.
    #[arg(long)]
    pub read_only: bool,
    /// Serve the HTTP API as well.
    #[arg(long)]
    pub http: bool,
    /// Port of the HTTP API (default: 3456; 0: any free one).
    #[arg(short, long, requires = "http")]
    pub port: Option<u16>,
}

/// `import`
#[derive(Debug, Args)]
pub struct ImportArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
    /// What to import from.
    #[arg(value_enum)]
    pub from: ImportSource,
    /// Its file or directory (default: where it usually is; for env, the environment itself).
    pub source: Option<PathBuf>,
    /// Only say what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// Replace credentials and a configuration file that are here already.
    #[arg(long)]
    pub overwrite: bool,
    /// Where to write the configuration file (default: ~/.config/llm-gateway/config.yaml).
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// What can be imported from.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ImportSource {
    /// The vault of mcp-llm-bridge: vault.db and master.key.
    McpLlmBridge,
    /// LLM-Bridge: .env and config.yaml.
    LlmBridge,
    /// LiteLLM's proxy: config.yaml.
    Litellm,
    /// Keys in environment variables, or in a file of them.
    Env,
}

/// `chat`
#[derive(Debug, Args)]
pub struct ChatArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
    /// Model, as in a request: an id, or provider/model.
    pub model: String,
    /// What to say; read from standard input when absent.
    pub prompt: Vec<String>,
}

/// `route explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
    /// Model, as in a request: an id, a route, or provider/model.
    pub model: String,
    /// Provider, as in a request.
    #[arg(long)]
    pub provider: Option<String>,
    /// Project whose credentials count.
    #[arg(long)]
    pub project: Option<String>,
    /// As a request that wants no fallback.
    #[arg(long)]
    pub strict: bool,
    /// Print everything as JSON, bodies included.
    #[arg(long)]
    pub json: bool,
}

fn at_least_one(text: &str) -> Result<usize, ParseIntError> {
    text.parse().map(NonZero::get)
}

/// Parses the command line, runs one command and turns its end into an exit code.
pub fn run() -> ExitCode {
    match dispatch(Cli::parse_from(words(std::env::args_os().collect()))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nowhere else to say it if standard error is gone.
            let _ = writeln!(std::io::stderr(), "llm-gateway: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

/// Under the name of mcp-llm-bridge, whose clients start it without a command or with `--http` alone, the program is
/// its `mcp` command.
fn words(mut words: Vec<OsString>) -> Vec<OsString> {
    let name = words.first().and_then(|path| Path::new(path).file_stem());
    let is_bridge = name.is_some_and(|name| name == "mcp-llm-bridge");
    let says_flag = words.get(1).is_none_or(|word| word.to_str().is_some_and(|word| word.starts_with('-')));
    let asks_about = words.get(1).is_some_and(|word| ABOUT.iter().any(|flag| word == flag));
    if is_bridge && says_flag && !asks_about {
        words.insert(1, "mcp".into());
    }
    words
}

/// Flags that are about the program as a whole.
const ABOUT: [&str; 4] = ["-h", "--help", "-V", "--version"];

fn dispatch(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        None => status::status(cli.json),
        Some(Command::Serve(args)) => serve::serve(&args),
        Some(Command::Mcp(args)) => mcp::mcp(&args),
        Some(Command::Import(args)) => import::import(&args),
        Some(Command::Chat(args)) => chat::chat(&args),
        Some(Command::Route { command: RouteCommand::Explain(args) }) => route::explain_route(&args),
        Some(Command::Keys(command)) => keys::run(command),
        Some(Command::Vault(command)) => vault::run(command),
        Some(Command::Files(command)) => files::run(command),
        Some(Command::Audit(command)) => audit::run(&command),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Providers(command)) => providers::run(&command),
        Some(Command::Models(command)) => models::run(&command),
        Some(Command::Config(command)) => config::run(&command),
        Some(Command::Completions { shell }) => completions(shell),
        Some(Command::Version { json: true }) => {
            local::print_json(&serde_json::json!({ "version": crate::VERSION }))
        }
        Some(Command::Version { json: false }) => say(&format!("llm-gateway {}\n", crate::VERSION)),
    }
}

fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "llm-gateway", &mut script);
    say(&String::from_utf8_lossy(&script))
}

/// Writes to standard output.
fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::new(74, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> String {
        let words = words(line.split(' ').map(OsString::from).collect());
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn under_the_name_of_mcp_llm_bridge_flags_are_those_of_mcp() {
        assert_eq!(said("/usr/bin/mcp-llm-bridge"), "/usr/bin/mcp-llm-bridge mcp");
        assert_eq!(said("mcp-llm-bridge --http"), "mcp-llm-bridge mcp --http");
        assert_eq!(said("mcp-llm-bridge serve"), "mcp-llm-bridge serve");
        assert_eq!(said("mcp-llm-bridge --version"), "mcp-llm-bridge --version");
        assert_eq!(said("llm-gateway --http"), "llm-gateway --http");
    }
}
