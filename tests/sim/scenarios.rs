//! Single stories with exact expectations.

mod failover;
mod kernel;
mod many;
mod scripts;
mod stalls;
mod wire;
