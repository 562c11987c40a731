//! What instances track: for now, scripts.

pub mod rise_fall;
pub mod script;
