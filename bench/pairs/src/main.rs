//! What translation costs: instructions of each ordered pair of dialects, a whole exchange and a streamed chunk, beside
//! what carrying costs.
//!
//! `pairs` runs itself under callgrind, with some rounds and with none: the difference is what the rounds took, to the
//! instruction, however busy the machine is. `pairs measure` is one such run.

mod samples;
mod work;

use std::path::Path;
use std::process::Command;

use self::samples::{DIALECTS, Dialect, Samples};
use anyhow::{Context, bail, ensure};

/// Rounds under callgrind: the first one warms nothing up that instructions would show.
const ROUNDS: u32 = 20;

/// One pair, so many times, and no word about it.
struct Measure {
    client: Dialect,
    provider: Dialect,
    what: What,
    rounds: u32,
}

/// What passes between a client and a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// A request there and a whole answer back.
    Whole,
    /// A streamed answer.
    Stream,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            What::Whole => "whole",
            What::Stream => "stream",
        }
    }
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => tables(),
        ["measure", client, provider, what, rounds] => work(&Measure {
            client: Dialect::named(client)?,
            provider: Dialect::named(provider)?,
            what: if *what == What::Whole.name() { What::Whole } else { What::Stream },
            rounds: rounds.parse()?,
        }),
        _ => bail!("usage: pairs, or pairs measure CLIENT PROVIDER whole|stream ROUNDS"),
    }
}

fn work(measure: &Measure) -> anyhow::Result<()> {
    let samples = Samples::of(measure.client, measure.provider)?;
    for _ in 0..measure.rounds {
        match measure.what {
            What::Whole => work::whole(measure.client, measure.provider, &samples)?,
            What::Stream => work::stream(measure.client, measure.provider, &samples)?,
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the tables are what this program makes")]
fn tables() -> anyhow::Result<()> {
    println!("A whole exchange: instructions, and times what carrying costs the client.\n");
    println!("{}", table(What::Whole, 1)?);
    println!("A streamed chunk: the same.\n");
    println!("{}", table(What::Stream, samples::CHUNKS)?);
    Ok(())
}

/// Clients down, providers across; `parts` is what a round is divided by.
fn table(what: What, parts: u64) -> anyhow::Result<String> {
    let names = DIALECTS.map(|dialect| dialect.title).join(" | ");
    let mut table =
        format!("| client \\ provider | {names} |\n| --- |{}\n", " ---: |".repeat(DIALECTS.len()));
    for client in DIALECTS {
        let costs = DIALECTS
            .iter()
            .map(|provider| cost(client, *provider, what).map(|cost| cost / parts))
            .collect::<anyhow::Result<Vec<u64>>>()?;
        let carried = DIALECTS.iter().zip(&costs).find(|(provider, _)| provider.title == client.title);
        let carried = *carried.context("a dialect is one of them")?.1;
        let cells: Vec<String> = costs.iter().map(|cost| cell(*cost, carried)).collect();
        table.push_str(&format!("| {} | {} |\n", client.title, cells.join(" | ")));
    }
    Ok(table)
}

/// Instructions with commas between thousands, and the ratio.
fn cell(cost: u64, carried: u64) -> String {
    let digits = cost.to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let ratio = cost as f64 / carried.max(1) as f64;
    if cost == carried { text } else { format!("{text} ({ratio:.1})") }
}

/// Instructions of one round.
fn cost(client: Dialect, provider: Dialect, what: What) -> anyhow::Result<u64> {
    let own = std::env::current_exe()?;
    let with = counted(&own, client, provider, what, ROUNDS)?;
    let without = counted(&own, client, provider, what, 0)?;
    Ok(with.saturating_sub(without) / u64::from(ROUNDS))
}

fn counted(own: &Path, client: Dialect, provider: Dialect, what: What, rounds: u32) -> anyhow::Result<u64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(own).arg("measure");
    command.args([client.surface.name(), provider.wire.name(), what.name(), &rounds.to_string()]);
    let run = command.output().context("valgrind cannot be run")?;
    let said = String::from_utf8_lossy(&run.stderr);
    ensure!(run.status.success(), "{} to {}: {said}", client.title, provider.title);
    let Some((_, collected)) = said.split_once("Collected : ") else {
        bail!("callgrind counted nothing: {said}")
    };
    let digits = collected.split_whitespace().next().unwrap_or_default();
    digits.parse().with_context(|| format!("no number: {digits}"))
}
