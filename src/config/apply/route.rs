//! Route lines: `[to] [TYPE] DESTINATION via ADDRESS dev IF … nexthop …`.

mod encap;
mod metric;

use super::super::diagnostic::{Class, Severity};
use super::super::model::{NextHop, Realms, Route, RouteOrder};
use super::super::names::NameTable;
use super::super::schema::Table;
use super::super::schema::routes::STATIC_ROUTES;
use super::super::tree::Stmt;
use super::Build;
use super::words::{Dropped, Words, decimal};
use crate::base::{Cidr, Family, IfName};
use crate::host::loader::LinkKind;

/// The protocol number that says who made a route or rule: keepalived.
pub(super) const KEEPALIVED: u8 = 18;

/// What the types of routes are called, and their numbers of rtnetlink.
const TYPES: [(&str, u8); 12] = [
    ("unicast", 1),
    ("local", 2),
    ("broadcast", 3),
    ("brd", 3),
    ("anycast", 4),
    ("multicast", 5),
    ("blackhole", 6),
    ("unreachable", 7),
    ("prohibit", 8),
    ("throw", 9),
    ("nat", 10),
    ("xresolve", 11),
];

/// A route line being read.
struct Reading<'s> {
    words: Words<'s>,
    route: Route,
    family: Option<Family>,
    /// A destination has been read; `default` is one without a network.
    has_destination: bool,
    is_static: bool,
}

/// Reads a route line; `None` if it is to be dropped. `table` has the words it may have.
pub(crate) fn line(b: &mut Build<'_>, stmt: &Stmt, table: &'static Table) -> Option<Route> {
    let mut reading = Reading {
        words: Words::of(stmt),
        route: empty(),
        family: None,
        has_destination: false,
        is_static: std::ptr::eq(table, &raw const STATIC_ROUTES),
    };
    while let Some(word) = reading.words.next() {
        reading.word(b, word).ok()?;
    }
    reading.finish(b, stmt).ok()
}

fn empty() -> Route {
    Route {
        kind: 1,
        family: Family::V4,
        destination: None,
        source: None,
        from: None,
        via: None,
        dev: None,
        onlink: false,
        tos: None,
        table: None,
        protocol: None,
        scope: None,
        metric: None,
        encap: None,
        expires: None,
        realms: None,
        pref: None,
        ttl_propagate: None,
        metrics: Vec::new(),
        congestion: None,
        order: RouteOrder::default(),
        vrf: None,
        nexthops: Vec::new(),
        tracked: true,
        track_group: None,
    }
}

impl Reading<'_> {
    fn word(&mut self, b: &mut Build<'_>, word: &str) -> Result<(), Dropped> {
        let Self { words, route, family, .. } = self;
        match word {
            "inet" => words.family(b, family, Family::V4)?,
            "inet6" => words.family(b, family, Family::V6)?,
            "src" => route.source = Some(words.address(b, word, family)?),
            "via" => route.via = Some(words.address(b, word, family)?),
            "gw" => {
                words.error(b, "'gw' is deprecated - please use 'via'");
                route.via = Some(words.address(b, "via", family)?);
            }
            "or" => {
                words.error(b, "'or' is deprecated - please use 'nexthop'");
                let via = Some(words.address(b, "via", family)?);
                if route.nexthops.is_empty() {
                    let first =
                        NextHop { via: route.via.take(), dev: route.dev.clone(), ..NextHop::default() };
                    let second = NextHop { via, dev: route.dev.clone(), ..NextHop::default() };
                    route.nexthops = vec![first, second];
                }
            }
            "from" => {
                let value = words.value(b, word)?;
                words.family(b, family, Family::V6)?;
                route.from = if value == "default" { None } else { Some(words.network(b, value, family)?) };
            }
            "tos" | "dsfield" => {
                route.tos = u8::try_from(words.named(b, "TOS", NameTable::DsField, 255)?).ok();
            }
            "table" => route.table = Some(routing_table(b, words)?),
            "protocol" => {
                route.protocol = u8::try_from(words.named(b, "protocol", NameTable::Protocols, 255)?).ok();
            }
            "scope" => route.scope = u8::try_from(words.named(b, "scope", NameTable::Scopes, 255)?).ok(),
            "metric" | "priority" | "preference" => {
                route.metric = Some(words.number(b, word, u32::MAX.into())?);
            }
            "dev" | "oif" => route.dev = Some(words.interface(b, word, "VROUTE nexthop")?),
            "onlink" => route.onlink = true,
            "encap" => route.encap = encap::read(b, words, word)?,
            "expires" => {
                words.family(b, family, Family::V6)?;
                let seconds = words.number(b, word, u32::MAX.into())?;
                route.expires = Some(std::time::Duration::from_secs(seconds));
            }
            "realms" => {
                words.family(b, family, Family::V4)?;
                route.realms = Some(realms(b, words)?);
            }
            "pref" => {
                words.family(b, family, Family::V6)?;
                route.pref = Some(preference(b, words)?);
            }
            "ttl-propagate" => {
                let value = words.value(b, word)?;
                if !matches!(value, "enabled" | "disabled") {
                    words.error(b, format!("ttl-propagate is enabled or disabled, not '{value}'"));
                }
                route.ttl_propagate = Some(value == "enabled");
            }
            "congctl" => {
                let locked = words.skip("lock");
                route.congestion = Some((words.value(b, word)?.to_owned(), locked));
            }
            "add" => route.order = RouteOrder::Add,
            "prepend" => route.order = RouteOrder::Prepend,
            "append" => route.order = RouteOrder::Append,
            "as" => {
                words.error(b, "'as' is for MPLS only - ignoring");
                words.skip("to");
                words.next();
            }
            "no_track" => route.tracked = false,
            "vrf" => vrf(b, words, route)?,
            "track_group" if self.is_static => self.track_group(b)?,
            "nexthop" => self.nexthops(b),
            "to" => {
                let value = words.value(b, word)?;
                self.destination(b, value)?;
            }
            _ => match metric::read(b, words, word)? {
                Some(metric) => route.metrics.push(metric),
                None => self.kind_or_destination(b, word)?,
            },
        }
        Ok(())
    }

    /// A type with the destination behind it, or a destination. What is no keyword must be one of these.
    fn kind_or_destination(&mut self, b: &mut Build<'_>, word: &str) -> Result<(), Dropped> {
        let kind = TYPES.iter().find(|t| t.0 == word).map(|t| t.1);
        let Some(kind) = kind.or_else(|| decimal(word).and_then(|n| u8::try_from(n).ok())) else {
            return self.destination(b, word);
        };
        self.route.kind = kind;
        let place = self.words.place();
        let before = b.report.list.len();
        let read = self.words.value(b, word).and_then(|destination| self.destination(b, destination));
        if read.is_err()
            && let Some(why) = b.report.list.get_mut(before)
        {
            why.span = Some(place.span());
            why.hint = Some(format!(
                "'{word}' is taken for the type of the route, which stands directly before the destination"
            ));
        }
        read
    }

    /// A destination.
    fn destination(&mut self, b: &mut Build<'_>, word: &str) -> Result<(), Dropped> {
        self.route.destination = match word {
            "default" | "any" | "all" => None,
            "default6" => {
                self.words.family(b, &mut self.family, Family::V6)?;
                None
            }
            _ if word.starts_with(|c: char| c.is_ascii_digit()) || word.contains(':') => {
                Some(self.words.network(b, word, &mut self.family)?)
            }
            _ => {
                self.words
                    .error(b, format!("unknown route keyword '{word}' - dropping the route"))
                    .hint("a destination is a network, default, any, all or default6");
                return Err(Dropped);
            }
        };
        self.has_destination = true;
        Ok(())
    }

    fn track_group(&mut self, b: &mut Build<'_>) -> Result<(), Dropped> {
        let name = self.words.value(b, "track_group")?;
        if self.route.track_group.is_some() {
            self.words.error(b, format!("track_group {name} is a duplicate - dropping the route"));
            return Err(Dropped);
        }
        if super::statics::known_group(b, &self.words.place(), name) {
            self.route.track_group = Some(name.to_owned());
        }
        Ok(())
    }

    /// All that follows `nexthop`, to the end of the line.
    fn nexthops(&mut self, b: &mut Build<'_>) {
        loop {
            if let Some(hop) = self.nexthop(b) {
                self.route.nexthops.push(hop);
            }
            match self.words.next() {
                None => return,
                Some("nexthop") => {}
                Some(word) => {
                    self.words
                        .error(b, format!("Route has trailing nonsense after nexthops - {word}"))
                        .hint("what concerns the whole route stands before the first nexthop");
                    while self.words.next().is_some() {}
                    return;
                }
            }
        }
    }

    /// One next hop; `None` if it is dropped.
    fn nexthop(&mut self, b: &mut Build<'_>) -> Option<NextHop> {
        let Self { words, family, .. } = self;
        let mut hop = NextHop::default();
        let mut good = true;
        while let Some(word) = words.next_of(&["via", "dev", "weight", "onlink", "encap", "realms"]) {
            let read = match word {
                "via" => words.address(b, word, family).map(|ip| hop.via = Some(ip)),
                "dev" => words.interface(b, word, "VROUTE nexthop").map(|dev| hop.dev = Some(dev)),
                "weight" => weight(b, words).map(|weight| hop.weight = Some(weight)),
                "encap" => encap::read(b, words, word).map(|encap| hop.encap = encap),
                "realms" => realms(b, words).map(|realms| hop.realms = Some(realms)),
                _ => {
                    hop.onlink = true;
                    Ok(())
                }
            };
            good &= read.is_ok();
        }
        good.then_some(hop)
    }

    /// What concerns the whole line.
    fn finish(mut self, b: &mut Build<'_>, stmt: &Stmt) -> Result<Route, Dropped> {
        if !self.has_destination {
            b.report.error(&stmt.line, "Route must have a destination - dropping it");
            return Err(Dropped);
        }
        let route = &mut self.route;
        route.family = self.family.unwrap_or(Family::V4);
        if route.track_group.is_some() && route.dev.is_none() {
            b.report
                .error(&stmt.line, "a route with a track_group must have a dev - ignoring the track_group");
            route.track_group = None;
        }
        if route.tracked && route.protocol.is_some_and(|p| p != KEEPALIVED) {
            b.report
                .error(
                    &stmt.line,
                    "Route cannot be tracked with a protocol that is not keepalived - using keepalived",
                )
                .hint("add no_track to keep the protocol");
            route.protocol = None;
        }
        if route.tracked && route.dev.is_none() {
            let text = "Warning - cannot track a route with no interface - not tracking it";
            // There is no interface to depend on; put back when somebody removes it, it is all the same.
            b.report.at(&stmt.line, Severity::Warning, Class::Config, text).hint("add dev, or say no_track");
        }
        Ok(self.route)
    }
}

/// The number of a routing table. Stock cuts numbers off to 32 bits without a word.
pub(super) fn routing_table(b: &mut Build<'_>, words: &mut Words<'_>) -> Result<u32, Dropped> {
    let table = words.named(b, "table", NameTable::Tables, u32::MAX)?;
    let place = words.place();
    let exact = super::super::names::c_integer(place.text().trim_matches('"'));
    if exact.is_some_and(|n| n != i128::from(table)) {
        b.report.warning(&place, format!("'{}' is not a routing table; {table} used", place.text()));
    }
    Ok(table)
}

/// `[FROM/]TO`.
pub(super) fn realms(b: &mut Build<'_>, words: &mut Words<'_>) -> Result<Realms, Dropped> {
    let word = words.value(b, "realms")?;
    let mut realm = |name: &str| b.named(NameTable::Realms, name).and_then(|n| u8::try_from(n).ok());
    let found = match word.split_once('/') {
        Some((from, to)) => realm(from).zip(realm(to)).map(|(from, to)| Realms { from, to }),
        None => realm(word).map(|to| Realms { from: 0, to }),
    };
    found.ok_or_else(|| {
        words
            .error(b, format!("Invalid realms {word}"))
            .hint("[FROM/]TO: numbers from 0 to 255, or names of rt_realms");
        Dropped
    })
}

/// `pref`: the numbers are the kernel's (RFC 4191 section 2.1).
fn preference(b: &mut Build<'_>, words: &mut Words<'_>) -> Result<u8, Dropped> {
    let word = words.value(b, "pref")?;
    let found = match word {
        "low" => Some(3),
        "medium" => Some(0),
        "high" => Some(1),
        _ => decimal(word).and_then(|n| u8::try_from(n).ok()),
    };
    found.ok_or_else(|| {
        words.error(b, format!("pref is low, medium, high or a number from 0 to 255, not '{word}'"));
        Dropped
    })
}

/// The routing table of a VRF, for a route.
fn vrf(b: &mut Build<'_>, words: &mut Words<'_>, route: &mut Route) -> Result<(), Dropped> {
    let word = words.value(b, "vrf")?;
    let found = IfName::new(word).filter(|n| b.loader.interface_exists(n)).ok_or_else(|| {
        words.error(b, format!("VRF {word} not found for route - dropping the route"));
        Dropped
    })?;
    match b.loader.link(&found).map(|link| link.kind) {
        Some(LinkKind::Vrf { table }) => route.table = Some(table),
        None => {}
        Some(_) => {
            words.error(b, format!("Route specified VRF {word} is not a VRF - dropping the route"));
            return Err(Dropped);
        }
    }
    route.vrf = Some(found);
    Ok(())
}

/// `weight` of a next hop.
fn weight(b: &mut Build<'_>, words: &mut Words<'_>) -> Result<u16, Dropped> {
    let word = words.value(b, "weight")?;
    decimal(word).filter(|n| (1..=256).contains(n)).and_then(|n| u16::try_from(n).ok()).ok_or_else(|| {
        words.error(
            b,
            format!("'weight' must be a number from 1 to 256, not '{word}' - dropping the next hop"),
        );
        Dropped
    })
}

/// The network of a rule's `from` or `to`; `None`: any.
pub(super) fn selector(
    b: &mut Build<'_>,
    words: &mut Words<'_>,
    keyword: &str,
    family: &mut Option<Family>,
) -> Result<Option<Cidr>, Dropped> {
    match words.value(b, keyword)? {
        "default" | "any" | "all" => Ok(None),
        word => words.network(b, word, family).map(Some),
    }
}
