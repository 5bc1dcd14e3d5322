//! What keeps the memory of this process, which holds keys in the clear, from ending up in a file.

use rustix::process::{Resource, Rlimit, setrlimit};

/// No core dumps; on Linux no other process of the same user reads our memory either (SAFETY.md section 2, point 7).
pub fn keep_memory_private() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    for error in [setrlimit(Resource::Core, none), hide()].into_iter().filter_map(Result::err) {
        tracing::warn!(%error, "core dumps cannot be switched off");
    }
}

#[cfg(target_os = "linux")]
fn hide() -> rustix::io::Result<()> {
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
}

#[cfg(not(target_os = "linux"))]
fn hide() -> rustix::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use rustix::process::getrlimit;

    use super::*;

    #[test]
    fn memory_that_is_kept_private_is_neither_dumped_nor_read_by_others() {
        keep_memory_private();
        assert_eq!(getrlimit(Resource::Core), Rlimit { current: Some(0), maximum: Some(0) });
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{DumpableBehavior, dumpable_behavior};
            assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        }
    }
}
