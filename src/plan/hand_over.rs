//! Masters that one process leaves to the next: who can be left, and the file that says who was.
//!
//! The file has a line that says what it is, one with the boot of the machine, and one for each master: until when it may
//! go on (microseconds of the [time line](Instant)), the number of its last advert (of 0 without `auth_type AH`), whether
//! peers want the old checksum (0 or 1), and what it is known by, with tabs between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::converge::Identity;
use super::{InstancePlan, Plan};
use crate::base::{InstanceId, Instant};
use crate::vrrp::machine::Inheritance;

/// The first line of the file.
const HEAD: &str = "keepalived-rs hand-over 1";
/// The beginning of the second.
const BOOT: &str = "boot ";

/// What there is to hand over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandOverPlan {
    /// The file. One that is found at the start is read, whoever asked for it.
    pub file: Option<String>,
    /// Whether masters are handed over when the daemon is started again (`--hand-over`).
    pub asked: bool,
    /// Instances that cannot be: their adverts come too often, or those of another member of their sync group.
    pub left_out: Vec<String>,
}

impl Plan {
    /// With masters handed over by way of `file`, if that is `asked` for.
    pub fn set_hand_over(&mut self, file: &str, asked: bool) {
        let mut left_out = Vec::new();
        let lease = |instance: &InstancePlan| instance.params.longest_lease();
        let able: BTreeMap<InstanceId, bool> =
            self.instances.iter().map(|i| (i.id, lease(i).is_some())).collect();
        for instance in self.instances.iter_mut().filter(|_| asked) {
            let together = self.groups.iter().find(|group| group.members.contains(&instance.id));
            let members = together.map_or(std::slice::from_ref(&instance.id), |group| &group.members);
            if members.iter().all(|id| able.get(id) == Some(&true)) {
                let lease = lease(instance);
                Arc::make_mut(instance).params_mut().lease = lease;
            } else {
                left_out.push(instance.name.clone());
            }
        }
        self.hand_over = HandOverPlan { file: Some(file.to_owned()), asked, left_out };
    }

    /// The text of the file that leaves these to the next process.
    pub fn handed_over(&self, boot: &str, masters: &[(InstanceId, Inheritance)]) -> String {
        let mut text = format!("{HEAD}\n{BOOT}{boot}\n");
        for (id, left) in masters {
            if let Some(instance) = self.instances.iter().find(|i| i.id == *id) {
                let Inheritance { until, sequence, old_checksum } = left;
                let (until, old_checksum) = (until.as_micros(), u8::from(*old_checksum));
                text += &format!("{until}\t{sequence}\t{old_checksum}\t{}\n", known_by(instance));
            }
        }
        text
    }

    /// Who may go on as master, and with what, as `text` says, the file that the last process has left. Of a sync group
    /// all members, or none. Nobody when it is of another boot.
    pub fn inherited(&self, boot: &str, text: &str) -> BTreeMap<InstanceId, Inheritance> {
        let mut lines = text.lines();
        let head = lines.next().filter(|line| *line == HEAD);
        let same = head.and_then(|_| lines.next()?.strip_prefix(BOOT)).is_some_and(|of| of == boot);
        if boot.is_empty() || !same {
            return BTreeMap::new();
        }
        let known: BTreeMap<&str, Inheritance> = lines.filter_map(parse).collect();
        let mut found: BTreeMap<InstanceId, Inheritance> = (self.instances.iter())
            .filter_map(|instance| Some((instance.id, *known.get(known_by(instance).as_str())?)))
            .collect();
        for group in &self.groups {
            if !group.members.iter().all(|id| found.contains_key(id)) {
                found.retain(|id, _| !group.members.contains(id));
            }
        }
        found
    }
}

/// Who was master, and what was left.
fn parse(line: &str) -> Option<(&str, Inheritance)> {
    let (until, line) = line.split_once('\t')?;
    let (sequence, line) = line.split_once('\t')?;
    let (old_checksum, who) = line.split_once('\t')?;
    let left = Inheritance {
        until: Instant::from_micros(until.parse().ok()?),
        sequence: sequence.parse().ok()?,
        old_checksum: old_checksum == "1",
    };
    Some((who, left))
}

/// What an instance is known by: as at a reload. Unicast instances may look the same from outside; then their names count.
fn known_by(instance: &InstancePlan) -> String {
    let name = if instance.params.delivery.is_unicast() { instance.name.as_str() } else { "" };
    format!("{}\t{name}", Identity::of(instance).line())
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
        let mut plan = resolve(&config::load(&MemoryLoader::with_main(text), &options).config);
        plan.set_hand_over("/run/x", true);
        plan
    }

    fn instance(name: &str, vrid: u8, more: &str) -> String {
        format!(
            "vrrp_instance {name} {{\n interface eth0\n virtual_router_id {vrid}\n version 3\n {more}\n \
             virtual_ipaddress {{\n 10.0.0.{vrid}/24\n }}\n}}\n"
        )
    }

    const LEFT: Inheritance =
        Inheritance { until: Instant::from_micros(5_000_000), sequence: u32::MAX, old_checksum: true };

    /// Of instances that were all handed over: the numbers of those that go on.
    fn inherited(before: &str, after: &str) -> Vec<u32> {
        let before = plan(before);
        let all: Vec<_> = before.instances.iter().map(|i| (i.id, LEFT)).collect();
        let text = before.handed_over("b1", &all);
        assert_eq!(plan(after).inherited("b2", &text), BTreeMap::new(), "of another boot");
        assert_eq!(plan(after).inherited("", &text), BTreeMap::new(), "nobody knows of which");
        let found = plan(after).inherited("b1", &text);
        assert!(found.values().all(|left| *left == LEFT));
        found.keys().map(|id| id.0).collect()
    }

    #[test]
    fn who_is_known_goes_on_whatever_else_has_changed() {
        let two = instance("a", 1, "") + &instance("b", 2, "");
        assert_eq!(inherited(&two, &two), [0, 1]);
        let changed = instance("b", 2, "priority 7\nadvert_int 2") + &instance("c", 1, "");
        assert_eq!(inherited(&two, &changed), [0, 1], "order, names and priorities are nothing");
        assert_eq!(inherited(&two, &instance("a", 3, "")), [0; 0]);
        let unicast = |name| instance(name, 1, "unicast_peer {\n 10.0.0.99\n }");
        assert_eq!(inherited(&two, &unicast("a")), [0; 0]);
        assert_eq!(inherited(&unicast("a"), &unicast("a")), [0]);
        assert_eq!(inherited(&unicast("a"), &unicast("b")), [0; 0], "they may be anybody");
    }

    #[test]
    fn a_sync_group_goes_on_with_all_members_or_not_at_all() {
        let both = instance("a", 1, "") + &instance("b", 2, "");
        let group = both.clone() + "vrrp_sync_group G {\n group {\n a\n b\n }\n}\n";
        assert_eq!(inherited(&both, &group), [0, 1]);
        assert_eq!(inherited(&instance("a", 1, ""), &group), [0; 0], "one is new");
    }

    #[test]
    fn what_is_no_such_file_hands_nothing_over() {
        let plan = plan(&instance("a", 1, ""));
        let text = plan.handed_over("b", &[(InstanceId(0), LEFT)]);
        assert_eq!(plan.inherited("b", &text).len(), 1);
        for (from, to) in [
            ("hand-over 1", "hand-over 2"),
            ("boot", "boots"),
            ("5000000\t", "x\t"),
            ("5000000\t", "5000000 "),
        ] {
            assert_eq!(plan.inherited("b", &text.replacen(from, to, 1)), BTreeMap::new(), "{to}");
        }
        assert_eq!(plan.inherited("b", ""), BTreeMap::new());
    }

    #[test]
    fn who_speaks_too_often_cannot_be_left_nor_those_who_go_with_it() {
        let of = |interval: &str| instance("a", 1, &format!("advert_int {interval}"));
        let lease = |text: &str| plan(text).instances.first().and_then(|i| i.params.lease);
        let seconds = |n| Some(std::time::Duration::from_secs(n));
        // The kernel may be a second late, and may not be later than a peer of the highest priority.
        for (interval, expected) in [
            ("0.66", None),
            ("0.67", seconds(1)),
            ("0.99", seconds(1)),
            ("1", seconds(2)),
            ("1.5", seconds(3)),
            ("10", seconds(29)),
        ] {
            assert_eq!(lease(&of(interval)), expected, "{interval}");
        }
        let group = of("0.3") + &instance("b", 2, "") + "vrrp_sync_group G {\n group {\n a\n b\n }\n}\n";
        assert_eq!(plan(&group).hand_over.left_out, ["a", "b"]);
        assert!(plan(&group).instances.iter().all(|i| i.params.lease.is_none()));
    }
}
