//! Requests that go on from a kept answer.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use super::{MODELS, ON, ask, ask_streamed, at, before};
use crate::support::{Gateway, Socket, TOKEN, block_on};

/// Texts of the messages that the provider got last, whatever its format.
fn heard(provider: &FakeProv) -> Vec<String> {
    let body = provider.received().pop().unwrap().json();
    let turns =
        ["input", "messages", "contents"].into_iter().find_map(|field| body[field].as_array().cloned());
    if let Value::String(text) = &body["input"] {
        return vec![text.clone()];
    }
    let text = |turn: &Value| match (&turn["content"], &turn["parts"]) {
        (Value::String(text), _) => text.clone(),
        (Value::Array(parts), _) | (_, Value::Array(parts)) => {
            parts[0]["text"].as_str().unwrap_or_default().into()
        }
        _ => turn.to_string(),
    };
    turns.unwrap_or_else(|| panic!("{body}")).iter().map(text).collect()
}

fn said(answer: &Value) -> String {
    answer["output"][0]["content"][0]["text"].as_str().unwrap().to_owned()
}

#[test]
fn a_conversation_goes_on_from_wire_to_wire_with_all_that_was_said() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    for asked in [ask, ask_streamed] {
        let mut expected: Vec<String> = Vec::new();
        let mut previous = Value::Null;
        for (turn, model) in MODELS.iter().chain(&MODELS).enumerate() {
            let question = format!("question {turn}");
            let body = json!({"model": model, "input": question, "previous_response_id": previous,
                "instructions": format!("be {turn}")});
            let answer = asked(&gateway, &body);
            assert_eq!(answer["previous_response_id"], previous, "{model}");
            expected.push(question);
            let mut heard = heard(&provider);
            heard.retain(|text| !text.starts_with("be "));
            assert_eq!(heard, expected, "{model}");
            expected.push(said(&answer));
            previous = answer["id"].clone();
        }
    }
}

#[test]
fn the_provider_gets_no_trace_of_the_id_and_instructions_do_not_carry_over() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    let first = ask(&gateway, &json!({"model": "oai/text", "input": "Hi", "instructions": "be brief"}));
    let body = json!({"model": "rsp/text", "input": "And?", "previous_response_id": first["id"]});
    ask(&gateway, &body);
    let sent = provider.received().pop().unwrap().json();
    assert!(sent.get("previous_response_id").is_none() && !sent.to_string().contains("be brief"), "{sent}");
    assert!(sent["input"].as_array().unwrap().iter().all(|item| item.get("id").is_none()), "{sent}");
}

#[test]
fn a_call_of_a_tool_is_answered_in_the_next_turn() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    let tool = json!({"type": "function", "name": "get_weather", "parameters": {"type": "object"}});
    for (asked, answered) in [("oai", "ant"), ("ant", "gem"), ("gem", "rsp"), ("rsp", "oai")] {
        let body = json!({"model": format!("{asked}/tool"), "input": "Weather?", "tools": [tool]});
        let first = ask(&gateway, &body);
        let output = first["output"].as_array().unwrap();
        let call =
            output.iter().find(|item| item["type"] == "function_call").unwrap_or_else(|| panic!("{first}"));
        let result = json!({"type": "function_call_output", "call_id": call["call_id"], "output": "21"});
        let body = json!({"model": format!("{answered}/text"), "input": [result], "tools": [tool],
            "previous_response_id": first["id"]});
        assert_eq!(ask(&gateway, &body)["status"], "completed", "{asked} to {answered}");
    }
}

#[test]
fn a_thought_that_only_its_provider_could_look_up_is_left_out_and_said_to_be_lost() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    for (include, lost) in
        [(json!([]), Some("thinking_dropped")), (json!(["reasoning.encrypted_content"]), None)]
    {
        let first = ask(&gateway, &json!({"model": "rsp/thinking", "input": "Hi", "include": include}));
        assert_eq!(first["output"][0]["type"], "reasoning", "{first}");
        for stream in [false, true] {
            let body = json!({"model": "rsp/text", "input": "And?", "previous_response_id": first["id"],
                "stream": stream});
            let reply = gateway.post("/v1/responses", &body);
            assert_eq!((reply.status, reply.header("x-gateway-warnings")), (200, lost), "{}", reply.text());
        }
    }
}

#[test]
fn an_answer_that_is_not_kept_can_go_on_from_one_that_is() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    let first = ask(&gateway, &json!({"model": "oai/text", "input": "Hi"}));
    let body =
        json!({"model": "oai/text", "input": "And?", "previous_response_id": first["id"], "store": false});
    for answer in [ask(&gateway, &body), ask_streamed(&gateway, &body)] {
        assert_eq!((&answer["previous_response_id"], &answer["store"]), (&first["id"], &json!(false)));
        assert_eq!(gateway.get(&at(&answer)).status, 404);
    }
}

#[test]
fn a_conversation_with_a_deleted_turn_is_refused_and_the_turn_is_named() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    let first = ask(&gateway, &json!({"model": "oai/text", "input": "Hi"}));
    let body = json!({"model": "oai/text", "input": "And?", "previous_response_id": first["id"]});
    let second = ask(&gateway, &body);
    assert_eq!(gateway.delete(&at(&first)).status, 200);
    let body = json!({"model": "oai/text", "input": "So?", "previous_response_id": second["id"]});
    let refused = gateway.post("/v1/responses", &body);
    let error = refused.json()["error"].clone();
    assert_eq!((refused.status, &error["code"]), (400, &json!("previous_response_not_found")), "{error}");
    assert_eq!(error["param"], "previous_response_id");
    assert!(error["message"].as_str().unwrap().contains(first["id"].as_str().unwrap()), "{error}");
    assert_eq!(gateway.get(&at(&second)).json(), second, "it is there all the same");
}

#[test]
fn an_id_that_is_unknown_here_is_refused_or_left_to_the_provider_that_keeps_it() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    let body =
        |previous: &Value| json!({"model": "rsp/text", "input": "And?", "previous_response_id": previous});
    let refused = gateway.post("/v1/responses", &body(&json!("resp_none")));
    assert_eq!(refused.status, 400, "{}", refused.text());
    let first = ask(&gateway, &json!({"model": "rsp/text", "input": "Hi"}));
    assert_eq!(gateway.delete(&at(&first)).status, 200);
    let second = ask(&gateway, &body(&first["id"]));
    let sent = provider.received().pop().unwrap().json();
    assert_eq!(sent["previous_response_id"], first["id"], "its provider has it still");
    assert_eq!(gateway.get(&at(&second)).status, 404, "half of a conversation is not kept");
    ask(&gateway, &body(&second["id"]));
}

#[test]
fn a_conversation_that_has_outgrown_a_request_is_refused() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, &format!("{ON}\nserver: {{max_body: 4kB}}"));
    let mut previous = Value::Null;
    let refused = (0..10).find_map(|_| {
        let body = json!({"model": "oai/text", "input": "x".repeat(900), "previous_response_id": previous});
        let reply = gateway.post("/v1/responses", &body);
        previous = reply.json()["id"].clone();
        (reply.status != 200).then_some(reply)
    });
    let refused = refused.expect("ten times 900 bytes are more than 4 kB");
    assert_eq!(refused.status, 413, "{}", refused.text());
}

#[test]
fn turns_of_a_socket_are_kept_and_found_over_http_and_by_other_sockets() {
    let provider = block_on(FakeProv::start());
    let gateway = before(&provider, ON);
    let first = turn(&gateway, &json!({"model": "oai/text", "input": "Hi"}));
    assert_eq!(gateway.get(&at(&first)).json(), first);
    let second =
        turn(&gateway, &json!({"model": "ant/text", "input": "And?", "previous_response_id": first["id"]}));
    assert_eq!(second["previous_response_id"], first["id"]);
    assert_eq!(heard(&provider), ["Hi".to_owned(), said(&first), "And?".to_owned()]);
    let body = json!({"model": "gem/text", "input": "So?", "previous_response_id": second["id"]});
    ask(&gateway, &body);
    assert_eq!(heard(&provider).len(), 5);
}

/// One turn on a connection of its own: its answer.
fn turn(gateway: &Gateway, body: &Value) -> Value {
    let bearer = format!("Bearer {TOKEN}");
    let (mut socket, _) =
        Socket::open_with(gateway.address, "/v1/responses", &[("authorization", &bearer)]).unwrap();
    let mut body = body.clone();
    body["type"] = json!("response.create");
    socket.say(&body);
    loop {
        let event = socket.hear_bare();
        assert_ne!(event["type"], "error", "{event}");
        if event["type"] == "response.completed" {
            return event["response"].clone();
        }
    }
}
