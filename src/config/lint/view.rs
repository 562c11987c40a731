//! What the instances of all nodes are on the wire, each setting with its place.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::base::{Cidr, Family};
use crate::config::diagnostic::Span;
use crate::config::grammar;
use crate::config::tree::Stmt;

/// The settings of all nodes.
#[derive(Debug, Default)]
pub(super) struct View {
    /// The instances, node by node.
    pub(super) routers: Vec<Router>,
    /// The sync groups, node by node.
    pub(super) groups: Vec<SyncGroup>,
}

/// A setting and where it was written, or what it belongs to if it was not.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// One `vrrp_instance` of one node.
#[derive(Debug)]
pub(super) struct Router {
    pub(super) node: usize,
    pub(super) name: At<String>,
    pub(super) interface: Option<String>,
    pub(super) vrid: At<u8>,
    pub(super) family: Family,
    /// 2 or 3.
    pub(super) version: At<u8>,
    /// 1 to 255, the default included.
    pub(super) priority: At<u8>,
    /// `state MASTER`.
    pub(super) master: Option<Span>,
    pub(super) nopreempt: Option<Span>,
    /// In milliseconds, as the version can tell it.
    pub(super) interval: At<u64>,
    pub(super) authentication: At<Authentication>,
    pub(super) addresses: Vec<At<Cidr>>,
    pub(super) excluded: Vec<At<Cidr>>,
    /// `unicast_peer`; empty: multicast.
    pub(super) peers: Vec<At<IpAddr>>,
    /// `unicast_src_ip`.
    pub(super) source: Option<At<IpAddr>>,
    /// Where multicast adverts go.
    pub(super) destination: At<IpAddr>,
    /// `v3_checksum_as_v2`.
    pub(super) old_checksum: At<bool>,
    pub(super) vmac: At<bool>,
    /// Tracked scripts with weights other than 0.
    pub(super) weights: Vec<Weight>,
}

/// What a tracked script does to a priority.
#[derive(Debug)]
pub(super) struct Weight {
    pub(super) script: String,
    /// What its failure adds, and what its success adds.
    pub(super) failed: i32,
    pub(super) good: i32,
    pub(super) span: Span,
}

/// How adverts prove where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Authentication {
    None,
    /// `auth_type PASS`, with the eight bytes that count.
    Pass(Vec<u8>),
    /// `auth_type AH`.
    Ah(String),
    /// `auth_hmac`, with its keys as written.
    Hmac(String),
}

/// One `vrrp_sync_group` of one node.
#[derive(Debug)]
pub(super) struct SyncGroup {
    pub(super) node: usize,
    pub(super) name: At<String>,
    pub(super) members: Vec<String>,
}

/// What the settings for all instances of a node are.
#[derive(Debug, Default)]
struct Globals {
    version: Option<u8>,
    group4: Option<IpAddr>,
    group6: Option<IpAddr>,
    old_checksum: bool,
    /// Weight by script, and whether it is reversed.
    scripts: BTreeMap<String, (i32, bool)>,
}

impl View {
    /// Adds a node.
    pub(super) fn add(&mut self, node: usize, stmts: &[Stmt]) {
        let globals = globals(stmts);
        for stmt in stmts {
            match stmt.row.name {
                "vrrp_instance" => self.routers.extend(router(node, &globals, stmt)),
                "vrrp_sync_group" => self.groups.push(SyncGroup {
                    node,
                    name: at(stmt.word(1).unwrap_or_default().to_owned(), stmt, 1),
                    members: entries(&stmt.body, "group")
                        .flat_map(|e| e.words_from(0).map(str::to_owned).collect::<Vec<_>>())
                        .collect(),
                }),
                _ => {}
            }
        }
    }
}

fn globals(stmts: &[Stmt]) -> Globals {
    let mut globals = Globals::default();
    for stmt in stmts.iter().filter(|s| s.row.name == "global_defs").flat_map(|s| &s.body) {
        match stmt.row.name {
            "vrrp_version" => globals.version = integer(stmt).and_then(|n| u8::try_from(n).ok()),
            "vrrp_mcast_group4" => globals.group4 = address(stmt),
            "vrrp_mcast_group6" => globals.group6 = address(stmt),
            "v3_checksum_as_v2" => globals.old_checksum = is_on(stmt),
            _ => {}
        }
    }
    for stmt in stmts.iter().filter(|s| s.row.name == "vrrp_script") {
        let name = stmt.word(1).unwrap_or_default().to_owned();
        let weight = last(&stmt.body, "weight");
        let number = weight.and_then(integer).unwrap_or(0);
        let reverse = weight.and_then(|w| w.word(2)) == Some("reverse");
        globals.scripts.entry(name).or_insert((small(number), reverse));
    }
    globals
}

/// The instance of a block; `None` if it lacks its VRID, which has been reported.
fn router(node: usize, globals: &Globals, stmt: &Stmt) -> Option<Router> {
    let body = &stmt.body;
    let name = at(stmt.word(1)?.to_owned(), stmt, 1);
    let or_name =
        |s: Option<&Stmt>| s.map_or_else(|| name.span.clone(), |s| s.place(s.len().min(2) - 1).span());
    let vrid = last(body, "virtual_router_id")?;
    let addresses = cidrs(body, "virtual_ipaddress");
    let source = last(body, "unicast_src_ip").and_then(|s| Some(at(address(s)?, s, 1)));
    let peers: Vec<_> =
        entries(body, "unicast_peer").filter_map(|e| Some(at(e.word(0).and_then(ip)?, e, 0))).collect();
    let multicast = last(body, "mcast_dst_ip").and_then(|s| Some((address(s)?, s)));
    let known = [addresses.first().map(|a| a.value.ip), source.as_ref().map(|s| s.value)];
    let known = known.into_iter().flatten().chain(peers.first().map(|p| p.value)).next();
    let family = match known.or(multicast.map(|(ip, _)| ip)) {
        None if last(body, "native_ipv6").is_some() => Family::V6,
        known => known.map_or(Family::V4, Family::of),
    };
    let written = last(body, "version");
    let version = match (written.and_then(integer), family) {
        (_, Family::V6) => 3,
        (Some(n), _) => {
            if n == 3 {
                3
            } else {
                2
            }
        }
        (None, _) => globals.version.unwrap_or(2),
    };
    let state = last(body, "state").filter(|s| s.word(1) == Some("MASTER"));
    let priority = last(body, "priority");
    let number = priority.and_then(integer).and_then(|n| u8::try_from(n).ok()).filter(|n| *n > 0);
    let default = if state.is_some() && priority.is_none() { 255 } else { 100 };
    let interval = last(body, "advert_int");
    let destination = match (family, multicast) {
        (_, Some((ip, s))) => at(ip, s, 1),
        (Family::V4, None) => {
            At { value: globals.group4.unwrap_or([224, 0, 0, 18].into()), span: name.span.clone() }
        }
        (Family::V6, None) => {
            let default = [0xff02, 0, 0, 0, 0, 0, 0, 0x12].into();
            At { value: globals.group6.unwrap_or(default), span: name.span.clone() }
        }
    };
    let checksum = last(body, "v3_checksum_as_v2");
    let vmac = last(body, "use_vmac");
    Some(Router {
        node,
        interface: last(body, "interface").and_then(|s| s.word(1)).map(str::to_owned),
        vrid: at(integer(vrid).and_then(|n| u8::try_from(n).ok()).filter(|n| *n > 0)?, vrid, 1),
        family,
        version: At { value: version, span: or_name(written) },
        priority: At { value: number.unwrap_or(default), span: or_name(priority) },
        master: state.map(|s| s.place(1).span()),
        nopreempt: last(body, "nopreempt").map(|s| s.place(0).span()),
        interval: At { value: milliseconds(interval, version), span: or_name(interval) },
        authentication: authentication(body, version, &name.span),
        excluded: cidrs(body, "virtual_ipaddress_excluded"),
        addresses,
        peers,
        source,
        destination,
        old_checksum: At { value: checksum.map_or(globals.old_checksum, is_on), span: or_name(checksum) },
        vmac: At { value: vmac.is_some(), span: or_name(vmac) },
        weights: weights(body, globals),
        name,
    })
}

/// The interval as the version can tell it: whole seconds, or hundredths.
fn milliseconds(stmt: Option<&Stmt>, version: u8) -> u64 {
    let written = stmt.and_then(|s| s.word(1)).and_then(|w| grammar::decimal(w, 1));
    let micros = written.map_or(1_000_000, |d| d.millionths);
    match version {
        2 => ((micros / 1_000 + 500) / 1_000).clamp(1, 255) * 1_000,
        _ => ((micros + 5_000) / 10_000 * 10).clamp(10, 40_950),
    }
}

fn authentication(body: &[Stmt], version: u8, otherwise: &Span) -> At<Authentication> {
    if let Some(block) = last(body, "auth_hmac") {
        let words: Vec<_> =
            block.body.iter().map(|s| s.words_from(0).collect::<Vec<_>>().join(" ")).collect();
        return at(Authentication::Hmac(words.join("\n")), block, 0);
    }
    let none = At { value: Authentication::None, span: otherwise.clone() };
    let Some(block) = last(body, "authentication").filter(|_| version == 2) else { return none };
    let kind = last(&block.body, "auth_type").and_then(|s| s.word(1));
    let Some(pass) = last(&block.body, "auth_pass").and_then(|s| s.word(1)).filter(|p| !p.is_empty()) else {
        return none;
    };
    let value = match kind {
        Some("PASS") => Authentication::Pass(pass.bytes().take(8).collect()),
        Some("AH") => Authentication::Ah(pass.to_owned()),
        _ => return none,
    };
    at(value, block, 0)
}

fn weights(body: &[Stmt], globals: &Globals) -> Vec<Weight> {
    let tracked = entries(body, "track_script").filter_map(|entry| {
        let script = entry.word(0)?.to_owned();
        let (own, reversed) = *globals.scripts.get(&script)?;
        let written = entry.word(2).filter(|_| entry.word(1) == Some("weight"));
        let weight = written.and_then(|w| grammar::integer(w).0).map_or(own, small);
        let reverse = match entry.word(3) {
            Some("reverse") => true,
            Some("noreverse") => false,
            _ => reversed,
        };
        // A positive weight counts while the script succeeds, a negative one while it fails.
        let points = if reverse { -weight } else { weight };
        let (good, failed) = if weight > 0 { (points, 0) } else { (0, points) };
        (weight != 0).then(|| Weight { script, failed, good, span: entry.place(0).span() })
    });
    tracked.collect()
}

/// The last statement of a keyword, which is the one that counts.
fn last<'a>(body: &'a [Stmt], keyword: &str) -> Option<&'a Stmt> {
    body.iter().rfind(|s| s.row.name == keyword)
}

/// The entries of all lists of a keyword.
fn entries<'a>(body: &'a [Stmt], keyword: &'a str) -> impl Iterator<Item = &'a Stmt> {
    body.iter().filter(move |s| s.row.name == keyword).flat_map(|s| &s.body)
}

fn cidrs(body: &[Stmt], keyword: &str) -> Vec<At<Cidr>> {
    let cidr = |entry: &Stmt| {
        let (ip, prefix) = grammar::address(entry.word(0)?)?;
        let written = prefix.and_then(|p| p.parse().ok()).and_then(|p| Cidr::new(ip, p));
        Some(at(written.unwrap_or(Cidr::host(ip)), entry, 0))
    };
    entries(body, keyword).filter_map(cidr).collect()
}

fn at<T>(value: T, stmt: &Stmt, word: usize) -> At<T> {
    At { value, span: stmt.place(word).span() }
}

fn integer(stmt: &Stmt) -> Option<i64> {
    grammar::integer(stmt.word(1)?).0
}

/// A weight; nothing that the tables let pass is larger.
fn small(number: i64) -> i32 {
    i32::try_from(number.clamp(-254, 254)).unwrap_or(0)
}

fn address(stmt: &Stmt) -> Option<IpAddr> {
    stmt.word(1).and_then(ip)
}

fn ip(word: &str) -> Option<IpAddr> {
    grammar::address(word).map(|(ip, _)| ip)
}

fn is_on(stmt: &Stmt) -> bool {
    stmt.word(1).and_then(grammar::boolean) != Some(false)
}
