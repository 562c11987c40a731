//! From one plan to the next: who is who across a reload.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

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
pub(super) struct Identity {
    interface: Option<IfName>,
    /// Where it listens: a VMAC, or the interface itself.
    device: Option<IfName>,
    vrf: Option<IfName>,
    family: Family,
    vrid: Vrid,
    /// The multicast group; none with unicast.
    group: Option<IpAddr>,
    /// Where unicast adverts come from, as far as written.
    source: Option<IpAddr>,
}

impl Identity {
    pub(super) fn of(instance: &InstancePlan) -> Self {
        let unicast = instance.params.delivery.is_unicast();
        Self {
            interface: instance.interface.clone(),
            device: instance.device().cloned(),
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

    /// All of it in one line: names of interfaces have no tabs.
    pub(super) fn line(&self) -> String {
        fn text<T: ToString>(part: Option<&T>) -> String {
            part.map(T::to_string).unwrap_or_default()
        }
        let (interface, device) = (text(self.interface.as_ref()), text(self.device.as_ref()));
        let (vrf, group, source) =
            (text(self.vrf.as_ref()), text(self.group.as_ref()), text(self.source.as_ref()));
        [self.family.to_string(), self.vrid.get().to_string(), interface, device, vrf, group, source]
            .join("\t")
    }
}

/// Brings `new`, fresh from [`resolve`](super::resolve), into the numbering of `old`.
pub fn converge(old: &Plan, mut new: Plan) -> Convergence {
    // Unicast instances may look the same from outside; then their names count.
    let mut before: BTreeMap<Identity, Vec<&InstancePlan>> = BTreeMap::new();
    for instance in &old.instances {
        before.entry(Identity::of(instance)).or_default().push(&**instance);
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
        let instance = Arc::make_mut(instance);
        instance.id = id;
        match known {
            None => {
                new.numbers += 1;
                added.push(id);
            }
            Some(known) if *known != *instance => changed.push(id),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::plan::resolve;
    use crate::sim::loader::MemoryLoader;

    fn plan(text: &str) -> Plan {
        let main = MemoryLoader::MAIN.to_owned();
        let options = config::Options { main, config_id: None, all_files: false };
        resolve(&config::load(&MemoryLoader::with_main(text), &options).config)
    }

    fn instance(name: &str, vrid: u8, more: &str) -> String {
        format!(
            "vrrp_instance {name} {{\n interface eth0\n virtual_router_id {vrid}\n {more}\n \
             virtual_ipaddress {{\n 10.0.0.{vrid}/24\n }}\n}}\n"
        )
    }

    fn ids(list: &[u32]) -> Vec<InstanceId> {
        list.iter().copied().map(InstanceId).collect()
    }

    /// Added, changed and gone.
    fn differences(old: &str, new: &str) -> (Vec<InstanceId>, Vec<InstanceId>, Vec<InstanceId>) {
        let Convergence { added, changed, gone, .. } = converge(&plan(old), plan(new));
        (added, changed, gone)
    }

    #[test]
    fn an_instance_is_known_by_what_is_on_the_wire() {
        let two = instance("a", 1, "") + &instance("b", 2, "");
        let none: Vec<InstanceId> = Vec::new();
        assert_eq!(differences(&two, &two), (none.clone(), none.clone(), none.clone()));
        let swapped = instance("b", 2, "") + &instance("a", 1, "");
        assert_eq!(
            differences(&two, &swapped),
            (none.clone(), none.clone(), none.clone()),
            "order is nothing"
        );
        let renamed = instance("c", 1, "") + &instance("b", 2, "");
        assert_eq!(differences(&two, &renamed), (none.clone(), ids(&[0]), none.clone()));
        let changed = instance("a", 1, "") + &instance("b", 2, "priority 7");
        assert_eq!(differences(&two, &changed), (none.clone(), ids(&[1]), none.clone()));
        let other = instance("a", 3, "") + &instance("b", 2, "");
        assert_eq!(
            differences(&two, &other),
            (ids(&[2]), none.clone(), ids(&[0])),
            "another VRID is another router"
        );
        let unicast = instance("a", 1, "unicast_peer {\n 10.0.0.99\n }") + &instance("b", 2, "");
        assert_eq!(differences(&two, &unicast), (ids(&[2]), none, ids(&[0])));
    }

    #[test]
    fn a_number_is_never_given_twice() {
        let start = plan(&instance("a", 1, ""));
        let without = converge(&start, plan(&instance("b", 2, ""))).plan;
        let again = converge(&without, plan(&instance("a", 1, ""))).plan;
        let id = |plan: &Plan| plan.instances.first().map(|i| i.id.0);
        assert_eq!([id(&start), id(&without), id(&again)], [Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn whoever_comes_into_another_company_has_changed() {
        let all = (1..=3).map(|vrid| instance(&format!("v{vrid}"), vrid, "")).collect::<String>();
        let group = |members: &str| format!("{all}vrrp_sync_group G {{\n group {{\n {members}\n }}\n}}\n");
        let (added, changed, gone) = differences(&group("v1\nv2"), &group("v1\nv2\nv3"));
        assert_eq!((added, gone), (vec![], vec![]));
        let mut changed = changed;
        changed.sort();
        assert_eq!(changed, ids(&[0, 1, 2]));
    }
}
