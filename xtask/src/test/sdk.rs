//! The unmodified SDKs of `tests/sdk/` against the real gateway.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::house::House;
use super::tools::{self, Node};
use crate::Place;
use crate::report::Report;
use crate::shell::{self, Finished};
use crate::tally::Runner;

const PYTHON: &str = "SDKs for Python";
const NODE: &str = "SDKs for Node";

/// One provider a wire, all at the scripted upstream. Models that are asked for by prefix need no line.
const CONFIG: &str = r#"
responses: { store: true }
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
            Ok(program) => report.suite(PYTHON, Runner::Unittest, || {
                House::with(place, CONFIG, |house| run_python(house, place, &program))
            }),
            Err(why) => report.skip(PYTHON, why),
        }
    }
    if node {
        match tools::node(place) {
            Ok(tool) => report.suite(NODE, Runner::NodeTest, || {
                House::with(place, CONFIG, |house| run_node(house, place, &tool))
            }),
            Err(why) => report.skip(NODE, why),
        }
    }
}

fn run_python(house: &House, place: &Place, python: &Path) -> Result<Finished> {
    let mut command = Command::new(python);
    command.args(["-m", "unittest", "discover", "--verbose", "--start-directory"]);
    command.arg(place.root.join("tests/sdk/python"));
    shell::run(house.introduce(&mut command).env("PYTHONDONTWRITEBYTECODE", "1"))
}

fn run_node(house: &House, place: &Place, node: &Node) -> Result<Finished> {
    let files = copy_modules(&place.root.join("tests/sdk/node"), &node.folder)?;
    let mut command = Command::new(&node.program);
    command.args(["--test", "--test-reporter=spec"]).args(files).current_dir(&node.folder);
    shell::run(house.introduce(&mut command))
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
