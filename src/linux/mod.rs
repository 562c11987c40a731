//! The ports of `host` on Linux. The only room with `unsafe`, `libc`, `nix` and blocking system calls.
pub mod loader;
