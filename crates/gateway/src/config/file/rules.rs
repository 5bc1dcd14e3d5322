//! Parameter rules: LLM-Bridge's `param_config`, and `rules`, lists of such edits that hold for some requests.

use policy::{Access, ConditionalRules, Rule, Rules, When};
use wire::{SurfaceId, WireId};

use super::super::section::{Reader, Section, text};
use super::super::tree::{Node, Value};

/// Reads `param_config` of a provider or a model.
pub(super) fn read(parent: &mut Section<'_>, reader: &mut Reader<'_>) -> Rules {
    let Some(mut section) = parent.section("param_config", reader) else { return Rules::default() };
    let rules = edits(&mut section, reader);
    section.close(reader);
    rules
}

/// Reads `rules` of the file or of a provider.
pub(super) fn conditional(parent: &mut Section<'_>, reader: &mut Reader<'_>) -> Vec<ConditionalRules> {
    let path = parent.path_of("rules");
    match parent.take("rules").map(|node| (&node.value, node.line)) {
        None => Vec::new(),
        Some((Value::List(items), _)) => items.iter().map(|item| holding(&path, item, reader)).collect(),
        Some((_, line)) => {
            reader.invalid(line, format_args!("{path} must be a list of sections"));
            Vec::new()
        }
    }
}

fn holding(path: &str, node: &Node, reader: &mut Reader<'_>) -> ConditionalRules {
    let mut section = Section::open(path, node, reader);
    let targets = Access {
        models: section.texts("models", reader).unwrap_or_default(),
        providers: section.texts("providers", reader).unwrap_or_default(),
    };
    let wires = named(&mut section, "wires", reader, &WireId::ALL, WireId::name);
    let surfaces = named(&mut section, "surfaces", reader, &SurfaceId::ALL, SurfaceId::name);
    let rules = edits(&mut section, reader);
    if rules.is_empty() {
        reader.invalid(
            section.line,
            format_args!("{path}: a rule must update, add, rename or delete something"),
        );
    }
    section.close(reader);
    ConditionalRules { when: When { targets, wires, surfaces }, rules }
}

/// A list of names, each of which must be one of these.
fn named<T: Copy>(
    section: &mut Section<'_>,
    key: &'static str,
    reader: &mut Reader<'_>,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Vec<T> {
    let names = section.texts(key, reader).unwrap_or_default();
    let mut found = Vec::with_capacity(names.len());
    for wanted in names {
        match all.iter().find(|one| name(**one) == wanted) {
            Some(one) => found.push(*one),
            None => {
                let known: Vec<&str> = all.iter().map(|one| name(*one)).collect();
                let what = format!("{}: '{wanted}' is none of {}", section.path_of(key), known.join(", "));
                reader.invalid(section.line_of(key), what);
            }
        }
    }
    found
}

/// The edits of one section; who called closes it.
fn edits(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Rules {
    let mut rules = Vec::new();
    for (key, make) in [("update_params", update as Make), ("add_params", add), ("rename_params", rename)] {
        let Some(fields) = section.section(key, reader) else { continue };
        for (field, node) in fields.entries() {
            match make(&field.name, node) {
                Ok(rule) => push(&mut rules, rule, node.line, reader),
                Err(wanted) => reader
                    .invalid(node.line, format_args!("{} must be {wanted}", fields.path_of(&field.name))),
            }
        }
    }
    if let Some(node) = section.take("delete_params") {
        match names(node) {
            Some(names) => names
                .into_iter()
                .for_each(|(field, line)| push(&mut rules, Rule::Delete { field }, line, reader)),
            None => {
                let path = section.path_of("delete_params");
                reader.invalid(node.line, format_args!("{path} must be a list of field names"));
            }
        }
    }
    Rules::new(rules).unwrap_or_default()
}

type Make = fn(&str, &Node) -> Result<Rule, &'static str>;

fn update(field: &str, node: &Node) -> Result<Rule, &'static str> {
    Ok(Rule::Update { field: field.to_owned(), json: node.json().to_string() })
}

fn add(field: &str, node: &Node) -> Result<Rule, &'static str> {
    Ok(Rule::Add { field: field.to_owned(), json: node.json().to_string() })
}

fn rename(field: &str, node: &Node) -> Result<Rule, &'static str> {
    Ok(Rule::Rename { from: field.to_owned(), to: text(node)? })
}

/// A rule that touches what no rule may is an error of the file.
fn push(rules: &mut Vec<Rule>, rule: Rule, line: u64, reader: &mut Reader<'_>) {
    match rule.protected() {
        Some(field) => reader.invalid(line, format_args!("'{field}' is protected: no rule may change it")),
        None => rules.push(rule),
    }
}

/// A list of names, or a map whose keys are names.
fn names(node: &Node) -> Option<Vec<(String, u64)>> {
    match &node.value {
        Value::List(items) => items.iter().map(|item| Some((text(item).ok()?, item.line))).collect(),
        Value::Map(entries) => Some(entries.iter().map(|(key, _)| (key.name.clone(), key.line)).collect()),
        _ => None,
    }
}
