//! `llm-gateway config`: whether it is valid, what holds and who says so, and what can be written.

mod sample;

use std::fmt::Write;

use clap::{Args, Subcommand};
use sample::Sample;
use serde::Serialize;

use super::local::print_json;
use super::status::found;
use super::{CommonArgs, say};
use crate::config::{self, Shown, Warning};
use crate::exit::Failure;
use crate::startup;

/// `config`
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read everything that `serve` would read, report every error, and show what parameter rules do.
    Check(CheckArgs),
    /// Print every value that holds.
    Show(ShowArgs),
    /// Print the JSON Schema of the file, by which editors complete and check it.
    Schema,
}

/// `config check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
    /// Print JSON, also of what is wrong.
    #[arg(long)]
    pub json: bool,
}

/// `config show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
    /// Say where each value comes from: file and line, variable, flag or default.
    #[arg(long)]
    pub origin: bool,
    /// Print a JSON list of keys, values and origins.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check(args) => check(args),
        Command::Show(args) => show(args),
        Command::Schema => say(config::SCHEMA),
    }
}

/// What `config check --json` prints.
#[derive(Default, Serialize)]
struct Verdict {
    valid: bool,
    /// One sentence for each thing that is wrong, with file and line where it stands in a file.
    errors: Vec<String>,
    warnings: Vec<String>,
    rules: Vec<Sample>,
}

fn read(args: &CommonArgs) -> Result<config::Config, Failure> {
    startup::configuration(&config::Flags { config: args.config.clone(), ..config::Flags::default() })
}

fn check(args: &CheckArgs) -> Result<(), Failure> {
    let config = match read(&args.common) {
        Err(failure) if args.json => {
            let errors = failure.message.lines().map(str::to_owned).collect();
            print_json(&Verdict { errors, ..Verdict::default() })?;
            return Err(failure);
        }
        read => read?,
    };
    let (snapshot, warnings) = config::build_snapshot(&config);
    let rules = sample::samples(&config, &snapshot);
    if args.json {
        let warnings = warnings.iter().map(Warning::to_string).collect();
        return print_json(&Verdict { valid: true, warnings, rules, ..Verdict::default() });
    }
    let warnings: String = warnings.iter().map(|warning| format!("  warning     {warning}\n")).collect();
    let rules: String = rules.iter().map(Sample::to_string).collect();
    say(&format!("{}{warnings}{rules}The configuration is valid.\n", found(&config)))
}

fn show(args: &ShowArgs) -> Result<(), Failure> {
    let config = read(&args.common)?;
    let working_dir = std::env::current_dir().map_err(|error| Failure::new(74, error))?;
    let shown = config::show(&config, &|name| std::env::var(name).ok(), &working_dir);
    if args.json {
        let text = serde_json::to_string_pretty(&shown).map_err(|error| Failure::new(1, error))?;
        return say(&format!("{text}\n"));
    }
    say(&lines(&shown, args.origin))
}

fn lines(shown: &[Shown], with_origin: bool) -> String {
    let key_width = shown.iter().map(|shown| shown.key.len()).max().unwrap_or_default();
    let value_width = shown.iter().map(|shown| shown.value.len()).max().unwrap_or_default().min(48);
    let mut text = String::new();
    for Shown { key, value, origin } in shown {
        // Writing to a String cannot fail.
        let _ = match with_origin {
            true => writeln!(text, "{key:key_width$}  {value:value_width$}  {origin}"),
            false => writeln!(text, "{key:key_width$}  {value}"),
        };
    }
    text
}
