//! Facts → text for people and their tools: the log, diagnostics.

pub mod log;
