//! The unmodified SDKs against the real gateway in front of the scripted upstream.
//!
//! The suites are in `tests/sdk/`; they learn the addresses and keys from the environment, and see nothing else of
//! ours: the SDKs read a good many variables by themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::server::Server;
use super::tools::{self, Node};
use crate::Place;
use crate::report::Report;
use crate::shell::{self, Finished};
use crate::tally::Runner;

const PYTHON: &str = "SDKs for Python";
const NODE: &str = "SDKs for Node";

/// The key that callers show; long enough for `LLM_GATEWAY_AUTH_TOKEN`.
const GATEWAY_KEY: &str = "sdk-test-token-0123456789-0123456789";

/// The key that the gateway shows to the upstream, which refuses any other.
const UPSTREAM_KEY: &str = "sdk-test-upstream-key";

/// One provider a wire, all at the scripted upstream. Models that are asked for by prefix need no line.
const CONFIG: &str = r#"
providers:
  oai: { wire: openai_chat, base_url: "UPSTREAM/v1", api_key: "KEY", models: { text: {} } }
  ant: { wire: anthropic_messages, base_url: "UPSTREAM", api_key: "KEY", models: { text: {} } }
  rsp: { wire: openai_responses, base_url: "UPSTREAM/v1", api_key: "KEY", models: { text: {} } }
  goo: { wire: gemini, base_url: "UPSTREAM", api_key: "KEY", models: { text: {} } }
"#;

/// Runs the suites that are wanted, or says why not.
pub(crate) fn run(report: &mut Report, place: &Place, python: bool, node: bool) {
    if python {
        match tools::python(place) {
            Ok(program) => report
                .suite(PYTHON, Runner::Unittest, || with_house(place, |house| house.python(place, &program))),
            Err(why) => report.skip(PYTHON, why),
        }
    }
    if node {
        match tools::node(place) {
            Ok(tool) => {
                report.suite(NODE, Runner::NodeTest, || with_house(place, |house| house.node(place, &tool)))
            }
            Err(why) => report.skip(NODE, why),
        }
    }
}

/// Runs a suite in a house of its own; if it fails, shows what the gateway said last.
fn with_house(place: &Place, suite: impl FnOnce(&House) -> Result<Finished>) -> Result<Finished> {
    let house = House::open(place)?;
    let finished = suite(&house)?;
    if !finished.ok {
        println!("-- the gateway's last lines:\n{}", house.gateway.last_words().join("\n"));
    }
    Ok(finished)
}

/// A gateway with a fresh home, and the upstream behind it.
struct House {
    // Ends before the upstream does, and before its folder goes.
    gateway: Server,
    upstream: Server,
    home: Home,
    /// The gateway's, for suites that start one of their own.
    program: PathBuf,
}

impl House {
    fn open(place: &Place) -> Result<Self> {
        let upstream = Server::start(Command::new(place.built("fakeprov")).args([
            "--port",
            "0",
            "--key",
            UPSTREAM_KEY,
        ]))?;
        let home = Home::make(place)?;
        let config = home.0.join("config.yaml");
        std::fs::write(&config, CONFIG.replace("UPSTREAM", upstream.url()).replace("KEY", UPSTREAM_KEY))
            .context("config.yaml")?;
        let program = place.built("llm-gateway");
        let mut command = Command::new(&program);
        command.args(["serve", "--host", "127.0.0.1", "--port", "0", "--no-ui", "-c"]).arg(&config);
        clean(&mut command, &home.0).env("LLM_GATEWAY_DATA_DIR", home.0.join("data"));
        let gateway = Server::start(command.env("LLM_GATEWAY_AUTH_TOKEN", GATEWAY_KEY))?;
        Ok(Self { gateway, upstream, home, program })
    }

    fn python(&self, place: &Place, python: &Path) -> Result<Finished> {
        let mut command = Command::new(python);
        command.args(["-m", "unittest", "discover", "--verbose", "--start-directory"]);
        command.arg(place.root.join("tests/sdk/python"));
        self.introduce(&mut command);
        shell::run(command.env("PYTHONDONTWRITEBYTECODE", "1"))
    }

    fn node(&self, place: &Place, node: &Node) -> Result<Finished> {
        let files = copy_modules(&place.root.join("tests/sdk/node"), &node.folder)?;
        let mut command = Command::new(&node.program);
        command.args(["--test", "--test-reporter=spec"]).args(files).current_dir(&node.folder);
        self.introduce(&mut command);
        shell::run(&mut command)
    }

    /// What a suite needs to know, and nothing else of our environment.
    fn introduce(&self, command: &mut Command) {
        clean(command, &self.home.0)
            .env("GATEWAY_URL", self.gateway.url())
            .env("GATEWAY_KEY", GATEWAY_KEY)
            .env("GATEWAY_PROGRAM", &self.program)
            .env("GATEWAY_CONFIG", self.home.0.join("config.yaml"))
            .env("GATEWAY_DATA_DIR", self.home.0.join("data"))
            .env("UPSTREAM_URL", self.upstream.url())
            .env("UPSTREAM_KEY", UPSTREAM_KEY);
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

/// Copies the test modules and the folders of what they import beside `node_modules`, and names those that hold tests.
fn copy_modules(from: &Path, to: &Path) -> Result<Vec<PathBuf>> {
    let mut tests = Vec::new();
    std::fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let (file, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        let name = name.to_string_lossy();
        if file.is_dir() {
            copy_modules(&file, &to.join(&*name))?;
        }
        if name.ends_with(".mjs") {
            std::fs::copy(&file, to.join(&*name))?;
        }
        if name.ends_with(".test.mjs") {
            tests.push(PathBuf::from(&*name));
        }
    }
    tests.sort();
    Ok(tests)
}
