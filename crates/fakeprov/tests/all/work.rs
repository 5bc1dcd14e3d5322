//! Embeddings, token counting, legacy completions and the list of models.

use fakeprov::{FakeProv, TEXT};
use serde_json::{Value, json};

use crate::client::{Client, MESSAGES, ask, gemini, refusals};

const EMBEDDINGS: &str = "/v1/embeddings";
const COMPLETIONS: &str = "/v1/completions";

#[tokio::test]
async fn embeddings_are_the_same_as_numbers_and_as_base64() {
    let provider = FakeProv::start().await;
    let vector = |format: &str| {
        let request =
            json!({"model": "text", "input": "one two", "encoding_format": format, "dimensions": 3});
        ask(&provider, EMBEDDINGS, &request).json()["data"][0]["embedding"].clone()
    };
    let numbers: Vec<f32> = serde_json::from_value(vector("float")).unwrap();
    assert_eq!(numbers.len(), 3);
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    assert_eq!(vector("base64"), base64(&bytes));
}

/// Of a length that is a multiple of three.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(LETTERS[bits >> shift & 63]))
    };
    bytes.chunks(3).flat_map(group).collect()
}

#[tokio::test]
async fn texts_and_tokens_are_embedded_in_order() {
    let provider = FakeProv::start().await;
    for (input, count, tokens) in
        [(json!(["a b", "c"]), 2, 3), (json!([1, 2, 3]), 1, 1), (json!([[1, 2], [3]]), 2, 2)]
    {
        let body = ask(&provider, EMBEDDINGS, &json!({"model": "text", "input": input})).json();
        let rows = body["data"].as_array().unwrap();
        assert_eq!((rows.len(), rows.last().unwrap()["index"].as_u64()), (count, Some(count as u64 - 1)));
        assert!(rows.len() == 1 || rows[0]["embedding"] != rows[1]["embedding"]);
        assert_eq!(body["usage"]["prompt_tokens"], tokens);
    }
    let with = |more: Value| {
        let mut request = json!({"model": "text", "input": "a"});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    refusals(
        &provider,
        EMBEDDINGS,
        vec![
            (with(json!({"input": ""})), "input"),
            (with(json!({"input": []})), "input"),
            (with(json!({"input": ["a", 1]})), "input"),
            (with(json!({"encoding_format": "hex"})), "encoding_format"),
            (with(json!({"input_type": "query"})), "Unrecognized"),
        ],
    );
}

#[tokio::test]
async fn gemini_embeds_one_text_or_many_alike() {
    let provider = FakeProv::start().await;
    let content = json!({"parts": [{"text": "Hello"}]});
    let one = ask(&provider, &gemini("text", "embedContent"), &json!({"content": content})).json();
    let many = json!({"requests": [{"model": "models/text", "content": content}]});
    let many = ask(&provider, &gemini("text", "batchEmbedContents"), &many).json();
    assert_eq!(one["embedding"], many["embeddings"][0]);
    refusals(
        &provider,
        &gemini("text", "batchEmbedContents"),
        vec![
            (json!({"requests": []}), "at least one"),
            (json!({"requests": [{"model": "models/other", "content": content}]}), "does not match"),
            (
                json!({"requests": [{"model": "models/text", "text": "x"}]}),
                "Unknown name \"text\" at 'requests[0]'",
            ),
        ],
    );
}

#[tokio::test]
async fn tokens_are_counted_on_each_wire_that_counts() {
    let provider = FakeProv::start().await;
    let message = json!({"model": "text", "system": "be brief", "messages": [{"role": "user", "content": "one two three"}]});
    let counted = ask(&provider, "/v1/messages/count_tokens", &message).json();
    // The role is a word too.
    assert_eq!(counted, json!({"input_tokens": 6}));
    let contents = json!({"contents": [{"role": "user", "parts": [{"text": "one two three"}]}]});
    let counted = ask(&provider, &gemini("text", "countTokens"), &contents).json();
    assert_eq!(counted, json!({"totalTokens": 3}));
    let input = json!({"model": "text", "instructions": "be brief", "input": "one two three"});
    let counted = ask(&provider, "/v1/responses/input_tokens", &input).json();
    assert_eq!(counted["input_tokens"], 5);
    let mut answering = message.clone();
    answering["max_tokens"] = json!(5);
    refusals(&provider, "/v1/messages/count_tokens", vec![(answering, "Extra inputs")]);
    assert_eq!(ask(&provider, MESSAGES, &message).status, 400, "a message needs max_tokens");
}

#[tokio::test]
async fn work_fails_as_the_script_orders() {
    let provider = FakeProv::start().await;
    let limited = ask(&provider, EMBEDDINGS, &json!({"model": "429-after-2s", "input": "a"}));
    assert_eq!(limited.status, 429);
    assert!(limited.head.contains("retry-after: 2"));
}

#[tokio::test]
async fn a_prompt_is_completed_whole_and_streamed() {
    let provider = FakeProv::start().await;
    let mut request = json!({"model": "text", "prompt": "Once", "echo": true});
    let whole = ask(&provider, COMPLETIONS, &request).json();
    assert_eq!(whole["choices"][0]["text"], format!("Once{TEXT}"));
    request["stream"] = json!(true);
    let stream = ask(&provider, COMPLETIONS, &request);
    assert_eq!(stream.joined("/choices/0/text"), TEXT);
    assert!(stream.text().ends_with("data: [DONE]\n\n"));
    refusals(
        &provider,
        COMPLETIONS,
        vec![(json!({"model": "text", "messages": []}), "messages"), (json!({"model": "text"}), "prompt")],
    );
}

#[tokio::test]
async fn the_models_are_listed_in_the_shape_of_whoever_asks() {
    let provider = FakeProv::start().await;
    let list = |headers: &str| {
        let mut client = Client::to(&provider);
        client.raw(format!("GET /v1/models HTTP/1.1\r\n{headers}\r\n").as_bytes());
        client.answer().json()
    };
    assert_eq!(list("")["data"][0]["object"], "model");
    assert_eq!(list("anthropic-version: 2023-06-01\r\n")["data"][0]["type"], "model");
    assert_eq!(list("x-goog-api-key: k\r\n")["models"][0]["name"], "models/text");
}

#[tokio::test]
async fn lists_of_two_apis_come_in_pages() {
    let provider = FakeProv::start().await;
    for (headers, rows, id, more) in [
        ("anthropic-version: 2023-06-01\r\n", "data", "id", "after_id"),
        ("x-goog-api-key: k\r\n", "models", "displayName", "pageToken"),
    ] {
        let page = |query: String| {
            let mut client = Client::to(&provider);
            client.raw(format!("GET /v1/models{query} HTTP/1.1\r\n{headers}\r\n").as_bytes());
            let page = client.answer().json();
            let ids: Vec<String> =
                page[rows].as_array().unwrap().iter().map(|row| row[id].as_str().unwrap().into()).collect();
            (ids, page["has_more"] == true || page["nextPageToken"].is_string())
        };
        let (mut all, has_more) = page("?limit=1000".into());
        assert!(has_more);
        let (rest, has_more) = page(format!("?{more}={}", all.last().unwrap()));
        assert!(!has_more);
        all.extend(rest);
        assert_eq!(all, ["text", "echo", "tool", "tools-parallel", "json", "image-echo"]);
    }
}
