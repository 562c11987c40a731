//! Single stories with exact expectations.

mod failover;
mod groups;
mod kernel;
mod many;
mod panic;
mod scripts;
mod stalls;
mod wire;
