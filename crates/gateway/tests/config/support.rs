//! A working directory with a file and variables, and short ways to look at what comes of them.

pub use std::collections::HashMap;
pub use std::path::Path;
pub use std::time::Duration;

pub use bytes::Bytes;
pub use gateway::config::{Config, ConfigError, Flags, build_snapshot, load};
pub use policy::{Ask, Kind, Model, Provider, Reason, Snapshot, Standing, plan};
pub use tempfile::TempDir;
pub use upstream::Reach;
pub use wire::{RawObject, WireId};

pub const LLM_BRIDGE: &str = include_str!("../fixtures/llm-bridge-config.yaml");
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A working directory, and variables.
pub struct Setting {
    pub dir: TempDir,
    pub variables: HashMap<String, String>,
    pub flags: Flags,
}

pub fn setting(variables: &[(&str, &str)]) -> Setting {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let home = ("HOME".to_owned(), dir.path().join("home").display().to_string());
    Setting { variables: variables.chain([home]).collect(), dir, flags: Flags::default() }
}

impl Setting {
    pub fn with_file(self, name: &str, text: &str) -> Self {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, text).expect("a file");
        self
    }

    pub fn load(&self) -> Result<Config, ConfigError> {
        load(&self.flags, &|name| self.variables.get(name).cloned(), self.dir.path())
    }

    pub fn config(&self) -> Config {
        self.load().expect("a configuration without a mistake")
    }

    pub fn error(&self) -> ConfigError {
        self.load().expect_err("a configuration with a mistake")
    }

    pub fn snapshot(&self) -> Snapshot {
        build_snapshot(&self.config()).0
    }
}

pub fn with_yaml(text: &str) -> Setting {
    setting(&[]).with_file("config.yaml", text)
}

pub fn provider<'a>(snapshot: &'a Snapshot, name: &str) -> &'a Provider {
    snapshot.provider(name).expect("a provider of that name")
}

pub fn model<'a>(snapshot: &'a Snapshot, name: &str, id: &str) -> &'a Model {
    provider(snapshot, name).models.get(id).expect("a model of that id")
}

pub fn url<'a>(snapshot: &'a Snapshot, name: &str) -> &'a str {
    &provider(snapshot, name).endpoints[0].url
}

/// Every provider that is not switched off has a key.
pub struct AllKeys;

impl Standing for AllKeys {
    fn unavailable(&self, _: usize, _: &Provider, _: &str) -> Option<Reason> {
        None
    }
}

pub fn planned(snapshot: &Snapshot, model: &str) -> policy::Target {
    plan(&Ask::chat(Some(model)), snapshot, &AllKeys).expect("a plan").targets()[0].clone()
}

/// What a body is after a target's rules, as JSON text by field.
pub fn ruled(snapshot: &Snapshot, model: &str, body: &'static str) -> RawObject {
    let mut body = RawObject::parse(Bytes::from_static(body.as_bytes())).expect("a body");
    planned(snapshot, model).apply_rules(wire::SurfaceId::OpenAiChat, &mut body).expect("rules that apply");
    body
}
