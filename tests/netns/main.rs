//! The real daemon on the real kernel, against itself and against stock keepalived.
//!
//! Every scenario of two routers runs for the pairs ours–ours, ours–stock and stock–ours, side by side. The
//! environment variables `SUBJECT` (the router that is master at first) and `PEER` (the other one), each `ours`
//! or `stock`, replace these by one pair; `SUBJECT=stock PEER=stock` proves the scenarios themselves:
//!
//! ```text
//! SUBJECT=stock PEER=stock cargo test --test netns
//! ```
//!
//! Needs root, iproute2, util-linux, psmisc and keepalived. Everything happens in namespaces, see [`lab`].

// Tests may unwrap and index: a failure is a failed test, with the reason.
#![allow(clippy::disallowed_methods, unreachable_pub)]

mod addresses;
mod auth;
mod dumps;
mod failover;
mod family;
mod genhash;
mod groups;
mod hand_over;
mod lab;
mod leftovers;
mod links;
mod log_lines;
mod mail;
mod parity;
mod priorities;
mod process;
mod rejects;
mod reload;
mod reload_files;
mod reload_table;
mod reports;
mod routes;
mod scripts;
mod seeds;
mod stalls;
mod start;
mod strangers;
mod support;
mod timers;
mod trackers;
mod unicast;
mod vmac;
