//! One virtual router: its defaults, addresses and timers.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{InstancePlan, Subject, TrackPlan, VRRP_GROUP_V4, VRRP_GROUP_V6, authentication, routes, vmac};
use crate::base::{Family, IfName, InstanceId, Priority};
use crate::config::model::{
    Globals, InitialState, OldChecksum, PreferredLifetime, Version, VirtualAddress, VrrpInstance,
};
use crate::host::AddressOptions;
use crate::kernel::AddressClaim;
use crate::vrrp::params::{Delivery, GarpSchedule, Params, Unicast, UnicastChecksum};
use crate::wire::ip::VRRP_TTL;

/// The hop limit of unicast adverts over IPv6, unless written: the kernel's default.
const UNICAST_HOPS_V6: u8 = 64;
/// Shortest and longest interval of version 3, which counts centiseconds in 12 bits.
const V3_INTERVALS_MS: (u128, u128) = (10, 40_950);

/// An instance; `None`: it lacks what it cannot do without. Its group, rules and scripts are still to come.
pub(super) fn resolve(
    globals: &Globals,
    instance: &VrrpInstance,
    id: InstanceId,
    tracks: Vec<TrackPlan>,
    links: &mut vmac::Links<'_>,
) -> Option<InstancePlan> {
    let interface = instance.interface.clone();
    let family = instance.family.unwrap_or(Family::V4);
    let global = if family == Family::V6 { Some(Version::V3) } else { globals.vrrp_version };
    let version = instance.version.or(global).unwrap_or(Version::V2);
    let delivery = delivery(globals, instance, family);
    if interface.is_none() && !delivery.is_unicast() {
        return None;
    }
    let priority = instance.priority.unwrap_or(default_priority(instance));
    // A master of old configurations: stock does not let it be one that may not preempt.
    let born_master = instance.state == Some(InitialState::Master) || priority.is_owner();
    let preempt = !instance.nopreempt || born_master;
    let may_delay = preempt && !born_master;
    let vrid = instance.vrid?;
    let mut params = Params {
        vrid,
        version,
        priority,
        advert_int: advert_int(version, instance.advert_int),
        down_timer_adverts: instance.down_timer_adverts.or(globals.down_timer_adverts).unwrap_or(3).max(1),
        preempt,
        preempt_delay: instance.preempt_delay.filter(|_| may_delay).unwrap_or_default(),
        authentication: authentication::resolve(instance, version, family),
        family,
        delivery,
        v3_checksum_as_v2: instance.v3_checksum_as_v2.unwrap_or(globals.v3_checksum_as_v2),
        addresses: instance.addresses.iter().map(|a| a.cidr.ip).collect(),
        lower_prio_no_advert: (instance.lower_prio_no_advert)
            .or(globals.lower_prio_no_advert)
            .unwrap_or(is_strict(globals, instance)),
        higher_prio_send_advert: instance.higher_prio_send_advert.or(globals.higher_prio_send_advert),
        garp: garp(globals, instance),
        startup_delay: Duration::ZERO,
        ignores_adverts: priority.is_owner() && ignores_adverts(globals, instance),
        skip_check_adv_addr: (instance.options.skip_check_adv_addr)
            .or(globals.options.skip_check_adv_addr)
            .unwrap_or(false),
        timer_expired_backup: instance.options.timer_expired_backup.and_then(Priority::new),
        grouped: false,
        awaits_scripts: tracks.iter().any(|track| matches!(track.what, Subject::Script(_))),
        stays: false,
        lease: None,
    };
    let vmac = links.of_instance(instance, family, vrid);
    let mut claims = |list: &[VirtualAddress]| -> Vec<Arc<AddressClaim>> {
        list.iter()
            .filter_map(|a| Some(claim(links.device(instance, (&vmac, family, vrid), a)?, a).into()))
            .collect()
    };
    let mut addresses = claims(&instance.addresses);
    let advertised = addresses.len();
    addresses.extend(claims(&instance.excluded));
    // There may be thousands of instances with one address each.
    addresses.shrink_to_fit();
    let accepts = accepts(globals, instance) || priority.is_owner();
    let ipvlan_address = instance.options.ipvlan.as_ref().and_then(|i| i.address).filter(|_| vmac.is_ipvlan);
    let seat = vmac.name.as_ref().filter(|_| !vmac.xmit_base).or(interface.as_ref());
    let reminded = links.extra_garp(instance, seat, &addresses);
    if reminded.is_empty() {
        params.garp.extra = Duration::ZERO;
    }
    let used: BTreeSet<&IfName> = seat.into_iter().chain(addresses.iter().map(|a| &a.dev)).collect();
    let parts = links.parts(&used);
    let drops = if accepts { Vec::new() } else { vmac::drops(&vmac::table(globals), &addresses) };
    Some(InstancePlan {
        id,
        name: instance.name.clone(),
        source: instance.source.or(ipvlan_address.map(|cidr| cidr.ip)),
        // Who sends from an address that he does not have hears no answer, and thinks that he is alone.
        track_source: instance.track_src_ip || params.delivery.is_unicast(),
        params: params.into(),
        addresses,
        advertised,
        reminded,
        links: parts,
        drops,
        vmac,
        routes: routes::routes(&instance.options.routes),
        rules: Vec::new(),
        promote_secondaries: instance.options.promote_secondaries,
        tracks,
        dont_track_primary: instance.dont_track_primary,
        notify: Arc::default(),
        vrf: instance.options.vrf.clone(),
        interface,
    })
}

/// Where adverts go. Without peers, the settings of unicast mean nothing, unless the instance is to fail then.
fn delivery(globals: &Globals, instance: &VrrpInstance, family: Family) -> Delivery {
    let group = match family {
        Family::V4 => IpAddr::V4(globals.mcast_group4.unwrap_or(VRRP_GROUP_V4)),
        Family::V6 => IpAddr::V6(globals.mcast_group6.unwrap_or(VRRP_GROUP_V6)),
    };
    if instance.peers.is_empty() && !instance.fault_without_peers {
        return Delivery::Multicast(instance.mcast_dst_ip.unwrap_or(group));
    }
    let ttl = match family {
        Family::V4 => VRRP_TTL,
        Family::V6 => UNICAST_HOPS_V6,
    };
    Delivery::Unicast(Unicast {
        peers: instance.peers.clone(),
        check_source: instance.check_unicast_src || globals.options.check_unicast_src,
        ttl: instance.unicast_ttl.unwrap_or(ttl),
        checksum: match instance.old_unicast_checksum {
            None => UnicastChecksum::Learns(group),
            Some(OldChecksum::Always) => UnicastChecksum::Old(group),
            Some(OldChecksum::Never) => UnicastChecksum::New,
        },
    })
}

/// `state MASTER` without a priority makes an address owner, as in stock.
fn default_priority(instance: &VrrpInstance) -> Priority {
    match instance.state {
        Some(InitialState::Master) => Priority::OWNER,
        _ => Priority::DEFAULT,
    }
}

/// The interval as the version can tell it: rounded half up to whole seconds or centiseconds, and within its limits.
pub(super) fn advert_int(version: Version, written: Option<Duration>) -> Duration {
    let written = written.unwrap_or(Duration::from_secs(1));
    match version {
        Version::V2 => {
            let secs = ((written.as_millis() + 500) / 1000).clamp(1, 255);
            Duration::from_secs(secs as u64)
        }
        Version::V3 => {
            let millis = (written.as_micros() + 5_000) / 10_000 * 10;
            let (shortest, longest) = V3_INTERVALS_MS;
            Duration::from_millis(millis.clamp(shortest, longest) as u64)
        }
    }
}

fn is_strict(globals: &Globals, instance: &VrrpInstance) -> bool {
    instance.options.strict.or(globals.options.strict).unwrap_or(false)
}

/// Whether packets to its addresses are taken although it does not own them; in strict mode not, unless told otherwise.
pub(super) fn accepts(globals: &Globals, instance: &VrrpInstance) -> bool {
    instance.options.accept.unwrap_or(!is_strict(globals, instance))
}

/// In strict mode an address owner does not listen, unless told otherwise.
fn ignores_adverts(globals: &Globals, instance: &VrrpInstance) -> bool {
    let strict = is_strict(globals, instance);
    let own = instance.options.owner_ignore_adverts;
    own.or(strict.then_some(true)).or(globals.options.owner_ignore_adverts).unwrap_or(false)
}

fn garp(globals: &Globals, instance: &VrrpInstance) -> GarpSchedule {
    let (own, all) = (&instance.garp, &globals.garp);
    let extra = instance.options.garp_extra.or(globals.options.garp_extra);
    let mut default = GarpSchedule::default();
    if globals.options.min_garp.unwrap_or(false) {
        default = GarpSchedule { repeat: 1, delay: Duration::ZERO, ..default };
    }
    // Of the first burst, an instance's own settings are not what the answers to lower priorities begin with.
    let repeat = all.master_repeat.unwrap_or(default.repeat);
    let delay = all.master_delay.unwrap_or(default.delay);
    // Strict mode answers a lower priority with nothing.
    let lower = if is_strict(globals, instance) { (0, Duration::ZERO) } else { (repeat, delay) };
    GarpSchedule {
        repeat: own.master_repeat.unwrap_or(repeat).max(1),
        delay: own.master_delay.unwrap_or(delay),
        refresh: own.master_refresh.or(all.master_refresh).unwrap_or(default.refresh),
        refresh_repeat: own
            .master_refresh_repeat
            .or(all.master_refresh_repeat)
            .unwrap_or(default.refresh_repeat)
            .max(1),
        lower_prio_repeat: own.lower_prio_repeat.or(all.lower_prio_repeat).unwrap_or(lower.0),
        lower_prio_delay: own.lower_prio_delay.or(all.lower_prio_delay).unwrap_or(lower.1),
        extra: extra.map(|extra| extra.interval).unwrap_or_default(),
    }
}

/// What is claimed for a line of addresses.
pub(super) fn claim(dev: IfName, address: &VirtualAddress) -> AddressClaim {
    AddressClaim {
        dev,
        cidr: address.cidr,
        peer: address.peer.map(|p| p.ip),
        broadcast: address.broadcast.filter(|_| Family::of(address.cidr.ip) == Family::V4),
        label: address.label.clone(),
        scope: address.scope.unwrap_or(0),
        options: options(address),
        tracked: !address.flags.no_track,
    }
}

/// A single IPv6 address is not for new connections, unless told otherwise: whoever prefers the address of a virtual
/// router as his source loses his connections when it moves.
fn options(address: &VirtualAddress) -> AddressOptions {
    let flags = &address.flags;
    let single = address.cidr.ip.is_ipv6() && address.cidr.prefix == Family::V6.bits();
    AddressOptions {
        dad: flags.dad,
        home: flags.home,
        manage_temporary: flags.manage_temporary,
        no_prefix_route: flags.no_prefix_route,
        autojoin: flags.autojoin,
        preferred: match flags.preferred {
            Some(PreferredLifetime::For(time)) => Some(time),
            Some(PreferredLifetime::Forever) => None,
            None => single.then_some(Duration::ZERO),
        },
        valid: None,
    }
}
