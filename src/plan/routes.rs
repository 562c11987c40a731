//! Routes, rules and static items: numbers and names resolved, and who depends on which interface.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::{Subject, TrackPlan};
use crate::base::{Cidr, Family, IfName};
use crate::config::model::{self, Config, VrrpInstance};
use crate::host::route::{Hop, Route, RouteOptions, Rule};
use crate::kernel::{Claim, RouteClaim, RuleClaim};

/// The routing table of routes that name none.
const MAIN_TABLE: u32 = 254;
/// The preference of the first rule that has none; each further one of its family gets one less.
const FIRST_PREFERENCE: u32 = 16_384;

/// Hands out preferences.
#[derive(Debug)]
pub(super) struct Preferences {
    v4: u32,
    v6: u32,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { v4: FIRST_PREFERENCE, v6: FIRST_PREFERENCE }
    }
}

impl Preferences {
    fn next(&mut self, family: Family) -> u32 {
        let counter = match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        };
        let preference = *counter;
        *counter = counter.saturating_sub(1);
        preference
    }
}

/// What is wanted from start to stop.
pub(super) fn statics(config: &Config, preferences: &mut Preferences) -> Vec<Claim> {
    let address = |a: &model::StaticAddress| Some(super::instance::claim(a.address.dev.clone()?, &a.address));
    let mut claims: Vec<Claim> =
        config.static_addresses.iter().filter_map(address).map(|a| Claim::Address(a.into())).collect();
    claims.extend(routes(&config.static_routes).into_iter().map(Claim::Route));
    claims.extend(rules(&config.static_rules, preferences).into_iter().map(Claim::Rule));
    claims
}

/// What is wanted of `virtual_routes`.
pub(super) fn routes(routes: &[model::Route]) -> Vec<Arc<RouteClaim>> {
    routes.iter().map(|r| Arc::new(RouteClaim { route: route(r), tracked: r.tracked })).collect()
}

/// What is wanted of `virtual_rules`.
pub(super) fn rules(rules: &[model::Rule], preferences: &mut Preferences) -> Vec<Arc<RuleClaim>> {
    let claim = |r: &model::Rule| {
        let preference = r.preference.unwrap_or_else(|| preferences.next(r.family));
        Arc::new(RuleClaim { rule: rule(r, preference), tracked: r.tracked })
    };
    rules.iter().map(claim).collect()
}

fn route(route: &model::Route) -> Route<IfName> {
    let everywhere = match route.family {
        Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    Route {
        family: route.family,
        table: route.table.unwrap_or(MAIN_TABLE),
        destination: route.destination.unwrap_or(Cidr { ip: everywhere, prefix: 0 }),
        from: route.from,
        tos: route.tos.unwrap_or(0),
        metric: route.metric,
        kind: route.kind,
        protocol: route.protocol.unwrap_or(Route::<IfName>::PROTO_KEEPALIVED),
        scope: route.scope,
        source: route.source,
        hop: Hop {
            via: route.via,
            link: route.dev.clone(),
            weight: 1,
            onlink: route.onlink,
            encap: route.encap.clone(),
            realms: route.realms,
        },
        nexthops: route.nexthops.iter().map(hop).collect(),
        options: RouteOptions {
            order: route.order,
            expires: route.expires,
            pref: route.pref,
            ttl_propagate: route.ttl_propagate,
            metrics: route.metrics.clone(),
            congestion: route.congestion.clone(),
        },
    }
}

fn hop(hop: &model::NextHop) -> Hop<IfName> {
    Hop {
        via: hop.via,
        link: hop.dev.clone(),
        weight: hop.weight.unwrap_or(1),
        onlink: hop.onlink,
        encap: hop.encap.clone(),
        realms: hop.realms,
    }
}

/// The rule, with what the kernel takes for "any" left out: so it reports it.
fn rule(rule: &model::Rule, preference: u32) -> Rule {
    Rule {
        family: rule.family,
        preference,
        inverted: rule.inverted,
        from: rule.from.filter(|net| net.prefix > 0),
        to: rule.to.filter(|net| net.prefix > 0),
        tos: rule.tos.unwrap_or(0),
        mark: rule.mark.filter(|mark| *mark != (0, 0)),
        iif: rule.iif.clone(),
        oif: rule.oif.clone(),
        tunnel: rule.tunnel.filter(|id| *id != 0),
        users: rule.users,
        ip_protocol: rule.ip_protocol.filter(|number| *number != 0),
        source_ports: rule.source_ports,
        destination_ports: rule.destination_ports,
        realms: rule.realms,
        suppress_prefix: rule.suppress_prefix,
        suppress_group: rule.suppress_group,
        action: rule.action,
        protocol: rule.protocol.unwrap_or(Route::<IfName>::PROTO_KEEPALIVED),
    }
}

/// Adds to `tracks` the interfaces without which `instance` could not hold its addresses and routes, and those of static
/// items that name a group it is in.
pub(super) fn track_devices(config: &Config, instance: &VrrpInstance, tracks: &mut Vec<TrackPlan>) {
    let held = instance.addresses.iter().chain(&instance.excluded).filter(|a| !a.flags.no_track);
    let routes = instance.options.routes.iter().filter(|route| route.tracked);
    let interface = instance.interface.as_ref();
    let elsewhere = held.filter_map(|a| a.dev.as_ref()).filter(|dev| Some(*dev) != interface);
    let own = elsewhere.chain(routes.filter_map(|r| r.dev.as_ref()));
    let is_member = |group: &Option<String>| {
        let group = config.track_groups.iter().find(|g| Some(&g.name) == group.as_ref());
        group.is_some_and(|g| g.members.contains(&instance.name))
    };
    let addresses = config.static_addresses.iter().filter(|a| is_member(&a.track_group));
    let routes = config.static_routes.iter().filter(|r| is_member(&r.track_group));
    let rules = config.static_rules.iter().filter(|r| is_member(&r.track_group));
    let devices = own
        .chain(addresses.filter_map(|a| a.address.dev.as_ref()))
        .chain(routes.filter_map(|r| r.dev.as_ref()))
        .chain(rules.filter_map(|r| r.iif.as_ref()));
    // Its own interface it watches anyway. With `dont_track_primary` its addresses do not need it; routes and static items
    // that name it do.
    for dev in devices.filter(|dev| instance.dont_track_primary || Some(*dev) != interface) {
        let what = Subject::Interface(dev.clone());
        match tracks.iter_mut().find(|track| track.what == what) {
            // A weight says that the instance can do without, which is not so: stock lets it have no effect.
            Some(track) => (track.weight, track.reverse) = (0, false),
            None => tracks.push(TrackPlan { what, weight: 0, reverse: false }),
        }
    }
}
