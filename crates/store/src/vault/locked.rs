//! Memory that is kept out of the swap file, for the keys that open everything.

use std::ops::Deref;

use tracing::debug;

/// A value on the heap, in memory that the system does not swap out where it allows that (`RLIMIT_MEMLOCK`).
pub(crate) struct Locked<T>(Box<T>);

impl<T> Locked<T> {
    pub(crate) fn new(value: T) -> Self {
        let value = Box::new(value);
        match region::lock(&raw const *value, size_of::<T>()) {
            // Whole pages are unlocked, which another key may lie in: so they stay locked, the few that there are.
            Ok(guard) => std::mem::forget(guard),
            Err(error) => debug!(%error, "the memory of a key cannot be kept out of the swap file"),
        }
        Self(value)
    }
}

impl<T> Deref for Locked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the system sees it.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_locked_value_is_kept_out_of_the_swap_file() {
        let value = Locked::new([7_u8; 32]);
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kilobytes >= 4, "{line}");
        assert_eq!(*value, [7; 32]);
    }
}
