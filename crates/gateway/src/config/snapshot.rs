//! The snapshot: what the configuration and the catalogue make of each other.

use indexmap::IndexMap;
use policy::provider::without_variant;
use policy::{Auth, Endpoint, Kind, Prices, Provider, Rate, Rules, Snapshot, Timeouts};
use wire::chat::{MaxTokensField, Profile};
use wire::{Operation, WireId};

use super::Config;
use super::file::{Credential, OwnPrice, TimeoutSettings};
use super::report::Warning;
use super::upstreams::Upstream;
use crate::catalog::{Agent, Catalogue, Key, Row};

mod models;

use models::Known;

/// Everything that requests are planned on, and what the operator should know about it.
pub fn build_snapshot(config: &Config) -> (Snapshot, Vec<Warning>) {
    let catalogue = Catalogue::embedded();
    let upstreams = &config.upstreams;
    let mut warnings = config.warnings.clone();
    let mut providers: IndexMap<String, Provider> = IndexMap::new();
    for upstream in &upstreams.all {
        let mut made = api(upstream, catalogue, &config.prices);
        // What holds for all providers comes before what one has of its own.
        made.conditional.splice(0..0, config.rules.iter().cloned());
        warnings.extend(why_off(upstream, &made));
        providers.insert(upstream.id.clone(), made);
    }
    providers.extend(catalogue.agents.iter().map(|row| (row.id.clone(), agent(row))));
    let wished = upstreams.order.iter().filter_map(|name| upstreams.id_of(name).or(Some(name)));
    let mut ordered: Vec<Provider> = Vec::with_capacity(providers.len() + 1);
    for id in wished.map(str::to_owned).chain(catalogue.order.iter().cloned()) {
        ordered.extend(providers.shift_remove(&id));
    }
    ordered.extend(providers.into_values());
    ordered.push(demo());
    let programs =
        catalogue.agents.iter().map(|row| (row.id.clone(), format!("{}/{}", row.id, row.default_model)));
    let snapshot = Snapshot::new(ordered)
        .with_default_provider(upstreams.default_provider.as_deref())
        .with_aliases(programs.chain(config.aliases.clone()).collect())
        .with_routes(config.routes.clone())
        .with_demo(config.demo);
    warnings.extend(strangers(&snapshot));
    warnings.extend(nameless(config, &snapshot));
    warnings.extend(unpriced(&config.prices, &snapshot));
    (snapshot, warnings)
}

/// A route whose target's provider does not exist would be noticed only when it is needed.
fn strangers(snapshot: &Snapshot) -> Vec<Warning> {
    let members = snapshot.routes().iter().flat_map(|route| route.all_members().map(move |of| (route, of)));
    let named = members.filter_map(|(route, member)| Some((route, member.provider.as_deref()?)));
    let unknown = named.filter(|(_, name)| snapshot.provider(name).is_none());
    unknown
        .map(|(route, name)| Warning(format!("routes.{}: there is no provider '{name}'", route.name)))
        .collect()
}

/// A name that stands for nothing would be noticed only when it is asked for. A bare one may still be found in the list
/// of a server; an alias of an alias names nothing.
fn nameless(config: &Config, snapshot: &Snapshot) -> Vec<Warning> {
    let some_are_listed = config.upstreams.all.iter().any(|upstream| upstream.egress.reads_list());
    let known = |name: &str| snapshot.has(name) || (some_are_listed && !name.contains('/'));
    let taken = |name: &str| snapshot.default_provider().is_some() && !name.contains('/');
    let is_alias = |name: &str| snapshot.aliases().any(|(alias, _)| alias == name);
    let members = snapshot.routes().iter().flat_map(|route| {
        let bare = route.all_members().filter(|member| member.provider.is_none());
        bare.filter_map(|member| Some((format!("routes.{}", route.name), member.model.as_deref()?)))
    });
    let members = members.filter(|(_, name)| !taken(name) && !is_alias(name));
    let aliases = config.aliases.iter().map(|(alias, model)| (format!("aliases.{alias}"), model.as_str()));
    let unknown = members.chain(aliases).filter(|(_, name)| !known(name));
    unknown
        .map(|(place, name)| Warning(format!("{place}: no provider is known to have the model '{name}'")))
        .collect()
}

/// A price of what is not known would never be reckoned with. It does not make a model known: prices say nothing about
/// who has which.
fn unpriced(prices: &[OwnPrice], snapshot: &Snapshot) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for OwnPrice { provider, model, .. } in prices {
        let is_it = |id: &str| id == model || without_variant(id) == model;
        let why = match snapshot.provider(provider) {
            None => format!("there is no provider '{provider}'"),
            Some(found) if found.models.keys().any(|id| is_it(id)) => continue,
            Some(_) => {
                format!("no such model is known; name it under providers.{provider}.models, with its price")
            }
        };
        warnings.push(Warning(format!("prices.{provider}/{model}: {why}")));
    }
    warnings
}

/// A section that the operator wrote and that cannot be used is worth a line.
fn why_off(upstream: &Upstream, made: &Provider) -> Option<Warning> {
    let settings = upstream.settings.as_ref().filter(|settings| settings.enabled)?;
    let why = made.disabled.as_ref()?;
    Some(Warning(format!("providers.{} (line {}) {why}", settings.section, settings.line)))
}

fn api(upstream: &Upstream, catalogue: &Catalogue, prices: &[OwnPrice]) -> Provider {
    let (row, settings) = (upstream.row, upstream.settings.as_ref());
    let profile = profile(upstream);
    let prices = prices.iter().filter(|price| upstream.is_called(&price.provider));
    let prices = prices.map(|price| (price.model.as_str(), &price.rate)).collect();
    let known = Known { row, settings, catalogue, profile: &profile, prices };
    let models = known.models();
    let listed_first = settings.and_then(|settings| settings.models.first()).map(|model| model.id.as_str());
    let chosen = settings.and_then(|settings| settings.default_model.as_deref());
    let default_model = chosen.or(listed_first).or(row.and_then(|row| row.default_model.as_deref()));
    Provider {
        id: upstream.id.as_str().into(),
        spellings: row.map(|row| row.spellings.clone()).unwrap_or_default(),
        name: name(upstream),
        kind: Kind::Api,
        endpoints: endpoints(upstream),
        auth: auth(upstream),
        key_names: upstream.prefixes().iter().map(|prefix| format!("{prefix}_API_KEY")).collect(),
        extra_headers: headers(upstream),
        default_model: default_model.map(Into::into),
        models,
        lacks: lacks(row),
        takes_any_model: settings.and_then(|settings| settings.any_model).unwrap_or(true),
        section: settings.map(|settings| settings.section.clone()),
        program: None,
        rules: settings.map(|settings| settings.rules.clone()).unwrap_or_default(),
        conditional: settings.map(|settings| settings.conditional.clone()).unwrap_or_default(),
        timeouts: settings.map(|settings| timeouts(&settings.timeouts)).unwrap_or_default(),
        strict_translation: settings.and_then(|settings| settings.strict_translation).unwrap_or(false),
        disabled: disabled(upstream),
        profile,
    }
}

/// What the file says of the key holds at every endpoint.
fn endpoints(upstream: &Upstream) -> Vec<Endpoint> {
    let mut endpoints = upstream.endpoints.clone();
    if upstream.settings.as_ref().is_some_and(|settings| settings.auth.is_some()) {
        endpoints.iter_mut().for_each(|endpoint| endpoint.auth = None);
    }
    endpoints
}

fn name(upstream: &Upstream) -> String {
    let named = upstream.settings.as_ref().and_then(|settings| settings.name.as_ref());
    let named = named.or(upstream.row.map(|row| &row.name));
    named.unwrap_or(&upstream.id).clone()
}

/// What the catalogue says; a server of the operator's own is taken to have all that its wire has.
fn lacks(row: Option<&Row>) -> Vec<Operation> {
    let names = row.map(|row| row.lacks.as_slice()).unwrap_or_default();
    names.iter().filter_map(|name| Operation::from_name(name)).collect()
}

/// In words that follow the provider's name.
fn disabled(upstream: &Upstream) -> Option<String> {
    let settings = upstream.settings.as_ref();
    if settings.is_some_and(|settings| !settings.enabled) {
        return Some("is switched off in the configuration file".to_owned());
    }
    let requires_proxy = settings.is_some_and(|settings| settings.requires_proxy == Some(true));
    if requires_proxy && upstream.egress.proxy.is_none() {
        return Some("is off because it requires a proxy, and no proxy is configured".to_owned());
    }
    let unwanted = upstream.row.is_some_and(|row| row.local) && !upstream.is_configured;
    unwanted.then(|| format!("is not configured: set {}_BASE_URL", upstream.prefixes()[0]))
}

fn profile(upstream: &Upstream) -> Profile {
    let unknown = Profile::unknown(upstream.id.as_str(), "");
    let Some(row) = upstream.row else { return unknown };
    Profile {
        developer_role: row.developer_role,
        stream_options: row.stream_options,
        open_sampling: row.open_sampling,
        web_search_options: row.web_search_options,
        max_tokens_field: max_tokens_field(row.max_tokens_field.as_deref()),
        ..unknown
    }
}

fn max_tokens_field(name: Option<&str>) -> MaxTokensField {
    match name {
        Some("max_tokens") => MaxTokensField::MaxTokens,
        Some("max_completion_tokens") => MaxTokensField::MaxCompletionTokens,
        _ => MaxTokensField::AsGiven,
    }
}

/// As the file says, else as the catalogue, else as is usual for the wire. A server on this machine takes a key but needs
/// none, unless the catalogue says otherwise.
fn auth(upstream: &Upstream) -> Option<Auth> {
    let settings = upstream.settings.as_ref();
    if settings.is_some_and(|settings| matches!(settings.credential, Credential::Keyless)) {
        return None;
    }
    if let Some(auth) = settings.and_then(|settings| settings.auth.clone()) {
        return Some(auth);
    }
    let wire = upstream.endpoints.first().map(|endpoint| endpoint.wire);
    let of_row = |row: &&Row| row.wires.iter().any(|known| WireId::from_name(&known.wire) == wire);
    if let Some(row) = upstream.row.filter(of_row) {
        let (header, prefix) = (row.auth.header.clone(), row.auth.prefix.clone());
        return Some(Auth { header, prefix, required: row.key == Key::Required });
    }
    let (header, prefix) = wire.unwrap_or(WireId::OpenAiChat).usual_auth();
    let required = upstream.row.is_some() || !upstream.is_on_this_machine();
    Some(Auth { header: header.to_owned(), prefix: prefix.to_owned(), required })
}

/// Those of the catalogue, where the file does not say otherwise.
fn headers(upstream: &Upstream) -> Vec<(String, String)> {
    let of_row = upstream.row.into_iter().flat_map(|row| row.headers.clone());
    let of_file = upstream.settings.iter().flat_map(|settings| settings.headers.clone());
    of_row.chain(of_file).collect::<IndexMap<_, _>>().into_iter().collect()
}

fn timeouts(settings: &TimeoutSettings) -> Timeouts {
    let usual = Timeouts::default();
    Timeouts {
        connect: settings.connect.unwrap_or(usual.connect),
        head_stream: settings.head.unwrap_or(usual.head_stream),
        head_whole: settings.head.unwrap_or(usual.head_whole),
        idle: settings.idle.unwrap_or(usual.idle),
        total: settings.total,
    }
}

fn agent(row: &Agent) -> Provider {
    let profile = Profile::unknown(row.id.as_str(), "");
    let models = row.models.iter().map(|id| models::plain(id, &profile)).collect();
    Provider {
        kind: Kind::Cli,
        default_model: Some(row.default_model.as_str().into()),
        models,
        takes_any_model: true,
        program: Some(row.program.clone()),
        disabled: Some("is off because command-line programs come in a later version".to_owned()),
        ..bare(&row.id, &row.name, profile)
    }
}

/// Answers without any model, so that a fresh gateway can be tried; costs nothing.
fn demo() -> Provider {
    let profile = Profile::unknown("demo", "demo");
    let free = Prices { input: Some(0), output: Some(0), ..Prices::default() };
    let (id, mut model) = models::plain("demo", &profile);
    if let Some(model) = std::sync::Arc::get_mut(&mut model) {
        model.rate = Some(Rate { base: free, tiers: Vec::new() });
        model.price_source = Some("demo".into());
    }
    Provider {
        kind: Kind::Demo,
        // Not an address: the demonstration runs within the gateway.
        endpoints: vec![Endpoint { wire: WireId::OpenAiChat, url: "demo:".to_owned(), auth: None }],
        default_model: Some(id.clone()),
        models: [(id, model)].into_iter().collect(),
        ..bare("demo", "Demonstration", profile)
    }
}

fn bare(id: &str, name: &str, profile: Profile) -> Provider {
    Provider {
        id: id.into(),
        spellings: Vec::new(),
        name: name.to_owned(),
        kind: Kind::Api,
        endpoints: Vec::new(),
        auth: None,
        key_names: Vec::new(),
        extra_headers: Vec::new(),
        default_model: None,
        models: IndexMap::default(),
        lacks: Vec::new(),
        takes_any_model: false,
        section: None,
        program: None,
        rules: Rules::default(),
        conditional: Vec::new(),
        timeouts: Timeouts::default(),
        strict_translation: false,
        disabled: None,
        profile,
    }
}
