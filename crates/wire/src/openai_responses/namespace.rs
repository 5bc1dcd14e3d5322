//! Tools that stand in a `namespace`: elsewhere each has one flat name, and calls get their two names back.
//!
//! The flat names follow from the tools of the request alone, so that its decoder and the writer of its answer agree.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::shape::Tool;

/// What stands between the names, unless the first one ends in it.
const JOINT: &str = "__";

/// The namespaced tools of one request.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    tools: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    flat: String,
    namespace: String,
    name: String,
}

impl Namespaces {
    /// Of the text of `tools`. What cannot be read has none.
    pub(super) fn of(tools: Option<&str>) -> Self {
        let mut namespaces = Self::default();
        // Most requests have none, and schemas are long.
        let Some(text) = tools.filter(|text| text.contains("\"namespace\"")) else { return namespaces };
        let given: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
        let tools: Vec<Tool<'_>> =
            given.into_iter().filter_map(|text| serde_json::from_str(text.get()).ok()).collect();
        let mut taken: HashSet<String> = tools
            .iter()
            .filter(|tool| tool.kind != "namespace")
            .filter_map(|tool| tool.name.clone())
            .collect();
        for tool in tools.iter().filter(|tool| tool.kind == "namespace") {
            let inner =
                tool.tools.iter().filter_map(|text| serde_json::from_str::<Tool<'_>>(text.get()).ok());
            for name in inner.filter_map(|tool| tool.name) {
                namespaces.add(tool.name.clone().unwrap_or_default(), name, &mut taken);
            }
        }
        namespaces
    }

    fn add(&mut self, namespace: String, name: String, taken: &mut HashSet<String>) {
        let mut flat = joined(&namespace, &name);
        while !taken.insert(flat.clone()) {
            flat.push('_');
        }
        self.tools.push(Entry { flat, namespace, name });
    }

    /// The flat name of a tool.
    pub(super) fn flat(&self, namespace: &str, name: &str) -> String {
        let known = self.tools.iter().find(|tool| tool.namespace == namespace && tool.name == name);
        known.map_or_else(|| joined(namespace, name), |tool| tool.flat.clone())
    }

    /// Namespace and name of a tool with this flat name; `None`: it stands in no namespace.
    pub(super) fn split<'a>(&'a self, flat: &str) -> Option<(&'a str, &'a str)> {
        let known = self.tools.iter().find(|tool| tool.flat == flat);
        known.map(|tool| (tool.namespace.as_str(), tool.name.as_str()))
    }
}

fn joined(namespace: &str, name: &str) -> String {
    let joint = if namespace.ends_with(JOINT) { "" } else { JOINT };
    format!("{namespace}{joint}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOLS: &str = r#"[
        {"type":"function","name":"a__b"},
        {"type":"namespace","name":"a","tools":[{"type":"function","name":"b"},{"type":"function","name":"c"}]},
        {"type":"namespace","name":"mcp__x__","tools":[{"type":"function","name":"c"}]}]"#;

    #[test]
    fn flat_names_are_distinct_and_lead_back() {
        let namespaces = Namespaces::of(Some(TOOLS));
        for (namespace, name, flat) in
            [("a", "b", "a__b_"), ("a", "c", "a__c"), ("mcp__x__", "c", "mcp__x__c")]
        {
            assert_eq!(namespaces.flat(namespace, name), flat);
            assert_eq!(namespaces.split(flat), Some((namespace, name)));
        }
        assert_eq!(namespaces.split("a__b"), None);
    }

    #[test]
    fn tools_without_namespaces_have_none() {
        assert_eq!(Namespaces::of(None).split("f"), None);
        assert!(Namespaces::of(Some(r#"[{"type":"function","name":"f"}]"#)).tools.is_empty());
    }
}
