//! What goes wrong on demand, as changes to an answer's steps. Each fault is a word of the script.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::reply::{Framing, Head, Reply, Step};
use crate::script::{Cut, Script};
use crate::stream::{Form, Frame, Tag};
use crate::wire::{Refusal, Wire};

/// One way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The wire's error with this status (`status-503`).
    Status(u16),
    /// 429 with `retry-after` in seconds (`429-after-2s`).
    After(u64),
    /// 429 with `retry-after` as a date three seconds ahead.
    AfterDate,
    /// 429 with a `retry-after` beyond any sense.
    AfterAbsurd,
    /// A redirect to `/_sink`, which only writes down who comes (`redirect-307`).
    Redirect(u16),
    /// No head ever.
    StallHead,
    /// The head, one byte each 200 ms.
    DripHead,
    /// Silence in the middle.
    Stall,
    /// Pieces all along, 50 ms apart unless `delay` says otherwise.
    SlowDrip,
    /// The connection's orderly end inside an event.
    Truncate,
    /// A reset in the middle.
    Reset,
    /// A proper end that never says why.
    NoFinish,
    /// The wire's error event in the middle.
    ErrorMid,
    /// An event that is no JSON, in the middle.
    BadJson,
    /// An event that is no UTF-8, in the middle.
    BadUtf8,
    /// An event of 4 MiB (or `size`), in the middle.
    GiantEvent,
    /// 1 GiB (or `size`) without a line end, from the middle on.
    EndlessLine,
    /// 512 MiB (or `size`) of spaces, which pack well.
    Bomb,
    /// A good stream whose middle event comes again and again, 1 GiB (or `size`) of it.
    Firehose,
    /// 200 with a web page.
    Html,
    /// 200 with nothing.
    Empty,
    /// A body shorter than its length says, then the connection's end.
    ShortBody,
    /// Not HTTP.
    BadStatusLine,
    /// A good answer behind 20,000 headers.
    ManyHeaders,
    /// The connection ends before any answer.
    CloseEarly,
    /// A good answer on a connection that is closed 50 ms later.
    CloseIdle,
    /// A connection that answers once, and at the second request ends without an answer.
    CloseReuse,
    /// Usage that is negative, huge and text.
    OddUsage,
}

const FAULTS: &[(&str, Fault)] = &[
    ("429-date", Fault::AfterDate),
    ("429-absurd", Fault::AfterAbsurd),
    ("redirect", Fault::Redirect(302)),
    ("stall-head", Fault::StallHead),
    ("drip-head", Fault::DripHead),
    ("stall", Fault::Stall),
    ("slow-drip", Fault::SlowDrip),
    ("truncate", Fault::Truncate),
    ("reset", Fault::Reset),
    ("nofinish", Fault::NoFinish),
    ("error-mid", Fault::ErrorMid),
    ("bad-json", Fault::BadJson),
    ("bad-utf8", Fault::BadUtf8),
    ("giant-event", Fault::GiantEvent),
    ("endless-line", Fault::EndlessLine),
    ("bomb", Fault::Bomb),
    ("firehose", Fault::Firehose),
    ("html", Fault::Html),
    ("empty", Fault::Empty),
    ("short-body", Fault::ShortBody),
    ("bad-status-line", Fault::BadStatusLine),
    ("many-headers", Fault::ManyHeaders),
    ("close-early", Fault::CloseEarly),
    ("close-idle", Fault::CloseIdle),
    ("close-reuse", Fault::CloseReuse),
    ("odd-usage", Fault::OddUsage),
];

const DRIP: Duration = Duration::from_millis(200);
const GIANT: usize = 4 * 1024 * 1024;
const ENDLESS: usize = 1024 * 1024 * 1024;
const BOMB: usize = 512 * 1024 * 1024;
const PIECE: usize = 64 * 1024;

impl Fault {
    /// The fault a word names.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        if let Some(status) = word.strip_prefix("status-") {
            return status.parse().ok().filter(|status| (400..600).contains(status)).map(Self::Status);
        }
        if let Some(status) = word.strip_prefix("redirect-") {
            return status.parse().ok().filter(|status| (301..=308).contains(status)).map(Self::Redirect);
        }
        if let Some(seconds) = word.strip_prefix("429-after-") {
            return seconds.strip_suffix('s')?.parse().ok().map(Self::After);
        }
        FAULTS.iter().find(|(name, _)| *name == word).map(|(_, fault)| *fault)
    }
}

/// The answer of a fault that takes the place of any other.
pub(crate) fn instead(fault: Fault, wire: &dyn Wire, origin: &str) -> Option<Reply> {
    let refuse = |head: Head, status| {
        let body = wire.error(&Refusal::new(status, format!("scripted error {status}"))).to_string();
        Some(Reply::whole(head.with("content-type", "application/json"), body.into()))
    };
    let limited = |wait: String| refuse(Head::new(429).with("retry-after", wait), 429);
    match fault {
        Fault::Status(status) => refuse(Head::new(status), status),
        Fault::After(seconds) => limited(seconds.to_string()),
        Fault::AfterDate => limited(httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3))),
        Fault::AfterAbsurd => limited("99999999999999999999".into()),
        Fault::Redirect(status) => {
            refuse(Head::new(status).with("location", format!("{origin}/_sink")), status)
        }
        Fault::StallHead => Some(steps(vec![Step::Hang])),
        Fault::Html => Some(Reply::whole(
            Head::new(200).with("content-type", "text/html"),
            "<html><body><h1>Welcome to the caf\u{e9}</h1></body></html>".into(),
        )),
        Fault::Empty => {
            Some(Reply::whole(Head::new(200).with("content-type", "application/json"), Bytes::new()))
        }
        Fault::BadStatusLine => {
            Some(steps(vec![Step::Raw("ICY two hundred, fine\r\n\r\n".into()), Step::Fin]))
        }
        Fault::CloseEarly => Some(steps(vec![Step::Fin])),
        _ => None,
    }
}

fn steps(steps: Vec<Step>) -> Reply {
    Reply { steps, framing: Framing::Length, cut: Cut::None, tick: None }
}

/// The body's steps of a stream with the script's fault in it, if it has one that shows there.
pub(crate) fn stream(script: &Script, wire: &dyn Wire, form: Form, mut frames: Vec<Frame>) -> Vec<Step> {
    let Some(fault) = script.fault else { return body(frames) };
    if fault == Fault::NoFinish {
        frames.retain(|frame| matches!(frame.tag, Tag::Open | Tag::Content));
        return body(frames);
    }
    let middle = if script.early { start(&frames) } else { middle(&frames) };
    let rest = frames.split_off(middle);
    let broken = rest.first().map(|frame| frame.bytes.clone()).unwrap_or_default();
    let mut steps = body(frames);
    steps.pop();
    match fault {
        Fault::Stall => steps.push(Step::Hang),
        Fault::Truncate => steps.extend([Step::Body(broken.slice(..broken.len() / 2)), Step::Fin]),
        Fault::Reset => steps.push(Step::Reset),
        Fault::ErrorMid => {
            let error = wire.error_events(&overloaded(script), middle);
            steps.extend(body(form.last_frames(&error, script.spelling)));
        }
        Fault::BadJson => {
            steps.push(Step::Body(form.raw(b"{\"id\": \"broken\", \"choices\": [{")));
            steps.extend(body(rest));
        }
        Fault::BadUtf8 => {
            steps.push(Step::Body(spoilt(&broken)));
            steps.extend(body(rest.into_iter().skip(1).collect()));
        }
        Fault::GiantEvent => {
            steps.push(Step::Body(swollen(&broken, script.size.unwrap_or(GIANT))));
            steps.extend(body(rest.into_iter().skip(1).collect()));
        }
        Fault::EndlessLine => {
            steps.push(Step::Body(form.opening().into()));
            steps.extend(endless(script));
        }
        Fault::Bomb => {
            steps.push(Step::Body(form.opening().into()));
            steps.extend(bomb(script));
        }
        Fault::Firehose => {
            let times = script.size.unwrap_or(ENDLESS).div_ceil(broken.len().max(1)) as u64;
            steps.push(Step::Flood { piece: broken, times });
            steps.extend(body(rest));
        }
        _ => steps.extend(body(rest)),
    }
    steps
}

/// The body's steps of a whole answer with the script's fault in it, if it has one that shows there.
pub(crate) fn whole(script: &Script, wire: &dyn Wire, text: Bytes) -> Vec<Step> {
    let half = text.slice(..text.len() / 2);
    let good = |text: Bytes| vec![Step::Body(text), Step::End];
    match script.fault {
        Some(Fault::Stall) => vec![Step::Body(half), Step::Hang],
        Some(Fault::Truncate | Fault::ShortBody) => vec![Step::Body(half), Step::Fin],
        Some(Fault::Reset) => vec![Step::Body(half), Step::Reset],
        Some(Fault::BadJson) => good(half),
        Some(Fault::BadUtf8) => good(spoilt(&text)),
        Some(Fault::GiantEvent) => good(swollen(&text, script.size.unwrap_or(GIANT))),
        Some(Fault::ErrorMid) => good(wire.error(&overloaded(script)).to_string().into()),
        Some(Fault::EndlessLine) => after(half, endless(script)),
        Some(Fault::Bomb) => after(half, bomb(script)),
        _ => good(text),
    }
}

/// Whether a whole answer with this fault can say its length beforehand.
pub(crate) fn length_is_known(fault: Option<Fault>) -> bool {
    !matches!(fault, Some(Fault::EndlessLine | Fault::Bomb))
}

/// The head, as the script's fault spells it.
pub(crate) fn head(fault: Option<Fault>, head: Head) -> Vec<Step> {
    match fault {
        Some(Fault::DripHead) => {
            let bytes = head.render();
            (0..bytes.len()).flat_map(|at| [Step::Raw(bytes.slice(at..=at)), Step::Wait(DRIP)]).collect()
        }
        Some(Fault::ManyHeaders) => {
            let many = |head: Head, number: u32| head.with(&format!("x-filler-{number}"), "v");
            vec![Step::Raw((0..20_000).fold(head, many).render())]
        }
        _ => vec![Step::Raw(head.render())],
    }
}

fn body(frames: Vec<Frame>) -> Vec<Step> {
    frames.into_iter().map(|frame| Step::Body(frame.bytes)).chain([Step::End]).collect()
}

/// What an overloaded provider says in mid-answer.
fn overloaded(script: &Script) -> Refusal {
    let told = script.told_key.as_deref().map(|key| format!(" ({key} has to wait)"));
    Refusal::new(529, format!("Overloaded{}", told.unwrap_or_default()))
}

/// Where the first piece of the content is.
fn start(frames: &[Frame]) -> usize {
    frames.iter().position(|frame| frame.tag == Tag::Content).unwrap_or(0)
}

/// Where the middle of the content is: at least one piece stands before it, when there are two.
fn middle(frames: &[Frame]) -> usize {
    let contents = frames.iter().enumerate().filter(|(_, frame)| frame.tag == Tag::Content);
    let places: Vec<usize> = contents.map(|(place, _)| place).collect();
    places.get(places.len() / 2).copied().unwrap_or(frames.len() / 2)
}

fn endless(script: &Script) -> Vec<Step> {
    let total = script.size.unwrap_or(ENDLESS);
    vec![Step::Flood { piece: vec![b'x'; PIECE].into(), times: total.div_ceil(PIECE) as u64 }, Step::End]
}

fn bomb(script: &Script) -> Vec<Step> {
    let total = script.size.unwrap_or(BOMB);
    vec![Step::Flood { piece: vec![b' '; PIECE].into(), times: total.div_ceil(PIECE) as u64 }, Step::End]
}

fn after(begun: Bytes, steps: Vec<Step>) -> Vec<Step> {
    std::iter::once(Step::Body(begun)).chain(steps).collect()
}

/// The same text with a byte inside its last string that no UTF-8 has.
fn spoilt(text: &Bytes) -> Bytes {
    let at = letters(text);
    [&text[..at], &[0xFF, 0xFE], &text[at..]].concat().into()
}

/// The same text with so many more letters inside its content.
fn swollen(text: &Bytes, size: usize) -> Bytes {
    let at = letters(text);
    [&text[..at], &vec![b'g'; size], &text[at..]].concat().into()
}

/// A place inside the string of the answer's text: after the opening quote of the first field that holds it.
fn letters(text: &[u8]) -> usize {
    const FIELDS: &[&str] = &[
        "\"content\":\"",
        "\"text\":\"",
        "\"delta\":\"",
        "\"arguments\":\"",
        "\"partial_json\":\"",
        "\"thinking\":\"",
    ];
    let ends = FIELDS.iter().filter_map(|field| {
        let at = text.windows(field.len()).position(|window| window == field.as_bytes())?;
        Some(at + field.len())
    });
    ends.min().unwrap_or(text.len() / 2)
}
