//! A client on a WebSocket.

use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::handshake::HandshakeError;
use tokio_tungstenite::tungstenite::protocol::WebSocket;
use tokio_tungstenite::tungstenite::{Error, Message, client, http};

use super::gateway::TOKEN;
use super::http::connect;

/// The end marker of an answer.
const DONE: &str = "data: [DONE]\n\n";

/// A request for one short prompt, with its key, as LLM-Bridge's users write it.
pub fn chat_message(model: &str) -> Value {
    let messages = json!([{"role": "user", "content": "Say something."}]);
    json!({"type": "chat", "api_key": TOKEN, "payload": {"model": model, "messages": messages, "strict": true}})
}

/// An open socket.
pub struct Socket(pub WebSocket<TcpStream>);

impl Socket {
    /// Opens one at `/v1/ws`, without a key.
    pub fn open(address: SocketAddr) -> Self {
        Self::open_with(address, "/v1/ws", &[]).unwrap().0
    }

    /// Opens one with headers of the test's own: the socket and the head of the answer, or the status of a refusal.
    pub fn open_with(
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<(Self, http::HeaderMap), u16> {
        let mut request = http::Request::get(format!("ws://{address}{path}"))
            .header("host", address.to_string())
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match client(request.body(()).unwrap(), connect(address)) {
            Ok((socket, response)) => Ok((Self(socket), response.headers().clone())),
            Err(HandshakeError::Failure(Error::Http(response))) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub fn say(&mut self, message: &Value) {
        self.say_text(&message.to_string());
    }

    pub fn say_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    /// The next text.
    pub fn hear(&mut self) -> String {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return text.to_string(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a text: {other:?}"),
            }
        }
    }

    /// The next text, which is bare JSON.
    pub fn hear_bare(&mut self) -> Value {
        let text = self.hear();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The next text, which is part of an answer; none for the end marker.
    pub fn hear_event(&mut self) -> Option<Value> {
        let text = self.hear();
        if text == DONE {
            return None;
        }
        let data = text.strip_prefix("data: ").and_then(|text| text.strip_suffix("\n\n"));
        let data = data.unwrap_or_else(|| panic!("not in the form of an event: {text:?}"));
        assert!(!data.contains('\n'), "one line: {data:?}");
        Some(serde_json::from_str(data).unwrap())
    }

    /// The events of an answer up to its end marker.
    pub fn hear_answer(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.hear_event()).collect()
    }

    /// The code with which the gateway closes, whatever it says before.
    pub fn hear_close(&mut self) -> Option<u16> {
        loop {
            match self.0.read() {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(error) => panic!("the connection ended without a word: {error}"),
            }
        }
    }
}
