//! `import llm-bridge`: the `.env` and the `config.yaml` of Rundao's LLM-Bridge.
//!
//! Its file is a part of our language, so it is taken as it is; only the port is added, since its clients know it.

use std::path::{Path, PathBuf};

use super::haul::Haul;
use super::{env, read_text};
use crate::config::tree::{self, Node, Value};
use crate::exit::Failure;

/// Where LLM-Bridge listens. Source: CONTRACT.md section 5, "Start".
const PORT: u16 = 1219;

/// Reads a folder with `.env` and `config.yaml`, or `config.yaml` alone.
///
/// # Errors
/// 3: the file is not YAML; 4: there is neither; 74: one cannot be read.
pub fn read(source: &Path) -> Result<Haul, Failure> {
    let (folder, file) = places(source)?;
    let mut haul = Haul::default();
    let mut sections = Vec::new();
    if let Some(file) = &file {
        let text = read_text(file)?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let root = tree::parse(&text).map_err(|why| Failure::new(3, format!("{}: {why}", file.display())))?;
        sections = report_file(&name, &root, &mut haul);
        haul.config = Some(with_port(&text, &root));
    }
    let variables = folder.join(".env");
    if variables.is_file() {
        take_variables(&variables, &sections, &mut haul)?;
    }
    Ok(haul)
}

/// The folder, and the file in it: LLM-Bridge ships it in `configs`.
fn places(source: &Path) -> Result<(PathBuf, Option<PathBuf>), Failure> {
    if source.is_file() {
        let folder = source.parent().unwrap_or(Path::new("."));
        let folder = if folder.ends_with("configs") && !folder.join(".env").exists() {
            folder.parent().unwrap_or(folder)
        } else {
            folder
        };
        return Ok((folder.to_owned(), Some(source.to_owned())));
    }
    let file = ["config.yaml", "configs/config.yaml"]
        .into_iter()
        .map(|name| source.join(name))
        .find(|path| path.is_file());
    if file.is_none() && !source.join(".env").is_file() {
        let why = "holds neither a config.yaml (or configs/config.yaml) nor a .env";
        return Err(Failure::new(4, format!("{} {why}", source.display())));
    }
    Ok((source.to_owned(), file))
}

/// The names of the sections.
fn report_file(name: &str, root: &Node, haul: &mut Haul) -> Vec<String> {
    let Value::Map(top) = &root.value else { return Vec::new() };
    let mut sections = Vec::new();
    for (key, node) in top {
        let place = |line: u64| Some(format!("{name}:{line}"));
        match (key.name.as_str(), &node.value) {
            ("providers", Value::Map(providers)) => {
                for (section, provider) in providers {
                    sections.push(section.name.clone());
                    report_provider(name, &section.name, section.line, provider, haul);
                }
            }
            ("logging", _) => haul.report.approximated(
                place(key.line),
                "logging",
                "the level counts; lines go to standard error, one flat JSON object each",
            ),
            _ => haul.report.carried(place(key.line), key.name.clone()),
        }
    }
    sections
}

fn report_provider(file: &str, name: &str, line: u64, provider: &Node, haul: &mut Haul) {
    let place = Some(format!("{file}:{line}"));
    let what = format!("provider {name}");
    match text_of(provider, "adapter") {
        Some("gemini") => haul.report.approximated(place, what, "spoken to in Google's own format"),
        _ => haul.report.carried(place, what),
    }
}

fn text_of<'a>(node: &'a Node, field: &str) -> Option<&'a str> {
    let Value::Map(entries) = &node.value else { return None };
    match &entries.iter().find(|(key, _)| key.name == field)?.1.value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The text as it was, and our section for the port where it has none.
fn with_port(text: &str, root: &Node) -> String {
    let has_server =
        matches!(&root.value, Value::Map(top) if top.iter().any(|(key, _)| key.name == "server"));
    let mut text = text.trim_end().to_owned();
    if !has_server {
        text.push_str(&format!("\n\n# Where clients of LLM-Bridge look for it.\nserver:\n  port: {PORT}"));
    }
    text.push('\n');
    text
}

fn take_variables(path: &Path, sections: &[String], haul: &mut Haul) -> Result<(), Failure> {
    for variable in env::variables(path, haul)? {
        let (name, place) = (variable.name.clone(), variable.place.clone());
        if name == "ACCESS_API_KEYS" {
            let why = "callers' keys are read from the environment: leave it in the .env of the directory that the \
                       gateway starts in, or set it";
            haul.report.approximated(place, name, why);
        } else if !haul.take_variable(variable, sections) {
            haul.report.not(place, name, "no section and no provider of that name is known");
        }
    }
    Ok(())
}
