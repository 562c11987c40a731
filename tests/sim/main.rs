//! Whole daemons against each other in a simulated world, in virtual time.
//!
//! `scenarios` are single stories with exact expectations. `properties` are random ones: a seed makes routers, LANs
//! and a schedule of faults; what must hold after every quiet period is written down once.
//! `SIM_SEED=17 cargo test --test sim random -- --nocapture` repeats one of them and shows everything, with
//! `SIM_PCAP=FILE` also for Wireshark; `SIM_SEEDS=100000` runs more of them.

mod harness;
mod properties;
mod scenarios;
