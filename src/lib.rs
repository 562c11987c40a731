//! keepalived-rs: a drop-in replacement of keepalived.
//!
//! | room | what is in it |
//! |---|---|
//! | [`base`] | vocabulary without behaviour: time, ids, addresses |
//! | [`wire`] | bytes ⇄ values |
//! | [`config`] | text → model and diagnostics |
//! | [`host`] | the machine we run on, as small traits |
//! | [`vrrp`] | virtual routers: the election machine and its tasks |
//! | [`linux`] | the machine, on Linux |
//! | [`sim`] | the machine, in memory and in virtual time |

pub mod base;
pub mod config;
pub mod host;
pub mod linux;
pub mod sim;
pub mod vrrp;
pub mod wire;
