//! Two instances that would be one to the world.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::base::{IfName, Vrid};
use crate::config::apply::Build;
use crate::config::apply::instance::Draft;

/// Which instance has a virtual router id on an interface.
pub(crate) type Taken = BTreeMap<(IfName, Vrid), String>;

/// Where adverts go unless told otherwise (RFC 9568 section 5.1.1.2).
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

/// Rule 6: the same virtual router twice on one interface. Stock does not start with that.
pub(crate) fn clash(b: &mut Build<'_>, draft: &Draft, taken: &mut Taken) -> bool {
    let this = &draft.instance;
    let (Some(vrid), Some(interface)) = (this.vrid, &this.interface) else { return false };
    let other = taken.entry((interface.clone(), vrid)).or_insert_with(|| this.name.clone());
    // Names are unique: this is the first one if it finds itself.
    if *other == this.name {
        return false;
    }
    let group = b.config.globals.mcast_group4.unwrap_or(GROUP);
    let text = format!(
        "VRID {vrid} is used by {} and {} on interface {interface}, both to {group}",
        other, this.name
    );
    b.report.error(draft.line("virtual_router_id"), text).refuses(2).hint("give one of them another number");
    true
}
