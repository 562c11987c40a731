//! Single stories with exact expectations.

mod auth;
mod causes;
mod dumps;
mod failover;
mod family;
mod groups;
mod hand_over;
mod kernel;
mod mail;
mod many;
mod options;
mod panic;
mod reload;
mod routes;
mod scripts;
mod stalls;
mod timetable;
mod trackers;
mod traps;
mod vmac;
mod watchdog;
mod wire;
