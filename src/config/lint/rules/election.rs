//! Rules about who becomes master, and whether somebody takes over.

use std::collections::BTreeMap;

use super::super::Place;
use super::super::view::Router;
use super::{Rules, name, place, places};

impl Rules<'_> {
    /// A virtual router that one node has alone.
    pub(super) fn alone(&mut self, group: &[&Router], told: bool) {
        if self.nodes > 1 && !told {
            let text = format!("{} is on one node only: nobody takes over", name(group));
            let places = places(group, |r| (&r.name.span, r.name.value.clone()));
            self.surprises("alone", text, "", places);
        }
    }

    pub(super) fn owners(&mut self, group: &[&Router]) {
        let owners: Vec<&Router> = group.iter().filter(|r| r.priority.value == 255).copied().collect();
        if owners.len() > 1 {
            let hint = match owners
                .iter()
                .any(|r| r.master.as_ref().is_some() && r.priority.span == r.name.span)
            {
                true => {
                    "state MASTER without priority means 255; give each router a priority of its own below that"
                }
                false => "priority 255 is for the one router whose own address it is",
            };
            let text =
                format!("{}: two routers have priority 255, and neither ever gives way at once", name(group));
            self.splits(
                "owner",
                text,
                hint,
                places(&owners, |r| (&r.priority.span, "priority 255".to_owned())),
            );
        }
    }

    pub(super) fn priorities(&mut self, group: &[&Router]) {
        let mut routers: BTreeMap<u8, Vec<&Router>> = BTreeMap::new();
        for router in group.iter().filter(|r| r.priority.value != 255) {
            routers.entry(router.priority.value).or_default().push(router);
        }
        for (priority, routers) in routers.into_iter().filter(|(_, r)| r.len() > 1) {
            let text = format!(
                "{}: the same priority {priority}; who is master depends on the addresses of the interfaces",
                name(group)
            );
            let places = places(&routers, |r| (&r.priority.span, format!("priority {priority}")));
            self.surprises("priority", text, "give each router a priority of its own", places);
        }
    }

    pub(super) fn masters(&mut self, group: &[&Router]) {
        let masters: Vec<&Router> = group.iter().filter(|r| r.master.is_some()).copied().collect();
        let owners = masters.iter().filter(|r| r.priority.value == 255).count();
        if masters.len() > 1 && owners < 2 {
            let text =
                format!("{}: state MASTER on more than one; the priorities decide all the same", name(group));
            let hint = "give all routers state BACKUP, or all but the one with the highest priority";
            let places =
                places(&masters, |r| (r.master.as_ref().unwrap_or(&r.name.span), "state MASTER".to_owned()));
            self.surprises("state", text, hint, places);
        }
        let highest = group.iter().map(|r| r.priority.value).max();
        if let [master] = masters.as_slice()
            && Some(master.priority.value) < highest
        {
            let text =
                format!("{}: state MASTER on a router that does not have the highest priority", name(group));
            let places = places(group, |r| (&r.priority.span, format!("priority {}", r.priority.value)));
            self.surprises("state", text, "the one with the highest priority takes over", places);
        }
    }

    /// `nopreempt` keeps a router from taking over from one with a lower priority: it does nothing on the lowest.
    pub(super) fn preemption(&mut self, group: &[&Router]) {
        let best = group.iter().max_by_key(|r| r.priority.value);
        if let Some(best) = best.filter(|b| b.nopreempt.is_none())
            && group.iter().any(|r| r.nopreempt.is_some())
        {
            let text = format!(
                "{}: nopreempt is not on the router with the highest priority, which takes over",
                name(group)
            );
            let places = places(group, |r| match &r.nopreempt {
                Some(span) => (span, format!("nopreempt, priority {}", r.priority.value)),
                None => (&r.priority.span, format!("priority {}", r.priority.value)),
            });
            let hint = if best.master.is_some() {
                "nopreempt needs state BACKUP; put both on all routers"
            } else {
                "put nopreempt on all routers"
            };
            self.surprises("preemption", text, hint, places);
        }
    }

    /// A script that fails on the master must bring it below somebody else.
    pub(super) fn weights(&mut self, group: &[&Router]) {
        let good = |r: &Router| i32::from(r.priority.value) + r.weights.iter().map(|w| w.good).sum::<i32>();
        let Some(best) = group.iter().max_by_key(|r| good(r)).filter(|r| r.priority.value != 255) else {
            return;
        };
        let Some(next) = group.iter().filter(|r| r.node != best.node).max_by_key(|r| good(r)) else { return };
        for weight in &best.weights {
            let left = good(best) - weight.good + weight.failed;
            if left.clamp(1, 254) < good(next).clamp(1, 254) {
                continue;
            }
            let text = format!(
                "{}: the failure of {} leaves priority {left}, which is not below that of the next router: no failover",
                name(group),
                weight.script
            );
            let places = vec![
                Place {
                    node: best.node,
                    span: Some(weight.span.clone()),
                    value: format!("priority {left} when it fails"),
                },
                place(next, &next.priority, format!("priority {}", good(next))),
            ];
            self.surprises("weight", text, "use a larger weight, or closer priorities", places);
        }
    }
}
