//! Where in the file everything stands, for messages and for `config show`. Keys of providers are not kept here.

use super::tree::{Key, Node, Value};

/// All keys of the file, in its order.
#[derive(Debug, Default, Clone)]
pub(super) struct Places {
    /// The file, as messages name it.
    pub(super) file: String,
    pub(super) all: Vec<Place>,
}

/// One key.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Names from the top, as `providers.closeai.base_url`.
    pub(super) path: String,
    pub(super) line: u64,
    /// `None`: a section, whose keys follow.
    pub(super) value: Option<String>,
}

/// Keys whose values are secrets, and sections whose values may be.
const SECRETS: [&str; 2] = ["api_key", "auth_token"];
const PRIVATE_SECTIONS: [&str; 1] = ["headers"];

/// What stands for a secret.
pub(super) const MASKED: &str = "(secret)";

impl Places {
    pub(super) fn of(file: &str, root: &Node) -> Self {
        let mut places = Self { file: file.to_owned(), all: Vec::new() };
        if let Value::Map(entries) = &root.value {
            places.add("", entries);
        }
        places
    }

    fn add(&mut self, above: &str, entries: &[(Key, Node)]) {
        for (key, node) in entries {
            let path = if above.is_empty() { key.name.clone() } else { format!("{above}.{}", key.name) };
            match &node.value {
                Value::Map(inner) => {
                    self.all.push(Place { path: path.clone(), line: key.line, value: None });
                    self.add(&path, inner);
                }
                _ => {
                    let value = Some(shown(above, &key.name, node));
                    self.all.push(Place { path, line: key.line, value });
                }
            }
        }
    }

    pub(super) fn line(&self, path: &str) -> Option<u64> {
        self.all.iter().find(|place| place.path == path).map(|place| place.line)
    }
}

/// A value as it may be shown: a secret is, where it only says where the secret is.
fn shown(above: &str, key: &str, node: &Node) -> String {
    let section = above.rsplit('.').next().unwrap_or_default();
    let text = match &node.value {
        Value::Text(text) => text.clone(),
        _ => node.json().to_string(),
    };
    let refers = ["env:", "file:", "${"].iter().any(|sign| text.starts_with(sign));
    match SECRETS.contains(&key) || PRIVATE_SECTIONS.contains(&section) {
        true if !refers => MASKED.to_owned(),
        _ => without_password(&text),
    }
}

/// An address without the name and the password in it, and any text without keys.
pub(super) fn without_password(text: &str) -> String {
    let masked = text.split_once("://").and_then(|(scheme, rest)| {
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (_, host) = authority.rsplit_once('@')?;
        Some(format!("{scheme}://***@{host}{path}"))
    });
    wire::scrub::scrub(&masked.unwrap_or_else(|| text.to_owned())).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    #[test]
    fn every_key_has_its_line_and_no_secret_is_kept() {
        let text = "providers:\n  acme:\n    api_key: plain\n    headers: {x-own: plain}\n  other:\n    api_key: env:KEY\n    \
                    base_url: http://me:plain@a.example/v1\norder: [acme, other]\n";
        let places = Places::of("config.yaml", &tree::parse(text).unwrap());
        let value = |path: &str| {
            let place = places.all.iter().find(|place| place.path == path).unwrap();
            (place.line, place.value.as_deref())
        };
        assert_eq!(value("providers.acme"), (2, None));
        assert_eq!(value("providers.acme.api_key"), (3, Some(MASKED)));
        assert_eq!(value("providers.other.api_key"), (6, Some("env:KEY")));
        assert_eq!(value("providers.other.base_url"), (7, Some("http://***@a.example/v1")));
        assert_eq!(value("order"), (8, Some("[\"acme\",\"other\"]")));
        assert!(!format!("{places:?}").contains("plain"));
    }
}
