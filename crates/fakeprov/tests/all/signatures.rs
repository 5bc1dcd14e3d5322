//! Reasoning comes back as it was signed, where its vendor wants it, or the request is refused.

use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::client::{CHAT, MESSAGES, RESPONSES, ask, gemini, hello, refusals, weather};

#[tokio::test]
async fn messages_wants_thoughts_unchanged_and_first_when_thinking_is_on() {
    let provider = FakeProv::start().await;
    let mut request = hello("tool+thinking", false);
    request["tools"] = json!([{"name": "weather", "input_schema": weather()}]);
    request["max_tokens"] = json!(4096);
    request["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
    let blocks = ask(&provider, MESSAGES, &request).json()["content"].clone();
    let result = json!({"type": "tool_result", "tool_use_id": blocks[1]["id"], "content": "sunny"});
    let with = |blocks: Value, thinking: &str| {
        let mut request = request.clone();
        let turns = json!([{"role": "assistant", "content": blocks}, {"role": "user", "content": [result]}]);
        request["messages"].as_array_mut().unwrap().extend(turns.as_array().unwrap().clone());
        request["thinking"]["type"] = json!(thinking);
        request
    };
    assert_eq!(ask(&provider, MESSAGES, &with(blocks.clone(), "enabled")).status, 200);
    let bare = json!([blocks[1]]);
    let off = ask(&provider, MESSAGES, &with(bare.clone(), "disabled"));
    assert_eq!(off.json()["content"][0]["type"], "text", "thinking that is off gives no thoughts");
    let mut edited = blocks.clone();
    edited[0]["thinking"] = json!("I think otherwise.");
    let mut foreign = blocks.clone();
    foreign[0]["signature"] = json!("Eq0CCkYIBRgCKkA=");
    refusals(
        &provider,
        MESSAGES,
        vec![
            (with(bare, "enabled"), "must start with a thinking block"),
            (with(edited, "enabled"), "Invalid `signature` in `thinking` block"),
            (with(foreign, "disabled"), "Invalid `signature` in `thinking` block"),
        ],
    );
}

#[tokio::test]
async fn gemini_wants_the_signature_of_the_call_it_was_put_on() {
    let provider = FakeProv::start().await;
    let path = gemini("tool+thinking", "generateContent");
    let asked = json!({"role": "user", "parts": [{"text": "weather?"}]});
    let tools = json!([{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": weather()}]}]);
    let request = |turns: Value| json!({"contents": turns, "tools": tools});
    let turn = ask(&provider, &path, &request(json!([asked]))).json()["candidates"][0]["content"].clone();
    let result = json!({"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"result": "sunny"}}}]});
    let signed = |signature: Value| {
        let mut part = turn["parts"][1].clone();
        part["thoughtSignature"] = signature;
        json!({"role": "model", "parts": [part]})
    };
    let history = |turn: &Value| request(json!([asked, turn, result]));
    assert_eq!(ask(&provider, &path, &history(&turn)).status, 200);
    assert_eq!(
        ask(&provider, &path, &history(&signed(json!("skip_thought_signature_validator")))).status,
        200
    );
    let mut bare = json!({"role": "model", "parts": [turn["parts"][1]]});
    bare["parts"][0].as_object_mut().unwrap().remove("thoughtSignature");
    let mut other = turn.clone();
    other["parts"][1]["functionCall"]["args"] = json!({"city": "Bonn"});
    refusals(
        &provider,
        &path,
        vec![
            (history(&bare), "missing a thought_signature"),
            (history(&signed(json!("c29tZXRoaW5n"))), "Thought signature is not valid"),
            (history(&other), "Thought signature is not valid"),
        ],
    );
    let finished =
        request(json!([asked, bare, result, {"role": "model", "parts": [{"text": "Sunny."}]}, asked]));
    assert_eq!(ask(&provider, &path, &finished).status, 200, "a finished turn needs no signature");
    let plain = gemini("tool", "generateContent");
    assert_eq!(ask(&provider, &plain, &history(&bare)).status, 200, "an older model asks for none");
}

#[tokio::test]
async fn responses_wants_reasoning_it_issued_right_before_what_it_led_to() {
    let provider = FakeProv::start().await;
    let request = |input: Value| {
        json!({
            "model": "tool+thinking", "input": input, "store": false, "include": ["reasoning.encrypted_content"],
            "tools": [{"type": "function", "name": "weather", "parameters": weather()}],
        })
    };
    let user = json!({"role": "user", "content": "weather?"});
    let output = ask(&provider, RESPONSES, &request(json!([user]))).json()["output"].clone();
    let (thought, call) = (output[0].clone(), output[1].clone());
    let result = json!({"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"});
    let changed = |item: &Value, field: &str, value: Value| {
        let mut item = item.clone();
        item[field] = value;
        item
    };
    let nameless = |item: &Value| {
        let mut item = item.clone();
        item.as_object_mut().unwrap().remove("id");
        item
    };
    for good in [
        json!([user, thought, call, result]),
        json!([user, nameless(&thought), nameless(&call), result]),
        json!([user, nameless(&call), result]),
    ] {
        assert_eq!(ask(&provider, RESPONSES, &request(good)).status, 200);
    }
    let mut bare = thought.clone();
    bare.as_object_mut().unwrap().remove("encrypted_content");
    let forged = changed(&thought, "encrypted_content", json!("gAAAAABpPB8i"));
    let moved = changed(&thought, "id", json!("rs_fake_99_0"));
    refusals(
        &provider,
        RESPONSES,
        vec![
            (request(json!([user, forged, call, result])), "could not be verified"),
            (request(json!([user, moved, call, result])), "did not match the target item id"),
            (request(json!([user, bare, call, result])), "not persisted when `store` is set to false"),
            (request(json!([user, call, result])), "without its required 'reasoning' item"),
            (request(json!([user, nameless(&call), result, thought])), "without its required following item"),
            (request(json!([user, thought, user])), "without its required following item"),
        ],
    );
}

#[tokio::test]
async fn deepseek_wants_the_thoughts_of_the_loop_under_way_and_no_others() {
    let provider = FakeProv::start().await;
    let mut request = hello("tool+thinking+deepseek", false);
    request["tools"] =
        json!([{"type": "function", "function": {"name": "weather", "parameters": weather()}}]);
    let user = request["messages"][0].clone();
    let message = ask(&provider, CHAT, &request).json()["choices"][0]["message"].clone();
    let result = json!({"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "sunny"});
    let with = |messages: Value| {
        let mut request = request.clone();
        request["messages"] = messages;
        request
    };
    assert_eq!(ask(&provider, CHAT, &with(json!([user, message, result]))).status, 200);
    let mut bare = message.clone();
    bare.as_object_mut().unwrap().remove("reasoning_content");
    assert_eq!(ask(&provider, CHAT, &with(json!([user, bare, result, user]))).status, 200);
    refusals(
        &provider,
        CHAT,
        vec![
            (with(json!([user, bare, result])), "Missing `reasoning_content`"),
            (with(json!([user, message, result, user])), "not allowed in the messages of finished turns"),
        ],
    );
}
