//! `llm-gateway models`: what can be asked for, and what is known of it. Models that servers list themselves are known to a
//! running gateway only.

use clap::Subcommand;
use policy::{Access, Money};
use serde::Serialize;

use super::local::{print, print_json, with_app};
use super::providers::View;
use super::say;
use crate::exit::Failure;
use crate::manage::models::{self, Listed};

/// `models`
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the models of the providers that have a key.
    List(View),
    /// Print what is known of one model, listed or not.
    Show(ShowArgs),
}

/// `models show`
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// Model, as in a request: an id, or provider/model.
    pub model: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub view: View,
}

/// One model; what is not known is null.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: String,
    name: String,
    provider: String,
    /// What goes upstream.
    sent_as: String,
    /// Tokens of prompt and answer together.
    context: Option<u64>,
    /// Tokens of one answer.
    max_tokens: Option<u64>,
    /// Of requests of ordinary length.
    input_usd_per_million: Option<String>,
    output_usd_per_million: Option<String>,
    price_source: Option<String>,
}

impl Row {
    const HEAD: [&str; 6] = ["ID", "PROVIDER", "CONTEXT", "MAX TOKENS", "IN USD/M", "OUT USD/M"];

    fn of(listed: &Listed) -> Self {
        let model = &listed.model;
        let prices = model.rate.as_ref().map(|rate| rate.base).unwrap_or_default();
        Self {
            id: listed.id.clone(),
            name: model.name.clone(),
            provider: listed.provider.id.to_string(),
            sent_as: model.sent_as().to_string(),
            context: model.context,
            max_tokens: model.max_tokens.or(model.max_output),
            input_usd_per_million: prices.input.and_then(for_a_million),
            output_usd_per_million: prices.output.and_then(for_a_million),
            price_source: model.price_source.as_deref().map(str::to_owned),
        }
    }

    fn line(&self) -> Vec<String> {
        let count = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let (context, most) = (count(self.context), count(self.max_tokens));
        let (input, output) = (text(&self.input_usd_per_million), text(&self.output_usd_per_million));
        vec![self.id.clone(), self.provider.clone(), context, most, input, output]
    }
}

/// Dollars for a million tokens, from picodollars for one; without the zeros at the end.
fn for_a_million(picos: u64) -> Option<String> {
    let dollars = Money::from_picos(i128::from(picos) * 1_000_000)?.to_string();
    Some(dollars.trim_end_matches('0').trim_end_matches('.').to_owned())
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List(view) => list(view),
        Command::Show(args) => show(args),
    }
}

fn list(view: &View) -> Result<(), Failure> {
    with_app(&view.common, async |app| {
        let found = models::available(&app.world(), &view.project, &Access::default());
        let rows: Vec<Row> = found.iter().map(Row::of).collect();
        print(view.json, &rows, &Row::HEAD, Row::line)
    })
}

fn show(args: &ShowArgs) -> Result<(), Failure> {
    let ShowArgs { model, view } = args;
    let row = with_app(&view.common, async |app| {
        Ok(Row::of(&models::one(&app.world(), model, &view.project, &Access::default())?))
    })?;
    if view.json {
        return print_json(&row);
    }
    let source = row.price_source.as_deref().unwrap_or("not known");
    let values = [row.line(), vec![row.name.clone(), row.sent_as.clone(), source.to_owned()]].concat();
    let heads = Row::HEAD.into_iter().chain(["NAME", "SENT AS", "PRICES FROM"]);
    say(&heads.zip(values).map(|(head, value)| format!("{head:<12}{value}\n")).collect::<String>())
}
