//! Log lines, in stock's words: people's tools match on them.
//!
//! The target `vrrp` marks what stock's VRRP process says. A `cause` is a field of its own.

mod cause;
mod daemon;
mod instance;
mod kernel;
pub mod mail;
mod packets;
mod track;

pub use cause::{cause, state_word, trouble};
pub use daemon::*;
pub use instance::*;
pub use kernel::*;
pub use packets::{packet_too_short, unknown_vrid};
pub use track::*;
