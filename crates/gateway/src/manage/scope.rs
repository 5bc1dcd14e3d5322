//! What the query and the head of a request say: which project it is about, which page of a list.

use http::HeaderMap;
use wire::Fault;

use super::fields::invalid;
use crate::door::Caller;

/// `?project=`, else `X-Project`.
pub fn asked_project(query: Option<&str>, headers: &HeaderMap) -> Option<String> {
    let from_query = parameter(query, "project");
    let from_header = || Some(headers.get("x-project")?.to_str().ok()?.trim().to_owned());
    from_query.or_else(from_header).filter(|project| !project.is_empty())
}

/// Whose rows a list shows: the named project's, else those of the only one that the caller's key may act for, else all.
pub(super) fn seen_by(caller: &Caller, asked: Option<&str>) -> Result<Option<String>, Fault> {
    match (&caller.scope.project, asked) {
        (None, asked) => Ok(asked.map(str::to_owned)),
        (Some(_), asked) => caller.project(asked).map(Some),
    }
}

/// A parameter of a query.
pub(super) fn parameter(query: Option<&str>, wanted: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query?.as_bytes());
    pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

/// Rows of a page, unless the query says how many.
const PAGE: u32 = 100;
/// Rows of a page, at most.
const LARGEST_PAGE: u32 = 1_000;

/// `?limit=`.
pub(super) fn limit(query: Option<&str>) -> Result<u32, Fault> {
    let Some(text) = parameter(query, "limit") else { return Ok(PAGE) };
    let limit = text.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit));
    limit.ok_or_else(|| invalid("limit", "must be a number from 1 to 1000"))
}
