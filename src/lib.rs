//! keepalived-rs: a drop-in replacement of keepalived.
//!
//! | room | what is in it |
//! |---|---|
//! | [`base`] | vocabulary without behaviour: time, ids, addresses |
//! | [`wire`] | bytes ⇄ values |
//! | [`config`] | text → model and diagnostics |
//! | [`plan`] | model → what should exist |
//! | [`vrrp`] | virtual routers: the election machine and its tasks |
//! | [`track`] | what virtual routers track |
//! | [`kernel`] | claims, the mirror of the kernel's tables, the difference |
//! | [`lvs`] | what real servers are asked |
//! | [`notify`] | changes of state → scripts |
//! | [`report`] | facts → text: the log, diagnostics |
//! | [`host`] | the machine we run on, as small traits |
//! | [`linux`] | the machine, on Linux |
//! | [`sim`] | the machine, in memory and in virtual time |
//! | [`daemon`] | boot and shutdown |
//! | [`cli`] | the command line: stock's options and habits |

pub mod base;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod host;
pub mod kernel;
pub mod linux;
pub mod lvs;
pub mod notify;
pub mod plan;
pub mod report;
pub mod sim;
pub mod track;
pub mod vrrp;
pub mod wire;
