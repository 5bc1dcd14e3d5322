//! A client on a bare socket: it shows what came, to the byte, and can be as rude as a test needs.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::PATIENCE;

/// A whole answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Without chunked framing.
    pub body: Vec<u8>,
    /// The framing ended as it announced.
    pub complete: bool,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("answers are UTF-8")
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{error}: HTTP {}: {}", self.status, String::from_utf8_lossy(&self.body))
        })
    }

    /// The JSON of each event; the end marker as a string.
    pub fn events(&self) -> Vec<Value> {
        events(&self.text())
    }

    /// The code of an error in OpenAI's form.
    #[track_caller]
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// The JSON of each event of a stream, in any legal spelling of events; the end marker as a string.
pub fn events(text: &str) -> Vec<Value> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let blocks = text.trim_start_matches('\u{feff}').split("\n\n");
    let data = blocks.map(|block| {
        let lines = block.lines().filter_map(|line| line.strip_prefix("data:"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    });
    data.filter(|data| !data.is_empty())
        .map(|data| match data.as_str() {
            "[DONE]" => Value::from("[DONE]"),
            data => serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}")),
        })
        .collect()
}

/// A socket with a deadline for reads.
pub fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

/// Sends one request and reads its answer to the end. Adds Host, and a JSON content type where there is a body.
pub fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let mut socket = connect(address);
    let head = head(address, method, path, headers, body.len());
    // An answer may come, and the connection close, before the body is sent: then it is read all the same.
    let _ = socket.write_all(&[head.as_bytes(), body].concat());
    read_reply(&mut BufReader::new(socket), method == "HEAD")
}

fn head(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    let has_body = matches!(method, "POST" | "PUT" | "PATCH");
    if has_body && !headers.iter().any(|(name, _)| *name == "transfer-encoding") {
        head += &format!("content-length: {length}\r\n");
    }
    if has_body && !headers.iter().any(|(name, _)| *name == "content-type") {
        head += "content-type: application/json\r\n";
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head + "\r\n"
}

/// Reads one answer.
pub fn read_reply(reader: &mut impl BufRead, no_body: bool) -> Reply {
    let (status, headers) = read_head(reader);
    let header =
        |name: &str| headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    let mut body = Vec::new();
    let mut complete = true;
    if header("transfer-encoding") == Some("chunked") {
        complete = read_chunks(reader, &mut body);
    } else if let (Some(length), false) = (header("content-length"), no_body) {
        body.resize(length.parse().unwrap(), 0);
        complete = reader.read_exact(&mut body).is_ok();
    }
    Reply { status, headers, body, complete }
}

fn read_head(reader: &mut impl BufRead) -> (u16, Vec<(String, String)>) {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("not a status line: {line:?}"));
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { return (status, headers) };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> bool {
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).is_err() || line.is_empty() {
            return false;
        }
        let length = usize::from_str_radix(line.trim(), 16).expect("a chunk's length");
        let start = body.len();
        body.resize(start + length, 0);
        if reader.read_exact(&mut body[start..]).is_err() || reader.read_line(&mut line).is_err() {
            return false;
        }
        if length == 0 {
            return true;
        }
    }
}

/// A streamed answer that is read bit by bit.
pub struct Stream {
    reader: BufReader<TcpStream>,
}

impl Stream {
    pub fn open(address: SocketAddr, authorization: &str, body: &Value) -> Self {
        let mut socket = connect(address);
        let body = body.to_string();
        let head =
            head(address, "POST", "/v1/chat/completions", &[("authorization", authorization)], body.len());
        socket.write_all((head + &body).as_bytes()).unwrap();
        let mut reader = BufReader::new(socket);
        let (status, _) = read_head(&mut reader);
        assert_eq!(status, 200, "the stream begins");
        Self { reader }
    }

    /// The next non-empty line that holds `data:`.
    pub fn next_data(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.reader.read_line(&mut line).unwrap() > 0, "the stream ended");
            if line.starts_with("data:") {
                return line;
            }
        }
    }

    /// The rest of the answer as it comes, framing included, and whether the framing was brought to its end.
    pub fn rest(mut self) -> (String, bool) {
        let mut bytes = Vec::new();
        let _ = std::io::Read::read_to_end(&mut self.reader, &mut bytes);
        let text = String::from_utf8(bytes).expect("the rest is UTF-8");
        let complete = text.ends_with("\r\n0\r\n\r\n");
        (text, complete)
    }

    /// Closes with a reset instead of a goodbye.
    pub fn reset(self) {
        let socket = socket2::Socket::from(self.reader.into_inner());
        socket.set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }
}
