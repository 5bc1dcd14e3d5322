//! What takes too long for every day: `cargo xtask soak` runs it, or `cargo test --test it -- --ignored soaks`.

mod compare;
mod drips;
mod faults;
mod rotation;
