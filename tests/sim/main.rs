//! Whole daemons against each other in a simulated world, in virtual time.
//!
//! `scenarios` are single stories with exact expectations. `properties` are random ones: a seed makes routers, LANs
//! and a schedule of faults; what must hold after every quiet period is written down once.
//! `SIM_SEED=17 cargo test --test sim random` repeats one of them with everything logged.

mod harness;
mod properties;
mod scenarios;
