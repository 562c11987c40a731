//! Any bytes as a packet: `cargo +nightly fuzz run advert`.

#![no_main]

#[path = "../src/advert.rs"]
mod advert;

libfuzzer_sys::fuzz_target!(|packet: &[u8]| advert::check(packet));
