//! Tells the linker which functions belong side by side.
//!
//! The kernel maps a program's file in blocks of 64 KiB around what is touched. What runs is a quarter of the program, spread
//! over all of it: put together, it takes a third less memory. `order.ld` names it, and is made by `bench/order.py`.

use std::env::var;

fn main() {
    println!("cargo:rerun-if-changed=order.ld");
    // Measured with LLVM's linker, which is Rust's own on this target, and tried with GNU's. A linker that somebody
    // chose may know no scripts.
    let is_measured = var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu");
    let is_chosen = var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| flags.contains("link"))
        || var("RUSTC_LINKER").is_ok_and(|linker| linker.contains("mold"));
    let is_release = var("PROFILE").is_ok_and(|profile| profile == "release");
    if is_measured && is_release && !is_chosen {
        let here = var("CARGO_MANIFEST_DIR").expect("Cargo tells where the package is");
        println!("cargo:rustc-link-arg-bin=llm-gateway=-Wl,-T,{here}/order.ld");
    }
}
