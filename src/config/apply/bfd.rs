//! `bfd_instance`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::model::BfdInstance;
use super::super::tree::Stmt;
use super::track_file::reverse;
use super::{Build, put};
use crate::base::Family;

/// The longest name, in bytes.
const NAME_MAX: usize = 31;

/// A block being read.
#[derive(Debug)]
pub(crate) struct Draft {
    instance: BfdInstance,
    /// `neighbor_ip`, which [`BfdInstance`] cannot be without.
    neighbor: Option<IpAddr>,
    /// It cannot be used; why has been said.
    bad: bool,
}

/// The sessions by neighbour, and whether they go over several hops: the numbers of the first ones.
#[derive(Debug, Default)]
pub(crate) struct Sessions(BTreeMap<(IpAddr, bool), Neighbor>);

#[derive(Debug)]
struct Neighbor {
    /// The first of all.
    first: usize,
    /// The first that leaves the source open.
    open: Option<usize>,
    /// The first of each source.
    sources: BTreeMap<IpAddr, usize>,
}

impl Sessions {
    /// The first session that cannot be told from this one: one without source is like any other.
    fn same(&self, instance: &BfdInstance) -> Option<usize> {
        let known = self.0.get(&(instance.neighbor, instance.multihop))?;
        let Some(source) = instance.source else { return Some(known.first) };
        known.open.into_iter().chain(known.sources.get(&source).copied()).min()
    }

    fn add(&mut self, instance: &BfdInstance, number: usize) {
        let key = (instance.neighbor, instance.multihop);
        let new = || Neighbor { first: number, open: None, sources: BTreeMap::new() };
        let known = self.0.entry(key).or_insert_with(new);
        match instance.source {
            Some(source) => _ = known.sources.entry(source).or_insert(number),
            None => _ = known.open.get_or_insert(number),
        }
    }
}

pub(crate) fn block(b: &mut Build<'_>, stmt: &Stmt) {
    let name = stmt.word(1).unwrap_or_default();
    let bad = name.len() > NAME_MAX;
    if bad {
        let text = format!("BFD name {name} is longer than {NAME_MAX} bytes - skipping block");
        b.report.error(&stmt.place(1), text);
        b.defined.bfds.insert(name.to_owned(), false);
        return;
    }
    b.drafts.bfd = Some(Draft {
        instance: BfdInstance {
            name: name.to_owned(),
            neighbor: IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
            source: None,
            min_rx: None,
            min_tx: None,
            idle_tx: None,
            multiplier: None,
            passive: false,
            ttl: None,
            max_hops: None,
            multihop: false,
            weight: 0,
            reverse: false,
            for_vrrp: false,
            for_checker: false,
        },
        neighbor: None,
        bad: false,
    });
    b.run("bfd_instance", &stmt.body);
    let Some(draft) = b.drafts.bfd.take() else { return };
    let usable = finish(b, stmt, draft);
    if let Some(instance) = &usable {
        b.defined.sessions.add(instance, b.config.bfd.len());
    }
    b.defined.bfds.insert(name.to_owned(), usable.is_some());
    b.config.bfd.extend(usable);
}

/// Checks a block at its end, in stock's order.
fn finish(b: &mut Build<'_>, stmt: &Stmt, draft: Draft) -> Option<BfdInstance> {
    let Draft { mut instance, neighbor, bad } = draft;
    if bad {
        return None;
    }
    let Some(neighbor) = neighbor else {
        let text = format!("BFD instance {}: no neighbor_ip - removing", instance.name);
        b.report.lacks(&stmt.place(1), "neighbor_ip", text);
        return None;
    };
    let mut wrong = |text: String| {
        b.report.error(&stmt.place(1), format!("BFD instance {}: {text}", instance.name));
    };
    instance.neighbor = neighbor;
    if let Some(source) = instance.source.filter(|s| Family::of(*s) != Family::of(neighbor)) {
        wrong(format!("source_ip {source} and neighbor_ip {neighbor} are of different families - removing"));
        return None;
    }
    if let Some(other) = b.defined.sessions.same(&instance).and_then(|n| b.config.bfd.get(n)) {
        let text = format!("its neighbor_ip {neighbor} is that of {} - removing", other.name);
        b.report.error(&stmt.place(1), format!("BFD instance {}: {text}", instance.name));
        return None;
    }
    let ttl = i16::from(instance.ttl.unwrap_or(match Family::of(neighbor) {
        Family::V4 => 255,
        Family::V6 => 64,
    }));
    if instance.max_hops.is_some_and(|hops| hops > ttl) {
        let text =
            format!("BFD instance {}: max_hops exceeds ttl/hoplimit - setting to {ttl}", instance.name);
        b.report.error(&stmt.place(1), text);
        instance.max_hops = Some(ttl);
    }
    if !instance.for_vrrp && !instance.for_checker {
        (instance.for_vrrp, instance.for_checker) = (true, true);
    }
    Some(instance)
}

fn set(b: &mut Build<'_>, set: impl FnOnce(&mut BfdInstance)) {
    if let Some(draft) = &mut b.drafts.bfd {
        set(&mut draft.instance);
    }
}

pub(crate) fn neighbor_ip(b: &mut Build<'_>, stmt: &Stmt) {
    let found = b.address(stmt);
    if let Some(draft) = &mut b.drafts.bfd {
        draft.bad |= found.is_none();
        put(found, &mut draft.neighbor);
    }
}

pub(crate) fn source_ip(b: &mut Build<'_>, stmt: &Stmt) {
    let found = b.address(stmt);
    set(b, |i| put(found, &mut i.source));
}

/// `min_rx`, `min_tx` and `idle_tx`, whose numbers are milliseconds.
fn milliseconds(b: &mut Build<'_>, stmt: &Stmt) -> Option<std::time::Duration> {
    let time = b.seconds(stmt).map(|t| t / 1_000)?;
    if time.as_secs() > 10 {
        b.report.warning(&stmt.place(1), format!("{} is longer than 10 seconds", stmt.row.name));
    }
    Some(time)
}

pub(crate) fn min_rx(b: &mut Build<'_>, stmt: &Stmt) {
    let time = milliseconds(b, stmt);
    set(b, |i| put(time, &mut i.min_rx));
}

pub(crate) fn min_tx(b: &mut Build<'_>, stmt: &Stmt) {
    let time = milliseconds(b, stmt);
    set(b, |i| put(time, &mut i.min_tx));
}

pub(crate) fn idle_tx(b: &mut Build<'_>, stmt: &Stmt) {
    let time = milliseconds(b, stmt);
    set(b, |i| put(time, &mut i.idle_tx));
}

pub(crate) fn multiplier(b: &mut Build<'_>, stmt: &Stmt) {
    let number = b.number(stmt);
    set(b, |i| put(number, &mut i.multiplier));
}

pub(crate) fn passive(b: &mut Build<'_>, _stmt: &Stmt) {
    set(b, |i| i.passive = true);
}

pub(crate) fn ttl(b: &mut Build<'_>, stmt: &Stmt) {
    let number = b.number(stmt);
    set(b, |i| put(number, &mut i.ttl));
}

pub(crate) fn max_hops(b: &mut Build<'_>, stmt: &Stmt) {
    let number = b.number(stmt);
    set(b, |i| put(number, &mut i.max_hops));
}

pub(crate) fn multihop(b: &mut Build<'_>, stmt: &Stmt) {
    let on = b.boolean(stmt);
    set(b, |i| i.multihop = on.unwrap_or(i.multihop));
}

pub(crate) fn weight(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(weight) = b.number(stmt) else { return };
    let reverse = reverse(b, stmt);
    set(b, |i| (i.weight, i.reverse) = (weight, reverse));
}

pub(crate) fn vrrp(b: &mut Build<'_>, _stmt: &Stmt) {
    set(b, |i| i.for_vrrp = true);
}

pub(crate) fn checker(b: &mut Build<'_>, _stmt: &Stmt) {
    set(b, |i| i.for_checker = true);
}
