//! The provider rows: their form as far as guards need it, and where each was read.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::Finding;
use super::tree::Tree;

pub(super) const PATH: &str = "catalog/providers.toml";

/// What a row must at least say.
pub(super) struct Provider {
    pub(super) id: String,
    base: Option<String>,
    read: Option<String>,
}

impl Provider {
    /// The host of its base URL, unless it is this machine.
    pub(super) fn host(&self) -> Option<&str> {
        let (_, rest) = self.base.as_deref()?.split_once("://")?;
        let host = rest.split(['/', ':']).next()?;
        (host.contains('.') && host != "127.0.0.1").then_some(host)
    }
}

/// The rows; the error says why there are none.
pub(super) fn providers(tree: &Tree) -> Result<Vec<Provider>, String> {
    let text = tree.get(PATH).ok_or("is not there")?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let rows = table.get("provider").and_then(Value::as_array).ok_or("has no [[provider]] row")?;
    rows.iter().map(row).collect()
}

fn row(value: &Value) -> Result<Provider, String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let id = text("id").ok_or("has a row without an id")?;
    Ok(Provider { id, base: text("base"), read: text("read") })
}

/// Every row says on which day and on which page it was read; no id occurs twice.
pub(super) fn rows_have_sources(tree: &Tree) -> Vec<Finding> {
    let rows = match providers(tree) {
        Ok(rows) => rows,
        Err(why) => return vec![Finding::new(PATH, why)],
    };
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for row in &rows {
        if !row.read.as_deref().is_some_and(is_source) {
            let what =
                format!("{}: read = \"2026-01-31 https://page\" is missing or has another form", row.id);
            findings.push(Finding::new(PATH, what));
        }
        if !seen.insert(&row.id) {
            findings.push(Finding::new(PATH, format!("{} occurs twice", row.id)));
        }
    }
    findings
}

/// A day and at least one address.
fn is_source(read: &str) -> bool {
    let Some((day, page)) = read.split_once(' ') else { return false };
    let form: String = day.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    form == "0000-00-00" && (page.starts_with("https://") || page.starts_with("http://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<Finding> {
        rows_have_sources(&Tree::of(&[(PATH, text)]))
    }

    #[test]
    fn a_row_with_a_day_and_a_page_passes() {
        assert!(
            findings("[[provider]]\nid = 'acme'\nread = '2026-01-15 https://acme.example/docs'").is_empty()
        );
    }

    #[test]
    fn a_row_without_a_source_or_with_half_of_one_is_named() {
        for read in [
            "",
            "read = ''",
            "read = '2026-01-15'",
            "read = 'https://acme.example'",
            "read = 'May 2026 https://a'",
        ] {
            let found = findings(&format!("[[provider]]\nid = 'acme'\n{read}"));
            assert!(found.len() == 1 && found[0].what.starts_with("acme"), "{read}: {found:?}");
        }
    }

    #[test]
    fn an_id_that_occurs_twice_a_broken_file_and_a_missing_one_are_named() {
        let row = "[[provider]]\nid = 'acme'\nread = '2026-01-15 https://acme.example/docs'\n";
        assert_eq!(findings(&row.repeat(2)).len(), 1);
        assert_eq!(findings("[[provider").len(), 1);
        assert_eq!(rows_have_sources(&Tree::of(&[])).len(), 1);
    }

    #[test]
    fn the_host_of_a_local_provider_is_nobodys() {
        let host = |base: &str| {
            Provider { id: String::new(), base: Some(base.into()), read: None }.host().map(str::to_owned)
        };
        assert_eq!(host("https://api.acme.example:8443/v1").as_deref(), Some("api.acme.example"));
        assert_eq!(host("http://127.0.0.1:11434/v1"), None);
        assert_eq!(host("http://localhost:1234"), None);
    }
}
