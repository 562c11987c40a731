//! What an instance runs on: its interface, VMAC, ipvlan, VRF.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::base::{Family, IfName};
use crate::config::apply::Build;
use crate::config::apply::instance::Draft;
use crate::config::model::VirtualAddress;

/// Which instance has which VMAC or ipvlan by name, with its interface.
pub(super) type Names = BTreeMap<IfName, String>;

fn error(b: &mut Build<'_>, draft: &Draft, keyword: &str, text: impl Into<String>) {
    let text: String = text.into();
    b.report.error(draft.line(keyword), format!("({}) {text}", draft.instance.name));
}

/// At the end of the block: what unicast adverts leave through.
pub(super) fn unicast_base(b: &mut Build<'_>, draft: &mut Draft) {
    let pending = &draft.instance.pending;
    let (virtual_link, unicast) =
        (pending.vmac.is_some() || pending.ipvlan.is_some(), !draft.instance.peers.is_empty());
    if virtual_link && unicast && !pending.vmac_xmit_base {
        let keyword = if pending.vmac.is_some() { "use_vmac" } else { "use_ipvlan" };
        error(b, draft, keyword, format!("unicast with {keyword} requires vmac_xmit_base - setting it"));
        draft.instance.pending.vmac_xmit_base = true;
    }
}

/// Rule 5.10: a VRF is named where there is no interface to be in it.
pub(super) fn vrf(b: &mut Build<'_>, draft: &mut Draft) {
    if draft.instance.pending.vrf.is_some() && draft.instance.peers.is_empty() {
        error(b, draft, "vrf", "vrf is for unicast only - ignoring it");
        draft.instance.pending.vrf = None;
    }
}

/// Rule 5.19: VMACs and ipvlans.
pub(super) fn virtual_links(b: &mut Build<'_>, draft: &mut Draft, strict: bool, names: &mut Names) {
    let pending = &draft.instance.pending;
    let name = pending.vmac.as_ref().and_then(|v| v.name.clone());
    if let Some(name) = name.or_else(|| pending.ipvlan.as_ref().and_then(|i| i.name.clone())) {
        match names.get(&name) {
            Some(other) => {
                let text =
                    format!("interface name {name} is that of instance {other}, too - making up another one");
                error(b, draft, "use_vmac", text);
                if let Some(vmac) = &mut draft.instance.pending.vmac {
                    vmac.name = None;
                }
                if let Some(ipvlan) = &mut draft.instance.pending.ipvlan {
                    ipvlan.name = None;
                }
            }
            None => {
                names.insert(name, draft.instance.name.clone());
            }
        }
    }
    if strict && std::mem::take(&mut draft.instance.pending.vmac_xmit_base) {
        error(b, draft, "vmac_xmit_base", "vmac_xmit_base is incompatible with strict mode - resetting");
    }
    let pending = &draft.instance.pending;
    let virtual_link = pending.vmac.is_some() || pending.ipvlan.is_some();
    if virtual_link && std::mem::take(&mut draft.instance.pending.promote_secondaries) {
        error(
            b,
            draft,
            "promote_secondaries",
            "promote_secondaries is automatically set for vmacs - ignoring",
        );
    }
    let instance = &draft.instance;
    let source = instance.source;
    let lone = instance.pending.ipvlan.as_ref().is_some_and(|i| i.address.is_none())
        && instance.pending.vmac.is_none();
    if lone && source.is_none() && draft.family != Some(Family::V6) {
        error(b, draft, "use_ipvlan", "IPv4 ipvlan requires a source ip address - the instance cannot run");
        draft.left_out.push("use_ipvlan without an address");
    }
}

/// Rule 5.20: an instance need not track its own interface.
pub(super) fn own_interface(b: &mut Build<'_>, draft: &mut Draft) {
    let Some(own) = draft.instance.interface.clone() else { return };
    let tracked = &mut draft.instance.pending.tracks.interfaces;
    let before = tracked.len();
    tracked.retain(|t| t.interface != own);
    if tracked.len() < before {
        error(b, draft, "track_interface", format!("Ignoring track_interface {own} since own interface"));
    }
    let pending = &draft.instance.pending;
    if pending.vmac_xmit_base && pending.vmac.is_none() && pending.ipvlan.is_none() {
        error(b, draft, "vmac_xmit_base", "vmac_xmit_base is only valid with a vmac");
        draft.instance.pending.vmac_xmit_base = false;
    }
}

/// Rule 5.21: addresses need an interface, and `use_vmac` is said once.
pub(super) fn addresses(b: &mut Build<'_>, draft: &mut Draft) {
    let own = draft.instance.interface.clone();
    let vmac = draft.instance.pending.vmac.is_some();
    let mut wrong: Vec<(IpAddr, &str)> = Vec::new();
    let mut usable = |address: &mut VirtualAddress| {
        if address.dev.is_none() && own.is_none() {
            wrong.push((address.cidr.ip, "has no interface - dropping it"));
            return false;
        }
        if vmac && address.pending.use_vmac && (address.dev.is_none() || address.dev == own) {
            wrong.push((address.cidr.ip, "need not say use_vmac, which the instance says - ignoring it"));
            address.pending.use_vmac = false;
        }
        true
    };
    draft.instance.addresses.retain_mut(&mut usable);
    draft.instance.excluded.retain_mut(&mut usable);
    for (ip, why) in wrong {
        error(b, draft, "virtual_ipaddress", format!("virtual address {ip} {why}"));
    }
}
