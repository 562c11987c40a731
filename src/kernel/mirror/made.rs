//! The links that we made, or took over: known by their numbers, so that a new name makes no stranger of them.

use std::collections::{BTreeMap, BTreeSet};

use super::Mirror;
use crate::base::{IfIndex, IfName, MacAddr};
use crate::host::loader::LinkKind;
use crate::host::{Link, VirtualKind, VirtualLink};
use crate::kernel::claim::Occupied;

/// A link that we made.
#[derive(Clone, Debug)]
struct Made {
    link: VirtualLink,
    /// `None`: the kernel's report of it is still to come.
    number: Option<IfIndex>,
}

/// Links that we made, and macvlans that may be like them.
#[derive(Clone, Debug, Default)]
pub(super) struct Registry {
    /// By the names that we gave them.
    made: BTreeMap<IfName, Made>,
    numbers: BTreeMap<IfIndex, IfName>,
    /// All macvlans, by hardware address.
    macvlans: BTreeSet<(MacAddr, IfIndex)>,
}

impl Registry {
    fn put(&mut self, link: VirtualLink, number: Option<IfIndex>) {
        let name = link.name.clone();
        if let Some(before) =
            self.made.insert(name.clone(), Made { link, number }).and_then(|made| made.number)
        {
            self.numbers.remove(&before);
        }
        if let Some(number) = number {
            self.numbers.insert(number, name);
        }
    }

    fn take(&mut self, name: &IfName) -> Option<Made> {
        let made = self.made.remove(name)?;
        made.number.map(|number| self.numbers.remove(&number));
        Some(made)
    }

    /// A link was reported, `before` in other shape.
    pub(super) fn reported(&mut self, link: &Link, before: Option<&Link>) {
        if let Some(before) = before {
            self.forget(before);
        }
        if let (LinkKind::Macvlan { .. }, Some(mac)) = (link.stacking.kind, link.mac) {
            self.macvlans.insert((mac, link.index));
        }
        let wanted = self.made.get(&link.name).filter(|made| made.number.is_none());
        if let Some(wanted) = wanted.map(|made| made.link.clone()).filter(|wanted| wanted.is_like(link)) {
            self.put(wanted, Some(link.index));
        }
    }

    /// A link has gone: another one may take its place.
    pub(super) fn gone(&mut self, link: &Link) {
        self.forget(link);
        if let Some(name) = self.numbers.remove(&link.index)
            && let Some(made) = self.made.get_mut(&name)
        {
            made.number = None;
        }
    }

    fn forget(&mut self, link: &Link) {
        if let Some(mac) = link.mac {
            self.macvlans.remove(&(mac, link.index));
        }
    }

    /// All that was made, for when everything else is read anew.
    pub(super) fn survivors(&mut self) -> Self {
        Self { macvlans: BTreeSet::new(), ..std::mem::take(self) }
    }
}

impl Mirror {
    /// Notes that `link` has been made, out of the one with this number if there is one.
    pub(in crate::kernel) fn made(&mut self, link: &VirtualLink, number: Option<IfIndex>) {
        let there = number.filter(|number| self.links.contains_key(number));
        if let Some(number) = there {
            self.rename(number, &link.name);
        }
        let number = there.or_else(|| self.like(link));
        self.registry.put(link.clone(), number);
    }

    /// Notes that `link` has been deleted.
    pub(super) fn unmade(&mut self, link: &VirtualLink) {
        let made = self.registry.take(&link.name).and_then(|made| made.number);
        if let Some(index) = made.or_else(|| self.like(link)) {
            self.remove_link(index);
        }
    }

    /// The number of a link that we made, whatever has become of it.
    pub(in crate::kernel) fn number(&self, link: &VirtualLink) -> Option<IfIndex> {
        self.registry.made.get(&link.name)?.number
    }

    /// The name that we gave to the link with this number.
    pub(in crate::kernel) fn made_as(&self, index: IfIndex) -> Option<&IfName> {
        self.registry.numbers.get(&index)
    }

    /// Whether there is this link, made by us, as it should be.
    pub fn has_link(&self, wanted: &VirtualLink) -> bool {
        self.number(wanted).and_then(|index| self.link_at(index)).is_some_and(|link| wanted.is(link))
    }

    /// The link to make this one out of: ours, or one that a predecessor has left under whatever name.
    pub(in crate::kernel) fn origin(&self, wanted: &VirtualLink) -> Option<IfIndex> {
        let is_left = |link: &&Link| self.made_as(link.index).is_none() && wanted.adopts(link);
        self.number(wanted).or_else(|| self.twins(wanted).find(is_left).map(|link| link.index))
    }

    /// What keeps a link that is still to be made from being made.
    pub(in crate::kernel) fn occupied(&self, wanted: &VirtualLink) -> Option<Occupied> {
        let origin = self.origin(wanted);
        let mut named = self.link(&wanted.name).into_iter().filter(|link| Some(link.index) != origin);
        if named.any(|link| !wanted.replaces(link)) {
            return Some(Occupied::Name);
        }
        let is_kept_down = origin.is_none() && self.keeping_down(wanted).next().is_some();
        is_kept_down.then_some(Occupied::HardwareAddress)
    }

    /// The links that keep one that is still to be made from coming up.
    pub(in crate::kernel) fn keeping_down(&self, wanted: &VirtualLink) -> impl Iterator<Item = &Link> {
        self.twins(wanted).filter(|link| link.name != wanted.name && wanted.is_kept_down_by(link))
    }

    /// Macvlans with its hardware address.
    fn twins(&self, wanted: &VirtualLink) -> impl Iterator<Item = &Link> {
        let mac = match wanted.kind {
            VirtualKind::Macvlan(mac) => Some(mac),
            VirtualKind::Ipvlan(_) => None,
        };
        let of = |mac| self.registry.macvlans.range((mac, IfIndex(0))..=(mac, IfIndex(u32::MAX)));
        mac.into_iter().flat_map(of).filter_map(|(_, index)| self.link_at(*index))
    }

    /// Everything has been read anew.
    pub(super) fn review_made(&mut self) {
        let made: Vec<_> = self.registry.made.values().cloned().collect();
        for Made { link, number } in made {
            let there = number.filter(|number| self.links.contains_key(number));
            let number = there.or_else(|| self.like(&link));
            self.registry.put(link, number);
        }
    }

    fn like(&self, wanted: &VirtualLink) -> Option<IfIndex> {
        self.link(&wanted.name).filter(|link| wanted.is_like(link)).map(|link| link.index)
    }

    fn rename(&mut self, index: IfIndex, name: &IfName) {
        // What had this name has been deleted in its favour.
        if let Some(other) = self.names.get(name).copied().filter(|other| *other != index) {
            self.remove_link(other);
        }
        if let Some(link) = self.links.get_mut(&index) {
            let before = std::mem::replace(&mut link.name, name.clone());
            self.release(&before, index);
            self.names.insert(name.clone(), index);
        }
    }
}
