//! Models that servers list themselves.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use fakeprov::FakeProv;

use crate::support::{Builder, Gateway, TOKEN, block_on, eventually};

/// Ids of the list that begin like this.
fn listed(gateway: &Gateway, prefix: &str) -> Vec<String> {
    let list = gateway.get("/v1/models").json();
    let ids = list["data"].as_array().unwrap().iter().filter_map(|row| row["id"].as_str());
    ids.filter(|id| id.starts_with(prefix)).map(str::to_owned).collect()
}

fn own(base: &str, more: &str) -> Builder {
    Builder::new(format!("providers:\n  srv: {{base_url: '{base}'{more}}}\n"))
}

/// A server whose list a test changes; `None`: it takes connections and says nothing.
struct Lister {
    address: SocketAddr,
    answer: Arc<Mutex<Option<String>>>,
}

impl Lister {
    fn new(answer: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let lister = Self {
            address: listener.local_addr().unwrap(),
            answer: Arc::new(Mutex::new(answer.map(str::to_owned))),
        };
        let answer = lister.answer.clone();
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for mut socket in listener.incoming().flatten() {
                let Some(answer) = answer.lock().unwrap().clone() else {
                    silent.push(socket);
                    continue;
                };
                let mut request = [0; 4096];
                let _ = socket.read(&mut request);
                let _ = socket.write_all(answer.as_bytes());
            }
        });
        lister
    }

    fn say(&self, answer: &str) {
        *self.answer.lock().unwrap() = Some(answer.to_owned());
    }

    fn base(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

fn ok(ids: &[&str]) -> String {
    let rows: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    let body = format!(r#"{{"object":"list","data":[{}]}}"#, rows.join(","));
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

#[test]
fn the_models_of_an_own_server_are_listed_found_and_asked() {
    let provider = block_on(FakeProv::with_key("key-of-srv"));
    let gateway = own(&provider.url(), ", api_key: key-of-srv").start();
    eventually("the list is there", || listed(&gateway, "srv/").len() > 5);
    assert!(listed(&gateway, "srv/").contains(&"srv/text".to_owned()));
    assert_eq!(gateway.get("/v1/models/srv%2Ftext").json()["id"], "srv/text");
    for name in ["srv/text", "text"] {
        assert_eq!(gateway.chat(name).json()["choices"][0]["message"]["content"], fakeprov::TEXT, "{name}");
    }
    let asked = provider.lists();
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("GET", "/v1/models"));
    assert_eq!(asked[0].header("authorization"), Some("Bearer key-of-srv"));
    assert_eq!((asked[0].header("content-length"), asked[0].header("content-type")), (None, None));
    assert!(gateway.stderr().contains("srv lists 6 models"), "{}", gateway.stderr());
}

#[test]
fn a_name_that_nobody_has_is_answered_with_the_nearest_one_of_a_list() {
    let server = Lister::new(Some(&ok(&["qwen3-coder"])));
    let gateway = own(&server.base(), ", any_model: false").start();
    eventually("the list is there", || listed(&gateway, "srv/") == ["srv/qwen3-coder"]);
    let unknown = gateway.chat("qwen3-codr");
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "model_not_found"));
    assert!(unknown.text().contains("qwen3-coder"), "{}", unknown.text());
}

#[test]
fn a_local_server_of_the_catalogue_is_asked_where_its_row_says() {
    let provider = block_on(FakeProv::start());
    let gateway = Builder::bare()
        .env("LLM_GATEWAY_AUTH_TOKEN", TOKEN)
        .env("OLLAMA_BASE_URL", provider.origin())
        .start();
    eventually("the list is there", || listed(&gateway, "ollama/").contains(&"ollama/text".to_owned()));
    assert_eq!(provider.lists()[0].path, "/api/tags");
    assert_eq!(gateway.chat("ollama/text").status, 200);
}

#[test]
fn the_lists_of_servers_that_speak_messages_or_gemini_are_read_page_by_page() {
    let provider = block_on(FakeProv::with_key("key-of-srv"));
    let (origin, key) = (provider.origin(), "api_key: key-of-srv");
    let yaml = format!(
        "providers:\n  ant: {{base_url: '{origin}', wire: anthropic_messages, {key}}}\n  \
         gem: {{base_url: '{origin}', wire: gemini, {key}}}\n"
    );
    let gateway = Builder::new(yaml).start();
    let all = ["text", "echo", "tool", "tools-parallel", "json", "image-echo"];
    for id in ["ant", "gem"] {
        let expected: Vec<String> = all.iter().map(|model| format!("{id}/{model}")).collect();
        let sorted = |mut ids: Vec<String>| {
            ids.sort();
            ids
        };
        let expected = sorted(expected);
        eventually("both pages are there", || sorted(listed(&gateway, &format!("{id}/"))) == expected);
        assert_eq!(gateway.chat(&format!("{id}/text")).status, 200);
    }
    let lists = provider.lists();
    let of_messages: Vec<_> =
        lists.iter().filter(|asked| asked.header("anthropic-version").is_some()).collect();
    assert!(of_messages.iter().all(|asked| asked.header("x-api-key") == Some("key-of-srv")));
    assert_eq!(of_messages.len(), 2, "one request a page");
}

#[test]
fn a_list_is_read_again_and_one_that_fails_leaves_the_last() {
    let server = Lister::new(Some(&ok(&["one"])));
    let gateway = own(&server.base(), ", discover: 50ms").start();
    eventually("the first list", || listed(&gateway, "srv/") == ["srv/one"]);
    server.say(&ok(&["two", "three"]));
    eventually("the second list", || listed(&gateway, "srv/") == ["srv/two", "srv/three"]);
    server.say("HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    eventually("the failure is noticed", || gateway.stderr().contains("cannot be read"));
    assert_eq!(listed(&gateway, "srv/"), ["srv/two", "srv/three"]);
    server.say(&ok(&[]));
    eventually("an empty list is a list", || listed(&gateway, "srv/").is_empty());
    let told = gateway.stderr();
    assert_eq!(told.matches("the list of models of srv cannot be read").count(), 1, "{told}");
}

#[test]
fn nothing_waits_for_a_server_that_never_answers() {
    let server = Lister::new(None);
    let provider = block_on(FakeProv::start());
    let yaml = format!(
        "providers:\n  silent: {{base_url: '{}'}}\n  oai: {{base_url: '{}', models: {{text: {{}}}}}}\n",
        server.base(),
        provider.url()
    );
    let gateway = Builder::new(yaml).start();
    assert_eq!(gateway.chat("oai/text").status, 200);
    assert_eq!(listed(&gateway, "oai/"), ["oai/text"]);
    assert!(listed(&gateway, "silent/").is_empty());
}

#[test]
fn a_section_that_names_its_models_or_says_no_is_not_asked_and_one_that_says_yes_is() {
    let [named, off, on] = [(); 3].map(|()| block_on(FakeProv::start()));
    let yaml = format!(
        "providers:\n  named: {{base_url: '{}', models: {{text: {{}}}}}}\n  off: {{base_url: '{}', discover: false}}\n  \
         on: {{base_url: '{}', discover: true, models: {{text: {{max_tokens: 7}}}}}}\n",
        named.url(),
        off.url(),
        on.url()
    );
    let gateway = Builder::new(yaml).start();
    // All lists of a round are put in force at once.
    eventually("the list is there", || listed(&gateway, "on/").len() > 5);
    assert_eq!(listed(&gateway, "on/").iter().filter(|id| *id == "on/text").count(), 1);
    assert_eq!((listed(&gateway, "named/").len(), listed(&gateway, "off/").len()), (1, 0));
    assert!(named.lists().is_empty() && off.lists().is_empty());
    assert_eq!(gateway.get("/v1/models/on%2Ftext").json()["max_tokens"], 7);
}
