//! Idle connections, a pool a thread: no lock, and a connection stays with the runtime that drives it.
//!
//! The newest is taken first, so that the others may age out. A connection is probed when it is taken; one that closes
//! between the probe and the answer is the business of `exchange`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use crate::connection::Connection;
use crate::deadline::now;
use crate::endpoint::Origin;

thread_local! {
    /// This thread's shelf of each pool; those of dropped pools go when the next one is made.
    static SHELVES: RefCell<Vec<Shelf>> = const { RefCell::new(Vec::new()) };
}

/// The bounds of a pool, and its identity: each thread keeps a shelf for it.
pub(crate) struct Pool {
    max_idle_per_origin: usize,
    idle_timeout: Duration,
}

struct Shelf {
    owner: Weak<Pool>,
    /// Newest last.
    idle: HashMap<Arc<Origin>, Vec<Idle>>,
    /// When aged connections were last looked for.
    swept: Instant,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(max_idle_per_origin: usize, idle_timeout: Duration) -> Arc<Self> {
        Arc::new(Pool { max_idle_per_origin, idle_timeout })
    }

    /// A connection that is open as far as can be told without waiting.
    pub(crate) fn check_out(self: &Arc<Self>, origin: &Origin) -> Option<Connection> {
        let now = now();
        loop {
            let Idle { mut connection, since } =
                self.on_shelf(|shelf| shelf.idle.get_mut(origin)?.pop())??;
            if now.saturating_duration_since(since) < self.idle_timeout && connection.is_quiet() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection whose last answer has been read to its end.
    pub(crate) fn check_in(self: &Arc<Self>, origin: Arc<Origin>, connection: Connection) {
        let now = now();
        self.on_shelf(|shelf| {
            let idle = shelf.idle.entry(origin).or_default();
            if idle.len() < self.max_idle_per_origin {
                idle.push(Idle { connection, since: now });
            }
            shelf.sweep(now, self.idle_timeout);
        });
    }

    /// `None` when the thread is ending.
    fn on_shelf<T>(self: &Arc<Self>, work: impl FnOnce(&mut Shelf) -> T) -> Option<T> {
        SHELVES.try_with(|shelves| work(self.shelf(&mut shelves.borrow_mut()))).ok()
    }

    fn shelf<'a>(self: &Arc<Self>, shelves: &'a mut Vec<Shelf>) -> &'a mut Shelf {
        let mine = |shelf: &Shelf| std::ptr::eq(shelf.owner.as_ptr(), Arc::as_ptr(self));
        let place = shelves.iter().position(mine).unwrap_or_else(|| {
            shelves.retain(|shelf| shelf.owner.strong_count() > 0);
            shelves.push(Shelf { owner: Arc::downgrade(self), idle: HashMap::new(), swept: now() });
            shelves.len() - 1
        });
        &mut shelves[place]
    }
}

impl Shelf {
    /// Closes aged connections, also those of origins that nobody asks for any more; seldom enough to cost nothing.
    fn sweep(&mut self, now: Instant, idle_timeout: Duration) {
        if now.saturating_duration_since(self.swept) < idle_timeout / 2 {
            return;
        }
        self.swept = now;
        self.idle.retain(|_, idle| {
            idle.retain(|kept| now.saturating_duration_since(kept.since) < idle_timeout);
            !idle.is_empty()
        });
    }
}
