//! What a running process cannot change: where it listens, where its data is, and whom its TLS trusts.

use std::net::IpAddr;
use std::path::PathBuf;

use upstream::CertificateDer;

use crate::config::{Config, Flags};

/// The values that the process was started with.
pub(super) struct Fixed {
    host: IpAddr,
    port: u16,
    data_dir: PathBuf,
    database: PathBuf,
    extra_roots: Vec<CertificateDer<'static>>,
    breakers: bool,
}

/// Names of settings, and whether each is as it was.
type Settings = [(&'static str, fn(&Fixed, &Fixed) -> bool); 6];

const SETTINGS: Settings = [
    ("server.host", |then, now| then.host == now.host),
    ("server.port", |then, now| then.port == now.port),
    ("ca_file", |then, now| then.extra_roots == now.extra_roots),
    ("data_dir", |then, now| then.data_dir == now.data_dir),
    ("db_path", |then, now| then.database == now.database || then.data_dir != now.data_dir),
    // The administration may have switched them since.
    ("LLM_GATEWAY_CIRCUIT_BREAKER_ENABLED", |then, now| then.breakers == now.breakers),
];

impl Fixed {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            host: config.host,
            port: config.port,
            data_dir: config.data_dir.clone(),
            database: config.database(),
            extra_roots: config.extra_roots.clone(),
            breakers: config.breakers,
        }
    }

    /// Names of what is wanted otherwise.
    pub(super) fn differs_from(&self, wanted: &Config) -> Vec<&'static str> {
        let wanted = Self::of(wanted);
        SETTINGS.iter().filter(|(_, same)| !same(self, &wanted)).map(|(name, _)| *name).collect()
    }

    /// What the command line would have to say for these values.
    pub(super) fn flags(&self, said: &Flags) -> Flags {
        Flags { host: Some(self.host.to_string()), port: Some(self.port), ..said.clone() }
    }
}
