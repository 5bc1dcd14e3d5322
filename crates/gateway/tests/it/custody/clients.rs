//! Clients that hold a conversation each in its own dialect, and keep of the answers what clients of that dialect do.

use serde_json::{Value, json};

use crate::support::{Gateway, Reply};

/// One side of a conversation with a tool.
pub trait Client {
    /// The user asks something.
    fn say(&mut self, text: &str);
    /// The tool that was called says something.
    fn result(&mut self, call: &str, text: &str);
    /// Sends the conversation so far.
    fn ask(&self, gateway: &Gateway, model: &str, stream: bool) -> Reply;
    /// Takes the answer into the conversation; the ids of its calls.
    fn take(&mut self, reply: &Reply, stream: bool) -> Vec<String>;
    /// The conversation as it will be sent.
    fn turns(&mut self) -> &mut Vec<Value>;
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

/// Speaks plain Chat: it keeps texts and calls, and nothing else.
#[derive(Default)]
pub struct Chat(Vec<Value>);

impl Client for Chat {
    fn say(&mut self, text: &str) {
        self.0.push(json!({"role": "user", "content": text}));
    }

    fn result(&mut self, call: &str, text: &str) {
        self.0.push(json!({"role": "tool", "tool_call_id": call, "content": text}));
    }

    fn ask(&self, gateway: &Gateway, model: &str, stream: bool) -> Reply {
        let function = json!({"name": "weather", "parameters": schema()});
        let tools = json!([{"type": "function", "function": function}]);
        let body = json!({"model": model, "messages": self.0, "tools": tools, "stream": stream,
            "reasoning_effort": "medium"});
        gateway.post("/v1/chat/completions", &body)
    }

    fn take(&mut self, reply: &Reply, stream: bool) -> Vec<String> {
        let said =
            if stream { joined(&reply.events()) } else { reply.json()["choices"][0]["message"].clone() };
        let calls: Vec<Value> = list(&said["tool_calls"])
            .iter()
            .map(|call| {
                let (name, arguments) = (&call["function"]["name"], &call["function"]["arguments"]);
                let function = json!({"name": name, "arguments": arguments});
                json!({"id": call["id"], "type": "function", "function": function})
            })
            .collect();
        let mut turn = json!({"role": "assistant", "content": said["content"]});
        if !calls.is_empty() {
            turn["tool_calls"] = json!(calls);
        }
        self.0.push(turn);
        calls.iter().map(|call| id(&call["id"])).collect()
    }

    fn turns(&mut self) -> &mut Vec<Value> {
        &mut self.0
    }
}

/// Text and calls of Chat's chunks, as a message.
fn joined(events: &[Value]) -> Value {
    assert_eq!(events.last(), Some(&json!("[DONE]")), "{events:?}");
    let (mut text, mut calls) = (String::new(), Vec::<Value>::new());
    for delta in events.iter().map(|event| &event["choices"][0]["delta"]) {
        text += delta["content"].as_str().unwrap_or_default();
        for call in list(&delta["tool_calls"]) {
            let place = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if place == calls.len() {
                calls.push(call.clone());
                continue;
            }
            let arguments = &mut calls[place]["function"]["arguments"];
            let more = call["function"]["arguments"].as_str().unwrap_or_default();
            *arguments = json!(arguments.as_str().unwrap_or_default().to_owned() + more);
        }
    }
    json!({"content": text, "tool_calls": calls})
}

/// Speaks Messages, wants thoughts, and sends every block back as it came.
#[derive(Default)]
pub struct Messages(Vec<Value>);

impl Client for Messages {
    fn say(&mut self, text: &str) {
        self.0.push(json!({"role": "user", "content": text}));
    }

    fn result(&mut self, call: &str, text: &str) {
        let result = json!({"type": "tool_result", "tool_use_id": call, "content": text});
        self.0.push(json!({"role": "user", "content": [result]}));
    }

    fn ask(&self, gateway: &Gateway, model: &str, stream: bool) -> Reply {
        let tools = json!([{"name": "weather", "input_schema": schema()}]);
        let thinking = json!({"type": "enabled", "budget_tokens": 1024});
        let body = json!({"model": model, "messages": self.0, "tools": tools, "stream": stream,
            "thinking": thinking, "max_tokens": 4096});
        gateway.post("/v1/messages", &body)
    }

    fn take(&mut self, reply: &Reply, stream: bool) -> Vec<String> {
        let blocks = if stream { blocks(&reply.events()) } else { list(&reply.json()["content"]).to_vec() };
        let calls = blocks.iter().filter(|block| block["type"] == "tool_use").map(|block| id(&block["id"]));
        let calls = calls.collect();
        self.0.push(json!({"role": "assistant", "content": blocks}));
        calls
    }

    fn turns(&mut self) -> &mut Vec<Value> {
        &mut self.0
    }
}

/// The blocks of a stream of Messages.
fn blocks(events: &[Value]) -> Vec<Value> {
    assert_eq!(events.last().unwrap()["type"], "message_stop", "{events:?}");
    let mut blocks = Vec::<Value>::new();
    let mut input = String::new();
    for event in events {
        match event["type"].as_str().unwrap() {
            "content_block_start" => blocks.push(event["content_block"].clone()),
            "content_block_delta" => {
                let block = blocks.last_mut().unwrap();
                let delta = event["delta"].as_object().unwrap();
                for (field, more) in delta.iter().filter(|(field, _)| *field != "type") {
                    let more = more.as_str().unwrap();
                    match field.as_str() {
                        "partial_json" => input += more,
                        field => block[field] = json!(block[field].as_str().unwrap().to_owned() + more),
                    }
                }
            }
            "content_block_stop" if !input.is_empty() => {
                blocks.last_mut().unwrap()["input"] = serde_json::from_str(&input).unwrap();
                input.clear();
            }
            _ => {}
        }
    }
    blocks
}

/// Speaks Responses without stored state, and sends every item back as it came.
#[derive(Default)]
pub struct Responses(Vec<Value>);

impl Client for Responses {
    fn say(&mut self, text: &str) {
        self.0.push(json!({"type": "message", "role": "user", "content": text}));
    }

    fn result(&mut self, call: &str, text: &str) {
        self.0.push(json!({"type": "function_call_output", "call_id": call, "output": text}));
    }

    fn ask(&self, gateway: &Gateway, model: &str, stream: bool) -> Reply {
        let tools = json!([{"type": "function", "name": "weather", "parameters": schema()}]);
        let body = json!({"model": model, "input": self.0, "tools": tools, "stream": stream, "store": false,
            "include": ["reasoning.encrypted_content"], "reasoning": {"effort": "medium"}});
        gateway.post("/v1/responses", &body)
    }

    fn take(&mut self, reply: &Reply, stream: bool) -> Vec<String> {
        let response = if stream {
            let last = reply.events().pop().unwrap();
            assert_eq!(last["type"], "response.completed", "{last}");
            last["response"].clone()
        } else {
            reply.json()
        };
        let items = list(&response["output"]);
        self.0.extend(items.iter().cloned());
        let calls = items.iter().filter(|item| item["type"] == "function_call");
        calls.map(|item| id(&item["call_id"])).collect()
    }

    fn turns(&mut self) -> &mut Vec<Value> {
        &mut self.0
    }
}

/// Speaks Gemini, and sends every part back as it came.
#[derive(Default)]
pub struct Gemini(Vec<Value>);

impl Client for Gemini {
    fn say(&mut self, text: &str) {
        self.0.push(json!({"role": "user", "parts": [{"text": text}]}));
    }

    fn result(&mut self, _call: &str, text: &str) {
        let response = json!({"name": "weather", "response": {"result": text}});
        self.0.push(json!({"role": "user", "parts": [{"functionResponse": response}]}));
    }

    fn ask(&self, gateway: &Gateway, model: &str, stream: bool) -> Reply {
        let method = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
        let tools =
            json!([{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": schema()}]}]);
        let thinking = json!({"thinkingConfig": {"includeThoughts": true}});
        let body = json!({"contents": self.0, "tools": tools, "generationConfig": thinking});
        gateway.post(&format!("/v1beta/models/{model}:{method}"), &body)
    }

    fn take(&mut self, reply: &Reply, stream: bool) -> Vec<String> {
        let chunks = if stream { reply.events() } else { vec![reply.json()] };
        let parts = chunks.iter().flat_map(|chunk| list(&chunk["candidates"][0]["content"]["parts"]));
        let parts: Vec<Value> = parts.cloned().collect();
        let calls = parts.iter().filter_map(|part| part.get("functionCall"));
        let calls = calls.map(|call| call["name"].as_str().unwrap().to_owned()).collect();
        self.0.push(json!({"role": "model", "parts": parts}));
        calls
    }

    fn turns(&mut self) -> &mut Vec<Value> {
        &mut self.0
    }
}

fn id(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
