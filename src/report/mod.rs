//! Facts → text for people and their tools: the log, its wording, diagnostics.

pub mod diagnostics;
pub mod dump;
pub mod genhash;
pub mod json;
pub mod lint;
pub mod log;
pub mod state_json;
pub mod stats;
pub mod wording;
