//! The ledger, with a kernel that does as it is told: one file for each subject.

mod addresses;
mod hand_over;
mod interfaces;
mod leftovers;
mod routes;
mod vmac;

use std::sync::Arc;
use std::time::Duration;

use super::super::claim::{AddressClaim, FirewallClaim, LinkClaim, RouteClaim, RuleClaim};
use super::entry::{FIRST_PAUSE, PEACE};
use super::*;
use crate::base::{Cidr, Family, IfIndex, MacAddr};
use crate::host::loader::LinkKind;
use crate::host::route::{Hop, Route, RouteOptions, RuleAction};
use crate::host::{
    Address, Dump, FirewallRule, FirewallTable, KernelEvent, Link, Setting, Stacking, VirtualKind,
};

const ONE: InstanceId = InstanceId(0);
const TWO: InstanceId = InstanceId(1);
const ETH0: IfIndex = IfIndex(2);

fn name(text: &str) -> IfName {
    IfName::new(text).unwrap()
}

fn cidr(text: &str) -> Cidr {
    Cidr { ip: text.parse().unwrap(), prefix: 24 }
}

fn claim(ip: &str) -> AddressClaim {
    AddressClaim::new(name("eth0"), cidr(ip))
}

fn watch(interface: &str) -> Watch {
    let interface = Some(name(interface));
    Watch {
        interface,
        vmac: None,
        from_vmac: false,
        vrf: None,
        family: Family::V4,
        source: None,
        anywhere: false,
    }
}

fn claims(ips: &[&str]) -> Vec<Claim> {
    ips.iter().map(|ip| Claim::Address(claim(ip).into())).collect()
}

/// `ROUTE via 10.0.0.9 dev eth0`, or by way of whatever interface leads there.
fn route(to: &str, dev: Option<&str>, tracked: bool) -> Arc<RouteClaim> {
    let route = Route {
        family: Family::V4,
        table: 254,
        destination: cidr(to),
        from: None,
        tos: 0,
        metric: None,
        kind: 1,
        protocol: 18,
        scope: None,
        source: None,
        hop: Hop { via: "10.0.0.9".parse().ok(), link: dev.map(name), ..Hop::default() },
        nexthops: vec![],
        options: RouteOptions::default(),
    };
    Arc::new(RouteClaim { route, tracked })
}

fn rule(preference: u32) -> Arc<RuleClaim> {
    let rule = Rule {
        family: Family::V4,
        preference,
        inverted: false,
        from: Some(cidr("10.1.0.0")),
        to: None,
        tos: 0,
        mark: None,
        iif: None,
        oif: None,
        tunnel: None,
        users: None,
        ip_protocol: None,
        source_ports: None,
        destination_ports: None,
        realms: None,
        suppress_prefix: None,
        suppress_group: None,
        action: RuleAction::Table(7),
        protocol: 18,
    };
    Arc::new(RuleClaim { rule, tracked: true })
}

fn link(running: bool) -> Link {
    Link {
        index: ETH0,
        name: name("eth0"),
        up: true,
        running,
        multicast: true,
        arp: true,
        loopback: false,
        mtu: 1500,
        mac: Some(MacAddr([2, 0, 0, 0, 0, 1])),
        stacking: Stacking::default(),
    }
}

fn rule_text(rule: &FirewallRule) -> String {
    match rule {
        FirewallRule::Divert { link, family, .. } => format!("{family} of {}", link.0),
        FirewallRule::Drop { ip, .. } => ip.to_string(),
    }
}

/// A ledger with a kernel that does as it is told.
struct Bench {
    ledger: Ledger,
    mirror: Mirror,
    now: Instant,
    /// Changes the kernel has not answered yet.
    open: Vec<(Key, KernelOp)>,
    out: Vec<Output>,
}

impl Bench {
    /// Two instances, with `10.0.0.1` and `10.0.0.2`, the second one shared; the kernel has `present` on eth0.
    fn new(present: &[&str]) -> Self {
        let mut ledger = Ledger::default();
        ledger.register(ONE, watch("eth0"), &claims(&["10.0.0.1", "10.0.0.2"]));
        ledger.register(TWO, watch("eth0"), &claims(&["10.0.0.2"]));
        Self::of(ledger, present)
    }

    fn of(ledger: Ledger, present: &[&str]) -> Self {
        let addresses = present.iter().map(|ip| claim(ip).on(ETH0)).collect();
        Self::on(ledger, Dump { links: vec![link(true)], addresses, ..Dump::default() })
    }

    fn on(ledger: Ledger, dump: Dump) -> Self {
        let now = Instant::from_micros(60_000_000);
        let mut bench = Self { ledger, mirror: Mirror::default(), now, open: Vec::new(), out: Vec::new() };
        bench.event(&KernelEvent::Resync(dump));
        bench
    }

    fn event(&mut self, event: &KernelEvent) {
        self.mirror.apply(event);
        self.ledger.event(&self.mirror, event);
        self.settle();
    }

    fn claim(&mut self, owner: InstanceId, hold: bool, number: u64) {
        self.ledger.claim(Owner::Instance(owner), hold, number);
        self.settle();
    }

    fn settle(&mut self) {
        for output in self.ledger.settle(self.now, &self.mirror) {
            match output {
                Output::Apply(changes) => self.open.extend(changes),
                output => self.out.push(output),
            }
        }
    }

    /// The kernel answers everything that is open.
    fn answer(&mut self, answer: Result<(), Errno>) {
        for (key, op) in std::mem::take(&mut self.open) {
            self.out.extend(self.ledger.answer(self.now, &mut self.mirror, key, &op, answer));
        }
        self.settle();
    }

    /// Somebody deletes an address.
    fn delete(&mut self, ip: &str) {
        self.event(&KernelEvent::AddressGone(claim(ip).on(ETH0)));
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.settle();
    }

    fn ops(&self) -> Vec<String> {
        let text = |(_, op): &(Key, KernelOp)| match op {
            KernelOp::AddAddress(Address { cidr, .. }) => format!("add {}", cidr.ip),
            KernelOp::ChangeAddress(Address { cidr, options, .. }) => match options.valid {
                Some(valid) => format!("{} for {} s", cidr.ip, valid.as_secs()),
                None => format!("{} for ever", cidr.ip),
            },
            KernelOp::DeleteAddress(Address { cidr, .. }) => format!("delete {}", cidr.ip),
            KernelOp::AddRoute(route) => format!("add {}", route.destination.ip),
            KernelOp::DeleteRoute(route) => format!("delete {}", route.destination.ip),
            KernelOp::AddRule(rule) => format!("add {}", rule.preference),
            KernelOp::DeleteRule(rule) => format!("delete {}", rule.preference),
            KernelOp::AddLink(link, _) => format!("make {}", link.name),
            KernelOp::DeleteLink(link, _) => format!("unmake {}", link.name),
            KernelOp::AddFirewall(entry) => format!("filter {}", rule_text(&entry.rule)),
            KernelOp::DeleteFirewall(entry) => format!("unfilter {}", rule_text(&entry.rule)),
            KernelOp::Set(setting) => format!("set {setting}"),
            KernelOp::Unset(setting) => format!("unset {setting}"),
        };
        self.open.iter().map(text).collect()
    }

    fn present(&self) -> Vec<String> {
        self.mirror.addresses(ETH0).iter().map(|a| a.cidr.ip.to_string()).collect()
    }
}
