//! A handler that panics fails its own request, and no other on the same thread.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Runs a future to its end; `Err`: it panicked, and with which words. It is not polled again then.
pub(super) async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(words(&*panic))),
    })
    .await
}

fn words(panic: &(dyn Any + Send)) -> String {
    let fixed = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    fixed
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn handler(number: u32) -> u32 {
        tokio::task::yield_now().await;
        assert!(number != 13, "no room {number}");
        number
    }

    #[tokio::test]
    async fn p16_a_panic_is_an_error_of_its_own_request() {
        let (good, bad) = tokio::join!(caught(handler(12)), caught(handler(13)));
        assert_eq!((good, bad), (Ok(12), Err("no room 13".to_owned())));
    }
}
