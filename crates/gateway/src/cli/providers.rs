//! `llm-gateway providers`: who could answer, and why not. What a running gateway has seen of them is its own.

mod probe;

use clap::Subcommand;
use policy::Access;
use store::GLOBAL;

use super::CommonArgs;
use super::local::{print, with_app};
use crate::exit::Failure;
use crate::manage::providers::{Row, rows};

/// `providers`
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List all providers, in order of preference, with what keeps them out.
    List(View),
    /// Ask providers for their lists of models, with each key: are they there, and do they let us in? It costs nothing.
    Test(probe::TestArgs),
}

/// Whose view of what is there, and in which form.
#[derive(Debug, clap::Args)]
pub struct View {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub common: CommonArgs,
    /// Project whose credentials count (default: _global).
    #[arg(long, default_value = GLOBAL, hide_default_value = true)]
    pub project: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List(view) => list(view),
        Command::Test(args) => probe::run(args),
    }
}

fn list(view: &View) -> Result<(), Failure> {
    with_app(&view.common, async |app| {
        let world = app.world();
        let rows = rows(&world, &Access::default(), &view.project);
        print(view.json, &rows, &["ID", "NAME", "TYPE", "AVAILABLE"], line)
    })
}

fn line(row: &Row<'_>) -> Vec<String> {
    let available = row.reason.clone().unwrap_or_else(|| "yes".to_owned());
    vec![row.id.to_owned(), row.name.to_owned(), row.r#type.to_owned(), available]
}
