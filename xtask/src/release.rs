//! `cargo xtask release`: the gateway compiled by a profile of what runs; see "Compiled by a profile" in bench/README.md.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::{Place, shell};

/// How a release is built.
#[derive(Args)]
pub(crate) struct Options {
    /// Builds a gateway that counts what it runs, and writes that to this directory when it ends
    #[arg(long, value_name = "DIR")]
    count: Option<PathBuf>,
}

/// Builds the gateway into a folder of its own, since everything is compiled anew. `RUSTFLAGS` of the environment do not hold
/// for it.
pub(crate) fn run(place: &Place, options: &Options) -> Result<bool> {
    let (folder, flags) = match &options.count {
        Some(counts) => {
            ("counting", vec![format!("-Cprofile-generate={}", std::path::absolute(counts)?.display())])
        }
        None => ("profiled", by_profile(&place.root.join("pgo"))?),
    };
    let built = place.target.join(folder);
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--package", "llm-gateway", "--target-dir"]).arg(&built);
    build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}")).current_dir(&place.root);
    let passes = shell::passes(&mut build)?;
    if passes {
        println!("{}", built.join("release/llm-gateway").display());
    }
    Ok(passes)
}

/// Flags for a build by the profile, which another compiler may not be able to read, and whose names for functions would not
/// fit.
fn by_profile(folder: &Path) -> Result<Vec<String>> {
    let made_with = folder.join("compiler");
    let made_with = fs::read_to_string(&made_with).with_context(|| made_with.display().to_string())?;
    let ours = shell::output(Command::new("rustc").arg("-vV"))?;
    ensure!(
        ours == made_with,
        "the profile was made with another compiler:\n{made_with}but this is\n{ours}Make it anew with bench/pgo.py, or build \
         without it: cargo build --release"
    );
    // What has changed since is compiled as if there were no profile: nothing to warn of.
    Ok(vec![
        format!("-Cprofile-use={}", folder.join("llm-gateway.profdata").display()),
        "-Cllvm-args=-no-pgo-warn-mismatch".to_owned(),
    ])
}
