//! Keeps a streamed answer before its end goes out.
//!
//! It stands behind everything else: what it sees are the events that the client gets, carried or translated. Those that
//! tell of the answer as a whole are marked; the last one waits until the answer is kept.

use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use wire::RawObject;
use wire::chat::Loss;
use wire::frame::{SseEvent, SseSplitter, write_sse};

use super::Relay;
use crate::body::BrokenOff;
use crate::exchange::stored::Record;
use crate::items::{Items, to_list};

/// Events that bring the answer as an object, and whether it is its end.
const TELLING: [(&str, bool); 6] = [
    ("response.queued", false),
    ("response.created", false),
    ("response.in_progress", false),
    ("response.completed", true),
    ("response.incomplete", true),
    ("response.failed", false),
];
/// Brings one item of the answer.
const ITEM_DONE: &str = "response.output_item.done";

/// What is being kept, and the event that waits for it.
type Keeping = Pin<Box<dyn Future<Output = (Told, Option<Loss>)> + Send>>;

/// The recorder of one stream.
pub(super) struct Recorder {
    record: Record,
    splitter: SseSplitter,
    /// Items that are done. Some servers leave them out at the end.
    items: Items,
    keeping: Option<Keeping>,
    out: BytesMut,
}

/// An event that tells of the answer.
struct Told {
    name: String,
    event: RawObject,
    answer: RawObject,
}

impl Recorder {
    pub(super) fn new(record: Record) -> Self {
        // The relay has held its events to their limit.
        let splitter = SseSplitter::new(usize::MAX);
        Self { record, splitter, items: Items::new(), keeping: None, out: BytesMut::new() }
    }

    /// The next bytes for the client, made of those of the relay.
    pub(super) fn poll(
        &mut self,
        relay: &mut Relay,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        loop {
            if !self.out.is_empty() {
                return Poll::Ready(Some(Ok(self.out.split().freeze())));
            }
            if let Some(keeping) = &mut self.keeping {
                let (told, loss) = ready!(keeping.as_mut().poll(cx));
                self.keeping = None;
                told.write(&mut self.out);
                relay.lost(loss);
                self.digest();
                continue;
            }
            match ready!(relay.poll_next(cx)) {
                // A comment is no event, and waits for nothing.
                Some(Ok(bytes)) if relay.surface.keep_alive() == Some(&bytes) => {
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Some(Ok(bytes)) => {
                    self.splitter.push(&bytes);
                    self.digest();
                }
                end => return Poll::Ready(end),
            }
        }
    }

    /// Goes through the events that are there, up to one that has to wait.
    fn digest(&mut self) {
        let Self { record, splitter, items, keeping, out } = self;
        // Nothing is too large, and what was written here is valid.
        while let Ok(Some(event)) = splitter.next() {
            note_item(&event, items);
            let Some((mut told, is_end)) = Told::of(&event) else {
                out.extend_from_slice(event.raw);
                continue;
            };
            record.mark(&mut told.answer);
            if is_end && record.is_kept(&told.answer) {
                *keeping = Some(Box::pin(keep(record.clone(), told, std::mem::take(items))));
                return;
            }
            told.write(out);
        }
    }
}

async fn keep(record: Record, mut told: Told, items: Items) -> (Told, Option<Loss>) {
    let is_bare = told.answer.raw("output").is_none_or(|output| output == "[]" || output == "null");
    let mut whole = told.answer.clone();
    if is_bare && !items.is_empty() {
        whole.set_raw("output", to_list(&items));
    }
    let loss = record.keep(&mut whole).await;
    if loss.is_some() {
        told.answer.set("store", &false);
    }
    (told, loss)
}

fn note_item(event: &SseEvent<'_>, items: &mut Items) {
    // Most events are deltas, and need not be read.
    if !event.data.contains(ITEM_DONE) {
        return;
    }
    let Some(object) = object(event.data) else { return };
    if is_kind(&object, ITEM_DONE)
        && let Some(item) = object.raw("item")
    {
        items.push(item.into());
    }
}

impl Told {
    fn of(event: &SseEvent<'_>) -> Option<(Self, bool)> {
        if !event.data.contains("\"response\"") {
            return None;
        }
        let read = object(event.data)?;
        let (_, is_end) = TELLING.iter().find(|(kind, _)| is_kind(&read, kind))?;
        let answer = object(read.raw("response")?)?;
        Some((Self { name: event.event.to_owned(), event: read, answer }, *is_end))
    }

    fn write(self, out: &mut BytesMut) {
        let Self { name, mut event, answer } = self;
        event.set_raw("response", text(answer));
        if !name.is_empty() {
            out.extend_from_slice(format!("event: {name}\n").as_bytes());
        }
        write_sse(&text(event), out);
    }
}

/// Texts were put together to it, so that nothing is lost.
fn text(object: RawObject) -> String {
    String::from_utf8_lossy(&object.into_bytes()).into_owned()
}

fn object(text: &str) -> Option<RawObject> {
    RawObject::parse(Bytes::copy_from_slice(text.as_bytes())).ok()
}

fn is_kind(event: &RawObject, kind: &str) -> bool {
    event.get::<Cow<'_, str>>("type").ok().flatten().as_deref() == Some(kind)
}
