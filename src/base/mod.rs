//! Vocabulary without behaviour: time, identities, addresses.
//!
//! Every other room may name this one; this one names nobody.

pub mod id;
pub mod net;
pub mod time;

pub use id::{IfIndex, IfName, InstanceId, Priority, Vrid};
pub use net::{Cidr, Family, MacAddr};
pub use time::Instant;
