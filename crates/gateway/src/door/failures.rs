//! Wrong keys by peer: who guesses is told to wait. A right key is never counted and never refused, so nobody can lock
//! out another behind the same address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Instant;

/// Wrong keys that a peer may send in a window. Source: SAFETY.md section 3, "Failed auth".
const ALLOWED: u32 = 20;
const WINDOW: Duration = Duration::from_secs(60);
/// Peers that are remembered; more are let guess, since the memory must not be theirs to fill.
const PEERS: usize = 10_000;

/// Wrong keys of every peer in its present window.
#[derive(Debug, Default)]
pub struct Failures {
    by_peer: Mutex<HashMap<IpAddr, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    wrong: u32,
}

impl Failures {
    /// Notes a wrong key.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub fn note(&self, peer: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut peers = self.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        if peers.len() >= PEERS {
            peers.retain(|_, window| now - window.began < WINDOW);
        }
        let peer = network(peer);
        if peers.len() >= PEERS && !peers.contains_key(&peer) {
            return Ok(());
        }
        let window = peers.entry(peer).or_insert(Window { began: now, wrong: 0 });
        if now - window.began >= WINDOW {
            *window = Window { began: now, wrong: 0 };
        }
        window.wrong += 1;
        if window.wrong > ALLOWED { Err(WINDOW - (now - window.began)) } else { Ok(()) }
    }
}

/// An address of version 4, or the network that one household has in version 6.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn the_twenty_first_wrong_key_in_a_minute_has_to_wait() {
        let (failures, start) = (Failures::default(), Instant::now());
        for _ in 0..ALLOWED {
            assert_eq!(failures.note(peer(1), start), Ok(()));
        }
        assert_eq!(failures.note(peer(1), start + WINDOW / 2), Err(WINDOW / 2));
        assert_eq!(failures.note(peer(2), start), Ok(()), "another peer");
        assert_eq!(failures.note(peer(1), start + WINDOW), Ok(()), "a new window");
    }

    #[test]
    fn a_network_of_version_six_is_one_peer() {
        let address = |text: &str| network(text.parse().unwrap());
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_eq!(address("::ffff:192.0.2.1"), peer(1));
    }

    #[test]
    fn the_table_does_not_grow_without_bound() {
        let (failures, start) = (Failures::default(), Instant::now());
        for number in 0..30_000_u32 {
            let _ = failures.note(IpAddr::from(number.to_be_bytes()), start);
        }
        assert_eq!(failures.by_peer.lock().unwrap().len(), PEERS);
        failures.note(peer(1), start + WINDOW).unwrap();
        assert_eq!(failures.by_peer.lock().unwrap().len(), 1, "old windows go");
    }
}
