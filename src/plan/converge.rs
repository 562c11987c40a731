//! From one plan to the next: who is who across a reload.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{InstancePlan, Plan};
use crate::base::{Family, IfName, InstanceId, Vrid};
use crate::vrrp::params::Delivery;

/// What a reload does to the virtual routers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convergence {
    /// The new plan. Instances that were there before have the numbers that they had.
    pub plan: Plan,
    /// Those that are new.
    pub added: Vec<InstanceId>,
    /// Those that were there before, and something about them has changed.
    pub changed: Vec<InstanceId>,
    /// Those that are there no more.
    pub gone: Vec<InstanceId>,
}

/// What an instance is known by: what can be seen of it on the wire, as in stock. Its name may change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    interface: Option<IfName>,
    vrf: Option<IfName>,
    family: Family,
    vrid: Vrid,
    /// The multicast group; none with unicast.
    group: Option<IpAddr>,
    /// Where unicast adverts come from, as far as written.
    source: Option<IpAddr>,
}

impl Identity {
    fn of(instance: &InstancePlan) -> Self {
        let unicast = instance.params.delivery.is_unicast();
        Self {
            interface: instance.interface.clone(),
            vrf: instance.vrf.clone(),
            family: instance.params.family,
            vrid: instance.params.vrid,
            group: match &instance.params.delivery {
                Delivery::Multicast(group) => Some(*group),
                Delivery::Unicast(_) => None,
            },
            source: instance.source.filter(|_| unicast),
        }
    }
}

/// Brings `new`, fresh from [`resolve`](super::resolve), into the numbering of `old`.
pub fn converge(old: &Plan, mut new: Plan) -> Convergence {
    // Unicast instances may look the same from outside; then their names count.
    let mut before: BTreeMap<Identity, Vec<&InstancePlan>> = BTreeMap::new();
    for instance in &old.instances {
        before.entry(Identity::of(instance)).or_default().push(instance);
    }
    let mut find = |instance: &InstancePlan| {
        let alike = before.get_mut(&Identity::of(instance)).filter(|alike| !alike.is_empty())?;
        let place = alike.iter().position(|known| known.name == instance.name).unwrap_or(0);
        Some(alike.remove(place))
    };
    let mut numbers = BTreeMap::new();
    let (mut added, mut changed) = (Vec::new(), Vec::new());
    new.numbers = old.numbers;
    for instance in &mut new.instances {
        let known = find(instance);
        let id = known.map_or(InstanceId(new.numbers), |known| known.id);
        numbers.insert(instance.id, id);
        instance.id = id;
        match known {
            None => {
                new.numbers += 1;
                added.push(id);
            }
            Some(known) if known != instance => changed.push(id),
            Some(_) => {}
        }
    }
    for group in &mut new.groups {
        for member in &mut group.members {
            if let Some(id) = numbers.get(member) {
                *member = *id;
            }
        }
    }
    // Whoever comes into another company has to be told, although nothing else about it may have changed.
    let moved = moved(old, &new);
    let told: BTreeSet<InstanceId> = added.iter().chain(&changed).copied().collect();
    changed.extend(moved.difference(&told));
    let gone = before.into_values().flatten().map(|instance| instance.id).collect();
    Convergence { plan: new, added, changed, gone }
}

/// The members of groups that are not as they were.
fn moved(old: &Plan, new: &Plan) -> BTreeSet<InstanceId> {
    let changed = |plan: &Plan, other: &Plan| -> BTreeSet<InstanceId> {
        let is_new =
            |g: &&super::GroupPlan| !other.groups.iter().any(|o| o.name == g.name && o.members == g.members);
        plan.groups.iter().filter(is_new).flat_map(|g| g.members.iter().copied()).collect()
    };
    let there: BTreeSet<InstanceId> = new.instances.iter().map(|i| i.id).collect();
    let all: BTreeSet<InstanceId> = &changed(old, new) | &changed(new, old);
    &all & &there
}
