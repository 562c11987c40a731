//! Virtual servers and their groups.

use std::collections::BTreeMap;

use crate::base::Family;
use crate::config::apply::Build;
use crate::config::apply::lvs::Server;
use crate::config::model::lvs::{Forwarding, ServerGroup, Service};

/// The groups, by name.
pub(super) struct Groups {
    list: Vec<ServerGroup>,
    names: BTreeMap<String, usize>,
}

impl Groups {
    pub(super) fn new(list: Vec<ServerGroup>) -> Self {
        let names = list.iter().enumerate().map(|(n, g)| (g.name.clone(), n)).collect();
        Self { list, names }
    }

    pub(super) fn into_inner(self) -> Vec<ServerGroup> {
        self.list
    }

    fn get(&self, name: &str) -> Option<&ServerGroup> {
        self.names.get(name).and_then(|n| self.list.get(*n))
    }
}

/// Finds the group of a virtual server: `Some(None)` if it needs none, `None` if it cannot be used without. Stock
/// drops it without a word under `-t`.
pub(super) fn link<'g>(
    b: &mut Build<'_>,
    groups: &'g Groups,
    draft: &mut Server,
) -> Option<Option<&'g ServerGroup>> {
    let Service::Group(name) = &draft.server.service else { return Some(None) };
    let Some(group) = groups.get(name) else {
        let text = format!("virtual_server_group {name} does not exist - ignoring the virtual server");
        b.report.warning(&draft.at, text);
        b.report.misses(name);
        return None;
    };
    let tunnel = |f: Option<Forwarding>| matches!(f, Some(Forwarding::Tunnel(_)));
    let tunnelled = draft.reals.iter().all(|r| tunnel(r.real.forwarding.or(draft.server.forwarding)));
    let (v4, v6) = (group.has(Family::V4), group.has(Family::V6));
    let clash = match draft.server.family {
        Some(Family::V4) => v6,
        Some(Family::V6) => v4,
        None => v4 && v6 && !tunnelled,
    };
    if clash {
        let text = format!(
            "Address families of virtual_server_group {name} and its servers don't match - ignoring the virtual server"
        );
        b.report.warning(&draft.at, text);
        return None;
    }
    if draft.server.family.is_none() && v4 != v6 {
        draft.server.family = Some(if v4 { Family::V4 } else { Family::V6 });
    }
    Some(Some(group))
}
