//! Snapshots and events → text.

pub mod wording;
