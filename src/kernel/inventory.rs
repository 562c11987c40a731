//! What a daemon may put into the kernel, in a file beside its pid file: one that is killed cannot take it away again, so
//! the next one does, as far as it does not claim it itself. An address of an instance that nobody has any more would
//! answer beside its new owner.
//!
//! The file has a line that says what it is, one with the boot of the machine and its network, and one for each claim. It
//! is written when a configuration comes into effect, and not when claims change: what it names is taken away only if
//! the kernel says that it is keepalived's, too.

use std::collections::BTreeSet;

use super::claim::Claim;
use super::mirror::Mirror;
use crate::base::{Cidr, IfName, MacAddr};
use crate::host::loader::LinkKind;
use crate::host::route::RouteKey;
use crate::host::{FirewallTable, Link, Rule, Setting, VirtualKind};

/// The first line of the file.
const HEAD: &str = "keepalived-rs claims 1";
/// The beginning of the second.
const BOOT: &str = "boot ";

/// What a predecessor that was killed may have left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory(BTreeSet<String>);

impl Inventory {
    /// The text of the file, for these claims.
    pub fn text<'a>(boot: &str, claims: impl Iterator<Item = &'a Claim>) -> String {
        let lines: BTreeSet<String> = claims.filter_map(line).collect();
        let mut text = format!("{HEAD}\n{BOOT}{boot}\n");
        for line in lines {
            text += &line;
            text.push('\n');
        }
        text
    }

    /// What `text` says; nothing if it is about another boot or another network. A line that was not finished names
    /// nothing.
    pub fn parse(boot: &str, text: &str) -> Self {
        let mut lines = text.lines();
        let head = lines.next().filter(|line| *line == HEAD);
        let same = head.and_then(|_| lines.next()?.strip_prefix(BOOT)).is_some_and(|of| of == boot);
        if boot.is_empty() || !same {
            return Self::default();
        }
        Self(lines.map(str::to_owned).collect())
    }

    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has_address(&self, dev: &IfName, cidr: Cidr) -> bool {
        self.0.contains(&address(dev, cidr))
    }

    pub(super) fn has_route(&self, key: &RouteKey) -> bool {
        self.0.contains(&route(key))
    }

    pub(super) fn has_rule(&self, of: &Rule) -> bool {
        self.0.contains(&rule(of))
    }

    /// What it was made to be, if a link is one that it names.
    pub(super) fn link(&self, link: &Link, mirror: &Mirror) -> Option<VirtualKind> {
        let base = mirror.link_at(link.stacking.base?)?;
        let kind = match link.stacking.kind {
            LinkKind::Macvlan { private: true } => VirtualKind::Macvlan(link.mac?),
            _ => return None,
        };
        self.0.contains(&vmac(&link.name, link.mac?, &base.name)).then_some(kind)
    }

    /// The tables of the packet filter that it names.
    pub(super) fn tables(&self) -> impl Iterator<Item = FirewallTable> {
        let name = |line: &String| line.strip_prefix(TABLE).map(str::to_owned);
        let table = |name| FirewallTable { name, priority: 0, counters: false };
        self.0.iter().filter_map(name).map(table)
    }
}

/// What a line about a table of the packet filter begins with.
const TABLE: &str = "table ";

/// The line of a claim; `None`: it needs none. An ipvlan has nothing that tells it from somebody else's.
fn line(claim: &Claim) -> Option<String> {
    match claim {
        Claim::Address(claim) => Some(address(&claim.dev, claim.cidr)),
        Claim::Route(claim) => Some(route(&claim.route.key())),
        Claim::Rule(claim) => Some(rule(&claim.rule)),
        Claim::Link(claim) => match claim.kind {
            VirtualKind::Macvlan(mac) => Some(vmac(&claim.name, mac, &claim.base)),
            VirtualKind::Ipvlan(_) => None,
        },
        Claim::Setting(Setting::Filter(table)) => Some(format!("{TABLE}{}", table.name)),
        // Goes with its link or its table, or is noted where it is changed.
        Claim::LinkLocal(_) | Claim::Firewall(_) | Claim::Setting(_) => None,
    }
}

fn address(dev: &IfName, cidr: Cidr) -> String {
    format!("address {cidr} {dev}")
}

fn route(key: &RouteKey) -> String {
    let (family, table, destination, from, tos, metric) = key;
    let from = from.map_or_else(|| "any".to_owned(), |from| from.to_string());
    format!("route {family} {destination} {from} {tos} {metric} {table}")
}

/// All of it counts, and nobody has to read it.
fn rule(rule: &Rule) -> String {
    format!("rule {rule:?}")
}

fn vmac(name: &IfName, mac: MacAddr, base: &IfName) -> String {
    format!("vmac {mac} {name} {base}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::AddressClaim;

    #[test]
    fn what_is_written_is_read_and_of_another_boot_nothing() {
        let eth0 = IfName::new("eth0").unwrap();
        let cidr = |prefix| Cidr { ip: "10.0.0.1".parse().unwrap(), prefix };
        let claim = Claim::Address(AddressClaim::new(eth0.clone(), cidr(24)).into());
        let text = Inventory::text("one", [&claim, &claim].into_iter());
        let read = Inventory::parse("one", &text);
        assert!(read.has_address(&eth0, cidr(24)) && !read.has_address(&eth0, cidr(32)));
        for (boot, text) in [("two", text.as_str()), ("", &text.replace("one", "")), ("one", "")] {
            assert!(Inventory::parse(boot, text).is_empty(), "{boot}: {text}");
        }
        let short = &text[..text.len() - 2];
        assert!(!Inventory::parse("one", short).has_address(&eth0, cidr(24)), "{short}");
    }
}
