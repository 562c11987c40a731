//! What an instance runs on: its interface, VMAC, ipvlan, VRF.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::{Family, IfName};
use crate::config::apply::Build;
use crate::config::apply::instance::Draft;
use crate::config::model::{SyncGroup, Version, VirtualAddress};
use crate::host::loader::LinkKind;

/// Which instance has which VMAC or ipvlan by name, with its interface.
pub(super) type Names = BTreeMap<IfName, String>;

fn error(b: &mut Build<'_>, draft: &Draft, keyword: &str, text: impl Into<String>) {
    let text: String = text.into();
    b.report.error(draft.line(keyword), format!("({}) {text}", draft.instance.name));
}

/// At the end of the block: what unicast adverts leave through.
pub(super) fn unicast_base(b: &mut Build<'_>, draft: &mut Draft) {
    let options = &draft.instance.options;
    let keyword = match (&options.vmac, &options.ipvlan) {
        (Some(_), _) => "use_vmac",
        (None, Some(_)) => "use_ipvlan",
        (None, None) => return,
    };
    if draft.instance.peers.is_empty() {
        return;
    }
    if draft.instance.interface.is_none() {
        // A name that cannot be used has been reported; with it, this may be right.
        if draft.lines.contains_key("interface") {
            return;
        }
        error(b, draft, keyword, format!("Cannot use {keyword} with unicast and no interface - clearing it"));
        (draft.instance.options.vmac, draft.instance.options.ipvlan) = (None, None);
    } else if !options.vmac_xmit_base {
        error(b, draft, keyword, format!("unicast with {keyword} requires vmac_xmit_base - setting it"));
        draft.instance.options.vmac_xmit_base = true;
    }
}

/// Rule 5.8: what the interface cannot do.
pub(super) fn capable(b: &mut Build<'_>, draft: &mut Draft) {
    let Some(name) = &draft.instance.interface else { return };
    let Some(link) = b.link(name) else { return };
    let options = &draft.instance.options;
    let keyword = if options.vmac.is_some() { "use_vmac" } else { "use_ipvlan" };
    if (options.vmac.is_some() || options.ipvlan.is_some()) && !link.ethernet {
        let text = format!("{keyword} needs an interface of Ethernet type, which {name} is not");
        error(b, draft, keyword, text);
        draft.faulty = true;
    } else if draft.instance.peers.is_empty() && !link.multicast {
        let text = format!("interface {name} does not support multicast, specify unicast peers - disabling");
        error(b, draft, "interface", text);
        draft.faulty = true;
    }
}

/// Rule 5.11: how many addresses fit into an advert, which counts them in one byte and is not fragmented.
///
/// Like stock, this takes the header of Ethernet off the MTU, although the MTU does not count it.
pub(super) fn room(b: &Build<'_>, draft: &Draft) -> usize {
    const COUNTED: u32 = 255;
    /// What is assumed of an interface that is not there yet.
    const ETHERNET_MTU: u32 = 1500;
    const ETHERNET: u32 = 14;
    const VRRP: u32 = 8;
    const HMAC: u32 = 28;
    let instance = &draft.instance;
    let link = instance.interface.as_ref().and_then(|name| b.link(name));
    let mtu = link.map_or(ETHERNET_MTU, |link| link.mtu);
    let (ip, address) = match draft.family {
        Some(Family::V6) => (40, 16),
        _ => (20, 4),
    };
    // Version 2 ends in eight bytes of authentication data, whether or not there is any (RFC 3768 section 5.1).
    let authentication = if super::instance::version(b, draft) == Version::V2 { 8 } else { 0 };
    let trailer = if instance.options.hmac.is_some() { HMAC } else { 0 };
    let used = ETHERNET + ip + VRRP + authentication + trailer;
    (mtu.saturating_sub(used) / address).clamp(1, COUNTED) as usize
}

/// Rule 5.18: a link must be seen to be down before the others believe the router to be gone.
pub(super) fn debounce(b: &mut Build<'_>, draft: &Draft) {
    let instance = &draft.instance;
    let adverts = instance.down_timer_adverts.or(b.config.globals.down_timer_adverts).unwrap_or(3);
    let interval = instance.advert_int.unwrap_or(Duration::from_secs(1));
    let most = interval * u32::from(adverts.saturating_sub(1));
    let Some(delay) = b.config.link_delays.iter().find(|d| Some(&d.interface) == instance.interface.as_ref())
    else {
        return;
    };
    if delay.down > most {
        let text = format!(
            "({}) the delay of {} going down, {:?}, is longer than its peers wait; at most {most:?} helps",
            instance.name, delay.interface, delay.down
        );
        let hint = "a lower delay in interface_up_down_delays, or a higher down_timer_adverts";
        b.report.warning(draft.line("interface"), text).hint(hint);
    }
}

/// Rule 7: instances on one macvlan change its hardware address together or not at all.
pub(super) fn shared(b: &mut Build<'_>, drafts: &mut [Draft], group_of: &BTreeMap<&str, &SyncGroup>) {
    let group = |name: &String| group_of.get(name.as_str()).map(|g| &g.name);
    let mut first: BTreeMap<IfName, String> = BTreeMap::new();
    for draft in drafts.iter_mut().filter(|d| d.instance.options.vmac.is_some()) {
        let Some(interface) = draft.instance.interface.clone() else { continue };
        if !b.link(&interface).is_some_and(|l| matches!(l.kind, LinkKind::Macvlan { .. })) {
            continue;
        }
        let name = draft.instance.name.clone();
        match first.get(&interface) {
            Some(other) if group(other).is_none() || group(other) != group(&name) => {
                let text =
                    format!("shares the macvlan {interface} with {other} but no sync group - disabling");
                error(b, draft, "interface", text);
                draft.faulty = true;
            }
            Some(_) => {}
            None => {
                first.insert(interface, name);
            }
        }
    }
}

/// Rule 5.10: a VRF is named where there is no interface to be in it.
pub(super) fn vrf(b: &mut Build<'_>, draft: &mut Draft) {
    if draft.instance.options.vrf.is_some() && draft.instance.peers.is_empty() {
        error(b, draft, "vrf", "vrf is for unicast only - ignoring it");
        draft.instance.options.vrf = None;
    }
}

/// Rule 5.19: VMACs and ipvlans.
pub(super) fn virtual_links(b: &mut Build<'_>, draft: &mut Draft, strict: bool, names: &mut Names) {
    let options = &draft.instance.options;
    let name = options.vmac.as_ref().and_then(|v| v.name.clone());
    if let Some(name) = name.or_else(|| options.ipvlan.as_ref().and_then(|i| i.name.clone())) {
        match names.get(&name) {
            Some(other) => {
                let text =
                    format!("interface name {name} is that of instance {other}, too - making up another one");
                error(b, draft, "use_vmac", text);
                if let Some(vmac) = &mut draft.instance.options.vmac {
                    vmac.name = None;
                }
                if let Some(ipvlan) = &mut draft.instance.options.ipvlan {
                    ipvlan.name = None;
                }
            }
            None => {
                names.insert(name, draft.instance.name.clone());
            }
        }
    }
    if strict && std::mem::take(&mut draft.instance.options.vmac_xmit_base) {
        error(b, draft, "vmac_xmit_base", "vmac_xmit_base is incompatible with strict mode - resetting");
    }
    let options = &draft.instance.options;
    let virtual_link = options.vmac.is_some() || options.ipvlan.is_some();
    if virtual_link && std::mem::take(&mut draft.instance.options.promote_secondaries) {
        error(
            b,
            draft,
            "promote_secondaries",
            "promote_secondaries is automatically set for vmacs - ignoring",
        );
    }
    let instance = &draft.instance;
    let source = instance.source;
    let lone = instance.options.ipvlan.as_ref().is_some_and(|i| i.address.is_none())
        && instance.options.vmac.is_none();
    if lone && source.is_none() && draft.family != Some(Family::V6) {
        error(b, draft, "use_ipvlan", "IPv4 ipvlan requires a source ip address - the instance cannot run");
        draft.faulty = true;
    }
}

/// Rule 5.20: an instance need not track its own interface.
pub(super) fn own_interface(b: &mut Build<'_>, draft: &mut Draft) {
    let Some(own) = draft.instance.interface.clone() else { return };
    let tracked = &mut draft.instance.tracks.interfaces;
    let before = tracked.len();
    tracked.retain(|t| t.interface != own);
    if tracked.len() < before {
        error(b, draft, "track_interface", format!("Ignoring track_interface {own} since own interface"));
    }
    let options = &draft.instance.options;
    if options.vmac_xmit_base && options.vmac.is_none() && options.ipvlan.is_none() {
        error(b, draft, "vmac_xmit_base", "vmac_xmit_base is only valid with a vmac");
        draft.instance.options.vmac_xmit_base = false;
    }
}

/// Rule 5.21: addresses need an interface, and `use_vmac` is said once.
pub(super) fn addresses(b: &mut Build<'_>, draft: &mut Draft) {
    let own = draft.instance.interface.clone();
    let vmac = draft.instance.options.vmac.is_some();
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
