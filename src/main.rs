//! The `keepalived-rs` daemon.

fn main() {}
