//! A handler that panics fails its own request, and no other on the same thread.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

/// Runs a future to its end; `Err`: it panicked, and with which words. It is not polled again then. Borrowed, since a
/// future that is handed on by value takes its place twice.
pub(super) fn caught<T>(
    mut future: Pin<&mut impl Future<Output = T>>,
) -> impl Future<Output = Result<T, String>> {
    poll_fn(move |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(words(&*panic))),
    })
}

fn words(panic: &(dyn Any + Send)) -> String {
    let fixed = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    fixed
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".into())
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    async fn handler(number: u32) -> u32 {
        tokio::task::yield_now().await;
        assert!(number != 13, "no room {number}");
        number
    }

    #[tokio::test]
    async fn p16_a_panic_is_an_error_of_its_own_request() {
        let (twelfth, thirteenth) = (pin!(handler(12)), pin!(handler(13)));
        let (good, bad) = tokio::join!(caught(twelfth), caught(thirteenth));
        assert_eq!((good, bad), (Ok(12), Err("no room 13".to_owned())));
    }
}
