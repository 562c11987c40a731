//! Single stories with exact expectations.

mod failover;
mod kernel;
mod many;
mod panic;
mod scripts;
mod stalls;
mod wire;
