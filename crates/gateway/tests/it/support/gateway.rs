//! The real binary as a child.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use fakeprov::FakeProv;
use serde_json::{Value, json};
use store::{Entry, OpenOptions};
use tempfile::TempDir;

use super::http::{Reply, Stream, request};
use super::{PATIENCE, block_on, eventually};

/// The token of every gateway in these tests that asks for one.
pub const TOKEN: &str = "test-token-test-token-test-token-0123456789";

/// How a gateway is started.
pub struct Builder {
    yaml: String,
    env: Vec<(String, String)>,
    args: Vec<String>,
    pub(super) dir: Option<Arc<TempDir>>,
    wrapper: Vec<String>,
    input: String,
}

impl Builder {
    /// With this configuration file and the token.
    pub fn new(yaml: impl Into<String>) -> Self {
        let env = vec![("LLM_GATEWAY_AUTH_TOKEN".to_owned(), TOKEN.to_owned())];
        Self {
            yaml: yaml.into(),
            env,
            args: Vec::new(),
            dir: None,
            wrapper: Vec::new(),
            input: String::new(),
        }
    }

    /// Without a configuration file, a token or a key of any provider.
    pub fn bare() -> Self {
        Self {
            yaml: String::new(),
            env: Vec::new(),
            args: Vec::new(),
            dir: None,
            wrapper: Vec::new(),
            input: String::new(),
        }
    }

    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.retain(|(other, _)| other != name);
        self.env.push((name.to_owned(), value.into()));
        self
    }

    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// A command with its arguments.
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|&arg| arg.to_owned()));
        self
    }

    /// What stands on its standard input, when it is run to its end.
    pub fn input(mut self, text: &str) -> Self {
        self.input = text.to_owned();
        self
    }

    /// In the directory of another one.
    pub fn within(mut self, dir: Arc<TempDir>) -> Self {
        self.dir = Some(dir);
        self
    }

    /// Under another program, as `strace`.
    pub fn under(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    pub(super) fn command(&self, dir: &Path) -> Command {
        let binary = env!("CARGO_BIN_EXE_llm-gateway");
        let mut words = self.wrapper.iter().map(String::as_str).chain([binary]);
        let mut command = Command::new(words.next().unwrap());
        // A group of its own: what runs under another program outlives that program's sudden end.
        command.args(words).env_clear().current_dir(dir).process_group(0);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", dir);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.args(if self.args.is_empty() {
            vec!["serve".to_owned(), "-p".into(), "0".into()]
        } else {
            self.args.clone()
        });
        if !self.yaml.is_empty() {
            std::fs::write(dir.join("config.yaml"), &self.yaml).unwrap();
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it and waits until it listens.
    pub fn start(self) -> Gateway {
        let dir = self.dir.clone().unwrap_or_else(|| Arc::new(TempDir::new().unwrap()));
        let mut child = self.command(dir.path()).spawn().unwrap();
        let (out, err) = (Output::of(child.stdout.take().unwrap()), Output::of(child.stderr.take().unwrap()));
        let started = Instant::now();
        let address = loop {
            if let Some(address) = err.address() {
                break address;
            }
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the gateway ended with {status}:\n{}\n{}", out.text(), err.text());
            }
            assert!(started.elapsed() < PATIENCE, "the gateway does not listen:\n{}", err.text());
            std::thread::sleep(std::time::Duration::from_millis(2));
        };
        Gateway { child, address, dir, out, err }
    }

    /// Runs it to its end, which must come soon.
    pub fn run(self) -> Ended {
        let dir = self.dir.clone().unwrap_or_else(|| Arc::new(TempDir::new().unwrap()));
        let mut child = self.command(dir.path()).stdin(Stdio::piped()).spawn().unwrap();
        // A command that reads nothing may have closed its end already.
        let _ = child.stdin.take().unwrap().write_all(self.input.as_bytes());
        let (out, err) = (Output::of(child.stdout.take().unwrap()), Output::of(child.stderr.take().unwrap()));
        let status = wait(&mut child);
        Ended { code: status.code(), out: out.whole(), err: err.whole() }
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A running gateway; killed when dropped.
pub struct Gateway {
    child: Child,
    pub address: SocketAddr,
    pub dir: Arc<TempDir>,
    out: Output,
    err: Output,
}

impl Gateway {
    /// In front of a scripted provider on both wires: `oai/...` and `ant/...`, with short deadlines.
    pub fn before(provider: &FakeProv) -> Self {
        Builder::new(both_wires(provider)).start()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The banner, which ends in a command, once it is whole.
    pub fn stdout(&self) -> String {
        eventually("the banner is whole", || self.out.text().trim_end().ends_with("}'"));
        self.out.text()
    }

    pub fn stderr(&self) -> String {
        self.err.text()
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        request(
            self.address,
            "POST",
            path,
            &[("authorization", &format!("Bearer {TOKEN}"))],
            body.to_string().as_bytes(),
        )
    }

    pub fn get(&self, path: &str) -> Reply {
        request(self.address, "GET", path, &[("authorization", &format!("Bearer {TOKEN}"))], b"")
    }

    /// A request with another key than the token, and perhaps a project.
    pub fn ask(&self, key: &str, method: &str, path: &str, project: Option<&str>, body: &Value) -> Reply {
        let authorization = format!("Bearer {key}");
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(project.map(|project| ("x-project", project)));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        request(self.address, method, path, &headers, body.as_bytes())
    }

    pub fn delete(&self, path: &str) -> Reply {
        request(self.address, "DELETE", path, &[("authorization", &format!("Bearer {TOKEN}"))], b"")
    }

    /// A whole chat answer to one short prompt.
    pub fn chat(&self, model: &str) -> Reply {
        self.post("/v1/chat/completions", &chat_body(model, false))
    }

    /// A streamed chat answer to one short prompt, read to its end.
    pub fn chat_stream(&self, model: &str) -> Reply {
        self.post("/v1/chat/completions", &chat_body(model, true))
    }

    /// A streamed chat answer, its head read, the rest for the test to read.
    pub fn open_stream(&self, model: &str) -> Stream {
        Stream::open(self.address, &format!("Bearer {TOKEN}"), &chat_body(model, true))
    }

    /// All ledger rows, newest first, as soon as there are `count`.
    pub fn ledger(&self, count: usize) -> Vec<Entry> {
        let mut rows = Vec::new();
        eventually(&format!("{count} ledger rows"), || {
            rows = self.rows();
            rows.len() >= count
        });
        // One more than expected would be as wrong as one less.
        std::thread::sleep(std::time::Duration::from_millis(120));
        let rows = self.rows();
        assert_eq!(rows.len(), count, "{rows:#?}");
        rows
    }

    /// The ledger as another process sees it.
    pub fn rows(&self) -> Vec<Entry> {
        rows(self.data_dir())
    }

    /// The same, under a master key that is not in the key file.
    pub fn rows_with(&self, master_key: &str) -> Vec<Entry> {
        rows_under(self.data_dir(), Some(store::Secret::new(master_key.to_owned())))
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join(".llm-gateway")
    }

    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.pid().to_string()]).status().unwrap().success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        wait(&mut self.child)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the gateway ({:?}) said:\n{}", self.child.try_wait(), self.stderr());
        }
        let group = format!("-{}", self.pid());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

/// The ledger in a data directory.
pub fn rows(data_dir: PathBuf) -> Vec<Entry> {
    rows_under(data_dir, None)
}

fn rows_under(data_dir: PathBuf, master_key: Option<store::Secret>) -> Vec<Entry> {
    block_on(async {
        let opened = store::open(OpenOptions { data_dir, db_path: None, master_key }).await.unwrap();
        let rows = opened.store.recent(10_000).await.unwrap();
        opened.store.close().await;
        rows
    })
}

/// A configuration with a scripted provider on both wires.
pub fn both_wires(provider: &FakeProv) -> String {
    format!(
        "providers:\n  oai:\n    base_url: {}\n    api_key: key-of-oai\n    timeouts: {TIMEOUTS}\n    models: {{text: {{}}}}\n  ant:\n    \
         wire: anthropic_messages\n    base_url: {}\n    api_key: key-of-ant\n    timeouts: {TIMEOUTS}\n    models: {{text: {{}}}}\n",
        provider.url(),
        provider.origin(),
    )
}

const TIMEOUTS: &str = "{connect: 1s, head: 1s, idle: 1s}";

/// A chat request with one short prompt, which wants no other provider to step in.
pub fn chat_body(model: &str, stream: bool) -> Value {
    let message = json!({"role": "user", "content": "Say something."});
    let mut body = json!({"model": model, "messages": [message], "strict": true});
    if stream {
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

fn wait(child: &mut Child) -> ExitStatus {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if started.elapsed() > PATIENCE * 3 {
            let _ = child.kill();
            panic!("the process does not end");
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

/// What a child has printed so far.
struct Output {
    text: Arc<Mutex<String>>,
    reader: std::thread::JoinHandle<()>,
}

impl Output {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let shared = text.clone();
        let reader = std::thread::spawn(move || {
            let mut lines = BufReader::new(pipe);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                shared.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        Self { text, reader }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// All of it, once the process has ended.
    fn whole(self) -> String {
        self.reader.join().unwrap();
        let text = self.text.lock().unwrap();
        text.clone()
    }

    fn address(&self) -> Option<SocketAddr> {
        let text = self.text();
        let (_, rest) = text.split_once("listening on http://")?;
        rest.split(['"', '\n', ' ']).next()?.parse().ok()
    }
}
