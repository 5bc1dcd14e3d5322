//! Who may come in, and when the gateway refuses to run: token, access keys, address.

use std::net::IpAddr;

use store::Secret;

use super::environment::Environment;
use super::report::Report;

/// The shortest token that is let pass. Source: CONTRACT.md section 1, "Token length".
const SHORTEST_TOKEN: usize = 32;

/// Beginnings and parts of tokens that were copied from an example.
const PLACEHOLDERS: [&str; 9] = [
    "changeme",
    "change-me",
    "change_me",
    "your-token",
    "your_token",
    "your-secret",
    "replace-me",
    "replace_me",
    "placeholder",
];

/// A key that may call models.
#[derive(Debug)]
pub struct AccessKey {
    /// Stands in the ledger instead of the key.
    pub name: String,
    #[allow(missing_docs)]
    pub secret: Secret,
    /// The only project it may act for.
    pub project: Option<String>,
    /// Patterns of models that it may use; empty: all.
    pub models: Vec<String>,
    /// Providers that it may use; empty: all.
    pub providers: Vec<String>,
}

/// What the value of a key in the JSON form may say. LLM-Bridge looked at no value, so other fields are let pass; but a
/// name that is close to one of these would lift a limit in silence, hence the warning.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Described {
    name: Option<String>,
    project: Option<String>,
    models: Vec<String>,
    providers: Vec<String>,
    #[serde(flatten)]
    unknown: serde_json::Map<String, serde_json::Value>,
}

/// The token, if it is good enough.
pub(super) fn token(found: Option<Secret>, report: &mut Report) -> Option<Secret> {
    let token = found?;
    match weakness(token.expose()) {
        None => Some(token),
        Some(why) => {
            report.refuse(format!(
                "the gateway token (LLM_GATEWAY_AUTH_TOKEN) {why}; make one with: openssl rand -hex 32"
            ));
            None
        }
    }
}

/// What is wrong with a token; never the token.
fn weakness(token: &str) -> Option<String> {
    let length = token.chars().count();
    let lower = token.to_lowercase();
    let mut distinct: Vec<char> = token.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if length < SHORTEST_TOKEN {
        return Some(format!("has {length} characters, and at least {SHORTEST_TOKEN} are needed"));
    }
    if !token.chars().all(|c| c.is_ascii_graphic()) {
        return Some("has characters that no header can carry".to_owned());
    }
    let copied = PLACEHOLDERS.iter().any(|placeholder| lower.contains(placeholder)) || distinct.len() < 4;
    copied.then(|| "is a placeholder".to_owned())
}

/// `ACCESS_API_KEYS`: a comma list, or a JSON object whose keys are the keys and whose values name them.
pub(super) fn access_keys(found: Option<&Secret>, report: &mut Report) -> Vec<AccessKey> {
    let Some(text) = found.map(Secret::expose) else { return Vec::new() };
    let keys = match text.chars().next() {
        Some('{') => serde_json::from_str(text).map_err(|_| ()).and_then(described),
        Some('[') => Err(()),
        _ => Ok(text.split(',').map(|key| (key.trim().to_owned(), Described::default())).collect()),
    };
    let Ok(keys) = keys else {
        report.invalid(
            "ACCESS_API_KEYS must be a comma list of keys, or a JSON object whose keys are the keys and whose values are \
             names or objects with name, project, models and providers",
        );
        return Vec::new();
    };
    let keys = keys.into_iter().filter(|(key, _)| !key.is_empty());
    keys.enumerate().map(|(at, (key, described))| access_key(at, key, described, report)).collect()
}

fn access_key(at: usize, key: String, described: Described, report: &mut Report) -> AccessKey {
    let Described { name, project, models, providers, unknown } = described;
    let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("access-key-{}", at + 1));
    for field in unknown.keys() {
        report.warn(format!("ACCESS_API_KEYS: '{field}' of {name} means nothing here and is left aside"));
    }
    AccessKey { name, secret: Secret::new(key), project, models, providers }
}

fn described(keys: serde_json::Map<String, serde_json::Value>) -> Result<Vec<(String, Described)>, ()> {
    let one = |value| match value {
        serde_json::Value::String(name) => Ok(Described { name: Some(name), ..Described::default() }),
        object @ serde_json::Value::Object(_) => serde_json::from_value(object).map_err(|_| ()),
        _ => Ok(Described::default()),
    };
    keys.into_iter().map(|(key, value)| Ok((key, one(value)?))).collect()
}

/// The address to listen at.
pub(super) fn host(text: &str) -> Result<IpAddr, &'static str> {
    match text.trim_start_matches('[').trim_end_matches(']') {
        "localhost" => Ok(IpAddr::from([127, 0, 0, 1])),
        address => address.parse().map_err(|_| "an IP address or localhost"),
    }
}

/// `*`, or scheme and host of a web page.
pub(super) fn is_origin(text: &str) -> bool {
    let rest = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    text == "*" || rest.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']))
}

/// Refuses what would leave the gateway open to strangers (SAFETY.md section 3, DECISIONS.md 25).
pub(super) fn check_openness(
    environment: &Environment<'_>,
    host: IpAddr,
    (has_token, has_keys): (bool, bool),
    report: &mut Report,
) {
    let production = ["LLM_GATEWAY_ENV", "NODE_ENV"]
        .into_iter()
        .find(|name| environment.text(name).as_deref() == Some("production"));
    let required = match environment.text("LLM_GATEWAY_AUTH_REQUIRED").as_deref() {
        None => None,
        Some("true" | "1") => Some(true),
        Some("false" | "0") => Some(false),
        Some(_) => return report.invalid("LLM_GATEWAY_AUTH_REQUIRED must be true or false"),
    };
    const REMEDY: &str = "set LLM_GATEWAY_AUTH_TOKEN, or LLM_GATEWAY_AUTH_REQUIRED=false to serve everyone";
    match (required, production) {
        (Some(false), _) => {}
        (Some(true), _) if !has_token => {
            report.refuse("LLM_GATEWAY_AUTH_REQUIRED asks for a token, and LLM_GATEWAY_AUTH_TOKEN is not set")
        }
        (_, Some(name)) if !has_token => report.refuse(format!("{name}=production needs a token: {REMEDY}")),
        _ if !host.is_loopback() && !has_token && !has_keys => {
            report.refuse(format!("{host} is open to other machines, and no token is set: {REMEDY}"));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Result<Vec<(String, String)>, String> {
        let mut report = Report::default();
        let keys = access_keys(Some(&Secret::new(text.to_owned())), &mut report);
        report.finish().map_err(|error| error.to_string())?;
        Ok(keys.into_iter().map(|key| (key.name, key.secret.expose().to_owned())).collect())
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, key)| ((*name).to_owned(), (*key).to_owned())).collect()
    }

    #[test]
    fn access_keys_are_a_comma_list_of_any_length() {
        assert_eq!(
            keys(" a, b ,,c").unwrap(),
            pairs(&[("access-key-1", "a"), ("access-key-2", "b"), ("access-key-3", "c")])
        );
    }

    #[test]
    fn access_keys_are_the_keys_of_an_object_and_its_values_name_them() {
        let named = keys(r#"{"k1": "alice", "k2": {"any": 1}}"#).unwrap();
        assert_eq!(named, pairs(&[("alice", "k1"), ("access-key-2", "k2")]));
    }

    #[test]
    fn an_access_key_may_be_held_to_a_project_models_and_providers() {
        let mut report = Report::default();
        let text = r#"{"k1": {"name": "ci", "project": "blue", "models": ["gpt-*"], "providers": ["acme"], "modles": []}}"#;
        let keys = access_keys(Some(&Secret::new(text.to_owned())), &mut report);
        let AccessKey { name, project, models, providers, .. } = &keys[0];
        assert_eq!((name.as_str(), project.as_deref()), ("ci", Some("blue")));
        assert_eq!((models, providers), (&vec!["gpt-*".to_owned()], &vec!["acme".to_owned()]));
        let warnings = report.finish().unwrap();
        assert!(warnings[0].to_string().contains("'modles' of ci"), "{warnings:?}");
        let mut report = Report::default();
        access_keys(Some(&Secret::new(r#"{"k1": {"models": "gpt-4o"}}"#.to_owned())), &mut report);
        assert!(report.finish().is_err(), "a limit that cannot be read is no limit");
    }

    #[test]
    fn access_keys_in_another_form_are_refused_without_being_shown() {
        for text in ["[\"s3cret\"]", "{\"s3cret\"}", "{s3cret"] {
            let error = keys(text).unwrap_err();
            assert!(error.contains("ACCESS_API_KEYS") && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_token_is_long_and_no_placeholder() {
        assert_eq!(weakness("0123456789abcdef0123456789abcdef"), None);
        assert!(weakness("short").unwrap().contains("32"));
        for token in [
            "changeme-changeme-changeme-changeme",
            "YOUR-TOKEN-0123456789012345678901234",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(weakness(token).as_deref(), Some("is a placeholder"));
        }
        assert!(weakness("0123456789abcdef 123456789abcdef0").is_some());
    }

    #[test]
    fn an_origin_is_scheme_and_host_or_everyone() {
        for good in ["*", "https://a.example", "http://localhost:5173"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in ["", "null", "a.example", "https://a.example/", "https://"] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
