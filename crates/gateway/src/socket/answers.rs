//! The answers under way on one socket. Dropping one closes its upstream.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::Body;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use wire::frame::SseSplitter;

use super::question::Question;
use crate::body::OutBody;
use crate::problem::Refusal;

/// Requests on one socket, those that wait for their turn included (SAFETY, limits: concurrent 32 for a key).
pub(super) const MOST: usize = 32;

/// Bytes of one event. The relay has its own, smaller limit; this one is never met.
const EVENT_LIMIT: usize = 16 * 1024 * 1024;

/// Writes one answer as the texts of its protocol.
pub(super) trait Script: Send {
    /// One event of the answer's stream: its data.
    fn event(&mut self, data: &str, out: &mut VecDeque<Utf8Bytes>);

    /// The request was refused before its answer began.
    fn refusal(&mut self, refusal: &Refusal, out: &mut VecDeque<Utf8Bytes>);

    /// The answer is over, however it went.
    fn end(&mut self, out: &mut VecDeque<Utf8Bytes>);
}

/// One answer.
struct Answer {
    /// The client's id of the request, as JSON text.
    id: Option<String>,
    stage: Stage,
    script: Box<dyn Script>,
    /// Texts that are ready.
    texts: VecDeque<Utf8Bytes>,
}

enum Stage {
    Asking(Pin<Box<dyn Future<Output = Result<OutBody, Refusal>> + Send>>),
    Telling { body: OutBody, events: SseSplitter },
    Over,
}

/// All of them.
#[derive(Default)]
pub(super) struct Answers {
    all: Vec<Answer>,
    /// Who is asked first for a text.
    turn: usize,
}

impl Answers {
    /// Starts to answer. Requests without an id are answered one after another, since nothing else would tell their
    /// answers apart.
    pub(super) fn start(&mut self, id: Option<String>, question: Question, script: Box<dyn Script>) {
        let stage = Stage::Asking(Box::pin(question.ask()));
        self.all.push(Answer { id, stage, script, texts: VecDeque::new() });
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.all.iter().any(|answer| answer.id.as_deref() == Some(id))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.all.len() >= MOST
    }

    /// Drops the answer of that id; without one, the one under way that has none. Whether there was one.
    pub(super) fn cancel(&mut self, id: Option<&str>) -> bool {
        let at = self.all.iter().position(|answer| answer.id.as_deref() == id);
        if let Some(at) = at {
            self.all.remove(at);
        }
        at.is_some()
    }

    /// The next text of any answer. One answer goes on for as long as it has texts ready, so that its end is never torn
    /// apart; then it is another's turn.
    pub(super) fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Utf8Bytes> {
        let mut left = self.all.len();
        while left > 0 {
            let at = self.turn % self.all.len();
            if self.waits(at) {
                self.turn = at + 1;
                left -= 1;
                continue;
            }
            match self.all[at].poll_text(cx) {
                Poll::Ready(Some(text)) => {
                    self.turn = at + usize::from(self.all[at].texts.is_empty());
                    return Poll::Ready(text);
                }
                // Whoever waited for this one may have its turn now.
                Poll::Ready(None) => {
                    self.all.remove(at);
                    left = self.all.len();
                }
                Poll::Pending => {
                    self.turn = at + 1;
                    left -= 1;
                }
            }
        }
        Poll::Pending
    }

    /// Whether this one has no id, and neither has one that came before it.
    fn waits(&self, at: usize) -> bool {
        self.all[at].id.is_none() && self.all[..at].iter().any(|before| before.id.is_none())
    }
}

impl Answer {
    fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Option<Utf8Bytes>> {
        loop {
            if let Some(text) = self.texts.pop_front() {
                return Poll::Ready(Some(text));
            }
            match &mut self.stage {
                Stage::Asking(asking) => match ready!(asking.as_mut().poll(cx)) {
                    Ok(body) => self.stage = Stage::Telling { body, events: SseSplitter::new(EVENT_LIMIT) },
                    Err(refusal) => self.refuse(&refusal),
                },
                Stage::Telling { body, .. } => match ready!(Pin::new(body).poll_frame(cx)) {
                    Some(Ok(frame)) => self.tell(&frame.into_data().unwrap_or_default()),
                    // A surface that ends in an abort has said so in its error event already.
                    Some(Err(_)) | None => self.end(),
                },
                Stage::Over => return Poll::Ready(None),
            }
        }
    }

    fn tell(&mut self, bytes: &[u8]) {
        let Stage::Telling { events, .. } = &mut self.stage else { return };
        events.push(bytes);
        while let Ok(Some(event)) = events.next() {
            self.script.event(event.data, &mut self.texts);
        }
    }

    fn refuse(&mut self, refusal: &Refusal) {
        self.script.refusal(refusal, &mut self.texts);
        self.end();
    }

    fn end(&mut self) {
        self.script.end(&mut self.texts);
        self.stage = Stage::Over;
    }
}

/// A JSON text without line feeds: between its parts they are spaces, and within them there are none.
pub(super) fn on_one_line(json: &str) -> Cow<'_, str> {
    match json.contains('\n') {
        true => json.replace('\n', " ").into(),
        false => json.into(),
    }
}
