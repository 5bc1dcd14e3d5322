//! The tools on standard input and output (CONTRACT.md section 4).

use std::time::{Duration, Instant};

use fakeprov::FakeProv;
use serde_json::{Value, json};
use store::Outcome;

use crate::support::{Builder, Conversation, TOKEN, block_on, both_wires, call, eventually, message, rows};

/// The prompt that every model gets.
const PROMPT: &str = "Say something.";

fn bench(args: &[&str]) -> (FakeProv, Conversation) {
    let provider = block_on(FakeProv::start());
    let builder = Builder::new(both_wires(&provider)).arg("mcp");
    let builder = args.iter().fold(builder, |builder, arg| builder.arg(arg));
    (provider, Conversation::start(builder))
}

fn tools(conversation: &mut Conversation) -> Vec<Value> {
    conversation.send(&message(900, "tools/list", json!({})));
    conversation.answer(900)["result"]["tools"].as_array().unwrap().clone()
}

fn names(tools: &[Value]) -> Vec<&str> {
    tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[test]
fn the_tools_of_mcp_llm_bridge_are_offered_with_schemas_both_ways() {
    let (_provider, mut conversation) = bench(&[]);
    let tools = tools(&mut conversation);
    assert_eq!(names(&tools), TOOLS);
    for tool in &tools {
        assert_eq!(
            (&tool["inputSchema"]["type"], &tool["outputSchema"]["type"]),
            (&json!("object"), &json!("object"))
        );
        assert!(tool["description"].as_str().is_some_and(|text| text.len() > 10), "{tool}");
    }
    let required = |name: &str| {
        tools.iter().find(|tool| tool["name"] == name).unwrap()["inputSchema"]["required"].clone()
    };
    assert_eq!(required("llm_generate"), json!(["prompt"]));
    assert_eq!(required("vault_store"), json!(["provider", "apiKey"]));
    assert_eq!(required("vault_delete"), json!(["id"]));
    assert_eq!(conversation.finish(), Some(0));
}

const TOOLS: [&str; 13] = [
    "llm_generate",
    "llm_models",
    "vault_store",
    "vault_list",
    "vault_delete",
    "vault_store_file",
    "vault_list_files",
    "vault_delete_file",
    "list_groups",
    "create_group",
    "delete_group",
    "configure_circuit_breaker",
    "circuit_breaker_stats",
];

#[test]
fn a_prompt_is_answered_in_the_form_of_generate_and_leaves_a_row() {
    let (_provider, mut conversation) = bench(&["--project", "shop"]);
    let result =
        conversation.call("llm_generate", json!({ "prompt": PROMPT, "model": "oai/text", "maxTokens": 50 }));
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, result["structuredContent"]);
    assert!(text["text"].as_str().unwrap().starts_with("Hello"), "{text}");
    assert_eq!(
        (
            &text["resolvedProvider"],
            &text["requestedModel"],
            &text["requestedProvider"],
            &text["fallbackUsed"]
        ),
        (&json!("oai"), &json!("oai/text"), &Value::Null, &json!(false))
    );
    let dir = conversation.data_dir();
    let _guard = conversation.dir.clone();
    assert_eq!(conversation.finish(), Some(0));
    let rows = rows(dir);
    let row = &rows[0];
    assert_eq!((rows.len(), row.surface.as_ref(), row.key_name.as_deref()), (1, "generate", Some("mcp")));
    assert_eq!((row.project.as_ref(), row.outcome), ("shop", Outcome::Completed));
}

#[test]
fn a_call_takes_no_longer_than_its_time_limit() {
    let (provider, mut conversation) = bench(&[]);
    let began = Instant::now();
    let slow = json!({ "prompt": PROMPT, "model": "oai/text+head-delay=5000ms", "timeoutMs": 200 });
    let error = conversation.refused("llm_generate", slow);
    assert_eq!(error["code"], "time_limit", "{error}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let text = conversation
        .told("llm_generate", json!({ "prompt": PROMPT, "model": "oai/text", "timeoutMs": 20_000 }));
    assert_eq!(text["resolvedProvider"], "oai");
    assert!(provider.received().iter().all(|received| received.json().get("timeoutMs").is_none()));
    assert_eq!(conversation.finish(), Some(0));
}

#[test]
fn a_wrong_argument_is_refused_by_its_name_and_costs_nothing() {
    let (provider, mut conversation) = bench(&[]);
    for (tool, arguments, field) in [
        ("llm_generate", json!({}), "prompt"),
        ("llm_generate", json!({ "prompt": "" }), "prompt"),
        ("llm_generate", json!({ "prompt": "x", "maxTokens": 0 }), "maxTokens"),
        ("llm_generate", json!({ "prompt": "x", "timeoutMs": 0 }), "timeoutMs"),
        ("llm_generate", json!({ "prompt": "x", "timeoutMs": 86_400_001 }), "timeoutMs"),
        ("llm_generate", json!({ "prompt": "x", "model": 5 }), "model"),
        ("vault_store", json!({ "provider": "openai" }), "apiKey"),
        ("vault_store", json!({ "provider": "nobody", "apiKey": "x" }), "provider"),
        ("vault_delete", json!({ "id": "1" }), "id"),
        ("vault_list", json!({ "project": 1 }), "project"),
        ("vault_store_file", json!({ "provider": "claude", "fileName": "a.json" }), "content"),
        ("vault_store_file", json!({ "provider": "claude", "fileName": "../a", "content": "x" }), "fileName"),
        ("vault_delete_file", json!({}), "id"),
    ] {
        let error = conversation.refused(tool, arguments.clone());
        assert_eq!(error["field"], field, "{tool} {arguments}: {error}");
        assert!(error["error"].as_str().is_some_and(|text| text.contains(field)), "{error}");
    }
    assert!(provider.received().is_empty());
}

#[test]
fn a_provider_that_fails_is_an_error_of_the_tool() {
    let (_provider, mut conversation) = bench(&[]);
    let error = conversation
        .refused("llm_generate", json!({ "prompt": "x", "model": "oai/status-500", "strict": true }));
    assert!(error["error"].as_str().is_some_and(|text| text.contains("oai")), "{error}");
    let error = conversation.refused("llm_generate", json!({ "prompt": "x", "model": "no-such-model" }));
    assert_eq!(error["code"], "model_not_found", "{error}");
}

#[test]
fn a_credential_is_stored_listed_masked_and_deleted() {
    const KEY: &str = "sk-secret-of-the-vault-0123456789";
    let (_provider, mut conversation) = bench(&[]);
    let stored =
        conversation.told("vault_store", json!({ "provider": "openai", "apiKey": KEY, "project": "shop" }));
    assert_eq!(
        stored,
        json!({ "id": stored["id"], "provider": "openai", "keyName": "default", "project": "shop" })
    );
    let listed = conversation.call("vault_list", json!({ "project": "shop" }));
    assert!(!listed.to_string().contains(KEY), "{listed}");
    let rows = &listed["structuredContent"]["credentials"];
    assert_eq!(listed["content"][0]["text"], rows.to_string(), "the text is a bare array");
    assert_eq!((&rows[0]["id"], &rows[0]["maskedValue"]), (&stored["id"], &json!("sk-secr...***")));
    assert_eq!(conversation.told("vault_list", json!({ "project": "other" })), json!([]));
    assert_eq!(conversation.told("vault_delete", json!({ "id": stored["id"] })), json!({ "ok": true }));
    let gone = conversation.refused("vault_delete", json!({ "id": stored["id"] }));
    assert_eq!(gone["code"], "NOT_FOUND");
}

#[test]
fn a_file_is_stored_listed_without_its_content_and_deleted() {
    let (_provider, mut conversation) = bench(&[]);
    let new = json!({ "provider": "claude", "fileName": ".credentials.json", "content": "{\"secret\":1}" });
    let stored = conversation.told("vault_store_file", new);
    let id = stored["id"].clone();
    assert_eq!(
        stored,
        json!({ "id": id, "provider": "claude", "fileName": ".credentials.json", "project": "_global" })
    );
    let listed = conversation.call("vault_list_files", json!({}));
    assert!(!listed.to_string().contains("secret"), "{listed}");
    let rows = &listed["structuredContent"]["files"];
    assert_eq!(listed["content"][0]["text"], rows.to_string(), "the text is a bare array");
    assert_eq!((&rows[0]["id"], &rows[0]["fileName"]), (&id, &json!(".credentials.json")));
    assert_eq!(conversation.told("vault_delete_file", json!({ "id": id })), json!({ "ok": true }));
    assert_eq!(conversation.refused("vault_delete_file", json!({ "id": id }))["code"], "NOT_FOUND");
}

#[test]
fn models_are_those_that_can_be_asked() {
    let (_provider, mut conversation) = bench(&[]);
    let models = conversation.told("llm_models", json!({}));
    let oai = models.as_array().unwrap().iter().find(|model| model["provider"] == "oai").unwrap();
    assert_eq!(
        oai,
        &json!({ "id": oai["id"], "name": oai["name"], "provider": "oai", "maxTokens": oai["maxTokens"] })
    );
}

#[test]
fn read_only_leaves_out_the_tools_that_write() {
    let (_provider, mut conversation) = bench(&["--read-only"]);
    assert_eq!(
        names(&tools(&mut conversation)),
        [
            "llm_generate",
            "llm_models",
            "vault_list",
            "vault_list_files",
            "list_groups",
            "circuit_breaker_stats"
        ]
    );
    let refusal =
        conversation.refused("vault_store", json!({ "provider": "openai", "apiKey": "sk-0123456789" }));
    assert!(refusal["error"].as_str().is_some_and(|text| text.contains("--read-only")), "{refusal}");
    assert_eq!(conversation.told("vault_list", json!({})), json!([]));
}

#[test]
fn a_cancelled_call_takes_the_upstream_along() {
    let (provider, mut conversation) = bench(&[]);
    conversation.send(&call(
        1,
        "llm_generate",
        json!({ "prompt": "x", "model": "oai/text+head-delay=900ms" }),
    ));
    assert!(block_on(provider.wait_received(1, Duration::from_secs(5))));
    let params = json!({ "requestId": 1, "reason": "no more interest" });
    conversation.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }));
    assert!(block_on(provider.wait_closed(Duration::from_secs(1))).is_some());
    assert!(conversation.told("llm_models", json!({})).is_array(), "the conversation goes on");
    let (dir, _guard) = (conversation.data_dir(), conversation.dir.clone());
    conversation.finish();
    assert_eq!(rows(dir)[0].outcome, Outcome::ClientGone);
}

#[test]
fn who_asks_for_progress_hears_of_it_before_the_answer() {
    let (_provider, mut conversation) = bench(&[]);
    let mut asking = call(1, "llm_generate", json!({ "prompt": "x", "model": "oai/text+head-delay=500ms" }));
    asking["params"]["_meta"] = json!({ "progressToken": "p-1" });
    conversation.send(&asking);
    let first = conversation.next();
    assert_eq!(first["method"], "notifications/progress", "{first}");
    assert_eq!(
        (&first["params"]["progressToken"], &first["params"]["progress"]),
        (&json!("p-1"), &json!(0.0))
    );
    assert_eq!(conversation.answer(1)["result"]["isError"], false);
}

#[test]
fn what_the_protocol_forbids_is_an_error_of_the_protocol() {
    let (_provider, mut conversation) = bench(&[]);
    conversation.send_line("this is no JSON");
    conversation.send(&message(1, "no/such/method", json!({})));
    assert_eq!(conversation.answer(1)["error"]["code"], -32601);
    conversation.send(&call(2, "no_such_tool", json!({})));
    let answer = conversation.answer(2);
    assert_eq!(answer["error"]["code"], -32602);
    assert!(
        answer["error"]["message"].as_str().is_some_and(|text| text.contains("no_such_tool")),
        "{answer}"
    );
    conversation.send(&message(3, "tools/call", json!({ "arguments": {} })));
    assert!(conversation.answer(3)["error"]["code"].is_i64());
    conversation.send(&message(4, "ping", json!({})));
    assert_eq!(conversation.answer(4)["result"], json!({}));
}

/// Rows P11: two processes on one vault.
#[test]
fn a_credential_stored_by_a_tool_is_used_by_the_server_beside_it_within_a_second() {
    let provider = block_on(FakeProv::start());
    let gateway = Builder::bare()
        .env("LLM_GATEWAY_AUTH_TOKEN", TOKEN)
        .env("OPENAI_BASE_URL", provider.url())
        .env("LLM_GATEWAY_PORT", "0")
        .start();
    assert_eq!(gateway.chat("openai/text").status, 503);
    let mut conversation = Conversation::start(Builder::bare().within(gateway.dir.clone()).arg("mcp"));
    conversation.told("vault_store", json!({ "provider": "openai", "apiKey": "sk-0123456789abcdef" }));
    let stored = std::time::Instant::now();
    eventually("the server uses it", || gateway.chat("openai/text").status == 200);
    assert!(stored.elapsed() < Duration::from_secs(10), "{:?}", stored.elapsed());
}

/// Whatever is logged, and at whichever level: `next` fails on a line that is no message.
#[test]
fn standard_output_belongs_to_the_protocol() {
    let provider = block_on(FakeProv::start());
    let builder = Builder::new(both_wires(&provider)).env("LLM_GATEWAY_LOG", "debug").arg("mcp");
    let mut conversation = Conversation::start(builder);
    for model in ["oai/text", "oai/status-500", "ant/text"] {
        conversation.call("llm_generate", json!({ "prompt": "x", "model": model, "strict": true }));
    }
    assert_eq!(conversation.finish(), Some(0));
}

#[test]
fn http_is_served_beside_the_stream_until_its_client_leaves() {
    let provider = block_on(FakeProv::start());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let builder = Builder::new(both_wires(&provider)).arg("mcp").arg("--http").arg("-p");
    let conversation = Conversation::start(builder.arg(&address.port().to_string()));
    assert_eq!(crate::support::request(address, "GET", "/health", &[], b"").status, 200);
    assert_eq!(conversation.finish(), Some(0));
    assert!(std::net::TcpStream::connect(address).is_err());
}
