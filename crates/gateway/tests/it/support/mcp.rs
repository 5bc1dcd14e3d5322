//! A client of the tools on standard input and output that shows every line.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::PATIENCE;
use super::gateway::Builder;

/// A request.
pub fn message(id: u64, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// The first request of a client.
pub fn initialize(id: u64) -> Value {
    let client = json!({ "name": "test", "version": "1" });
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
    message(id, "initialize", params)
}

/// A call of a tool.
pub fn call(id: u64, tool: &str, arguments: Value) -> Value {
    message(id, "tools/call", json!({ "name": tool, "arguments": arguments }))
}

/// A running `mcp`; killed when dropped.
pub struct Conversation {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    pub dir: Arc<TempDir>,
    last: u64,
}

impl Conversation {
    /// Starts `mcp` and shakes hands.
    pub fn start(builder: Builder) -> Self {
        let mut conversation = Self::raw(builder);
        conversation.send(&initialize(0));
        let answer = conversation.answer(0);
        assert_eq!(answer["result"]["serverInfo"]["name"], "mcp-llm-bridge", "{answer}");
        conversation.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        conversation
    }

    /// Starts `mcp` and says nothing yet.
    pub fn raw(builder: Builder) -> Self {
        let dir = builder.dir.clone().unwrap_or_else(|| Arc::new(TempDir::new().unwrap()));
        let mut command = builder.command(dir.path());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { input: child.stdin.take(), child, lines, dir, last: 0 }
    }

    pub fn send(&mut self, message: &Value) {
        self.send_line(&message.to_string());
    }

    pub fn send_line(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next message; whatever is printed has to be one.
    pub fn next(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("a line of output");
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    /// The answer to a request; notifications before it are left aside.
    pub fn answer(&self, id: u64) -> Value {
        loop {
            let message = self.next();
            if message["id"] == id {
                return message;
            }
        }
    }

    /// Calls a tool and waits for its result.
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.last += 1;
        self.send(&call(self.last, tool, arguments));
        let answer = self.answer(self.last);
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    }

    /// What a tool that succeeds says, as JSON.
    pub fn told(&mut self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], false, "{result}");
        said(&result)
    }

    /// What a tool that fails says, as JSON.
    pub fn refused(&mut self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], true, "{result}");
        said(&result)
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join(".llm-gateway")
    }

    /// Closes standard input; the process ends by itself. Yields its exit code.
    pub fn finish(mut self) -> Option<i32> {
        drop(self.input.take());
        self.child.wait().unwrap().code()
    }
}

/// The one text item of a result, as JSON.
fn said(result: &Value) -> Value {
    assert_eq!(result["content"].as_array().map(Vec::len), Some(1), "{result}");
    serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap()
}

impl Drop for Conversation {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
