//! Changes of links that count only when they last (`interface_up_down_delays`), and links that are asked for their
//! carrier because the kernel does not know it (`linkbeat_interfaces`).
//!
//! It stands between the kernel's reports and everybody who reads them. While a change is held back, the link is shown
//! with the flags it had before; all else about it is shown as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::{IfIndex, IfName, Instant};
use crate::host::{KernelEvent, Link};

/// How long a change of a link has to last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delay {
    /// Down, 0 to 255 s.
    pub down: Duration,
    /// Up, 0 to 255 s.
    pub up: Duration,
}

/// Links, as they are shown, and changes that are held back.
#[derive(Clone, Debug, Default)]
pub struct Debounce {
    delays: BTreeMap<IfName, Delay>,
    /// What links said that were asked.
    carriers: BTreeMap<IfName, bool>,
    /// Those of them that are there, as the kernel reports them.
    reported: BTreeMap<IfIndex, Link>,
    shown: BTreeMap<IfIndex, Link>,
    /// What a link is like, and when that counts.
    held: BTreeMap<IfIndex, (Instant, Link)>,
}

impl Debounce {
    /// Holds changes of these links back.
    pub fn new(delays: BTreeMap<IfName, Delay>) -> Self {
        Self { delays, ..Self::default() }
    }

    /// From now on changes of these links are held back; what is held back already counts when it was to. Links are
    /// no longer asked for their carrier that are not among `asked`: gives what is to be shown of them.
    pub fn replace(
        &mut self,
        now: Instant,
        delays: BTreeMap<IfName, Delay>,
        asked: &BTreeSet<IfName>,
    ) -> Vec<KernelEvent> {
        self.delays = delays;
        self.carriers.retain(|name, _| asked.contains(name));
        let (kept, dropped) =
            std::mem::take(&mut self.reported).into_iter().partition(|(_, link)| asked.contains(&link.name));
        self.reported = kept;
        let dropped: BTreeMap<IfIndex, Link> = dropped;
        dropped.into_values().map(|link| self.event(now, KernelEvent::Link(link))).collect()
    }

    /// The kernel reported `event`. Gives what is to be shown of it.
    pub fn event(&mut self, now: Instant, mut event: KernelEvent) -> KernelEvent {
        match &mut event {
            KernelEvent::Link(link) => self.link(now, link),
            KernelEvent::LinkGone { index, .. } => {
                self.reported.remove(index);
                self.shown.remove(index);
                self.held.remove(index);
            }
            KernelEvent::Resync(dump) => {
                let there = |index: &IfIndex| dump.links.iter().any(|link| link.index == *index);
                self.reported.retain(|index, _| there(index));
                self.shown.retain(|index, _| there(index));
                self.held.retain(|index, _| there(index));
                for link in &mut dump.links {
                    self.link(now, link);
                }
            }
            // Only of links there is a carrier.
            _ => {}
        }
        event
    }

    /// A link was asked for its carrier. Gives what is to be shown of it, if it is there.
    pub fn carrier(&mut self, now: Instant, name: IfName, carrier: bool) -> Option<KernelEvent> {
        let link = self.reported.values().find(|link| link.name == name).cloned();
        self.carriers.insert(name, carrier);
        Some(self.event(now, KernelEvent::Link(link?)))
    }

    /// Makes of a link what is to be shown.
    fn link(&mut self, now: Instant, link: &mut Link) {
        if let Some(carrier) = self.carriers.get(&link.name) {
            self.reported.insert(link.index, link.clone());
            link.running = *carrier;
        }
        let Some(delay) = self.delays.get(&link.name) else {
            self.shown.insert(link.index, link.clone());
            return;
        };
        let shown = self.shown.get(&link.index).filter(|shown| shown.name == link.name);
        let held_back = shown.filter(|shown| shown.usable() != link.usable());
        if let Some(shown) = held_back {
            let delay = if link.usable() { delay.up } else { delay.down };
            let since = self.held.get(&link.index).map(|(at, _)| *at);
            let at = since.unwrap_or(now + delay);
            if at > now {
                self.held.insert(link.index, (at, link.clone()));
                (link.up, link.running) = (shown.up, shown.running);
                return;
            }
        }
        self.held.remove(&link.index);
        self.shown.insert(link.index, link.clone());
    }

    /// When [`Debounce::expire`] is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.held.values().map(|(at, _)| *at).min()
    }

    /// A change that has lasted; more may follow.
    pub fn expire(&mut self, now: Instant) -> Option<KernelEvent> {
        let index = *self.held.iter().find(|(_, (at, _))| *at <= now)?.0;
        let (_, link) = self.held.remove(&index)?;
        self.shown.insert(index, link.clone());
        Some(KernelEvent::Link(link))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Dump, Stacking};

    fn link(running: bool, mtu: u32) -> Link {
        Link {
            index: IfIndex(2),
            name: IfName::new("eth0").unwrap(),
            up: true,
            running,
            multicast: true,
            arp: true,
            loopback: false,
            mtu,
            mac: None,
            stacking: Stacking::default(),
        }
    }

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    fn debounce() -> Debounce {
        let delay = Delay { down: Duration::from_secs(1), up: Duration::from_secs(2) };
        let mut debounce = Debounce::new([(link(true, 0).name, delay)].into());
        let dump = KernelEvent::Resync(Dump { links: vec![link(true, 1500)], ..Dump::default() });
        assert_eq!(debounce.event(at(0), dump.clone()), dump, "what there is at first counts at once");
        debounce
    }

    #[test]
    fn a_change_counts_when_it_has_lasted() {
        let mut debounce = debounce();
        let event = |running, mtu| KernelEvent::Link(link(running, mtu));
        assert_eq!(debounce.event(at(100), event(false, 9000)), event(true, 9000));
        assert_eq!(debounce.event(at(500), event(false, 1400)), event(true, 1400));
        assert_eq!((debounce.next_deadline(), debounce.expire(at(1099))), (Some(at(1100)), None));
        assert_eq!(debounce.expire(at(1100)), Some(event(false, 1400)));
        assert_eq!(debounce.expire(at(1100)), None);
        assert_eq!(debounce.event(at(1200), event(true, 1400)), event(false, 1400));
        assert_eq!(debounce.next_deadline(), Some(at(3200)), "up has another delay");
    }

    #[test]
    fn a_change_that_is_taken_back_is_not_seen() {
        let mut debounce = debounce();
        let event = |running| KernelEvent::Link(link(running, 1500));
        assert_eq!(debounce.event(at(100), event(false)), event(true));
        assert_eq!(debounce.event(at(900), event(true)), event(true));
        assert_eq!(debounce.next_deadline(), None);
        // The next one begins to count anew.
        assert_eq!(debounce.event(at(950), event(false)), event(true));
        assert_eq!(debounce.next_deadline(), Some(at(1950)));
    }

    #[test]
    fn a_link_that_is_asked_knows_better_than_the_kernel() {
        let mut debounce = Debounce::default();
        let name = link(true, 0).name;
        assert_eq!(debounce.carrier(at(0), name.clone(), false), None, "it is not there yet");
        let event = |running| KernelEvent::Link(link(running, 1500));
        assert_eq!(debounce.event(at(0), event(true)), event(false));
        assert_eq!(debounce.carrier(at(1000), name.clone(), true), Some(event(true)));
        assert_eq!(debounce.event(at(1500), event(false)), event(true));
        let gone = debounce.event(at(1600), KernelEvent::LinkGone { index: IfIndex(2), moved: false });
        assert_eq!(
            (gone, debounce.carrier(at(2000), name, false)),
            (KernelEvent::LinkGone { index: IfIndex(2), moved: false }, None)
        );
    }

    #[test]
    fn a_link_that_is_gone_is_not_held_back() {
        let mut debounce = debounce();
        let _ = debounce.event(at(100), KernelEvent::Link(link(false, 1500)));
        let gone = KernelEvent::LinkGone { index: IfIndex(2), moved: false };
        assert_eq!(debounce.event(at(200), gone.clone()), gone);
        assert_eq!(debounce.next_deadline(), None);
    }
}
