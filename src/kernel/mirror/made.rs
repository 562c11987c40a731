//! The links that we made, or took over: known by their numbers, so that a new name makes no stranger of them.

use super::Mirror;
use crate::base::{IfIndex, IfName};
use crate::host::{Link, VirtualLink};
use crate::kernel::claim::Occupied;

/// A link that we made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    link: VirtualLink,
    /// `None`: the kernel's report of it is still to come.
    number: Option<IfIndex>,
}

impl Mirror {
    /// Notes that `link` has been made, out of the one with this number if there is one.
    pub(in crate::kernel) fn made(&mut self, link: &VirtualLink, number: Option<IfIndex>) {
        let there = number.filter(|number| self.links.contains_key(number));
        if let Some(number) = there {
            self.rename(number, &link.name);
        }
        let number = there.or_else(|| self.like(link));
        self.made.insert(link.name.clone(), Made { link: link.clone(), number });
    }

    /// Notes that `link` has been deleted.
    pub(super) fn unmade(&mut self, link: &VirtualLink) {
        let made = self.made.remove(&link.name).and_then(|made| made.number);
        if let Some(index) = made.or_else(|| self.like(link)) {
            self.remove_link(index);
        }
    }

    /// The number of a link that we made, whatever has become of it.
    pub(in crate::kernel) fn number(&self, link: &VirtualLink) -> Option<IfIndex> {
        self.made.get(&link.name)?.number
    }

    /// The name that we gave to the link with this number.
    pub(in crate::kernel) fn made_as(&self, index: IfIndex) -> Option<&IfName> {
        self.made.iter().find(|(_, made)| made.number == Some(index)).map(|(name, _)| name)
    }

    /// Whether there is this link, made by us, as it should be.
    pub fn has_link(&self, wanted: &VirtualLink) -> bool {
        self.number(wanted).and_then(|index| self.link_at(index)).is_some_and(|link| wanted.is(link))
    }

    /// The link to make this one out of: ours, or one that a predecessor has left under whatever name.
    pub(in crate::kernel) fn origin(&self, wanted: &VirtualLink) -> Option<IfIndex> {
        let is_free = |link: &&Link| self.made_as(link.index).is_none();
        let left = || self.links().filter(is_free).find(|link| wanted.adopts(link)).map(|link| link.index);
        self.number(wanted).or_else(left)
    }

    /// What keeps a link that is still to be made from being made.
    pub(in crate::kernel) fn occupied(&self, wanted: &VirtualLink) -> Option<Occupied> {
        if self.origin(wanted).is_some() {
            return None;
        }
        if self.link(&wanted.name).is_some_and(|link| !wanted.replaces(link)) {
            return Some(Occupied::Name);
        }
        let other = self.links().any(|link| link.name != wanted.name && wanted.is_kept_down_by(link));
        other.then_some(Occupied::HardwareAddress)
    }

    /// A report of a link: it may be one that we made.
    pub(super) fn recognise(&mut self, link: &Link) {
        if let Some(made) = self.made.get_mut(&link.name)
            && made.number.is_none()
            && made.link.is_like(link)
        {
            made.number = Some(link.index);
        }
    }

    /// A link has gone: another one may take its place.
    pub(super) fn lost(&mut self, index: IfIndex) {
        for made in self.made.values_mut() {
            made.number = made.number.filter(|number| *number != index);
        }
    }

    /// Everything has been read anew.
    pub(super) fn review_made(&mut self) {
        let mut made = std::mem::take(&mut self.made);
        for made in made.values_mut() {
            let there = made.number.filter(|number| self.links.contains_key(number));
            made.number = there.or_else(|| self.like(&made.link));
        }
        self.made = made;
    }

    fn like(&self, wanted: &VirtualLink) -> Option<IfIndex> {
        self.link(&wanted.name).filter(|link| wanted.is_like(link)).map(|link| link.index)
    }

    fn rename(&mut self, index: IfIndex, name: &IfName) {
        if let Some(link) = self.links.get_mut(&index) {
            let before = std::mem::replace(&mut link.name, name.clone());
            self.names.remove(&before);
            self.names.insert(name.clone(), index);
        }
    }
}
