//! The real gateway in front of the scripted upstream, with a fresh home: what a suite in another language is run in.
//!
//! A suite learns the addresses and keys from the environment, and sees nothing else of ours: what it drives reads a
//! good many variables by itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::server::Server;
use crate::Place;
use crate::shell::Finished;

/// The key that callers show; long enough for `LLM_GATEWAY_AUTH_TOKEN`.
const GATEWAY_KEY: &str = "sdk-test-token-0123456789-0123456789";

/// The key that the gateway shows to the upstream, which refuses any other.
const UPSTREAM_KEY: &str = "sdk-test-upstream-key";

/// A gateway with a fresh home, and the upstream behind it.
pub(super) struct House {
    // Ends before the upstream does, and before its folder goes.
    gateway: Server,
    upstream: Server,
    home: Home,
    /// The gateway's, for suites that start one of their own.
    program: PathBuf,
}

impl House {
    /// Runs a suite in a house of its own; if it fails, shows what the gateway said last.
    ///
    /// `UPSTREAM` and `KEY` of the configuration are filled in.
    pub(super) fn with(
        place: &Place,
        config: &str,
        suite: impl FnOnce(&House) -> Result<Finished>,
    ) -> Result<Finished> {
        let house = House::open(place, config)?;
        let finished = suite(&house)?;
        if !finished.ok {
            println!("-- the gateway's last lines:\n{}", house.gateway.last_words().join("\n"));
        }
        Ok(finished)
    }

    fn open(place: &Place, config: &str) -> Result<Self> {
        let upstream = Server::start(Command::new(place.built("fakeprov")).args([
            "--port",
            "0",
            "--key",
            UPSTREAM_KEY,
        ]))?;
        let home = Home::make(place)?;
        let file = home.0.join("config.yaml");
        std::fs::write(&file, config.replace("UPSTREAM", upstream.url()).replace("KEY", UPSTREAM_KEY))
            .context("config.yaml")?;
        let program = place.built("llm-gateway");
        let mut command = Command::new(&program);
        command.args(["serve", "--host", "127.0.0.1", "--port", "0", "--no-ui", "-c"]).arg(&file);
        clean(&mut command, &home.0).env("LLM_GATEWAY_DATA_DIR", home.data());
        let gateway = Server::start(command.env("LLM_GATEWAY_AUTH_TOKEN", GATEWAY_KEY))?;
        Ok(Self { gateway, upstream, home, program })
    }

    /// What a suite needs to know, and nothing else of our environment.
    pub(super) fn introduce<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        clean(command, &self.home.0)
            .env("GATEWAY_URL", self.gateway.url())
            .env("GATEWAY_KEY", GATEWAY_KEY)
            .env("GATEWAY_PROGRAM", &self.program)
            .env("GATEWAY_CONFIG", self.home.0.join("config.yaml"))
            .env("GATEWAY_DATA_DIR", self.home.data())
            .env("GATEWAY_LEDGER", self.home.data().join("vault.db"))
            .env("UPSTREAM_URL", self.upstream.url())
            .env("UPSTREAM_KEY", UPSTREAM_KEY)
    }
}

/// A folder of one run, removed with it.
struct Home(PathBuf);

impl Home {
    fn make(place: &Place) -> Result<Self> {
        let folder = place.target.join(format!("sdk/home-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        Ok(Self(folder))
    }

    /// Where the gateway keeps what lasts.
    fn data(&self) -> PathBuf {
        self.0.join("data")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // What is left behind lies in the target directory, and harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn clean<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("HOME", home).env("NO_COLOR", "1")
}
