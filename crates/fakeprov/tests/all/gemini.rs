//! The Gemini wire: its answers in both forms, and what it refuses.

use fakeprov::{FakeProv, TEXT};
use serde_json::{Value, json};

use crate::client::{Client, ask, gemini, refusals, weather};

const PIECE: &str = "/candidates/0/content/parts/0/text";

fn said(text: &str) -> Value {
    json!({"role": "user", "parts": [{"text": text}]})
}

fn hello() -> Value {
    json!({"contents": [said("Hello")]})
}

fn tools() -> Value {
    json!([{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": weather()}]}])
}

#[tokio::test]
async fn a_whole_answer_names_its_model_and_counts_thoughts_apart() {
    let provider = FakeProv::start().await;
    for version in ["v1beta", "v1"] {
        let path = format!("/{version}/models/text+thinking:generateContent");
        let body = ask(&provider, &path, &hello()).json();
        let parts = body["candidates"][0]["content"]["parts"].as_array().unwrap();
        assert_eq!((&parts[0]["thought"], &parts[1]["text"]), (&json!(true), &json!(TEXT)));
        assert_eq!(body["candidates"][0]["finishReason"], "STOP");
        assert_eq!(body["modelVersion"], "text+thinking");
        let usage = &body["usageMetadata"];
        let count = |name: &str| usage[name].as_u64().unwrap();
        let all = count("promptTokenCount") + count("candidatesTokenCount") + count("thoughtsTokenCount");
        assert_eq!(count("totalTokenCount"), all);
    }
}

#[tokio::test]
async fn a_stream_is_events_or_one_array_and_says_the_same() {
    let provider = FakeProv::start().await;
    let events = ask(&provider, &gemini("text", "streamGenerateContent?alt=sse"), &hello());
    assert_eq!(events.joined(PIECE), TEXT);
    let last = events.events().pop().unwrap();
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    let array = ask(&provider, &gemini("text%2Bcut=1", "streamGenerateContent"), &hello());
    assert!(array.head.contains("application/json"));
    let pieces = array.json();
    let pieces = pieces.as_array().unwrap().iter().filter_map(|piece| piece.pointer(PIECE)?.as_str());
    assert_eq!(pieces.collect::<String>(), TEXT);
}

#[tokio::test]
async fn an_error_in_the_middle_is_the_arrays_last_element() {
    let provider = FakeProv::start().await;
    let array = ask(&provider, &gemini("text+error-mid", "streamGenerateContent"), &hello()).json();
    assert_eq!(array.as_array().unwrap().last().unwrap()["error"]["status"], "UNAVAILABLE");
}

#[tokio::test]
async fn calls_come_without_ids_or_with_them_and_their_results_are_quoted() {
    let provider = FakeProv::start().await;
    for (model, named) in [("tool", false), ("tool+call-ids", true)] {
        let mut request = json!({"contents": [said("weather?")], "tools": tools()});
        let path = gemini(model, "generateContent");
        let turn = ask(&provider, &path, &request).json()["candidates"][0]["content"].clone();
        let call = turn["parts"][0]["functionCall"].clone();
        assert_eq!(call["args"], json!({"city": "café"}));
        assert_eq!(call.get("id").is_some(), named);
        let mut result = json!({"name": "weather", "response": {"result": "sunny"}});
        if let Some(id) = call.get("id") {
            result["id"] = id.clone();
        }
        let results = json!({"role": "user", "parts": [{"functionResponse": result}]});
        request["contents"] = json!([said("weather?"), turn, results]);
        let body = ask(&provider, &path, &request).json();
        assert!(body.pointer(PIECE).unwrap().as_str().unwrap().ends_with(": sunny"), "{body}");
    }
}

#[tokio::test]
async fn a_blocked_prompt_has_no_candidates() {
    let provider = FakeProv::start().await;
    let body = ask(&provider, &gemini("prompt-block", "generateContent"), &hello()).json();
    assert_eq!(body["candidates"], json!([]));
    assert_eq!(body["promptFeedback"]["blockReason"], "PROHIBITED_CONTENT");
}

#[tokio::test]
async fn a_wrong_key_is_a_bad_request_and_the_right_one_may_stand_in_the_query() {
    let provider = FakeProv::with_key("open sesame").await;
    let refused = ask(&provider, &gemini("text", "generateContent"), &hello());
    assert_eq!((refused.status, &refused.json()["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    assert_eq!(refused.json()["error"]["details"][0]["reason"], "API_KEY_INVALID");
    let provider = FakeProv::with_key("sesame").await;
    let mut client = Client::to(&provider);
    let body = hello().to_string();
    let path = gemini("text", "generateContent?key=sesame");
    client.raw(format!("POST {path} HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    assert_eq!(client.answer().status, 200);
}

#[tokio::test]
async fn gemini_refuses_what_the_provider_would() {
    let provider = FakeProv::start().await;
    let with = |more: Value| {
        let mut request = hello();
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let turns = |turns: Value| json!({"contents": turns});
    let config = |config: Value| with(json!({"generationConfig": config}));
    let call = json!({"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]});
    let model = json!({"role": "model", "parts": [{"text": "Yes?"}]});
    let result = |name: &str| json!({"role": "user", "parts": [{"functionResponse": {"name": name, "response": {"a": 1}}}]});
    let declared = |function: Value| with(json!({"tools": [{"functionDeclarations": [function]}]}));
    let closed = json!({"type": "OBJECT", "properties": {"a": {"type": "STRING", "$comment": "x"}}});
    let requests = vec![
        (turns(json!([])), "contents is not specified"),
        (with(json!({"messages": []})), "Unknown name \"messages\": Cannot find field."),
        (config(json!({"max_tokens": 5})), "Unknown name \"maxTokens\" at 'generation_config'"),
        (config(json!({"temperature": 3})), "temperature"),
        (config(json!({"stopSequences": ["a", "b", "c", "d", "e", "f"]})), "at most 5"),
        (config(json!({"responseSchema": {"type": "STRING"}})), "response_mime_type"),
        (config(json!({"thinkingConfig": {"thinkingLevel": "low", "thinkingBudget": 1}})), "only one of"),
        (declared(json!({"name": "1f"})), "Invalid function name"),
        (declared(json!({"name": "f", "strict": true})), "Unknown name \"strict\""),
        (declared(json!({"name": "f", "parameters": closed})), "Unknown name \"$comment\""),
        (
            with(json!({"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}})),
            "without function_declarations",
        ),
        (turns(json!([{"role": "assistant", "parts": [{"text": "x"}]}])), "valid role"),
        (turns(json!([{"role": "user", "parts": []}])), "must not be empty"),
        (turns(json!([{"role": "user", "parts": [{}]}])), "oneof field 'data'"),
        (turns(json!([model, said("x")])), "start with a user turn"),
        (turns(json!([said("x"), model, call, result("f")])), "comes immediately after a user turn"),
        (turns(json!([said("x"), result("f")])), "immediately after a function call turn"),
        (turns(json!([said("x"), call, said("and?")])), "immediately after a function call turn"),
        (turns(json!([said("x"), call])), "followed by a function response"),
        (turns(json!([said("x"), call, result("g")])), "this name and id"),
        (
            turns(json!([said("x"), call, {"role": "user", "parts": [
                result("f")["parts"][0], result("f")["parts"][0]]}])),
            "equal to the number",
        ),
        (
            turns(
                json!([said("x"), call, {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": "x"}}]}]),
            ),
            "protobuf.Struct",
        ),
    ];
    refusals(&provider, &gemini("text", "generateContent"), requests);
}
