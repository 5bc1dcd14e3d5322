//! One request, whole and streamed, carried and translated.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, block_on, both_wires, chat_body, request};

fn provider() -> FakeProv {
    block_on(FakeProv::start())
}

fn text_of(events: &[Value]) -> String {
    events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect()
}

#[test]
fn a_whole_answer_comes_from_both_wires_with_true_usage() {
    let provider = provider();
    let gateway = Gateway::before(&provider);
    for model in ["oai/text", "ant/text"] {
        let reply = gateway.chat(model);
        let answer = reply.json();
        assert_eq!(reply.status, 200, "{answer}");
        assert_eq!(answer["choices"][0]["message"]["content"], fakeprov::TEXT);
        assert_eq!(answer["choices"][0]["finish_reason"], "stop");
        assert!(answer["usage"]["prompt_tokens"].as_u64().unwrap() > 0, "{answer}");
        let total = answer["usage"]["prompt_tokens"].as_u64().unwrap()
            + answer["usage"]["completion_tokens"].as_u64().unwrap();
        assert_eq!(answer["usage"]["total_tokens"], total);
        let said = &answer["x_gateway"];
        assert_eq!(said["requestedProvider"], Value::Null, "{said}");
        assert_eq!(said["requestedModel"], model);
        assert_eq!(said["fallbackUsed"], false);
        assert_eq!(said["tokensUsed"], total);
        for name in [
            "x-request-id",
            "x-correlation-id",
            "x-gateway-provider",
            "x-gateway-model",
            "x-gateway-overhead-ms",
        ] {
            assert!(reply.header(name).is_some(), "{name} of {model}");
        }
        assert_eq!(reply.header("x-gateway-attempts"), Some("1"));
    }
}

#[test]
fn a_stream_comes_from_both_wires_and_ends_once() {
    let provider = provider();
    let gateway = Gateway::before(&provider);
    for model in
        ["oai/text", "ant/text", "oai/text+cut=1", "ant/text+cut=utf8", "oai/text+crlf+comments+bom+nospace"]
    {
        let reply = gateway.chat_stream(model);
        assert!(reply.complete && reply.status == 200, "{model}: {reply:?}");
        let events = reply.events();
        assert_eq!(text_of(&events), fakeprov::TEXT, "{model}");
        assert_eq!(events.iter().filter(|event| **event == "[DONE]").count(), 1, "{model}");
        let finishes = events.iter().filter(|event| event["choices"][0]["finish_reason"].is_string());
        assert_eq!(finishes.count(), 1, "{model}");
        assert!(events.iter().any(|event| event["usage"]["total_tokens"].is_u64()), "{model}: {events:?}");
        assert_eq!(reply.header("x-accel-buffering"), Some("no"));
    }
}

#[test]
fn usage_is_asked_for_and_hidden_from_a_client_that_did_not_ask() {
    let provider = provider();
    let gateway = Gateway::before(&provider);
    for model in ["oai/text", "ant/text"] {
        let body = json!({"model": model, "stream": true, "messages": [{"role": "user", "content": "Hi"}]});
        let events = gateway.post("/v1/chat/completions", &body).events();
        assert!(events.iter().all(|event| event["usage"].is_null()), "{events:?}");
        assert!(
            events.iter().filter(|event| event.is_object()).all(|event| event["choices"] != json!([])),
            "{events:?}"
        );
    }
    assert_eq!(provider.received()[0].json()["stream_options"]["include_usage"], true);
    assert!(gateway.ledger(2).iter().all(|row| row.output.is_some() && row.input.is_some()));
}

/// A carried request is the bytes received but for the splices.
#[test]
fn a_carried_request_keeps_its_bytes() {
    let provider = provider();
    let gateway = Gateway::before(&provider);
    let body = r#"{ "messages" : [ {"role":"user","content":"caf\u00e9"} ],  "model":"oai/text", "project":"p1",
        "unknown_field": {"b":1.50, "a":[ ]}, "temperature": 1.0 }"#;
    let token = format!("Bearer {}", crate::support::TOKEN);
    let reply = request(
        gateway.address,
        "POST",
        "/v1/chat/completions",
        &[("authorization", &token)],
        body.as_bytes(),
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    let received = &provider.received()[0];
    let sent = String::from_utf8(received.body.to_vec()).unwrap();
    assert!(sent.contains(r#""messages" : [ {"role":"user","content":"caf\u00e9"} ]"#), "{sent}");
    assert!(sent.contains(r#""unknown_field": {"b":1.50, "a":[ ]}, "temperature": 1.0"#), "{sent}");
    assert!(sent.contains(r#""model":"text""#) && !sent.contains("project"), "{sent}");
    assert_eq!(received.header("authorization"), Some("Bearer key-of-oai"));
}

#[test]
fn nothing_of_the_client_goes_upstream_but_what_it_asks() {
    let provider = provider();
    let gateway = Gateway::before(&provider);
    let token = format!("Bearer {}", crate::support::TOKEN);
    let headers = [
        ("authorization", token.as_str()),
        ("cookie", "a=b"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-project", "p"),
        ("x-gateway-tags", "t"),
        ("user-agent", "curious/1"),
        ("x-correlation-id", "corr-1"),
    ];
    let body = chat_body("ant/text", false).to_string();
    let reply = request(gateway.address, "POST", "/v1/chat/completions", &headers, body.as_bytes());
    assert_eq!(reply.header("x-correlation-id"), Some("corr-1"));
    let received = &provider.received()[0];
    for name in
        ["cookie", "x-forwarded-for", "x-project", "x-gateway-tags", "x-correlation-id", "authorization"]
    {
        assert_eq!(received.header(name), None, "{name}");
    }
    assert_eq!(received.header("x-api-key"), Some("key-of-ant"));
    assert_eq!(received.header("accept-encoding"), Some("identity"));
}

#[test]
fn tools_make_the_round_trip_on_both_wires() {
    let provider = provider();
    let gateway = Gateway::before(&provider);
    let tool = |name: &str| {
        json!({"type": "function", "function": {"name": name, "parameters":
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}})
    };
    for model in ["oai/tools-parallel", "ant/tools-parallel"] {
        let mut body = chat_body(model, false);
        body["tools"] = json!([tool("weather"), tool("time_of_day")]);
        let answer = gateway.post("/v1/chat/completions", &body).json();
        let message = answer["choices"][0]["message"].clone();
        assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls", "{answer}");
        let calls = message["tool_calls"].as_array().unwrap().clone();
        assert!(calls.len() >= 2, "{answer}");
        let results = calls
            .iter()
            .map(|call| json!({"role": "tool", "tool_call_id": call["id"], "content": "sunny-42"}));
        let mut messages = vec![body["messages"][0].clone(), message];
        messages.extend(results);
        body["messages"] = json!(messages);
        body["model"] = json!(model.replace("tools-parallel", "text"));
        let answer = gateway.post("/v1/chat/completions", &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let text = answer.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
        assert!(text.contains("sunny-42"), "{model}: {text}");
    }
}

#[test]
fn generate_answers_with_its_routing() {
    let provider = provider();
    let gateway = Gateway::before(&provider);
    let reply = gateway.post(
        "/v1/generate",
        &json!({"prompt": "Hi", "system": "Be brief.", "model": "ant/text", "maxTokens": 64}),
    );
    let answer = reply.json();
    assert_eq!(reply.status, 200, "{answer}");
    assert_eq!(answer["text"], fakeprov::TEXT);
    assert_eq!((&answer["provider"], &answer["model"]), (&json!("ant"), &json!("text")));
    assert_eq!((&answer["resolvedProvider"], &answer["requestedProvider"]), (&json!("ant"), &Value::Null));
    assert_eq!(answer["fallbackUsed"], false);
    assert!(answer["tokensUsed"].as_u64().unwrap() > 0 && answer["latencyMs"].is_u64(), "{answer}");
    assert_eq!(provider.received()[0].json()["max_tokens"], 64);
    assert_eq!(gateway.ledger(1)[0].surface, "generate");
}

#[test]
fn models_and_providers_are_listed() {
    let provider = provider();
    let gateway = Gateway::before(&provider);
    let list = gateway.get("/v1/models").json();
    assert_eq!(list["object"], "list");
    let ids: Vec<&str> =
        list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"oai/text") && ids.contains(&"ant/text"), "{ids:?}");
    let one = gateway.get("/v1/models/oai/text").json();
    assert_eq!(
        (&one["object"], &one["provider"], &one["owned_by"]),
        (&json!("model"), &json!("oai"), &json!("llm-gateway"))
    );
    assert_eq!(gateway.get("/v1/models/nothing").status, 404);
    let providers = gateway.get("/v1/providers").json();
    let find = |id: &str| {
        providers["providers"].as_array().unwrap().iter().find(|p| p["id"] == id).cloned().unwrap()
    };
    assert_eq!((&find("oai")["available"], &find("oai")["type"]), (&json!(true), &json!("api")));
    assert_eq!(find("anthropic")["available"], false);
    assert_eq!(find("claude-cli")["type"], "cli");
}

/// Fallback goes to a provider with a model that it owns.
#[test]
fn a_failing_provider_is_left_for_one_that_gets_its_own_model() {
    let provider = provider();
    let gateway = Builder::new(both_wires(&provider)).start();
    let mut body = chat_body("oai/status-500", false);
    body["strict"] = json!(false);
    let reply = gateway.post("/v1/chat/completions", &body);
    let answer = reply.json();
    assert_eq!(reply.status, 200, "{answer}");
    let said = &answer["x_gateway"];
    assert_eq!((&said["fallbackUsed"], &said["resolvedProvider"]), (&json!(true), &json!("ant")), "{said}");
    assert!(reply.header("x-gateway-attempts").unwrap().parse::<u32>().unwrap() >= 2);
    let row = &gateway.ledger(1)[0];
    assert_eq!(row.provider.as_deref(), Some("ant"));
    assert!(row.attempts_detail.as_deref().unwrap().contains("upstream_error"), "{row:?}");
    assert_eq!(gateway.chat("oai/status-500").status, 502, "strict means strict");
}

/// Generate answers by cause, with a structured list of what was tried.
#[test]
fn a_failed_generate_lists_its_attempts() {
    let provider = provider();
    let gateway = Gateway::before(&provider);
    let reply =
        gateway.post("/v1/generate", &json!({"prompt": "Hi", "model": "oai/status-503", "strict": true}));
    let answer = reply.json();
    assert_eq!(reply.status, 503, "{answer}");
    assert!(answer["error"].is_string(), "{answer}");
    let attempts = answer["attempts"].as_array().unwrap();
    assert!(!attempts.is_empty() && attempts.len() <= 3, "{answer}");
    assert_eq!(
        (&attempts[0]["provider"], &attempts[0]["fault"]),
        (&json!("oai"), &json!("overloaded")),
        "{answer}"
    );
}
