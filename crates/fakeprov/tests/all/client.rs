//! A blocking HTTP/1.1 client that shows what really came over the wire.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use fakeprov::FakeProv;
use serde_json::{Value, json};

pub struct Answer {
    pub status: u16,
    pub head: String,
    /// The body without its framing.
    pub body: Vec<u8>,
    /// The sizes of the chunks it came in; empty without chunked framing.
    pub chunks: Vec<usize>,
    /// The framing said the body was over.
    pub complete: bool,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The JSON of each `data:` line.
    pub fn events(&self) -> Vec<Value> {
        let text = self.text();
        text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect()
    }

    /// A field of each event, joined.
    pub fn joined(&self, pointer: &str) -> String {
        self.events().iter().filter_map(|event| event.pointer(pointer)?.as_str().map(str::to_owned)).collect()
    }
}

pub struct Client {
    socket: TcpStream,
    ahead: Vec<u8>,
}

impl Client {
    pub fn to(provider: &FakeProv) -> Self {
        let socket = TcpStream::connect(provider.address()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self { socket, ahead: Vec::new() }
    }

    pub fn send(&mut self, path: &str, body: &Value) {
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\nauthorization: Bearer right\r\n\
             anthropic-version: 2023-06-01\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.socket.write_all((head + &body).as_bytes()).unwrap();
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    pub fn ask(&mut self, path: &str, body: &Value) -> Answer {
        self.send(path, body);
        self.answer()
    }

    /// Reads one answer, or what there is of it.
    pub fn answer(&mut self) -> Answer {
        let head = String::from_utf8(self.until(b"\r\n\r\n").expect("a head")).unwrap();
        let lower = head.to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new(), chunks: Vec::new(), complete: true };
        if lower.contains("transfer-encoding: chunked") {
            answer.complete = self.chunks(&mut answer);
        } else if let Some(length) = lower.split("content-length: ").nth(1) {
            let length = length.split("\r\n").next().unwrap().parse().unwrap();
            while self.ahead.len() < length && self.read() {}
            answer.complete = self.ahead.len() >= length;
            answer.body = self.ahead.drain(..length.min(self.ahead.len())).collect();
        } else {
            while self.read() {}
            answer.body = std::mem::take(&mut self.ahead);
        }
        answer
    }

    fn chunks(&mut self, answer: &mut Answer) -> bool {
        loop {
            let Some(line) = self.until(b"\r\n") else { return false };
            let size = usize::from_str_radix(String::from_utf8(line).unwrap().trim(), 16).unwrap();
            while self.ahead.len() < size + 2 {
                if !self.read() {
                    answer.body.append(&mut self.ahead);
                    return false;
                }
            }
            if size == 0 {
                self.ahead.drain(..2);
                return true;
            }
            answer.chunks.push(size);
            answer.body.extend(self.ahead.drain(..size));
            self.ahead.drain(..2);
        }
    }

    fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.ahead.windows(end.len()).position(|window| window == end) {
                return Some(self.ahead.drain(..at + end.len()).collect());
            }
            if !self.read() {
                return None;
            }
        }
    }

    /// Reads more; `false` at the end, however it came.
    pub fn read(&mut self) -> bool {
        let mut buffer = [0; 65536];
        match self.socket.read(&mut buffer) {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.ahead.extend_from_slice(&buffer[..count]);
                true
            }
        }
    }

    /// The error a read ends in, if it does.
    pub fn read_error(&mut self) -> Option<std::io::ErrorKind> {
        let mut buffer = [0; 65536];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(error.kind()),
            }
        }
    }
}

pub const CHAT: &str = "/v1/chat/completions";
pub const MESSAGES: &str = "/v1/messages";
pub const RESPONSES: &str = "/v1/responses";
pub const OLLAMA: &str = "/api/chat";

/// One question on a connection of its own.
pub fn ask(provider: &FakeProv, path: &str, body: &Value) -> Answer {
    Client::to(provider).ask(path, body)
}

/// A minimal request that both wires accept.
pub fn hello(model: &str, stream: bool) -> Value {
    json!({"model": model, "max_tokens": 100, "stream": stream, "messages": [{"role": "user", "content": "Hello"}]})
}

/// Where Gemini answers for a model: `generateContent`, `countTokens` and so on.
pub fn gemini(model: &str, method: &str) -> String {
    format!("/v1beta/models/{model}:{method}")
}

/// The JSON Schema that the tools of these tests take.
pub fn weather() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

/// Each request is refused with a reason that tells of this.
pub fn refusals(provider: &FakeProv, path: &str, requests: Vec<(Value, &str)>) {
    for (request, reason) in requests {
        let answer = ask(provider, path, &request);
        let message = answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(reason), "{message:?} should tell of {reason:?}: {request}");
        assert!(matches!(answer.status, 400 | 404), "{request}");
    }
}
