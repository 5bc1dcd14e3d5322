//! Answers of the Responses API that the gateway keeps: given out again, gone on from on any wire, deleted, forgotten.

mod bounds;
mod going_on;
mod pages;

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, Reply, TOKEN, block_on};

const ON: &str = "responses: {store: true}";

/// Before a provider on each wire, with this said of responses.
fn before(provider: &FakeProv, responses: &str) -> Gateway {
    Builder::new(yaml(provider, responses)).start()
}

fn yaml(provider: &FakeProv, responses: &str) -> String {
    let (url, origin) = (provider.url(), provider.origin());
    format!(
        "{responses}\nproviders:\n  rsp: {{wire: openai_responses, base_url: '{url}', api_key: key-of-rsp}}\n  oai: \
         {{base_url: '{url}', api_key: key-of-oai}}\n  ant: {{wire: anthropic_messages, base_url: '{origin}', api_key: \
         key-of-ant}}\n  gem: {{wire: gemini, base_url: '{origin}', api_key: key-of-gem}}\n"
    )
}

/// A model on each wire.
const MODELS: [&str; 4] = ["rsp/text", "oai/text", "ant/text", "gem/text"];

fn ask(gateway: &Gateway, body: &Value) -> Value {
    let reply = gateway.post("/v1/responses", body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// The last event of a stream, with what its answer says of the first one checked.
fn ask_streamed(gateway: &Gateway, body: &Value) -> Value {
    let mut body = body.clone();
    body["stream"] = json!(true);
    let reply = gateway.post("/v1/responses", &body);
    let events = reply.events();
    let answer = events.last().unwrap()["response"].clone();
    for event in events.iter().filter(|event| event["response"].is_object()) {
        for field in ["id", "store", "previous_response_id"] {
            assert_eq!(event["response"][field], answer[field], "{field} of {event}");
        }
    }
    let numbers: Vec<u64> = events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    answer
}

fn at(answer: &Value) -> String {
    format!("/v1/responses/{}", answer["id"].as_str().unwrap())
}

#[track_caller]
fn not_found(reply: &Reply) {
    assert_eq!(reply.status, 404, "{}", reply.text());
    assert_eq!(reply.json()["error"]["type"], "invalid_request_error");
}

#[test]
fn an_answer_is_given_out_again_as_its_client_got_it_on_every_wire_whole_and_streamed() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    for model in MODELS {
        for asked in [ask, ask_streamed] {
            let answer = asked(&gateway, &json!({"model": model, "input": "Hi"}));
            assert_eq!((&answer["store"], &answer["status"]), (&json!(true), &json!("completed")), "{model}");
            assert_eq!(gateway.get(&at(&answer)).json(), answer, "{model}");
            assert_eq!(
                gateway.get(&format!("/openai{}", at(&answer))).json(),
                answer,
                "below the API's name"
            );
        }
    }
    assert_eq!(gateway.ledger(8).len(), 8, "giving out again is no request to a model");
}

#[test]
fn an_answer_that_ran_into_its_limit_is_kept_too() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    let cut = json!({"model": "oai/text+finish=length", "input": "Hi"});
    for answer in [ask(&gateway, &cut), ask_streamed(&gateway, &cut)] {
        assert_eq!(answer["status"], "incomplete");
        assert_eq!(gateway.get(&at(&answer)).json(), answer);
    }
}

#[test]
fn an_answer_that_is_not_to_be_kept_or_was_not_finished_is_not_there() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    for model in ["rsp/text", "oai/text"] {
        let body = json!({"model": model, "input": "Hi", "store": false});
        not_found(&gateway.get(&at(&ask(&gateway, &body))));
        not_found(&gateway.get(&at(&ask_streamed(&gateway, &body))));
    }
    let cut = gateway.post(
        "/v1/responses",
        &json!({"model": "oai/text+truncate", "input": "Hi", "stream": true, "strict": true}),
    );
    let events = cut.events();
    let begun = events.iter().find(|event| event["response"].is_object()).expect("it had begun");
    not_found(&gateway.get(&at(&begun["response"])));
}

#[test]
fn a_deleted_answer_is_gone() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    let answer = ask(&gateway, &json!({"model": "oai/text", "input": "Hi"}));
    let deleted = gateway.delete(&at(&answer));
    assert_eq!(deleted.json(), json!({"id": answer["id"], "object": "response", "deleted": true}));
    not_found(&gateway.get(&at(&answer)));
    not_found(&gateway.delete(&at(&answer)));
    not_found(&gateway.get(&format!("{}/input_items", at(&answer))));
}

#[test]
fn only_the_key_and_the_project_that_asked_find_an_answer() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    let key = |name: &str| {
        let body = json!({"name": name, "role": "caller"});
        gateway.post("/admin/v1/keys", &body).json()["key"].as_str().unwrap().to_owned()
    };
    let (mine, other) = (key("same"), key("same"));
    let body = json!({"model": "oai/text", "input": "Hi"});
    let answer = gateway.ask(&mine, "POST", "/v1/responses", Some("blue"), &body).json();
    let get = |key: &str, project| gateway.ask(key, "GET", &at(&answer), project, &Value::Null);
    assert_eq!(get(&mine, Some("blue")).json(), answer);
    let nobodys = gateway.ask(&mine, "GET", "/v1/responses/resp_none", Some("blue"), &Value::Null).text();
    for (key, project) in
        [(&mine[..], None), (&mine, Some("red")), (&other, Some("blue")), (TOKEN, Some("blue"))]
    {
        let refused = get(key, project);
        not_found(&refused);
        let id = answer["id"].as_str().unwrap();
        assert_eq!(refused.text().replace(id, "resp_none"), nobodys, "the same as for an id that never was");
        let body = json!({"model": "oai/text", "input": "And?", "previous_response_id": id});
        assert_eq!(gateway.ask(key, "POST", "/v1/responses", project, &body).status, 400);
        not_found(&gateway.ask(key, "DELETE", &at(&answer), project, &Value::Null));
    }
    assert_eq!(get(&mine, Some("blue")).status, 200, "nobody else has deleted it");
}

#[test]
fn switched_off_nothing_is_kept_and_it_is_said_how_to_switch_it_on() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, "");
    let answer = ask(&gateway, &json!({"model": "oai/text", "input": "Hi", "store": true}));
    assert_eq!(answer["store"], false);
    let refused = gateway.get(&at(&answer));
    not_found(&refused);
    assert!(refused.text().contains("responses: {store: true}"), "{}", refused.text());
    let body = json!({"model": "oai/text", "input": "And?", "previous_response_id": answer["id"]});
    assert_eq!(gateway.post("/v1/responses", &body).status, 400);
}

#[test]
fn what_cannot_be_done_with_an_answer_is_refused() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    let answer = ask(&gateway, &json!({"model": "oai/text", "input": "Hi"}));
    let cancelled = gateway.post(&format!("{}/cancel", at(&answer)), &Value::Null);
    assert!(cancelled.status == 400 && cancelled.text().contains("background"), "{}", cancelled.text());
    not_found(&gateway.post("/v1/responses/resp_none/cancel", &Value::Null));
    let streamed = gateway.get(&format!("{}?stream=true", at(&answer)));
    assert_eq!((streamed.status, &streamed.json()["error"]["param"]), (400, &json!("stream")));
    assert_eq!(gateway.get(&format!("{}?include[]=reasoning.encrypted_content", at(&answer))).json(), answer);
}
