//! Starting other programs: echo the command, pass on and keep its lines, never wait for input.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use anyhow::{Context, Result};

/// What a program did.
pub(crate) struct Finished {
    /// It ended with status 0.
    pub(crate) ok: bool,
    /// Standard output and standard error, in the order of arrival.
    pub(crate) lines: Vec<String>,
}

/// Runs to the end, showing every line as it comes.
pub(crate) fn run(command: &mut Command) -> Result<Finished> {
    println!("$ {}", shown(command));
    collect(command, |line| println!("{line}"))
}

/// Runs to the end in silence: for asking, not for doing.
pub(crate) fn ask(command: &mut Command) -> Result<Finished> {
    collect(command, |_| ())
}

/// The standard output of a program that must succeed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let made =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {}", shown(command)))?;
    if !made.status.success() {
        anyhow::bail!("{} failed: {}", shown(command), String::from_utf8_lossy(&made.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&made.stdout).into_owned())
}

/// Runs to the end; the answer is only whether it succeeded, and it may keep the terminal's colours.
pub(crate) fn passes(command: &mut Command) -> Result<bool> {
    println!("$ {}", shown(command));
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("cannot run {}", shown(command)))?;
    Ok(status.success())
}

/// The program of that name on PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Whether we may install Debian packages.
pub(crate) fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Sends the lines of a pipe until it closes. Bytes that are not UTF-8 are replaced.
pub(crate) fn forward(pipe: impl Read + Send + 'static, to: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
            if to.send(line).is_err() {
                return;
            }
        }
    });
}

fn collect(command: &mut Command, show: impl Fn(&str)) -> Result<Finished> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", shown(command)))?;
    let (sender, receiver) = channel();
    forward(child.stdout.take().context("standard output is piped")?, sender.clone());
    forward(child.stderr.take().context("standard error is piped")?, sender);
    let lines = receiver.iter().inspect(|line| show(line)).collect();
    Ok(Finished { ok: child.wait()?.success(), lines })
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
