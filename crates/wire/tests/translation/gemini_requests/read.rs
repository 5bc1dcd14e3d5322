//! What requests of clients mean.

use serde_json::json;
use wire::chat::{MediaSource, OutputFormat, Part, Role, ToolChoice, ToolKind};
use wire::dialect::{Dialect, Echo, Thoughts};

use super::*;
use crate::recording;

fn turns(contents: Value) -> ChatRequest {
    decoded(&json!({ "contents": contents })).unwrap()
}

#[test]
fn system_instructions_have_three_forms() {
    for system in [
        json!("be brief"),
        json!({"parts": [{"text": "be brief"}]}),
        json!({"role": "user", "parts": [{"text": "be brief"}]}),
        json!([{"text": "be brief"}]),
        json!({"text": "be brief"}),
    ] {
        let request = decoded(&json!({"contents": [{}], "systemInstruction": system})).unwrap();
        assert_eq!(request.messages[0].role, Role::System);
        assert_eq!(request.messages[0].parts, [Part::text("be brief")], "{system}");
    }
    let odd = json!({"contents": [{}], "system_instruction": {"parts": [{"inlineData": {}}]}});
    assert_eq!(decoded(&odd).unwrap_err().param(), Some("system_instruction"));
}

#[test]
fn results_find_their_calls_by_id_or_by_name_and_order() {
    let call = |name: &str| json!({"functionCall": {"name": name, "args": {}}});
    let result =
        |name: &str, text: &str| json!({"functionResponse": {"name": name, "response": {"result": text}}});
    let request = turns(json!([
        {"role": "user", "parts": [{"text": "go"}]},
        {"role": "model", "parts": [call("f"), call("g"), call("f")]},
        {"role": "user", "parts": [result("g", "1"), result("f", "2"), result("f", "3"), {"text": "and?"}]}
    ]));
    let ids: Vec<&String> = request.messages[1]
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::ToolCall { id, .. } => Some(id),
            _ => None,
        })
        .collect();
    assert!(ids.iter().all(|id| id.len() == 25 && id.starts_with("call_")));
    let answers: Vec<(&String, &str)> = request.messages[2]
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::ToolResult { call_id, parts, .. } => match &parts[..] {
                [Part::Text { text, .. }] => Some((call_id, text.as_str())),
                _ => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(answers, [(ids[1], "1"), (ids[0], "2"), (ids[2], "3")]);
    assert_eq!((request.messages[2].role, request.messages[3].role), (Role::Tool, Role::User));
}

#[test]
fn a_result_for_no_call_is_refused_with_its_place() {
    let body = json!({"contents": [{"role": "user", "parts": [
        {"functionResponse": {"name": "f", "response": {}}}]}]});
    assert_eq!(decoded(&body).unwrap_err().param(), Some("contents[0].parts[0].functionResponse"));
}

#[test]
fn parts_of_every_kind_are_read() {
    let request = turns(json!([{"parts": [
        {"text": "a"},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklG"}},
        {"fileData": {"fileUri": "gs://b/c.pdf", "mimeType": "application/pdf"}},
        {"fileData": {"fileUri": "https://x.example/y.png", "mimeType": "image/png"}},
        {"fileData": {"fileUri": "https://x.example/y.mp4"}, "videoMetadata": {"fps": 1}}
    ]}, {"role": "model", "parts": [{"executableCode": {"code": "1"}, "thoughtSignature": "AAAA"}]}]));
    let parts = &request.messages[0].parts;
    assert_eq!(parts[1], Part::Audio { data: "UklG".into(), format: "wav".into() });
    assert!(
        matches!(&parts[2], Part::File { source: MediaSource::FileId { id, .. }, .. } if id == "gs://b/c.pdf")
    );
    assert!(matches!(&parts[3], Part::Image { source: MediaSource::Url(_), .. }));
    assert!(matches!(&parts[4], Part::Foreign { origin, .. } if origin.dialect == Dialect::Gemini));
    assert!(matches!(&request.messages[1].parts[0], Part::ServerTool { .. }));
}

#[test]
fn modes_of_calling_are_choices() {
    let choice = |config: Value| {
        let body = json!({"contents": [{}], "tools": [{"functionDeclarations": [{"name": "f"}]}],
            "toolConfig": {"functionCallingConfig": config}});
        decoded(&body).map(|request| (request.tool_choice, request.tools[0].strict))
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (config, expected, strict) in [
        (json!({"mode": "AUTO"}), Some(ToolChoice::Auto), None),
        (json!({"mode": 3}), Some(ToolChoice::None), None),
        (json!({"mode": "ANY"}), Some(ToolChoice::Any), None),
        (json!({"mode": "ANY", "allowedFunctionNames": ["f"]}), Some(ToolChoice::One("f".into())), None),
        (
            json!({"mode": "any", "allowedFunctionNames": ["f", "g"]}),
            Some(ToolChoice::Some { names: names(&["f", "g"]), must: true }),
            None,
        ),
        (
            json!({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
            Some(ToolChoice::Some { names: names(&["f"]), must: false }),
            None,
        ),
        (json!({"mode": "VALIDATED"}), Some(ToolChoice::Auto), Some(true)),
        (json!({}), None, None),
    ] {
        assert_eq!(choice(config.clone()).unwrap(), (expected, strict), "{config}");
    }
    let at = choice(json!({"mode": "MAYBE"})).unwrap_err();
    assert_eq!(at.param(), Some("toolConfig.functionCallingConfig.mode"));
}

#[test]
fn tools_of_every_kind_are_read() {
    let request = decoded(&json!({"contents": [{}], "tools": [
        {"googleSearch": {}, "functionDeclarations": [
            {"name": "f", "description": null, "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}},
            {"name": "g", "behavior": "NON_BLOCKING"}]},
        {"codeExecution": {}}
    ]})).unwrap();
    let of = |name: &str| request.tools.iter().find(|tool| tool.name == name).unwrap();
    let schema = of("f").parameters.as_ref().unwrap().get();
    assert_eq!(schema, r#"{"type":"object","properties":{"a":{"type":"string"}}}"#);
    assert_eq!(of("web_search").kind, ToolKind::BuiltIn);
    assert_eq!(of("codeExecution").kind, ToolKind::BuiltIn);
    assert!(of("g").raw.is_some());
}

#[test]
fn forms_of_the_answer_are_read() {
    let format = |config: Value| decoded(&json!({"contents": [{}], "generationConfig": config})).unwrap();
    assert!(matches!(
        format(json!({"responseMimeType": "application/json"})).format,
        Some(OutputFormat::JsonObject)
    ));
    let schema = json!({"responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"}});
    let Some(OutputFormat::JsonSchema { schema, .. }) = format(schema).format else { panic!("no schema") };
    assert_eq!(schema.get(), r#"{"type":"object"}"#);
    let list = format(json!({"responseMimeType": "text/x.enum", "responseModalities": ["TEXT"]}));
    assert!(list.format.is_none());
    let names: Vec<&String> = list.extra.fields.keys().collect();
    assert_eq!(names, ["generationConfig.responseMimeType"]);
}

#[test]
fn fields_without_a_name_of_ours_survive() {
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "a"}]}], "safetySettings": [{"category": "X"}],
        "cached_content": "cachedContents/x", "labels": {"a": "b"}, "toolConfig": {"retrievalConfig": {}},
        "generationConfig": {"speechConfig": {"x": 1}, "mediaResolution": "MEDIA_RESOLUTION_LOW", "responseModalities": ["AUDIO"]}});
    let request = decoded(&body).unwrap();
    let (written, encoded) = encoded(&request, &older()).unwrap();
    assert!(encoded.losses.is_empty(), "{:?}", encoded.losses);
    assert_eq!(written["safetySettings"], body["safetySettings"]);
    assert_eq!(written["cachedContent"], "cachedContents/x");
    assert_eq!(written["toolConfig"]["retrievalConfig"], json!({}));
    for field in ["speechConfig", "mediaResolution", "responseModalities"] {
        assert_eq!(written["generationConfig"][field], body["generationConfig"][field], "{field}");
    }
    let mut body = body;
    body["cached_content"] = Value::Null;
    body["generationConfig"]["responseModalities"] = json!(["TEXT"]);
    let elsewhere = OpenAiChat.encode_request(&decoded(&body).unwrap(), &older()).unwrap();
    let lost = codes(&elsewhere);
    assert!(
        lost.contains(&"field:safetySettings") && lost.contains(&"field:generationConfig.speechConfig"),
        "{lost:?}"
    );
}

#[test]
fn thoughts_of_other_families_come_back_from_a_signature() {
    let thought = Part::Thinking {
        text: "hm".into(),
        signature: Some("EqMB".into()),
        encrypted: None,
        id: None,
        origin: Some(Dialect::AnthropicMessages.into()),
    };
    let response = wire::chat::ChatResponse {
        choices: vec![wire::chat::Choice {
            parts: vec![thought.clone(), Part::text("so")],
            ..Default::default()
        }],
        ..Default::default()
    };
    for thoughts in [Thoughts::Shown, Thoughts::Sealed] {
        let echo = Echo { thoughts, ..Echo::default() };
        let whole = Gemini.encode_response(&response, &echo, &mut Vec::new());
        let whole: Value = serde_json::from_slice(&whole).unwrap();
        let mut streamed = bytes::BytesMut::new();
        let mut writer = Gemini.stream_writer(echo);
        wire::chat::unfold(&response).iter().for_each(|event| writer.write(event, &mut streamed));
        writer.finish(&mut streamed);
        let chunks = recording::datas(&streamed);
        let parts =
            chunks.iter().flat_map(|chunk| chunk["candidates"][0]["content"]["parts"].as_array().unwrap());
        let parts: Vec<Value> = parts.cloned().collect();
        for parts in [whole["candidates"][0]["content"]["parts"].clone(), parts.into()] {
            let shown = parts.as_array().unwrap().iter().any(|part| part["text"] == "hm");
            assert_eq!(shown, thoughts == Thoughts::Shown);
            let request = turns(json!([{"parts": [{"text": "?"}]}, {"role": "model", "parts": parts}]));
            assert_eq!(request.messages[1].parts[0], thought);
            let rest = &request.messages[1].parts[1..];
            assert!(rest.iter().all(|part| matches!(part, Part::Text { .. })), "{rest:?}");
        }
    }
}

#[test]
fn gateway_fields_are_taken_out_and_no_others() {
    let mut body =
        object(&json!({"contents": [], "project": "p", "strict": true, "provider": "x", "model": "m"}));
    Gemini.strip(&mut body);
    Gemini.retarget(&mut body, &older(), true).unwrap();
    assert_eq!(body.into_bytes(), r#"{"contents":[]}"#);
}
