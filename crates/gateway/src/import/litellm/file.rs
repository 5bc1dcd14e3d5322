//! The file of ours that a file of LiteLLM becomes.

use std::fmt;

use indexmap::IndexMap;
use serde_json::{Value as Json, json};
use store::{GLOBAL, Secret};

use super::super::haul::{Haul, Key};
use super::super::keys::provider_of;
use super::super::settle::usable;
use super::deployment::{Credential, Deployment};

/// Sections of providers, and aliases.
#[derive(Debug, Default)]
pub(super) struct File {
    providers: IndexMap<String, Provider>,
    aliases: IndexMap<String, String>,
}

#[derive(Debug, Default)]
struct Provider {
    /// Without it, the catalogue's.
    base: Option<String>,
    /// Beside an address of its own.
    wire: String,
    /// A reference to a variable.
    key: Option<String>,
    models: IndexMap<String, Vec<(&'static str, Json)>>,
}

impl Provider {
    fn is_empty(&self) -> bool {
        self.base.is_none() && self.key.is_none() && self.models.is_empty()
    }
}

impl File {
    /// Adds a deployment and says what becomes of it.
    pub(super) fn add(&mut self, deployment: Deployment, place: Option<String>, haul: &mut Haul) {
        let what = format!("model {}", deployment.name);
        if deployment.base.is_none() && !deployment.is_of_catalogue() {
            let why =
                format!("'{}' is no provider that is known here; give it a section", deployment.provider);
            return haul.report.not(place, what, why);
        }
        let section = self.section(&deployment);
        let target = format!("{section}/{}", deployment.model);
        for (name, line) in &deployment.unknown {
            let file = place.as_deref().and_then(|place| place.split_once(':')).map_or("", |(file, _)| file);
            let setting = format!("{name} of model {}", deployment.name);
            haul.report.not(Some(format!("{file}:{line}")), setting, "it has no counterpart here");
        }
        let key = self.take_key(&section, &deployment, place.clone(), haul);
        self.describe(&section, &deployment);
        let name = self.take_name(&deployment, &target);
        let remark = [name, key].into_iter().flatten().reduce(|one, other| format!("{one}; {other}"));
        haul.report.took(place, what, remark);
    }

    /// The name of the section that a deployment belongs to: the provider's id, or one for each address of its own.
    fn section(&mut self, deployment: &Deployment) -> String {
        let Some(base) = &deployment.base else {
            // A section, even an empty one, makes `openai/gpt-4o` mean OpenAI's and nobody else's model of that id.
            self.providers.entry(deployment.provider.clone()).or_default();
            return deployment.provider.clone();
        };
        let same =
            |provider: &Provider| provider.base.as_ref() == Some(base) && provider.wire == deployment.wire;
        if let Some((name, _)) = self.providers.iter().find(|(_, provider)| same(provider)) {
            return name.clone();
        }
        let wish = if deployment.is_local() { deployment.provider.clone() } else { host_name(base) };
        let name = self.free_name(&wish);
        let wire = deployment.wire.clone();
        let own = Provider { base: Some(base.clone()), wire, ..Provider::default() };
        self.providers.insert(name.clone(), own);
        name
    }

    fn free_name(&self, wish: &str) -> String {
        let is_free = |name: &String| !self.providers.contains_key(name);
        let numbered = (2..).map(|number| format!("{wish}-{number}"));
        std::iter::once(wish.to_owned())
            .chain(numbered)
            .find(is_free)
            .expect("there is always another number")
    }

    /// What to say about the key, if it is not simply carried over.
    fn take_key(
        &mut self,
        section: &str,
        deployment: &Deployment,
        place: Option<String>,
        haul: &mut Haul,
    ) -> Option<String> {
        match &deployment.key {
            Credential::Usual => None,
            Credential::Variable(name) if provider_of(name, &[]).as_deref() == Some(section) => None,
            Credential::Variable(name) => {
                let provider = self.providers.entry(section.to_owned()).or_default();
                let reference = format!("env:{name}");
                let held = provider.key.get_or_insert_with(|| reference.clone());
                (*held != reference).then(|| {
                    format!("{section} has the key {held} already; store that of {name} with 'vault put'")
                })
            }
            Credential::Literal(text) => match usable(Secret::new(text.clone())) {
                Ok((secret, remark)) => {
                    let is_there =
                        |key: &Key| key.provider == section && key.secret.expose() == secret.expose();
                    if !haul.keys.iter().any(is_there) {
                        let (provider, name) = (section.to_owned(), "default".to_owned());
                        let key = Key { provider, name, project: GLOBAL.into(), secret, place, remark };
                        haul.add(key, &deployment.name);
                    }
                    None
                }
                Err(why) => Some(format!("its key is left behind: {why}")),
            },
        }
    }

    fn describe(&mut self, section: &str, deployment: &Deployment) {
        let is_own = self.providers.get(section).is_some_and(|provider| provider.base.is_some());
        if !is_own && !deployment.has_settings() || deployment.model.contains('*') {
            return;
        }
        let provider = self.providers.entry(section.to_owned()).or_default();
        let settings = provider.models.entry(deployment.model.clone()).or_default();
        let price = (!deployment.price.is_empty()).then(|| json!(deployment.price));
        let defaults: serde_json::Map<_, _> = deployment.defaults.iter().cloned().collect();
        let defaults = (!defaults.is_empty()).then(|| json!({ "add_params": defaults }));
        let all = [
            ("timeout", deployment.timeout.clone()),
            ("max_tokens", deployment.max_tokens.clone()),
            ("price", price),
            ("param_config", defaults),
        ];
        for (name, value) in all {
            if let Some(value) = value.filter(|_| !settings.iter().any(|(held, _)| *held == name)) {
                settings.push((name, value));
            }
        }
    }

    /// Lets callers go on asking by the name that they know. `Some`: what differs.
    fn take_name(&mut self, deployment: &Deployment, target: &str) -> Option<String> {
        let name = &deployment.name;
        if name == target || name.contains('*') {
            let reached = format!("{}/...", target.split('/').next().unwrap_or_default());
            return (name != target).then(|| format!("'{name}': models are reached as {reached}"));
        }
        match self.aliases.get(name) {
            None => {
                self.aliases.insert(name.clone(), target.to_owned());
                None
            }
            Some(held) if held == target => {
                Some("the same model as above: its keys are tried in turn".to_owned())
            }
            Some(held) => Some(format!("'{name}' leads to {held}; ask for {target} by that name")),
        }
    }
}

/// `llm-internal` for `https://llm.internal:8443/v1`.
fn host_name(base: &str) -> String {
    let rest = base.split_once("://").map_or(base, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let name: String =
        host.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let name = name.trim_matches('-').to_owned();
    if name.is_empty() { "own".to_owned() } else { name }
}

/// Scalars and inner values as JSON, which is YAML too.
impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("# Made from a file of LiteLLM by `llm-gateway import litellm`.\n")?;
        if !self.providers.is_empty() {
            f.write_str("providers:\n")?;
        }
        for (name, provider) in &self.providers {
            match provider.is_empty() {
                true => writeln!(f, "  {name}: {{}}")?,
                false => write!(f, "  {name}:\n{provider}")?,
            }
        }
        if !self.aliases.is_empty() {
            f.write_str("aliases:\n")?;
        }
        self.aliases.iter().try_for_each(|(name, target)| writeln!(f, "  {}: {}", json!(name), json!(target)))
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(base) = &self.base {
            write!(f, "    wire: {}\n    base_url: {}\n", self.wire, json!(base))?;
        }
        if let Some(key) = &self.key {
            writeln!(f, "    api_key: {}", json!(key))?;
        }
        if self.models.is_empty() {
            return Ok(());
        }
        f.write_str("    models:\n")?;
        for (model, settings) in &self.models {
            let settings: serde_json::Map<String, Json> =
                settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            writeln!(f, "      {}: {}", json!(model), Json::Object(settings))?;
        }
        Ok(())
    }
}
