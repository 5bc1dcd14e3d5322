//! `param_config`: LLM-Bridge's parameter rules.

use policy::{Rule, Rules};

use super::super::section::{Reader, Section, text};
use super::super::tree::{Node, Value};

/// Reads `param_config` of a provider or a model.
pub(super) fn read(parent: &mut Section<'_>, reader: &mut Reader<'_>) -> Rules {
    let Some(mut section) = parent.section("param_config", reader) else { return Rules::default() };
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
    section.close(reader);
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
