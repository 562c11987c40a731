//! What must be true after a quiet period, and of every stall.

use keepalived_rs::base::Instant;

use super::schedule::{LONGEST_WAY, Run, Stall};
use super::setup::Virtual;
use crate::harness::*;

impl Run {
    /// Everything that must be true now.
    pub(super) fn check(&mut self) -> Result<(), String> {
        // Who speaks is seen over a few intervals.
        let begin = self.cluster.now();
        let longest = self.setup.virtuals.iter().map(Virtual::longest_interval).fold(0.0, f64::max);
        self.cluster.run(2.5 * longest);
        if let Some(error) = self.cluster.world.errors().first() {
            return Err(format!("an error was logged: {error}"));
        }
        for group in self.groups() {
            for v in &self.setup.virtuals {
                self.check_group(v, &group, begin)?;
            }
        }
        for stall in std::mem::take(&mut self.stalls) {
            for v in &self.setup.virtuals {
                self.check_stall(v, stall)?;
            }
        }
        Ok(())
    }

    /// Since `begin` only backups were stopped, kernels been slow and addresses been deleted: none of that makes
    /// another router master.
    pub(super) fn check_calm(&self, masters: &[(u8, Vec<usize>)], begin: Instant) -> Result<(), String> {
        for (vrid, before) in masters {
            for i in (0..self.setup.routers).filter(|i| !before.contains(i)) {
                if let Some(advert) = self.cluster.adverts(i, *vrid, begin).first() {
                    let at = advert.at;
                    return Err(format!(
                        "vrid {vrid}: {i} sent an advert at {at}, but {before:?} was master"
                    ));
                }
            }
        }
        Ok(())
    }

    /// The routers that run, by who can hear whom.
    fn groups(&self) -> Vec<Vec<usize>> {
        let (world, nodes) = (&self.cluster.world, &self.cluster.nodes);
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for i in (0..nodes.len()).filter(|i| world.is_alive(nodes[*i])) {
            let hears = |j: usize| {
                let linked = |k: usize| !self.routers[k].link_down;
                linked(i) && linked(j) && world.connected(self.cluster.lan, nodes[i], nodes[j])
            };
            match groups.iter_mut().find(|group| group.iter().any(|j| hears(*j))) {
                Some(group) => group.push(i),
                None => groups.push(vec![i]),
            }
        }
        groups
    }

    /// Exactly one master, the right one; its address there and nowhere else, announced by it.
    fn check_group(&self, v: &Virtual, group: &[usize], begin: Instant) -> Result<(), String> {
        let vrid = v.vrid;
        let wrong = |what: String| Err(format!("vrid {vrid}, routers {group:?}: {what}"));
        let speaks = |i: usize| self.cluster.adverts(i, vrid, begin).iter().any(|a| a.priority > 0);
        let speakers: Vec<usize> = group.iter().copied().filter(|i| speaks(*i)).collect();
        let holders: Vec<usize> =
            self.cluster.holders(vrid).into_iter().filter(|i| group.contains(i)).collect();
        let fit: Vec<(usize, u8)> = group
            .iter()
            .filter(|i| !self.routers[**i].link_down)
            .filter_map(|i| Some((*i, v.members[*i].effective(self.routers[*i].script_fails)?)))
            .collect();
        let Some(best) = fit.iter().map(|(_, priority)| *priority).max() else {
            if !(speakers.is_empty() && holders.is_empty()) {
                return wrong(format!(
                    "none is fit, but {speakers:?} speak and {holders:?} hold the address"
                ));
            }
            return Ok(());
        };
        let (&[master], &[holder]) = (&speakers[..], &holders[..]) else {
            return wrong(format!("{speakers:?} speak and {holders:?} hold the address"));
        };
        if master != holder {
            return wrong(format!("{master} speaks, but {holder} holds the address"));
        }
        for i in group {
            let node = self.cluster.nodes[*i];
            let held = (self.cluster.routes(node, vrid).len(), self.cluster.rules(node, vrid).len());
            let due = if *i == holder { (2, 1) } else { (0, 0) };
            if held != due {
                return wrong(format!("{holder} is master, but {i} holds {held:?} routes and rules"));
            }
        }
        let Some((_, priority)) = fit.iter().find(|(i, _)| *i == master) else {
            return wrong(format!("{master} is master and not fit"));
        };
        if *priority < best
            && let Some((better, _)) = fit.iter().find(|(i, p)| p > priority && v.preempts(*i))
        {
            return wrong(format!("{master} is master, but {better} is better"));
        }
        if self.estranged.contains(&v.vrid) {
            return Ok(());
        }
        self.check_caches(v, group, master)
    }

    /// Nobody who hears the master has heard somebody else announce the address after it. Who was not there when the
    /// master did, or lost all of it, cannot know; nor can the master know of them, and of a rival it has never met.
    /// And a LAN that loses packets may lose the one that told the master to announce again.
    fn check_caches(&self, v: &Virtual, group: &[usize], master: usize) -> Result<(), String> {
        let (world, nodes) = (&self.cluster.world, &self.cluster.nodes);
        let announced = self.cluster.announcements(master, v.vrid, Instant::ZERO).pop();
        for i in group.iter().filter(|i| **i != master) {
            if let Some((at, mac)) = world.arp_cache(nodes[*i], vip(v.vrid))
                && Some(mac) != world.mac(nodes[master], "eth0")
                && announced.is_none_or(|announced| announced < at)
                && group
                    .iter()
                    .any(|j| world.mac(nodes[*j], "eth0") == Some(mac) && self.routers[*j].started < at)
                && self.lossy.iter().all(|(_, to)| *to < at)
            {
                return Err(format!(
                    "vrid {}: {i} heard at {at} that {mac} has the address, but {master} is master and has last \
                     announced it at {announced:?}",
                    v.vrid
                ));
            }
        }
        Ok(())
    }

    /// A router that was away for longer than its peers wait does not speak before it has listened: it has heard
    /// somebody, or it has waited for as long as a master needs to be heard.
    fn check_stall(&self, v: &Virtual, stall: Stall) -> Result<(), String> {
        let Stall { router, begin, end, deaf } = stall;
        let away = (end - begin).as_secs_f64();
        let interval = v.members[router].interval;
        // An owner need not ask anybody whenever it begins anew.
        if away < v.given_up_after(router) + interval || v.members[router].priority == 255 {
            return Ok(());
        }
        let own = self.cluster.adverts(router, v.vrid, end);
        let spoke = own.iter().find(|advert| advert.priority > 0).map(|advert| advert.at);
        let announced = self.cluster.announcements(router, v.vrid, end).first().copied();
        let Some(first) = spoke.into_iter().chain(announced).min() else {
            return Ok(());
        };
        // What was on its way when a pause ended has been heard.
        let from = if deaf { end.saturating_back(LONGEST_WAY) } else { begin };
        let heard = self.cluster.world.adverts_since(from).into_iter().any(|advert| {
            let other = advert.node != self.cluster.nodes[router];
            other && advert.vrid == v.vrid && advert.at < first
        });
        let waited = (first - end).as_secs_f64();
        if heard || waited >= 0.9 * v.shortest_interval() {
            return Ok(());
        }
        Err(format!(
            "vrid {}: {router} was away for {away} s until {end}, and speaks after {waited} s without having listened",
            v.vrid
        ))
    }
}
