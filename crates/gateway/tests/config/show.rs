//! What can be written, what holds, and who says so.

use gateway::config::{Origin, SCHEMA, show};
use serde_json::Value;

use crate::support::*;

/// A file with an unknown key in every section that there is, each with the pointer to the section in the schema.
const STRANGE: &str = "
qqqqqqqqqq: 1
server: {qqqqqqqqqq: 1}
responses: {qqqqqqqqqq: 1}
logging: {qqqqqqqqqq: 1}
proxy: {qqqqqqqqqq: 1}
rules: [{qqqqqqqqqq: 1}]
routes: {r: {qqqqqqqqqq: 1, targets: [{model: m, qqqqqqqqqq: 1}]}}
providers:
  p:
    qqqqqqqqqq: 1
    base_url: http://localhost/v1
    auth: {qqqqqqqqqq: 1}
    timeouts: {qqqqqqqqqq: 1}
    param_config: {qqqqqqqqqq: 1}
    models: {m: {qqqqqqqqqq: 1, price: {qqqqqqqqqq: 1}}}
";

const SECTIONS: [(&str, &str); 14] = [
    ("", ""),
    ("server", "/properties/server"),
    ("responses", "/properties/responses"),
    ("logging", "/properties/logging"),
    ("proxy", "/properties/proxy/oneOf/1"),
    ("rules", "/$defs/rule"),
    ("routes.r", "/$defs/route"),
    ("routes.r.targets", "/$defs/targets/oneOf/1/items/oneOf/1"),
    ("providers.p", "/$defs/provider"),
    ("providers.p.auth", "/$defs/provider/properties/auth/oneOf/1"),
    ("providers.p.timeouts", "/$defs/provider/properties/timeouts"),
    ("providers.p.param_config", "/$defs/param_config"),
    ("providers.p.models.m", "/$defs/model"),
    ("providers.p.models.m.price", "/$defs/price"),
];

#[test]
fn the_schema_has_the_keys_that_the_file_may_have_and_no_others() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    let error = with_yaml(STRANGE).error();
    let said: HashMap<&str, Vec<&str>> = error.lines().iter().filter_map(|line| known(line)).collect();
    assert_eq!(said.len(), SECTIONS.len(), "{error}");
    for (section, pointer) in SECTIONS {
        let described = schema.pointer(pointer).and_then(|section| section["properties"].as_object());
        let mut described: Vec<&str> =
            described.expect("a section of the schema").keys().map(String::as_str).collect();
        let mut known = said[section].clone();
        known.sort_unstable();
        described.sort_unstable();
        assert_eq!(described, known, "{section}");
    }
}

/// The section of a message about an unknown key, and the keys that it lists.
fn known(line: &str) -> Option<(&str, Vec<&str>)> {
    let (_, rest) = line.split_once("unknown key 'qqqqqqqqqq'")?;
    let (place, keys) = rest.split_once("; known keys are ")?;
    Some((place.strip_prefix(" in ").unwrap_or(place), keys.split(", ").collect()))
}

#[test]
fn every_value_says_who_set_it() {
    let mut setting = setting(&[
        ("LLM_GATEWAY_PORT", "4001"),
        ("LLM_GATEWAY_HOST", "127.0.0.2"),
        ("ACME_BASE_URL", "http://localhost:2/v1"),
    ])
    .with_file(".env", "OPENAI_API_KEY=sk-hidden\n")
    .with_file(
        "config.yaml",
        "server:\n  port: 4000\n  max_body: 1MB\n  max_prompt: 7\nproviders:\n  acme:\n    base_url: http://localhost:1/v1\n    \
         api_key: hidden\n",
    );
    setting.flags.host = Some("127.0.0.3".to_owned());
    let config = setting.config();
    let shown = show(&config, &|name| setting.variables.get(name).cloned(), setting.dir.path());
    let of = |key: &str| {
        let mut rows = shown.iter().filter(|shown| shown.key == key);
        let (Some(row), None) = (rows.next(), rows.next()) else { panic!("{key} is not there once") };
        (row.value.as_str(), &row.origin)
    };
    let file = |line| Origin::File(config.file.as_ref().expect("a file").display().to_string(), line);
    let variable = |name: &str, in_dotenv| Origin::Variable(name.to_owned(), in_dotenv);
    assert_eq!(of("server.host"), ("127.0.0.3", &Origin::Flag("--host")));
    assert_eq!(of("server.port"), ("4001", &variable("LLM_GATEWAY_PORT", false)));
    assert_eq!(of("server.max_body"), ("1000000", &file(3)));
    assert_eq!(of("server.max_prompt"), ("7", &file(4)));
    assert_eq!(of("server.x_gateway"), ("true", &Origin::Default));
    assert_eq!(of("providers.acme.base_url"), ("http://localhost:2/v1", &variable("ACME_BASE_URL", false)));
    assert_eq!(of("providers.acme.api_key"), ("(secret)", &file(8)));
    assert_eq!(of("providers.openai.api_key"), ("(secret)", &variable("OPENAI_API_KEY", true)));
    assert!(!shown.iter().any(|shown| shown.value.contains("hidden")));
}

#[test]
fn what_does_not_fit_together_is_located_too() {
    let error = with_yaml(
        "default_provider: acne\nproviders:\n  acme:\n    base_url: nonsense\n  own: {}\nserver:\n  cors_origins: [a.example]\n",
    )
    .error();
    let said = error.to_string();
    for expected in [
        "config.yaml:1: default_provider: there is no provider 'acne'; did you mean 'acme'?",
        "config.yaml:4: providers.acme.base_url must be",
        "config.yaml:5: providers.own: a provider of your own needs a base_url",
        "config.yaml:7: CORS origin 'a.example'",
    ] {
        assert!(said.contains(expected), "{expected} is not in\n{said}");
    }
}
