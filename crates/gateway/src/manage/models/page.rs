//! What a client says about the page that it wants.

use std::ops::RangeInclusive;

use wire::Fault;

use super::Listed;

/// The parameters of a query.
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub(super) fn of(query: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self { pairs: pairs.into_owned().collect() }
    }

    /// A parameter that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let found = self.pairs.iter().find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.clone())
    }

    /// A number within a range.
    pub(super) fn number(&self, name: &str, range: RangeInclusive<usize>) -> Result<Option<usize>, Fault> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| {
            let why = format!("'{name}' must be a number from {} to {}", range.start(), range.end());
            Fault::malformed(name.to_owned(), why)
        })
    }
}

/// Where a model stands that a page begins or ends at.
pub(super) fn position(models: &[Listed], parameter: &str, id: &str) -> Result<usize, Fault> {
    let found = models.iter().position(|listed| listed.id == id);
    found.ok_or_else(|| {
        Fault::malformed(parameter.to_owned(), format!("'{parameter}': there is no model {id}"))
    })
}
