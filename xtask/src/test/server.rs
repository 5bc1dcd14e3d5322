//! A server started for a test: waits until it says where it listens, keeps its last words, and ends with its owner.

use std::collections::VecDeque;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::shell;

/// How long a server may take to listen; ten times and more what it should.
const START: Duration = Duration::from_secs(20);

/// What a server prints, on either stream, before its address.
const MARK: &str = "listening on ";

/// Lines kept to be shown when a test fails.
const KEPT_LINES: usize = 60;

/// A running server; dropping it ends it.
pub(crate) struct Server {
    child: Child,
    url: String,
    words: Arc<Mutex<VecDeque<String>>>,
}

impl Server {
    /// Starts a program and waits for its address.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().with_context(|| format!("cannot start {program}"))?;
        let (sender, lines) = channel();
        shell::forward(child.stdout.take().context("standard output is piped")?, sender.clone());
        shell::forward(child.stderr.take().context("standard error is piped")?, sender);
        let words = Arc::default();
        let mut server = Self { child, url: String::new(), words };
        server.url = server.wait_for_url(&lines).with_context(|| format!("{program} does not listen"))?;
        server.keep(lines);
        Ok(server)
    }

    /// `http://127.0.0.1:<port>`
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The last lines it printed.
    pub(crate) fn last_words(&self) -> Vec<String> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn wait_for_url(&self, lines: &Receiver<String>) -> Result<String> {
        let deadline = Instant::now() + START;
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    remember(&self.words, &line);
                    if let Some(url) = address(&line) {
                        return Ok(url);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    bail!("nothing after {} s: {:?}", START.as_secs(), self.last_words())
                }
                Err(RecvTimeoutError::Disconnected) => bail!("it ended: {:?}", self.last_words()),
            }
        }
    }

    /// Goes on reading, so that the server never waits for us.
    fn keep(&self, lines: Receiver<String>) {
        let words = Arc::clone(&self.words);
        thread::spawn(move || lines.iter().for_each(|line| remember(&words, &line)));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only if it has ended already, which is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn remember(words: &Mutex<VecDeque<String>>, line: &str) {
    let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
    if words.len() == KEPT_LINES {
        words.pop_front();
    }
    words.push_back(line.to_owned());
}

/// The address in a line such as `listening on http://127.0.0.1:3456`, also inside a JSON log line.
fn address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(MARK)?;
    let url = rest.split(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | '\u{1b}')).next()?;
    url.starts_with("http://").then(|| url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_a_plain_line_and_in_a_json_log_line() {
        let expected = Some("http://127.0.0.1:41".to_owned());
        assert_eq!(address("listening on http://127.0.0.1:41"), expected);
        assert_eq!(address(r#"{"message":"listening on http://127.0.0.1:41/","level":"INFO"}"#), expected);
        assert_eq!(address("listening on a socket"), None);
    }

    #[test]
    fn a_server_is_known_by_the_address_it_prints_and_ends_when_dropped() {
        let script = "echo starting; echo listening on http://127.0.0.1:9 >&2; exec sleep 60";
        let server = Server::start(Command::new("sh").args(["-c", script])).unwrap();
        assert_eq!(server.url(), "http://127.0.0.1:9");
        let process = format!("/proc/{}", server.child.id());
        drop(server);
        assert!(!std::path::Path::new(&process).exists());
    }

    #[test]
    fn a_server_that_ends_early_is_quoted() {
        let started = Server::start(Command::new("sh").args(["-c", "echo port taken >&2; exit 1"]));
        let why = format!("{:#}", started.err().unwrap());
        assert!(why.contains("port taken"), "{why}");
    }
}
