//! Keys among variables: `<PROVIDER>_API_KEY`, as the catalogue and the sections of a file spell them.

use store::{GLOBAL, Secret};

use super::haul::{Haul, Key};
use super::settle::usable;
use crate::catalog::Catalogue;

/// A variable of the source.
pub(super) struct Variable {
    pub name: String,
    pub value: Secret,
    /// As `.env:3`.
    pub place: Option<String>,
}

/// The provider that a variable holds the key of; `sections` are those of a file of the source, which go first.
pub(super) fn provider_of(variable: &str, sections: &[String]) -> Option<String> {
    let prefix = variable.strip_suffix("_API_KEY")?;
    let named = |section: &&String| prefix_of(section) == prefix;
    let section = sections.iter().find(named).map(String::as_str);
    let by_section = section.map(|section| {
        Catalogue::embedded().provider(section).map_or(section.to_owned(), |row| row.id.clone())
    });
    by_section.or_else(|| {
        let rows = &Catalogue::embedded().providers;
        rows.iter().find(|row| row.env.iter().any(|known| known == prefix)).map(|row| row.id.clone())
    })
}

/// `ACME_AI` for `acme-ai`.
fn prefix_of(section: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    section.chars().map(upper).collect()
}

impl Haul {
    /// Takes the key that a variable holds. `false`: it holds none of a provider that is known.
    pub(super) fn take_variable(&mut self, variable: Variable, sections: &[String]) -> bool {
        let Some(provider) = provider_of(&variable.name, sections) else { return false };
        let Variable { name, value, place } = variable;
        match usable(value) {
            Ok((secret, remark)) => {
                let key =
                    Key { provider, name: "default".into(), project: GLOBAL.into(), secret, place, remark };
                self.add(key, &name.to_ascii_lowercase());
            }
            Err(why) => self.report.not(place, name, why),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_the_key_of_a_section_or_of_a_provider_of_the_catalogue() {
        let sections = ["close-ai".to_owned(), "gemini".to_owned()];
        let provider = |name: &str| provider_of(name, &sections);
        assert_eq!(provider("CLOSE_AI_API_KEY").as_deref(), Some("close-ai"));
        assert_eq!(provider("GEMINI_API_KEY").as_deref(), Some("google"));
        assert_eq!(provider("OPENAI_API_KEY").as_deref(), Some("openai"));
        assert_eq!(provider("ACCESS_API_KEYS"), None);
        assert_eq!(provider("NOBODY_API_KEY"), None);
    }
}
