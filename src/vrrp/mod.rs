//! Virtual routers: the election machine and the tasks that drive it.
//!
//! The pure files come first. [`machine`] decides; it is told facts ([`machine::Input`]) and answers with an ordered
//! list of [`machine::Output`]. The drivers ([`demux`], [`group_hub`], [`instance`],
//! [`mailbox`], [`observed`], [`pacer`]) carry facts in and decisions out.

pub mod advert;
pub mod auth;
pub mod bursts;
pub mod check;
pub mod demux;
pub mod event;
pub mod group;
pub mod group_hub;
pub mod instance;
pub mod machine;
pub mod mailbox;
pub mod observed;
pub mod pacer;
pub mod params;
mod sparing;
pub mod timers;
pub mod tracking;

pub use event::{Cause, Event, Fault, Reject};
pub use machine::{Input, Machine, Output, State};
pub use params::{GarpSchedule, Params};
