//! `import litellm`: the `config.yaml` of LiteLLM's proxy becomes a file of ours, and keys that stand in it go to the
//! vault. Source: <https://docs.litellm.ai/docs/proxy/configs>, read 2026-11-25.

mod deployment;
mod file;

use std::path::Path;

use self::deployment::Deployment;
use self::file::File;
use super::haul::Haul;
use super::keys::Variable;
use super::read_text;
use crate::config::tree::{self, Node, Value};
use crate::exit::Failure;

/// Reads the file.
///
/// # Errors
/// 3: it is not YAML, or has no `model_list`; 4: there is no such file; 74: it cannot be read.
pub fn read(path: &Path) -> Result<Haul, Failure> {
    let text = read_text(path)?;
    let root = tree::parse(&text).map_err(|why| Failure::new(3, format!("{}: {why}", path.display())))?;
    let Value::Map(top) = &root.value else {
        return Err(Failure::new(
            3,
            format!("{} is not a file of LiteLLM: it is no section", path.display()),
        ));
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut reading = Reading { name, haul: Haul::default(), file: File::default() };
    for (key, node) in top {
        reading.section(&key.name, key.line, node);
    }
    let Reading { mut haul, file, .. } = reading;
    haul.config = Some(file.to_string());
    Ok(haul)
}

/// What is being read, and what has been found.
struct Reading {
    /// Of the file, for places.
    name: String,
    haul: Haul,
    file: File,
}

impl Reading {
    fn place(&self, line: u64) -> Option<String> {
        Some(format!("{}:{line}", self.name))
    }

    fn section(&mut self, key: &str, line: u64, node: &Node) {
        match (key, &node.value) {
            ("model_list", Value::List(models)) => models.iter().for_each(|model| self.model(model)),
            ("general_settings", Value::Map(_)) => self.settings(key, node, general),
            ("litellm_settings", Value::Map(_)) => self.settings(key, node, common),
            ("router_settings", Value::Map(_)) => self.settings(key, node, router),
            ("environment_variables", Value::Map(variables)) => {
                variables.iter().for_each(|(key, value)| self.variable(&key.name, key.line, value));
            }
            _ => self.haul.report.not(self.place(line), key, "it has no counterpart here"),
        }
    }

    fn model(&mut self, node: &Node) {
        let place = self.place(node.line);
        match Deployment::read(node) {
            Ok(deployment) => self.file.add(deployment, place, &mut self.haul),
            Err(why) => self.haul.report.not(place, "a model", why),
        }
    }

    fn settings(&mut self, section: &str, node: &Node, verdict: fn(&str) -> Setting) {
        let Value::Map(entries) = &node.value else { return };
        for (key, _) in entries {
            let (place, what) = (self.place(key.line), format!("{section}.{}", key.name));
            match verdict(&key.name) {
                Setting::Approximated(why) => self.haul.report.approximated(place, what, why),
                Setting::Not(why) => self.haul.report.not(place, what, why),
            }
        }
    }

    fn variable(&mut self, name: &str, line: u64, value: &Node) {
        let place = self.place(line);
        let Value::Text(text) = &value.value else {
            return self.haul.report.not(place, name, "it is no text");
        };
        let variable =
            Variable { name: name.to_owned(), value: store::Secret::new(text.clone()), place: place.clone() };
        if !self.haul.take_variable(variable, &[]) {
            self.haul.report.not(
                place,
                name,
                "it is no key of a provider; set it in the environment if it is needed",
            );
        }
    }
}

/// What becomes of a setting.
enum Setting {
    Approximated(&'static str),
    Not(&'static str),
}

const NO_COUNTERPART: Setting = Setting::Not("it has no counterpart here");

fn general(key: &str) -> Setting {
    match key {
        "master_key" => Setting::Not(
            "no key is written into a file: set LLM_GATEWAY_AUTH_TOKEN to it (32 characters or more), or \
             ACCESS_API_KEYS if it is shorter",
        ),
        "database_url" => Setting::Not("keys, users and spend of its database stay there"),
        _ => NO_COUNTERPART,
    }
}

fn common(key: &str) -> Setting {
    match key {
        "drop_params" => Setting::Approximated("what a model does not know is always left out, and reported"),
        "request_timeout" => Setting::Not("set timeouts of a provider or a model in the file"),
        _ => router(key),
    }
}

fn router(key: &str) -> Setting {
    match key {
        "num_retries" | "allowed_fails" | "cooldown_time" | "retry_after" => {
            Setting::Approximated("the gateway tries again by rules of its own")
        }
        "fallbacks" | "default_fallbacks" | "context_window_fallbacks" | "content_policy_fallbacks" => {
            Setting::Approximated(
                "another provider that has the same model steps in by itself; another model never does",
            )
        }
        "routing_strategy" => Setting::Not("providers are tried in the order of the file"),
        "model_group_alias" => Setting::Not("add the names under 'aliases' of the file"),
        _ => NO_COUNTERPART,
    }
}
