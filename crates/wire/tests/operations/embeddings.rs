//! Texts to vectors, in both formats and across.

use serde_json::{Value, json};
use wire::Head;
use wire::embed::gemini::GeminiEmbeddings as Gemini;
use wire::embed::ollama::OllamaEmbeddings as Ollama;
use wire::embed::openai::OpenAiEmbeddings as OpenAi;
use wire::embed::{Content, EmbedResponse, EmbedSurface, EmbedWire, VectorForm};

use crate::{blamed, body, json, text};

fn head(model: &str) -> Head {
    Head { model: Some(model.to_owned()), ..Head::default() }
}

/// A request in one format, sent in the other; and the codes of what was lost.
fn crossed(from: &dyn EmbedSurface, to: &dyn EmbedWire, request: Value) -> (Value, Vec<String>) {
    let request = from.decode_request(&head("m"), &body(request)).unwrap();
    let encoded = to.encode_request(&request, "target").unwrap();
    (json(&encoded.body), encoded.losses.into_iter().map(|loss| loss.code.into_owned()).collect())
}

#[test]
fn openai_takes_texts_and_tokens_alone_and_in_lists() {
    let (alone, list) = (json!([1, 2, 3]), json!([[1, 2], [3]]));
    for (input, expected) in [
        (json!("a"), vec![Content::Text("a".into())]),
        (json!(["a", "b"]), vec![Content::Text("a".into()), Content::Text("b".into())]),
        (alone, vec![Content::Tokens(vec![1, 2, 3])]),
        (list, vec![Content::Tokens(vec![1, 2]), Content::Tokens(vec![3])]),
    ] {
        let body = body(json!({"model": "m", "input": input}));
        assert_eq!(OpenAi.peek(&Head::default(), &body).unwrap().model.as_deref(), Some("m"));
        let request = OpenAi.decode_request(&Head::default(), &body).unwrap();
        let contents: Vec<Content> = request.inputs.into_iter().map(|input| input.content).collect();
        assert_eq!(contents, expected, "{input}");
    }
}

#[test]
fn what_is_no_request_for_vectors_is_refused_by_name() {
    let refused = |request: Value| blamed(OpenAi.peek(&Head::default(), &body(request)));
    assert_eq!(refused(json!({"model": "m"})), "input");
    assert_eq!(refused(json!({"model": "m", "input": []})), "input");
    assert_eq!(refused(json!({"model": "m", "input": {"a": 1}})), "input");
    assert_eq!(refused(json!({"input": "a"})), "model");
    assert_eq!(refused(json!({"model": "m", "input": "a", "encoding_format": "int8"})), "encoding_format");
    assert_eq!(refused(json!({"model": "m", "input": "a", "dimensions": 0})), "dimensions");
    let mixed = OpenAi.decode_request(&Head::default(), &body(json!({"model": "m", "input": ["a", 1]})));
    assert_eq!(blamed(mixed), "input.1");
    let refused = |request: Value| blamed(Gemini.peek(&head("m"), &body(request)));
    assert_eq!(refused(json!({})), "content");
    assert_eq!(refused(json!({"requests": {}})), "requests");
}

#[test]
fn a_request_of_openai_becomes_a_batch_of_gemini() {
    let request = json!({"model": "m", "input": ["a", "b"], "dimensions": 64, "user": "u", "seed": 1,
        "encoding_format": "base64"});
    let (sent, lost) = crossed(&OpenAi, &Gemini, request);
    let one = |text: &str| json!({"model": "models/target", "content": {"parts": [{"text": text}]}, "outputDimensionality": 64});
    assert_eq!(sent, json!({"requests": [one("a"), one("b")]}));
    assert_eq!(lost, ["field:seed", "field:user"]);
}

#[test]
fn a_request_of_either_format_becomes_one_of_native_ollama() {
    let request = json!({"model": "m", "input": ["a", "b"], "dimensions": 64, "user": "u", "seed": 1,
        "encoding_format": "base64"});
    let (sent, lost) = crossed(&OpenAi, &Ollama, request);
    assert_eq!(sent, json!({"model": "target", "input": ["a", "b"], "dimensions": 64}));
    assert_eq!(lost, ["field:seed", "field:user"]);
    let alone = json!({"content": {"parts": [{"text": "a"}]}, "taskType": "RETRIEVAL_QUERY"});
    let (sent, lost) = crossed(&Gemini, &Ollama, alone);
    assert_eq!((sent, lost), (json!({"model": "target", "input": ["a"]}), vec!["field:taskType".to_owned()]));
}

#[test]
fn vectors_of_native_ollama_are_read_with_the_tokens_that_it_counted() {
    let answer = json!({"model": "all-minilm", "embeddings": [[0.5, -1.0], [0.25, 2.0]], "total_duration": 1,
        "load_duration": 1, "prompt_eval_count": 8});
    let read = Ollama.decode_response(answer.to_string().as_bytes()).unwrap();
    assert_eq!(read.vectors, [[0.5, -1.0], [0.25, 2.0]]);
    assert_eq!((read.model.as_deref(), read.usage.unwrap().input), (Some("all-minilm"), Some(8)));
    let cached = Ollama.decode_response(br#"{"embeddings":[[1]]}"#).unwrap();
    assert_eq!(cached.usage, None, "absent is not zero");
    for nothing in ["{}", r#"{"embeddings":[]}"#, "<html>"] {
        assert!(matches!(Ollama.decode_response(nothing.as_bytes()), Err(wire::Fault::BadAnswer { .. })));
    }
}

#[test]
fn native_ollama_embeds_beside_where_it_chats() {
    let at = |chat, operation| wire::WireId::Ollama.target(chat, operation, "m", false);
    assert_eq!(at("/api/chat", wire::Operation::Embed).as_deref(), Some("/api/embed"));
    assert_eq!(at("/below/api/chat?x=1", wire::Operation::EmbedOne).as_deref(), Some("/below/api/embed?x=1"));
    assert_eq!(at("/api/chat", wire::Operation::CountTokens), None);
}

#[test]
fn tokens_cannot_be_said_in_gemini() {
    let request =
        OpenAi.decode_request(&Head::default(), &body(json!({"model": "m", "input": [1, 2]}))).unwrap();
    assert!(!Gemini.takes_tokens());
    assert!(matches!(Gemini.encode_request(&request, "m"), Err(wire::Fault::Unsupported { .. })));
}

#[test]
fn a_request_of_gemini_becomes_one_of_openai_in_either_spelling() {
    let alone = json!({"content": {"parts": [{"text": "a"}, {"text": "b"}]}, "taskType": "RETRIEVAL_QUERY",
        "title": "t", "output_dimensionality": 64, "autoTruncate": true});
    let (sent, lost) = crossed(&Gemini, &OpenAi, alone);
    let expected =
        json!({"model": "target", "input": ["a\nb"], "dimensions": 64, "encoding_format": "base64"});
    assert_eq!(sent, expected);
    assert_eq!(lost, ["field:autoTruncate", "field:taskType", "field:title"]);
    let batch = json!({"requests": [{"content": {"parts": [{"text": "a"}]}}, {"content": {"parts": [{"text": "b"}]}}]});
    assert_eq!(crossed(&Gemini, &OpenAi, batch).0["input"], json!(["a", "b"]));
}

#[test]
fn a_picture_cannot_leave_gemini() {
    let picture = json!({"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": ""}}]}});
    let decoded = Gemini.decode_request(&head("m"), &body(picture));
    assert!(matches!(decoded, Err(wire::Fault::Unsupported { .. })), "{decoded:?}");
}

#[test]
fn carried_requests_change_nothing_but_the_model() {
    let mut carried = text(r#"{ "input" : ["caf\u00e9"],  "model":"a/b", "x": 1.0 }"#);
    OpenAi.retarget(&mut carried, "b").unwrap();
    assert_eq!(carried.into_bytes(), r#"{ "input" : ["caf\u00e9"],  "model":"b", "x": 1.0 }"#);
    let batch = r#"{"requests":[{"model":"models/a", "content" : {"parts":[{"text":"x"}]}}]}"#;
    let mut carried = text(batch);
    Gemini.retarget(&mut carried, "a").unwrap();
    assert_eq!(carried.clone().into_bytes(), batch);
    Gemini.retarget(&mut carried, "b").unwrap();
    assert_eq!(carried.into_bytes(), batch.replace("models/a", "models/b"));
}

/// Every vector that one format writes is the very same vector in the other.
#[test]
fn vectors_survive_every_way_of_writing_them() {
    let vectors = vec![vec![0.013_168_523, -1.0, 3.402_823_5e38], vec![1e-7, 0.1, 0.0]];
    let response = EmbedResponse { vectors: vectors.clone(), ..EmbedResponse::default() };
    for (surface, wire, request) in [
        (&OpenAi as &dyn EmbedSurface, &OpenAi as &dyn EmbedWire, json!({"model": "m", "input": ["a", "b"]})),
        (&OpenAi, &OpenAi, json!({"model": "m", "input": ["a", "b"], "encoding_format": "base64"})),
        (&Gemini, &Gemini, json!({"requests": [{"content": {}}, {"content": {}}]})),
    ] {
        let request = surface.decode_request(&head("m"), &body(request)).unwrap();
        let written = surface.encode_response(&response, &request, "m");
        assert_eq!(wire.decode_response(&written).unwrap().vectors, vectors, "{request:?}");
        assert_eq!(wire.glance(&text(str::from_utf8(&written).unwrap())).unwrap().form, Some(request.form));
    }
}

#[test]
fn an_answer_has_the_form_that_its_clients_know() {
    let response = EmbedResponse { vectors: vec![vec![1.0, 0.5]], ..EmbedResponse::default() };
    let asked = |surface: &dyn EmbedSurface, request: Value| {
        let request = surface.decode_request(&head("m"), &body(request)).unwrap();
        json(surface.encode_response(&response, &request, "sent"))
    };
    let openai = asked(&OpenAi, json!({"model": "m", "input": "a", "encoding_format": "base64"}));
    let row = json!({"object": "embedding", "index": 0, "embedding": "AACAPwAAAD8="});
    assert_eq!(openai, json!({"object": "list", "data": [row], "model": "sent", "usage": null}));
    let content = json!({"parts": [{"text": "a"}]});
    assert_eq!(asked(&Gemini, json!({"content": content})), json!({"embedding": {"values": [1.0, 0.5]}}));
    assert_eq!(
        asked(&Gemini, json!({"requests": [{"content": content}]})),
        json!({"embeddings": [{"values": [1.0, 0.5]}]})
    );
}

#[test]
fn what_servers_say_of_tokens_is_counted_and_nothing_is_generated() {
    let answer = json!({"data": [{"index": 0, "embedding": [1.0]}], "model": "m", "usage": {"prompt_tokens": 7, "total_tokens": 7}});
    let usage = OpenAi.glance(&body(answer.clone())).unwrap().usage.unwrap();
    assert_eq!((usage.input, usage.output), (Some(7), Some(0)));
    assert_eq!(OpenAi.decode_response(answer.to_string().as_bytes()).unwrap().usage, Some(usage));
    let newer = json!({"embedding": {"values": [1.0]}, "usageMetadata": {"promptTokenCount": 7}});
    assert_eq!(Gemini.glance(&body(newer)).unwrap().usage.unwrap().input, Some(7));
    let older = json!({"embedding": {"values": [1.0]}});
    assert_eq!(Gemini.glance(&body(older)).unwrap().usage, None);
}

#[test]
fn rows_out_of_order_are_put_in_order_and_an_answer_without_vectors_is_none() {
    let rows = json!({"data": [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": "AACAPw=="}]});
    let response = OpenAi.decode_response(rows.to_string().as_bytes()).unwrap();
    assert_eq!(response.vectors, [[1.0], [2.0]]);
    for nothing in [json!({}), json!({"data": [{"embedding": "?"}]})] {
        assert!(OpenAi.decode_response(nothing.to_string().as_bytes()).is_err(), "{nothing}");
    }
    assert!(Gemini.decode_response(b"{}").is_err());
    assert!(OpenAi.glance(&body(json!({}))).is_err() && Gemini.glance(&body(json!({}))).is_err());
    assert_eq!(OpenAi.form(&body(json!({}))).unwrap(), VectorForm::Floats);
}
