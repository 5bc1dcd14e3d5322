//! Everything that leaves the process: requests to providers over HTTP/1.1, and to providers within the process.
//!
//! [`Upstreams::send`] takes a [`Call`] and gives a [`Reply`] whose [`Body`] yields bytes as they come. Every socket is
//! owned by the future or the body that waits for it and by nothing else, so dropping either closes it at once.
//!
//! Redirects are not followed, proxies are used only where an [`Endpoint`] names one, a name leads to private addresses
//! only where its [`Reach`] allows them, compression is not asked for, and undone where it comes. Retries are the
//! plan's, but for one: a kept connection that closes before it answers is replaced by a fresh one, once. Dialects,
//! routing and secrets at rest live elsewhere.

mod address;
mod auth;
mod body;
mod call;
mod connect;
mod connection;
mod deadline;
mod demo;
mod endpoint;
mod exchange;
mod http1;
mod in_process;
mod pool;
mod proxy;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use wire::Fault;
use wire::fault::Phase;

use crate::body::HttpBody;
use crate::connect::connect;
use crate::deadline::{Deadline, now};
use crate::endpoint::Method;
use crate::exchange::{Answer, Bounds, Failure, exchange};
use crate::http1::body::Decoder;
use crate::http1::body::coding::Unpacker;
use crate::http1::request::Outgoing;
use crate::in_process::Chunks;
use crate::pool::Pool;
use crate::tls::Tls;

pub use address::{Place, Reach};
pub use auth::Scheme;
pub use body::Body;
pub use call::{Call, Destination, Reply, Timeouts};
pub use demo::Demo;
pub use endpoint::Endpoint;
pub use in_process::{InProcess, InProcessReply};
pub use proxy::Proxy;
pub use rustls::pki_types::CertificateDer;
pub use tls::certificates;

/// Settings of [`Upstreams`].
#[derive(Debug, Clone)]
pub struct Options {
    /// Trusted beside the roots of the system.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Idle connections that a thread keeps for one scheme, host and port.
    pub max_idle_per_origin: usize,
    /// How long a connection may be idle and still be used; below what providers allow.
    pub idle_timeout: Duration,
    /// The largest head of an answer, in bytes.
    pub max_head: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            extra_roots: Vec::new(),
            max_idle_per_origin: 64,
            idle_timeout: Duration::from_secs(30),
            max_head: 32 * 1024,
        }
    }
}

/// The way out. Clones share connections and TLS sessions.
#[derive(Clone)]
pub struct Upstreams {
    pool: Arc<Pool>,
    tls: Arc<Tls>,
    max_head: usize,
}

impl Upstreams {
    /// Opens nothing yet.
    pub fn new(options: Options) -> Self {
        Upstreams {
            pool: Pool::new(options.max_idle_per_origin, options.idle_timeout),
            tls: Arc::new(Tls::new(options.extra_roots)),
            max_head: options.max_head,
        }
    }

    /// Sends a request and waits for the head of the answer. Dropping the future closes the connection.
    pub async fn send(&self, call: Call) -> Result<Reply, Fault> {
        let Call { provider, to, headers, body, timeouts } = call;
        match to {
            Destination::InProcess(inner) => {
                let InProcessReply { status, headers, chunks, pause } = inner.answer(&headers, &body);
                let body = Body::in_process(provider, Chunks::new(chunks, pause));
                Ok(Reply { status, headers, body })
            }
            Destination::Http(endpoint) => {
                let body = (endpoint.method == Method::Post).then_some(body);
                let outgoing = Outgoing::new(&endpoint.prefix, &headers, body);
                drop(headers);
                self.send_http(provider, &endpoint, outgoing, timeouts).await
            }
        }
    }

    async fn send_http(
        &self,
        provider: Arc<str>,
        endpoint: &Endpoint,
        mut outgoing: Outgoing,
        timeouts: Timeouts,
    ) -> Result<Reply, Fault> {
        after_the_others().await;
        let total = timeouts.total.map(|after| Deadline::new(now(), after, Phase::Total));
        let terms = Terms { provider: &provider, timeouts, total };
        let Answer { head, connection, alarm } = self.ask(endpoint, &mut outgoing, &terms).await?;
        // Any other 407 is the provider's own.
        if let Some(proxy) = endpoint.origin.http_proxy().filter(|_| head.status == 407) {
            let why = proxy::tunnel::refused(proxy, head.status);
            return Err(Fault::Unreachable { provider: provider.to_string(), why });
        }
        let body = HttpBody {
            connection,
            decoder: Decoder::new(head.framing),
            unpacker: head.coding.map(|coding| Box::new(Unpacker::new(coding))),
            home: head.keep_alive.then(|| (Arc::clone(&self.pool), Arc::clone(&endpoint.origin))),
            idle: timeouts.idle,
            total,
            alarm,
            waiting: None,
        };
        Ok(Reply { status: head.status, headers: head.headers, body: Body::http(provider, body) })
    }

    /// Over a kept connection if there is one. A provider may close it just then; that is known only by the silence,
    /// and then a fresh one is tried.
    async fn ask(
        &self,
        endpoint: &Endpoint,
        outgoing: &mut Outgoing,
        terms: &Terms<'_>,
    ) -> Result<Answer, Fault> {
        if let Some(kept) = self.pool.check_out(&endpoint.origin) {
            match exchange(kept, outgoing, &self.bounds(terms)).await {
                Err(Failure::Unanswered(_)) => outgoing.rewind(),
                result => return result.map_err(Fault::from),
            }
        }
        let deadline = terms.deadline(terms.timeouts.connect, Phase::Connect);
        let fresh = connect(endpoint, &self.tls, deadline, terms.provider).await?;
        Ok(exchange(fresh, outgoing, &self.bounds(terms)).await?)
    }

    fn bounds<'a>(&self, terms: &Terms<'a>) -> Bounds<'a> {
        let deadline = terms.deadline(terms.timeouts.head, Phase::Head);
        Bounds { provider: terms.provider, deadline, max_head: self.max_head }
    }
}

/// Lets everything else run that is ready. Of many requests that come at the same time each would wake its provider's side
/// when it is written; written one after the other, few wake-ups serve all. Answers are held back likewise before they are
/// written: what both save is in `bench/README.md`.
async fn after_the_others() {
    tokio::task::yield_now().await;
}

/// Whom we ask, and how long it may take.
struct Terms<'a> {
    provider: &'a str,
    timeouts: Timeouts,
    total: Option<Deadline>,
}

impl Terms<'_> {
    /// A deadline that begins now and is no later than the end of the whole call.
    fn deadline(&self, after: Duration, phase: Phase) -> Deadline {
        Deadline::new(now(), after, phase).or_sooner(self.total)
    }
}
