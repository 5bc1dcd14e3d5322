//! Another configuration for a running gateway: by a changed file, by SIGHUP, by a call of the administration; whole or
//! not at all. Row P15 of the fault model: a broken one leaves the old in force, and says so.

mod load;

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, TOKEN, block_on, both_wires, chat_body, eventually};

/// Puts another file in the place of the gateway's, as editors and mounted configurations do it: at once.
fn write(gateway: &Gateway, name: &str, text: &str) {
    let path = gateway.dir.path().join(name);
    let fresh = path.with_extension("fresh");
    std::fs::write(&fresh, text).unwrap();
    std::fs::rename(&fresh, &path).unwrap();
}

fn reload(gateway: &Gateway) -> Value {
    let reply = gateway.post("/admin/v1/config/reload", &Value::Null);
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn logged(gateway: &Gateway, what: &str) -> usize {
    gateway.stderr().matches(what).count()
}

fn config_error(gateway: &Gateway) -> Option<String> {
    gateway.get("/health").json()["config_error"].as_str().map(str::to_owned)
}

#[test]
fn a_changed_file_is_taken_up_and_a_broken_one_is_not_until_it_is_mended() {
    let provider = block_on(FakeProv::start());
    let yaml = both_wires(&provider);
    let gateway = Builder::new(&yaml).start();
    assert_eq!(gateway.chat("mine").status, 404);
    write(&gateway, "config.yaml", &format!("{yaml}aliases: {{mine: oai/text}}\n"));
    eventually("the alias is there", || gateway.chat("mine").status == 200);

    write(&gateway, "config.yaml", &format!("{yaml}alaises: {{mine: ant/text}}\n"));
    eventually("the error is shown", || config_error(&gateway).is_some());
    assert_eq!(config_error(&gateway).unwrap(), "1 error: the configuration read before is in force");
    assert_eq!(gateway.chat("mine").status, 200, "the old configuration stays");
    let status = gateway.get("/admin/v1/config").json();
    let error = status["errors"][0].as_str().unwrap();
    assert!(error.contains("config.yaml:13") && error.contains("did you mean 'aliases'?"), "{error}");
    let metrics = gateway.get("/metrics").text();
    assert!(metrics.contains("llm_gateway_config_reload_ok 0"), "{metrics}");

    write(&gateway, "config.yaml", &format!("{yaml}aliases: {{other: oai/text}}\n"));
    eventually("the mended file is taken up", || gateway.chat("other").status == 200);
    assert_eq!((config_error(&gateway), gateway.chat("mine").status), (None, 404));
    assert!(gateway.get("/metrics").text().contains("llm_gateway_config_reload_ok 1"));
}

#[test]
fn a_broken_file_is_said_once_however_often_it_is_read() {
    let provider = block_on(FakeProv::start());
    let yaml = both_wires(&provider);
    let gateway = Builder::new(&yaml).start();
    write(&gateway, "config.yaml", "providers: [\n");
    gateway.signal("-HUP");
    eventually("the error is shown", || config_error(&gateway).is_some());
    for _ in 0..3 {
        let refused = gateway.post("/admin/v1/config/reload", &Value::Null);
        assert_eq!((refused.status, refused.header("content-type")), (400, Some("application/problem+json")));
        assert!(refused.json()["detail"].as_str().unwrap().contains("config.yaml"), "{}", refused.text());
    }
    assert_eq!(logged(&gateway, "the new configuration is not valid"), 1);
    assert_eq!(gateway.chat("oai/text").status, 200);
    std::fs::remove_file(gateway.dir.path().join("config.yaml")).unwrap();
    let gone = gateway.post("/admin/v1/config/reload", &Value::Null);
    assert!(gone.text().contains("config.yaml is gone"), "{}", gone.text());
}

#[test]
fn what_needs_a_restart_is_named_and_the_rest_is_in_force() {
    let provider = block_on(FakeProv::start());
    let yaml = both_wires(&provider);
    let gateway = Builder::new(&yaml).start();
    let more = "server: {host: 127.0.0.2, x_gateway: false}\ndata_dir: elsewhere\n";
    write(&gateway, "config.yaml", &format!("{yaml}{more}"));
    let status = reload(&gateway);
    assert_eq!(status["needs_restart"], json!(["server.host", "data_dir"]));
    assert!(gateway.chat("oai/text").json()["x_gateway"].is_null());
    reload(&gateway);
    assert_eq!(logged(&gateway, "server.host was changed, which needs a restart"), 1);
    write(&gateway, "config.yaml", &yaml);
    assert_eq!(reload(&gateway)["needs_restart"], json!([]));
    assert!(gateway.chat("oai/text").json()["x_gateway"].is_object());
}

#[test]
fn variables_of_a_dotenv_file_are_read_again() {
    let provider = block_on(FakeProv::start());
    let gateway = Builder::new(both_wires(&provider)).start();
    let status = |key| {
        let path = "/v1/chat/completions";
        gateway.ask(key, "POST", path, None, &chat_body("oai/text", false)).status
    };
    assert_eq!(status("first"), 401);
    write(&gateway, ".env", "ACCESS_API_KEYS=first\n");
    eventually("the key is known", || status("first") == 200);
    write(&gateway, ".env", "ACCESS_API_KEYS=second\n");
    reload(&gateway);
    assert_eq!((status("second"), status(TOKEN)), (200, 200));
    assert!(matches!(status("first"), 401 | 429), "it opens nothing any more");
}

#[test]
fn what_was_seen_of_providers_survives() {
    let provider = block_on(FakeProv::start());
    let yaml = both_wires(&provider);
    let gateway = Builder::new(&yaml).start();
    gateway.chat("oai/text");
    // Each is tried three times, and five failures open a breaker.
    gateway.chat("oai/status-500");
    gateway.chat("oai/status-500");
    let seen = || {
        let breakers = gateway.get("/v1/circuit-breaker/stats").json();
        let state = breakers["stats"]["oai"]["models"]["status-500"]["state"].clone();
        (state, gateway.get("/v1/latency").json()["providers"][0]["latencyMs"].clone())
    };
    let before = seen();
    assert!(before.0 == "open" && before.1.is_number(), "{before:?}");
    write(&gateway, "config.yaml", &format!("{yaml}aliases: {{mine: oai/text}}\n"));
    reload(&gateway);
    assert_eq!(seen(), before);
    assert_eq!(gateway.chat("mine").status, 200);
}
