//! `routes:` - names, or patterns of names, that lead to targets of the operator's choice.

use policy::{Condition, Member, Modality, Route, Strategy};

use super::super::section::{Reader, Section, text};
use super::super::tree::{Node, Value};

/// All routes, in the order of the file.
pub(super) fn read(section: &Section<'_>, reader: &mut Reader<'_>) -> Vec<Route> {
    let mut routes = Vec::new();
    for (key, node) in section.entries() {
        let mut inner = Section::open(section.path_of(&key.name), node, reader);
        routes.extend(route(&key.name, &mut inner, reader));
        inner.close(reader);
    }
    routes
}

fn route(name: &str, section: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<Route> {
    let strategy = section.value("strategy", reader, strategy).unwrap_or_default();
    let when = condition(section, reader);
    let (sticky, hedge) = (section.duration("sticky", reader), section.duration("hedge", reader));
    let when_too_long = targets("when_too_long", section, reader).unwrap_or_default();
    let when_refused = targets("when_refused", section, reader).unwrap_or_default();
    let Some(members) = targets("targets", section, reader) else {
        reader.invalid(section.line, format_args!("{} must have targets", section.path_of("targets")));
        return None;
    };
    Some(Route { name: name.into(), when, strategy, members, sticky, hedge, when_too_long, when_refused })
}

/// For which requests it holds. Each key is a list of which one has to be true; all keys have to be.
fn condition(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Condition {
    let mut texts = |key| section.texts(key, reader).unwrap_or_default();
    let (models, projects, keys, tags) = (texts("models"), texts("projects"), texts("keys"), texts("tags"));
    let mut bytes = |key| section.size(key, reader).and_then(|size| u64::try_from(size).ok());
    let (least, most) = (bytes("min_size"), bytes("max_size"));
    let modalities = section.value("modalities", reader, modalities).unwrap_or_default();
    let tools = section.flag("tools", reader);
    Condition { models, projects, keys, tags, least, most, modalities, tools }
}

fn modalities(node: &Node) -> Result<Vec<Modality>, &'static str> {
    const WANTED: &str = "text, images, documents or audio, or a list of them";
    let one = |node: &Node| Modality::from_name(&text(node)?).ok_or(WANTED);
    match &node.value {
        Value::List(items) => items.iter().map(one).collect(),
        _ => one(node).map(|modality| vec![modality]),
    }
}

fn targets(key: &'static str, section: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<Vec<Member>> {
    let node = section.take(key)?;
    Some(members(node, &section.path_of(key), reader))
}

fn strategy(node: &Node) -> Result<Strategy, &'static str> {
    const WANTED: &str =
        "in-order (failover), weighted, random, round-robin, least-busy, lowest-latency or cheapest";
    Strategy::from_name(&text(node)?).ok_or(WANTED)
}

fn members(node: &Node, path: &str, reader: &mut Reader<'_>) -> Vec<Member> {
    let items = match &node.value {
        Value::List(items) if !items.is_empty() => items.as_slice(),
        Value::Text(_) => std::slice::from_ref(node),
        _ => {
            reader.invalid(node.line, format_args!("{path} must be a list of targets, as openai/gpt-4o"));
            return Vec::new();
        }
    };
    items.iter().filter_map(|item| member(item, path, reader)).collect()
}

/// A model's name as in a request, or a section that says more.
fn member(node: &Node, path: &str, reader: &mut Reader<'_>) -> Option<Member> {
    if let Ok(model) = text(node) {
        return Some(Member { model: Some(model), ..Member::default() });
    }
    let mut section = Section::open(path, node, reader);
    let (provider, model) = (section.text("provider", reader), section.text("model", reader));
    let key = section.text("key", reader).map(Into::into);
    let weight = section.value("weight", reader, number).unwrap_or(1);
    let priority = section.value("priority", reader, number).unwrap_or(0);
    let line = section.line;
    section.close(reader);
    if provider.is_none() && model.is_none() {
        reader.invalid(line, format_args!("{path}: a target must name a provider, a model or both"));
        return None;
    }
    Some(Member { provider, model, key, weight, priority })
}

fn number(node: &Node) -> Result<u32, &'static str> {
    const WANTED: &str = "a whole number, 0 to 1000000";
    match node.value {
        Value::Int(number @ 0..=1_000_000) => u32::try_from(number).map_err(|_| WANTED),
        _ => Err(WANTED),
    }
}
