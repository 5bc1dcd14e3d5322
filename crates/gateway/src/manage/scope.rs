//! Which project a request is about.

use http::HeaderMap;

/// `?project=`, else `X-Project`.
pub fn asked_project(query: Option<&str>, headers: &HeaderMap) -> Option<String> {
    let in_query = |query: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == "project").map(|(_, project)| project.into_owned())
    };
    let from_query = query.and_then(in_query);
    let from_header = || Some(headers.get("x-project")?.to_str().ok()?.trim().to_owned());
    from_query.or_else(from_header).filter(|project| !project.is_empty())
}
