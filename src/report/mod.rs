//! What people read: diagnostics, log lines, dumps.

pub mod diagnostics;
