//! One request over one connection, up to the head of the answer.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use wire::Fault;

use crate::connect::words;
use crate::connection::Connection;
use crate::deadline::{Alarm, Deadline};
use crate::http1::head::{self, Head};
use crate::http1::request::Outgoing;

/// What an exchange may take.
pub(crate) struct Bounds<'a> {
    /// For the text of faults.
    pub(crate) provider: &'a str,
    /// Until the whole head is there.
    pub(crate) deadline: Deadline,
    /// Bytes of the head.
    pub(crate) max_head: usize,
}

/// The head is there; the body follows on the connection.
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) connection: Connection,
    pub(crate) alarm: Alarm,
}

/// Why there is no head.
pub(crate) enum Failure {
    /// The provider closed before any byte of an answer. On a kept connection it may never have seen the request.
    Unanswered(Fault),
    /// Anything else.
    Final(Fault),
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unanswered(fault) | Failure::Final(fault) => fault,
        }
    }
}

/// Writes the request and reads the head. Dropping the future closes the connection.
pub(crate) async fn exchange(
    connection: Connection,
    outgoing: &mut Outgoing,
    bounds: &Bounds<'_>,
) -> Result<Answer, Failure> {
    let mut exchange = Exchange { connection, outgoing, sending: Sending::Running, heard: false };
    let mut alarm = Alarm::default();
    let head = poll_fn(|cx| match exchange.poll(bounds, cx) {
        Poll::Ready(result) => Poll::Ready(result),
        Poll::Pending => alarm
            .poll(bounds.deadline.at, cx)
            .map(|()| Err(Failure::Final(bounds.deadline.fault(bounds.provider)))),
    });
    let mut head = head.await?;
    // An answer to half a request: the rest of it would be taken for the next one.
    head.keep_alive &= exchange.sending == Sending::Done;
    Ok(Answer { head, connection: exchange.connection, alarm })
}

struct Exchange<'a> {
    connection: Connection,
    outgoing: &'a mut Outgoing,
    sending: Sending,
    /// A byte of the answer has arrived.
    heard: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    Running,
    Done,
    /// The provider takes no more. It may have answered nevertheless, as with 413.
    Failed,
}

impl Exchange<'_> {
    /// Reads while it writes: a provider that answers early may stop reading, and waiting for the one alone would wait
    /// for ever.
    fn poll(&mut self, bounds: &Bounds<'_>, cx: &mut Context<'_>) -> Poll<Result<Head, Failure>> {
        self.send(cx);
        loop {
            match self.connection.poll_fill(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(self.closed(bounds, None))),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.closed(bounds, Some(&error)))),
                Poll::Ready(Ok(_)) => self.heard = true,
            }
            match head::take(&mut self.connection.buffer, bounds.max_head) {
                Ok(None) => {}
                Ok(Some(head)) => return Poll::Ready(Ok(head)),
                Err(flaw) => {
                    let (provider, why) = (bounds.provider.to_owned(), flaw.0.into_owned());
                    return Poll::Ready(Err(Failure::Final(Fault::BadAnswer { provider, why })));
                }
            }
        }
    }

    fn send(&mut self, cx: &mut Context<'_>) {
        if self.sending == Sending::Running {
            match self.connection.poll_send(self.outgoing, cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.sending = Sending::Done,
                Poll::Ready(Err(_)) => self.sending = Sending::Failed,
            }
        }
    }

    fn closed(&self, bounds: &Bounds<'_>, error: Option<&io::Error>) -> Failure {
        let how = error.map_or_else(|| "connection closed".into(), words);
        let when = if self.heard { "inside the head of the answer" } else { "before an answer" };
        let fault = Fault::Cut { provider: bounds.provider.to_owned(), why: format!("{how} {when}") };
        if self.heard { Failure::Final(fault) } else { Failure::Unanswered(fault) }
    }
}
