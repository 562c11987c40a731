//! What the kernel should hold, what it holds, and the one task that owns the difference.
//!
//! An instance *claims* addresses, routes, rules, links and entries of the packet filter; it never adds or deletes one. [`ledger`] compares all claims with the [`mirror`] of
//! the kernel's tables and says what to change. Becoming master, stepping down, an address that somebody else deleted,
//! an interface that comes back: to the ledger all of them are the same thing.

pub mod claim;
pub mod debounce;
mod inventory;
pub mod ledger;
pub mod mirror;
pub mod reconciler;

pub use claim::{AddressClaim, Claim, FirewallClaim, LinkClaim, Occupied, Owner, RouteClaim, RuleClaim};
pub use inventory::Inventory;
pub use ledger::{Ledger, Output};
pub use mirror::{Mirror, Survey};
