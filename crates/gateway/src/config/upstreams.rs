//! Which upstreams exist, where they are reached and with which key: catalogue, file and environment put together.

use std::collections::{HashMap, HashSet};

use policy::nearest::nearest;
use policy::{Auth, Endpoint};
use store::Secret;
use upstream::Place;
use wire::WireId;

use super::egress::Ways;
use super::endpoint::{complete_url, host_and_port, is_loopback, is_of_private_network, stated_place};
use super::environment::Environment;
use super::file::{Credential, GlobalProxy, ProviderSettings};
use super::report::Report;
use crate::catalog::{Catalogue, Row, WireRow};
use crate::egress::Egress;

/// All of them, and the operator's wishes about their order.
#[derive(Debug, Default)]
pub(super) struct Upstreams {
    /// Those of the catalogue in its order, then the operator's own.
    pub(super) all: Vec<Upstream>,
    /// Go before all others.
    pub(super) order: Vec<String>,
    /// Serves models that nobody has.
    pub(super) default_provider: Option<String>,
}

/// One HTTP upstream.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) id: String,
    pub(super) row: Option<&'static Row>,
    pub(super) settings: Option<ProviderSettings>,
    /// Complete addresses; empty when they were mistaken.
    pub(super) endpoints: Vec<Endpoint>,
    /// File or environment say where it is, or at least that it is wanted.
    pub(super) is_configured: bool,
    pub(super) egress: Egress,
}

/// What gathering needs to look at.
struct Gathering<'a> {
    /// Our own port.
    port: u16,
    environment: &'a Environment<'a>,
    ways: Ways<'a>,
    report: &'a mut Report,
}

impl Upstreams {
    /// Finds all upstreams and their keys.
    pub(super) fn gather(
        &mut self,
        sections: Vec<ProviderSettings>,
        proxy: &GlobalProxy,
        port: u16,
        environment: &Environment<'_>,
        catalogue: &'static Catalogue,
        report: &mut Report,
    ) -> HashMap<String, Secret> {
        let ways = Ways { global: proxy, environment };
        let mut gathering = Gathering { port, environment, ways, report };
        let mut own = Vec::new();
        let mut known: HashMap<&str, ProviderSettings> = HashMap::new();
        for section in sections {
            match catalogue.provider(&section.section) {
                Some(row) if known.contains_key(&*row.id) => gathering.report.invalid_of(
                    &format!("providers.{}", section.section),
                    format_args!(
                        "providers.{}: {} has a section already, under another spelling",
                        section.section, row.id
                    ),
                ),
                Some(row) => drop(known.insert(&row.id, section)),
                None if catalogue.agents.iter().any(|agent| agent.id == section.section) => {
                    gathering.report.warn(format!(
                        "providers.{}: command-line programs come in a later version",
                        section.section
                    ))
                }
                None => own.push(section),
            }
        }
        for row in &catalogue.providers {
            let settings = known.remove(&*row.id);
            let upstream = gathering.upstream(row.id.clone(), Some(row), settings);
            self.all.push(upstream);
        }
        for section in own {
            let upstream = gathering.upstream(section.section.clone(), None, Some(section));
            self.all.push(upstream);
        }
        self.check_names(catalogue, gathering.report);
        self.all.iter_mut().filter_map(|upstream| gathering.key(upstream)).collect()
    }

    /// The upstream of that id, or that spelling of the catalogue.
    pub(super) fn id_of<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all.iter().find(|upstream| upstream.is_called(name)).map(|upstream| upstream.id.as_str())
    }

    fn check_names(&self, catalogue: &Catalogue, report: &mut Report) {
        let agents: HashSet<&str> = catalogue.agents.iter().map(|agent| agent.id.as_str()).collect();
        let default = self.default_provider.iter().map(|name| ("default_provider", name));
        for (key, name) in default.chain(self.order.iter().map(|name| ("order", name))) {
            if self.id_of(name).is_some() || agents.contains(name.as_str()) {
                continue;
            }
            let known = self.all.iter().map(|upstream| upstream.id.as_str());
            let hint = nearest(name, known, 1).pop().map(|meant| format!("; did you mean '{meant}'?"));
            report.invalid_of(
                key,
                format_args!("{key}: there is no provider '{name}'{}", hint.unwrap_or_default()),
            );
        }
    }
}

impl Upstream {
    /// Beginnings of its variables: `ACME` for `ACME_API_KEY`.
    pub(super) fn prefixes(&self) -> Vec<String> {
        let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        match self.row {
            Some(row) => row.env.clone(),
            None => vec![self.id.chars().map(upper).collect()],
        }
    }

    /// Whether this is its id, or a spelling of the catalogue.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.id == name || self.row.is_some_and(|row| row.spellings.iter().any(|other| other == name))
    }

    /// The ways to speak to it at this address, the preferred one first; the operator's word counts.
    fn ways(&self, base: &str) -> Vec<Way> {
        let rows = self.row.map(|row| row.wires.as_slice()).unwrap_or_default();
        let base = base.trim_end_matches('/');
        let fits = |row: &&WireRow| row.when_base_ends.as_deref().is_some_and(|end| base.ends_with(end));
        let special = rows.iter().find(fits);
        let usual = rows.iter().filter(|row| row.when_base_ends.is_none() && special.is_none());
        let ways: Vec<Way> = special.into_iter().chain(usual).filter_map(Way::of_row).collect();
        let named = self.settings.as_ref().and_then(|settings| settings.wire).or_else(|| spoken_at(base));
        let Some(wire) = named.or(ways.is_empty().then_some(WireId::OpenAiChat)) else { return ways };
        let mut of_row = rows.iter().filter_map(Way::of_row).filter(|way| way.wire == wire);
        let unknown = || Way { wire, path: wire.usual_path().to_owned(), auth: None };
        vec![of_row.next().unwrap_or_else(unknown)]
    }

    /// It stands on this machine.
    pub(super) fn is_on_this_machine(&self) -> bool {
        let host = self.endpoints.first().and_then(|endpoint| host_and_port(&endpoint.url));
        host.is_some_and(|(host, _)| is_loopback(&host))
    }
}

impl Gathering<'_> {
    fn upstream(
        &mut self,
        id: String,
        row: Option<&'static Row>,
        settings: Option<ProviderSettings>,
    ) -> Upstream {
        let mut upstream = Upstream {
            id,
            row,
            is_configured: settings.is_some(),
            settings,
            endpoints: Vec::new(),
            egress: Egress::default(),
        };
        let from_environment = self.base_from_environment(&upstream);
        upstream.is_configured |= from_environment.is_some();
        let from_file = || {
            upstream
                .settings
                .as_ref()
                .and_then(|settings| Some((place(settings), settings.base_url.clone()?)))
        };
        let found = from_environment.or_else(from_file);
        upstream.endpoints = match (&found, row) {
            (Some((place, base)), _) => self.endpoints(&upstream, place, base),
            (None, Some(row)) => self.endpoints(&upstream, &row.id, &row.base),
            (None, None) => {
                self.needs_address(&upstream);
                Vec::new()
            }
        };
        upstream.egress = self.ways.of(&upstream, self.report);
        upstream
    }

    /// A client of this gateway may have `OPENAI_BASE_URL` set to its address; that must not lead it to itself.
    fn base_from_environment(&mut self, upstream: &Upstream) -> Option<(String, String)> {
        let names = upstream.prefixes().into_iter().map(|prefix| format!("{prefix}_BASE_URL"));
        let (name, base) =
            names.into_iter().find_map(|name| Some((name.clone(), self.environment.text(&name)?)))?;
        let is_us = |(host, port): (String, u16)| is_loopback(&host) && port == self.port;
        if self.port != 0 && host_and_port(&base).is_some_and(is_us) {
            self.report.warn(format!("{name} is the address of this gateway itself, and is left aside"));
            return None;
        }
        Some((name, base))
    }

    fn endpoints(&mut self, upstream: &Upstream, place: &str, base: &str) -> Vec<Endpoint> {
        self.check_place(upstream, place, base);
        let mut endpoints = Vec::new();
        for Way { wire, path, auth } in upstream.ways(base) {
            match complete_url(base, wire, &path) {
                Ok(url) => endpoints.push(Endpoint { wire, url, auth }),
                Err(wanted) => self.report.invalid_of(place, format_args!("{place} must be {wanted}")),
            }
        }
        endpoints
    }

    /// An address that the operator wrote is meant, unless the section forbids it, or no provider is ever there. What
    /// goes over the Internet in the clear is worth a word.
    fn check_place(&mut self, upstream: &Upstream, place: &str, base: &str) {
        let Some((host, _)) = host_and_port(base) else { return };
        let allowed = upstream.settings.as_ref().and_then(|settings| settings.allow_private);
        if allowed == Some(false)
            && (is_of_private_network(&host) || stated_place(&host) == Some(Place::Special))
        {
            let what = format_args!("{place}: {base} is a private address, and allow_private is false");
            self.report.invalid_of(place, what);
        } else if allowed.is_none() && stated_place(&host) == Some(Place::Special) {
            let what = format_args!(
                "{place}: {base} is a link-local, multicast or reserved address; if it is meant, write allow_private: true"
            );
            self.report.invalid_of(place, what);
        } else if base.starts_with("http:") && allowed != Some(true) && !is_of_private_network(&host) {
            self.report.warn(format!(
                "{place}: {host} is asked over http, so keys and prompts can be read on the way; use https, or write \
                 allow_private: true if it is on a network of your own"
            ));
        }
    }

    fn needs_address(&mut self, upstream: &Upstream) {
        let known = Catalogue::embedded().providers.iter().map(|row| row.id.as_str());
        let hint =
            nearest(&upstream.id, known, 1).pop().map(|meant| format!(" (or did you mean '{meant}'?)"));
        let hint = hint.unwrap_or_default();
        let place = format!("providers.{}", upstream.id);
        let what = format_args!("{place}: a provider of your own needs a base_url{hint}");
        self.report.invalid_of(&place, what);
    }

    /// The key from the environment, else from the file.
    fn key(&mut self, upstream: &mut Upstream) -> Option<(String, Secret)> {
        let from_environment = upstream
            .prefixes()
            .into_iter()
            .find_map(|prefix| self.environment.secret(&format!("{prefix}_API_KEY"), self.report));
        let credential = upstream.settings.as_mut().map(|settings| &mut settings.credential);
        let from_file =
            credential.and_then(|credential| match std::mem::replace(credential, Credential::Unsaid) {
                Credential::Key(key) => Some(key),
                other => {
                    *credential = other;
                    None
                }
            });
        let key = from_environment.or(from_file)?;
        if !key.expose().chars().all(|c| c.is_ascii_graphic()) {
            self.report
                .invalid(format!("the key of {} has characters that no header can carry", upstream.id));
        }
        Some((upstream.id.clone(), key))
    }
}

/// One way to speak to an upstream.
struct Way {
    wire: WireId,
    /// Where it usually is.
    path: String,
    auth: Option<Auth>,
}

impl Way {
    /// `None`: a wire that this version does not speak.
    fn of_row(row: &WireRow) -> Option<Self> {
        let auth = row.auth.as_ref().map(|auth| Auth {
            header: auth.header.clone(),
            prefix: auth.prefix.clone(),
            required: true,
        });
        Some(Self { wire: WireId::from_name(&row.wire)?, path: row.path.clone(), auth })
    }
}

/// The wire of a complete endpoint, LLM-Bridge's form of an address.
fn spoken_at(base: &str) -> Option<WireId> {
    let address = base.split('?').next().unwrap_or_default();
    WireId::ALL.into_iter().find(|wire| address.ends_with(wire.operation_path()))
}

fn place(settings: &ProviderSettings) -> String {
    format!("providers.{}.base_url", settings.section)
}
