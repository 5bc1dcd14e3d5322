//! The calls that run over HTTP, so that another request can cancel them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::Notify;

use crate::door::Caller;

/// All of them.
#[derive(Debug, Default)]
pub struct Calls(Mutex<HashMap<Call, Arc<Notify>>>);

/// Whose call: name of the key, session id, number of the request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Call(Option<Arc<str>>, String, Value);

impl Call {
    pub(super) fn new(caller: &Caller, session: &str, id: Value) -> Self {
        Self(caller.key_name.clone(), session.to_owned(), id)
    }
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, HashMap<Call, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a call; one that does not run any more is left alone.
    pub(super) fn cancel(&self, call: &Call) {
        if let Some(cancelled) = self.lock().get(call) {
            cancelled.notify_one();
        }
    }
}

/// One call on the list; off it when dropped.
pub struct Running {
    calls: Arc<Calls>,
    call: Option<Call>,
    cancelled: Arc<Notify>,
}

impl Running {
    /// A call without a session or a number cannot be cancelled by another request.
    pub(super) fn list(calls: &Arc<Calls>, call: Option<Call>) -> Self {
        let cancelled = Arc::<Notify>::default();
        if let Some(call) = &call {
            calls.lock().insert(call.clone(), cancelled.clone());
        }
        Self { calls: calls.clone(), call, cancelled }
    }

    /// Resolves when the call is cancelled.
    pub(super) async fn cancelled(&self) {
        self.cancelled.notified().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(call) = &self.call else { return };
        let mut calls = self.calls.lock();
        // A client that uses a number twice has put its second call in the place of the first.
        if calls.get(call).is_some_and(|listed| Arc::ptr_eq(listed, &self.cancelled)) {
            calls.remove(call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(key: &str, session: &str, id: i64) -> Call {
        Call::new(&Caller::admin(Some(key)), session, id.into())
    }

    #[tokio::test]
    async fn only_the_same_client_cancels_a_call() {
        let calls = Arc::<Calls>::default();
        let running = Running::list(&calls, Some(call("a", "s", 1)));
        for stranger in [call("b", "s", 1), call("a", "t", 1), call("a", "s", 2)] {
            calls.cancel(&stranger);
        }
        let rung = |running: &Running| {
            let mut notified = std::pin::pin!(running.cancelled.notified());
            notified.as_mut().enable()
        };
        assert!(!rung(&running));
        calls.cancel(&call("a", "s", 1));
        assert!(rung(&running));
    }

    #[test]
    fn a_finished_call_is_off_the_list() {
        let calls = Arc::<Calls>::default();
        let first = Running::list(&calls, Some(call("a", "s", 1)));
        let second = Running::list(&calls, Some(call("a", "s", 1)));
        drop(first);
        assert_eq!(calls.lock().len(), 1);
        drop(second);
        assert!(calls.lock().is_empty());
    }
}
