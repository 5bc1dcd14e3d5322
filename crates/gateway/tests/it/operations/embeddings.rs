//! Texts to vectors: carried, and across formats.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fakeprov::FakeProv;
use serde_json::{Value, json};

use crate::support::{Builder, Gateway, Reply, TOKEN, block_on, request};

const OPENAI: &str = "/v1/embeddings";
const ONE: &str = "/v1beta/models/gemini-embedding-001:embedContent";
const BATCH: &str = "/v1beta/models/gemini-embedding-001:batchEmbedContents";

/// A gateway before a scripted provider on every wire: under the names of known ones, so that prices are known too, and
/// as one that has no embeddings.
fn gateway(provider: &FakeProv) -> Gateway {
    let (origin, url) = (provider.origin(), provider.url());
    Builder::new(format!(
        "providers:\n  openai: {{base_url: '{url}', api_key: key-of-openai}}\n  google: {{wire: gemini, base_url: '{origin}', \
         api_key: key-of-google}}\n  ant: {{wire: anthropic_messages, base_url: '{origin}', api_key: key-of-ant}}\n",
    ))
    .start()
}

fn provider() -> FakeProv {
    block_on(FakeProv::start())
}

/// The numbers of each row, in whatever form.
fn vectors(reply: &Reply) -> Vec<Vec<f32>> {
    let answer = reply.json();
    let rows = answer["data"].as_array().unwrap_or_else(|| panic!("no rows: {answer}"));
    rows.iter().map(|row| numbers(&row["embedding"])).collect()
}

fn numbers(vector: &Value) -> Vec<f32> {
    match vector.as_str() {
        Some(text) => {
            let bytes = STANDARD.decode(text).unwrap();
            bytes.chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
        }
        None => serde_json::from_value(vector.clone()).unwrap(),
    }
}

#[test]
fn every_kind_of_input_is_carried_byte_for_byte_and_answered_in_the_form_asked_for() {
    let provider = provider();
    let gateway = gateway(&provider);
    for input in ["\"caf\\u00e9\"", "[\"a\" , \"b\"]", "[1, 2,3]", "[[1],[2,3]]"] {
        let body = format!(r#"{{"input":{input}, "model":"text-embedding-3-small","dimensions": 16 }}"#);
        let token = format!("Bearer {TOKEN}");
        let headers = [("authorization", token.as_str())];
        let reply = request(gateway.address, "POST", OPENAI, &headers, body.as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.text());
        let received = provider.received().pop().unwrap();
        assert_eq!(received.path, "/v1/embeddings");
        assert_eq!(received.body, body);
        assert_eq!(received.header("authorization"), Some("Bearer key-of-openai"));
        assert!(reply.json()["data"][0]["embedding"].is_array(), "{}", reply.text());
        let in_base64 = body.replace("\"dimensions\"", "\"encoding_format\":\"base64\",\"dimensions\"");
        let packed = request(gateway.address, "POST", OPENAI, &headers, in_base64.as_bytes());
        assert!(packed.json()["data"][0]["embedding"].is_string(), "{}", packed.text());
        assert_eq!(vectors(&packed), vectors(&reply));
        assert_eq!(vectors(&reply)[0].len(), 16);
    }
}

#[test]
fn the_ledger_knows_tokens_and_cost_of_vectors() {
    let provider = provider();
    let gateway = gateway(&provider);
    let body = json!({"model": "openai/text-embedding-3-small", "input": "one two three"});
    let reply = gateway.post(OPENAI, &body);
    assert_eq!(reply.json()["usage"], json!({"prompt_tokens": 3, "total_tokens": 3}));
    assert_eq!(reply.header("x-gateway-cost-usd"), Some("0.000000060"));
    let row = gateway.ledger(1).remove(0);
    assert_eq!(
        (&*row.operation, &*row.surface, row.wire.as_deref()),
        ("embed", "openai_chat", Some("openai_chat"))
    );
    assert_eq!((row.input, row.output, row.cost_nanos), (Some(3), Some(0), Some(60)));
    assert_eq!(row.model_sent.as_deref(), Some("text-embedding-3-small"));
}

#[test]
fn a_request_that_is_none_reaches_nobody() {
    let provider = provider();
    let gateway = gateway(&provider);
    for (body, field) in [
        (json!({"model": "text-embedding-3-small"}), "input"),
        (json!({"model": "text-embedding-3-small", "input": []}), "input"),
        (json!({"input": "a"}), "model"),
        (json!({"model": "text-embedding-3-small", "input": "a", "encoding_format": "x"}), "encoding_format"),
    ] {
        let reply = gateway.post(OPENAI, &body);
        assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!(field)), "{}", reply.text());
    }
    assert!(provider.received().is_empty());
}

#[test]
fn a_provider_without_embeddings_is_named() {
    let provider = provider();
    let gateway = gateway(&provider);
    let reply = gateway.post(OPENAI, &json!({"model": "ant/text", "input": "a"}));
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert_eq!(reply.json()["error"]["message"], "ant does not support embeddings");
    assert!(provider.received().is_empty());
}

#[test]
fn an_error_of_the_provider_is_passed_on() {
    let provider = provider();
    let gateway = gateway(&provider);
    let reply = gateway.post(OPENAI, &json!({"model": "openai/x", "input": "a", "nonsense": 1}));
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["error"]["param"], "nonsense");
}

#[test]
fn a_request_of_gemini_is_carried_byte_for_byte_alone_and_in_a_batch() {
    let provider = provider();
    let gateway = gateway(&provider);
    let token = format!("Bearer {TOKEN}");
    let headers = [("authorization", token.as_str())];
    let content = r#"{"parts" : [{"text":"caf\u00e9"}]}"#;
    let alone = format!(r#"{{"content": {content}, "taskType":"RETRIEVAL_QUERY"}}"#);
    let reply = request(gateway.address, "POST", ONE, &headers, alone.as_bytes());
    let vector = numbers(&reply.json()["embedding"]["values"]);
    assert!(vector.len() > 1, "{}", reply.text());
    let batch =
        format!(r#"{{"requests": [ {{"model":"models/gemini-embedding-001", "content": {content}}} ]}}"#);
    let reply = request(gateway.address, "POST", BATCH, &headers, batch.as_bytes());
    assert_eq!(numbers(&reply.json()["embeddings"][0]["values"]), vector, "{}", reply.text());
    let received = provider.received();
    assert_eq!(received.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), [ONE, BATCH]);
    assert_eq!((&received[0].body[..], &received[1].body[..]), (alone.as_bytes(), batch.as_bytes()));
    assert_eq!(received[0].header("x-goog-api-key"), Some("key-of-google"));
    let rows = gateway.ledger(2);
    assert!(
        rows.iter().all(|row| &*row.operation == "embed" && row.input.is_none() && row.cost_nanos.is_none())
    );
}

#[test]
fn a_carried_batch_names_the_model_that_it_is_sent_to() {
    let provider = provider();
    let gateway = gateway(&provider);
    let request =
        json!({"model": "models/google/gemini-embedding-001", "content": {"parts": [{"text": "a"}]}});
    let path = BATCH.replace("gemini-embedding-001", "google%2Fgemini-embedding-001");
    let reply = gateway.post(&path, &json!({"requests": [request]}));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let sent = provider.received()[0].json();
    assert_eq!(sent["requests"][0]["model"], "models/gemini-embedding-001");
}

/// The scripted provider gives a text the same vector on every wire.
#[test]
fn vectors_are_the_same_whichever_way_they_come() {
    let provider = provider();
    let gateway = gateway(&provider);
    let texts = json!(["one", "two"]);
    let carried = gateway.post(OPENAI, &json!({"model": "text-embedding-3-small", "input": texts}));
    for encoding in ["float", "base64"] {
        let body = json!({"model": "gemini-embedding-001", "input": texts, "encoding_format": encoding, "user": "u"});
        let reply = gateway.post(OPENAI, &body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(vectors(&reply), vectors(&carried), "{encoding}");
        assert_eq!(reply.json()["data"][0]["embedding"].is_string(), encoding == "base64");
        assert_eq!(reply.header("x-gateway-warnings"), Some("field:user"));
    }
    let content = |text: &str| json!({"content": {"parts": [{"text": text}]}, "taskType": "CLUSTERING"});
    let path = "/v1/models/text-embedding-3-small:batchEmbedContents";
    let batch = gateway.post(path, &json!({"requests": [content("one"), content("two")]}));
    let rows = batch.json()["embeddings"].as_array().unwrap().clone();
    assert_eq!(rows.iter().map(|row| numbers(&row["values"])).collect::<Vec<_>>(), vectors(&carried));
    assert_eq!(batch.header("x-gateway-warnings"), Some("field:taskType"));
    let single = gateway.post(&path.replace("batchEmbedContents", "embedContent"), &content("one"));
    assert_eq!(numbers(&single.json()["embedding"]["values"]), vectors(&carried)[0]);
    let row = gateway.ledger(5).remove(0);
    assert_eq!(
        (&*row.surface, row.wire.as_deref(), row.cost_nanos),
        ("gemini", Some("openai_chat"), Some(20))
    );
}

#[test]
fn tokens_reach_gemini_as_the_text_that_they_mean() {
    let provider = provider();
    let gateway = gateway(&provider);
    let body =
        json!({"model": "gemini-embedding-001", "input": [[15339, 1917], [83, 1609, 5963, 374, 2294, 0]]});
    let reply = gateway.post(OPENAI, &body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let sent = provider.received()[0].json();
    let texts: Vec<&Value> =
        sent["requests"].as_array().unwrap().iter().map(|one| &one["content"]["parts"][0]["text"]).collect();
    assert_eq!(texts, ["hello world", "tiktoken is great!"]);
    assert_eq!(reply.header("x-gateway-warnings"), Some("tokens_decoded"));
    let unknown = gateway.post(OPENAI, &json!({"model": "gemini-embedding-001", "input": [4_000_000]}));
    assert_eq!((unknown.status, &unknown.json()["error"]["param"]), (400, &json!("input.0")));
}

#[test]
fn errors_of_embeddings_come_in_the_clients_form() {
    let provider = provider();
    let gateway = gateway(&provider);
    let nothing = gateway.post(ONE, &json!({}));
    assert_eq!((nothing.status, &nothing.json()["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    let path = "/v1beta/models/ant%2Ftext:embedContent";
    let reply = gateway.post(path, &json!({"content": {"parts": [{"text": "a"}]}}));
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert_eq!(reply.json()["error"]["message"], "ant does not support embeddings");
}

/// A server that answers one request with this, and its base URL.
fn server(answer: &'static str) -> (String, std::thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let mut socket = BufReader::new(listener.accept().unwrap().0);
        let (mut line, mut length) = (String::new(), 0);
        while socket.read_line(&mut line).unwrap() > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        socket.read_exact(&mut body).unwrap();
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ";
        socket.get_mut().write_all(format!("{head}{}\r\n\r\n{answer}", answer.len()).as_bytes()).unwrap();
        body
    });
    (base, served)
}

/// OpenAI's own clients cannot read numbers where they asked for base64, which is what they ask for unasked.
#[test]
fn numbers_become_base64_for_a_client_that_wants_it_whatever_the_server_sends() {
    let answer = r#"{"data":[{"index":0,"embedding":[1.0,-0.5]}],"model":"m","usage":{"prompt_tokens":2,"total_tokens":2}}"#;
    let (base, served) = server(answer);
    let gateway = Builder::new(format!(
        "providers:\n  local: {{base_url: '{base}', api_key: k, models: {{m: {{}}}}}}\n"
    ))
    .start();
    let body = json!({"model": "local/m", "input": "a", "encoding_format": "base64"});
    let reply = gateway.post(OPENAI, &body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.json()["data"][0]["embedding"].is_string(), "{}", reply.text());
    assert_eq!(vectors(&reply), [[1.0, -0.5]]);
    assert_eq!(reply.json()["usage"], json!({"prompt_tokens": 2, "total_tokens": 2}));
    let sent: Value = serde_json::from_slice(&served.join().unwrap()).unwrap();
    assert_eq!(sent["encoding_format"], "base64");
    assert_eq!(gateway.ledger(1)[0].input, Some(2));
}
