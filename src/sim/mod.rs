//! The ports of `host` in memory: a world of nodes and LANs in virtual time.
pub mod loader;
