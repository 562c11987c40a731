//! Two instances that would be one to the world.

use std::net::Ipv4Addr;

use crate::config::apply::Build;
use crate::config::apply::instance::Draft;

/// Where adverts go unless told otherwise (RFC 9568 section 5.1.1.2).
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

/// Rule 6: the same virtual router twice on one interface. Stock does not start with that.
pub(crate) fn clash(b: &mut Build<'_>, draft: &Draft, others: &[Draft]) -> bool {
    let this = &draft.instance;
    let same = |o: &&Draft| o.instance.vrid == this.vrid && o.instance.interface == this.interface;
    let Some(other) = others.iter().find(same) else { return false };
    let (Some(vrid), Some(interface)) = (this.vrid, &this.interface) else { return false };
    let group = b.config.globals.mcast_group4.unwrap_or(GROUP);
    let text = format!(
        "VRID {vrid} is used by {} and {} on interface {interface}, both to {group}",
        other.instance.name, this.name
    );
    b.report.error(draft.line("virtual_router_id"), text).refuses(2).hint("give one of them another number");
    true
}
