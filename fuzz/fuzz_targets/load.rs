//! Any text as a configuration: `cargo +nightly fuzz run -s none load`.

#![no_main]

#[path = "../src/load.rs"]
mod load;

libfuzzer_sys::fuzz_target!(|text: &[u8]| load::check(text));
