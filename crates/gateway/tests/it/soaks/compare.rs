//! How long it takes to refuse a key says nothing about how much of it is right.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use gateway::door::Access;
use http::HeaderMap;
use store::Secret;

use crate::support::TOKEN;

/// Measurements of each kind.
const COUNT: usize = 2_000;
/// Refusals in one measurement, so that the clock's steps do not show.
const REFUSALS: u32 = 20;

fn headers(key: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-api-key", key.parse().unwrap());
    headers
}

/// From so many peers that nobody has to wait, and so few that the table of them has room.
fn measure(access: &Access, headers: &HeaderMap, peer: &mut u32) -> Duration {
    let began = Instant::now();
    for _ in 0..REFUSALS {
        *peer = (*peer + 1) % 9_000;
        assert!(access.admit(headers, None, IpAddr::V4(Ipv4Addr::from_bits(*peer))).is_err());
    }
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

#[test]
#[ignore = "takes some seconds of a quiet machine"]
fn a_key_that_is_right_but_for_its_end_is_refused_as_fast_as_one_that_is_all_wrong() {
    let access = Access::new(Some(&Secret::new(TOKEN.to_owned())), []);
    let almost = headers(&format!("{}x", &TOKEN[..TOKEN.len() - 1]));
    let wrong = headers(&"x".repeat(TOKEN.len()));
    let (mut of_almost, mut of_wrong, mut peer) = (Vec::new(), Vec::new(), 0);
    for _ in 0..COUNT {
        of_almost.push(measure(&access, &almost, &mut peer));
        of_wrong.push(measure(&access, &wrong, &mut peer));
    }
    let ratio = median(of_almost) / median(of_wrong);
    println!("right prefix / wrong prefix: {ratio:.4}, in the median of {COUNT}");
    assert!((ratio - 1.0).abs() < 0.03, "{ratio}");
}
