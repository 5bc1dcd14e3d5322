//! A streamed answer on its way to the client.
//!
//! Carried: complete, checked frames are passed on byte for byte and glanced at. Translated: frames become events,
//! events the client's dialect. Either way one read of the upstream becomes one write to the client, and everything
//! that a stream must tell the ledger passes the tally.

mod keeper;
mod memory;
mod passage;
mod recorder;
mod splitter;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use upstream::Body;
use wire::chat::{ChatResponse, Loss, Stop, unfold};
use wire::dialect::{Echo, Surface};
use wire::frame::Framing;
use wire::{Fault, SurfaceId};

pub(super) use keeper::Keeper;
pub(super) use memory::Memory;
pub(super) use passage::{Carried, Passage, Translated};
use recorder::Recorder;
use splitter::Splitter;

use super::attempt::without_key;
use super::meter::Meter;
use super::stored::Record;
use super::tally::Tally;
use super::time_limit::{Alarm, TimeLimit};
use crate::body::BrokenOff;
use crate::clock::{self, Instant, Sleep};
use crate::telemetry::metrics;

/// Silence toward the client after which a comment keeps proxies from cutting the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Opening frames are held back, so that another target can still be tried, up to this many bytes...
const HOLD_BACK_BYTES: usize = 64 * 1024;
/// ...and for so long after the head of the upstream's answer (DECISIONS: first byte).
const HOLD_BACK: Duration = Duration::from_secs(15);

/// What the upstream has ready is gathered into one write, up to this many bytes: a client that does not read must stop
/// the intake.
const WRITE_BYTES: usize = 32 * 1024;

/// Bytes of one event, at most.
const EVENT_LIMIT: usize = 8 * 1024 * 1024;

/// A stream under way. Dropping it closes the upstream and lets the meter write its row.
pub struct Relay {
    provider: Arc<str>,
    surface: &'static dyn Surface,
    surface_name: &'static str,
    request_id: String,
    body: Option<Body>,
    /// The key that the upstream has got, lest it repeat it.
    secret: Option<HeaderValue>,
    /// The upstream failed after its first content, which the client still gets.
    fault: Option<Fault>,
    splitter: Splitter,
    passage: Passage,
    out: BytesMut,
    tally: Tally,
    meter: Option<Meter>,
    last_sent: Instant,
    keep_alive: Option<Pin<Box<Sleep>>>,
    /// Rings when the client has no more time.
    alarm: Option<Alarm>,
    /// The model has been reported to the meter.
    named: bool,
    abort: Abort,
    /// Keeps the answer before its end goes out.
    recorder: Option<Box<Recorder>>,
}

/// Whether the connection is cut at the end, since clients of the dialect notice nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Abort {
    No,
    WhenSent,
    Now,
}

impl Relay {
    pub(super) fn new(
        surface: SurfaceId,
        provider: Arc<str>,
        request_id: String,
        (body, framing): (Body, Framing),
        passage: Passage,
    ) -> Self {
        Self {
            provider,
            surface: surface.surface(),
            surface_name: surface.name(),
            request_id,
            body: Some(body),
            secret: None,
            fault: None,
            splitter: Splitter::new(framing, EVENT_LIMIT),
            passage,
            out: BytesMut::new(),
            tally: Tally::default(),
            meter: None,
            last_sent: clock::now(),
            keep_alive: None,
            alarm: None,
            named: false,
            abort: Abort::No,
            recorder: None,
        }
    }

    /// The same, with a key that no error tells the client.
    pub(super) fn hiding(mut self, secret: Option<HeaderValue>) -> Self {
        self.secret = secret;
        self
    }

    /// The same, as long as the client has time.
    pub(super) fn until(mut self, limit: Option<TimeLimit>) -> Self {
        self.alarm = limit.map(TimeLimit::alarm);
        self
    }

    /// A stream made of an answer that the upstream gave whole although a stream was asked for.
    pub(super) fn of_whole(
        surface: SurfaceId,
        provider: Arc<str>,
        echo: Echo,
        response: &ChatResponse,
    ) -> Self {
        let mut writer = surface.surface().stream_writer(echo.clone());
        let mut out = BytesMut::new();
        let mut tally = Tally { stopped: true, ended: true, content: true, ..Tally::default() };
        for event in unfold(response) {
            tally.event(&event);
            writer.write(&event, &mut out);
        }
        writer.finish(&mut out);
        Self {
            provider,
            surface: surface.surface(),
            surface_name: surface.name(),
            request_id: echo.request_id,
            body: None,
            secret: None,
            fault: None,
            splitter: Splitter::new(Framing::Sse, EVENT_LIMIT),
            passage: Passage::Written { writer },
            out,
            tally,
            meter: None,
            last_sent: clock::now(),
            keep_alive: None,
            alarm: None,
            named: false,
            abort: Abort::No,
            recorder: None,
        }
    }

    /// The same, with its answer kept before the client has got all of it.
    pub(super) fn recording(mut self, record: Record) -> Self {
        self.recorder = Some(Box::new(Recorder::new(record)));
        self
    }

    /// Waits for the first content, so that a fault before it can still fall over to another target.
    ///
    /// # Errors
    /// The stream failed before any content; nothing has gone to the client.
    pub(super) async fn prime(&mut self) -> Result<(), Fault> {
        let Ok(primed) = clock::timeout(HOLD_BACK, poll_fn(|cx| self.poll_content(cx))).await else {
            return Ok(());
        };
        primed
    }

    /// How the answer stopped, if it did so without any content.
    pub(super) fn declined(&self) -> Option<&Stop> {
        self.tally.stop.as_ref().filter(|_| !self.tally.content)
    }

    fn poll_content(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        while !self.tally.content && self.body.is_some() && self.out.len() < HOLD_BACK_BYTES {
            match ready!(self.poll_upstream(cx)) {
                // One read may bring both: what counts is the content, not how the bytes were packed.
                Err(fault) if self.tally.content => self.fault = Some(fault),
                outcome => outcome?,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The meter rides along from here: the answer is about to begin.
    pub(super) fn begin(mut self, meter: Meter) -> Self {
        self.meter = Some(meter);
        self.report();
        if self.body.is_none() {
            self.complete();
        }
        self
    }

    /// Tokens and the model that are known before the answer begins.
    pub(super) fn model(&self) -> Option<&str> {
        self.tally.model.as_deref()
    }

    /// The next bytes for the client; `None` at the end.
    pub fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        let Some(mut recorder) = self.recorder.take() else { return self.poll_next(cx) };
        let polled = recorder.poll(self, cx);
        self.recorder = Some(recorder);
        polled
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        if let Some(fault) = self.fault.take() {
            self.break_off(fault);
        }
        while self.body.is_some() && self.out.len() < WRITE_BYTES {
            match self.poll_upstream(cx) {
                Poll::Pending => break,
                Poll::Ready(Ok(())) if self.body.is_none() => self.complete(),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(fault)) => self.break_off(fault),
            }
        }
        self.heed_alarm(cx);
        if !self.out.is_empty() {
            return Poll::Ready(Some(Ok(self.send())));
        }
        if self.body.is_none() {
            return self.poll_end(cx);
        }
        let Some(keep_alive) = self.surface.keep_alive() else { return Poll::Pending };
        ready!(self.poll_keep_alive(cx));
        self.last_sent = clock::now();
        Poll::Ready(Some(Ok(Bytes::from_static(keep_alive))))
    }

    /// Breaks off when the client has no more time, unless the end has been seen. The upstream is not to blame for it.
    fn heed_alarm(&mut self, cx: &mut Context<'_>) {
        let is_open = self.body.is_some() && !self.tally.ended;
        let Some(alarm) = self.alarm.as_mut().filter(|_| is_open) else { return };
        let Poll::Ready(fault) = alarm.poll(cx) else { return };
        if let Some(meter) = &mut self.meter {
            meter.let_go(fault.code());
        }
        self.break_off(fault);
    }

    /// The clean end, or the cut: that one only after what was sent before it has left.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        match self.abort {
            Abort::No => Poll::Ready(None),
            Abort::WhenSent => {
                self.abort = Abort::Now;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Abort::Now => Poll::Ready(Some(Err(BrokenOff))),
        }
    }

    fn send(&mut self) -> Bytes {
        self.last_sent = clock::now();
        if self.tally.content
            && let Some(meter) = &mut self.meter
        {
            meter.first_byte();
        }
        self.out.split().freeze()
    }

    /// Resolves when nothing has been sent for [`KEEP_ALIVE`]. The timer is not reset at every chunk: it looks at the
    /// time of the last one when it rings.
    fn poll_keep_alive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let due = self.last_sent + KEEP_ALIVE;
            let timer = self.keep_alive.get_or_insert_with(|| Box::pin(clock::sleep_until(due)));
            ready!(timer.as_mut().poll(cx));
            if clock::now() >= due {
                self.keep_alive = None;
                return Poll::Ready(());
            }
            timer.as_mut().reset(due);
        }
    }

    /// Reads once from the upstream and digests what came. After the end, `body` is `None`.
    fn poll_upstream(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let Some(body) = &mut self.body else { return Poll::Ready(Ok(())) };
        let chunk = body.poll_chunk(cx);
        if self.tally.ended {
            // The end marker is what counts. The end of the body is awaited no longer than it takes to see that it is
            // there, which lets the connection be used again.
            return Poll::Ready(if matches!(chunk, Poll::Ready(Some(Ok(_)))) {
                Ok(())
            } else {
                self.finish()
            });
        }
        let digested = match ready!(chunk) {
            Some(Ok(chunk)) => self.digest(&chunk),
            Some(Err(fault)) => Err(fault),
            None => self.finish(),
        };
        Poll::Ready(digested.map_err(|fault| fault.named(&self.provider)))
    }

    fn digest(&mut self, chunk: &[u8]) -> Result<(), Fault> {
        self.splitter.push(chunk);
        while let Some(cut) = self.splitter.next()? {
            self.passage.pass(&cut, &mut self.tally, &mut self.out)?;
            if self.tally.ended {
                break;
            }
        }
        Ok(())
    }

    /// The upstream is done: is its end a clean one?
    fn finish(&mut self) -> Result<(), Fault> {
        if !self.tally.ended
            && let Some(cut) = self.splitter.finish()?
        {
            self.passage.pass(&cut, &mut self.tally, &mut self.out)?;
        }
        self.passage.finish(&mut self.tally, &mut self.out)?;
        self.body = None;
        Ok(())
    }

    /// Something that the client does not get, and that is no part of the answer.
    fn lost(&mut self, loss: Option<Loss>) {
        if let (Some(meter), Some(loss)) = (&mut self.meter, loss) {
            meter.lost(vec![loss]);
        }
    }

    fn complete(&mut self) {
        self.report();
        if let Some(meter) = &mut self.meter {
            meter.lost(self.passage.losses());
            meter.complete(200);
        }
    }

    /// The stream ends in an error; never in a clean stop.
    fn break_off(&mut self, fault: Fault) {
        let fault = without_key(fault, self.secret.as_ref());
        self.body = None;
        if self.surface.failure_aborts() {
            self.abort = Abort::WhenSent;
        }
        self.passage.fail(&fault, &self.request_id, &self.tally, &mut self.out);
        self.report();
        if let Some(meter) = &mut self.meter {
            meter.break_off(&fault);
        }
    }

    /// Tells the meter what the tally knows.
    fn report(&mut self) {
        let Some(meter) = &mut self.meter else { return };
        if let Some(usage) = &self.tally.usage {
            meter.count(usage);
        }
        if let (Some(model), false) = (&self.tally.model, self.named) {
            meter.answered_by(model);
            self.named = true;
        }
    }
}

impl Drop for Relay {
    /// The client left in mid-stream: what is known by then still goes into the row.
    fn drop(&mut self) {
        self.report();
        metrics::stream_repaired(&self.provider, self.surface_name, self.passage.repairs());
    }
}

#[cfg(test)]
mod tests;
