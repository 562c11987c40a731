//! The rules, one function each. First those that split a cluster, then those that surprise.

mod election;
mod heard;
mod moved;

use std::collections::BTreeSet;

use super::view::{At, Router, View};
use super::{Finding, Place};
use crate::config::diagnostic::{Severity, Span};

/// What the rules work on, and where they put what they find.
struct Rules<'a> {
    view: &'a View,
    /// One virtual router each.
    groups: Vec<Vec<&'a Router>>,
    nodes: usize,
    findings: &'a mut Vec<Finding>,
}

/// Applies all rules. `virtual_routers`: indices into the routers of `view`.
pub(super) fn check(view: &View, virtual_routers: &[Vec<usize>], nodes: usize, findings: &mut Vec<Finding>) {
    let members = |group: &Vec<usize>| group.iter().filter_map(|n| view.routers.get(*n)).collect();
    let groups: Vec<Vec<&Router>> = virtual_routers.iter().map(members).collect();
    let mut rules = Rules { view, groups, nodes, findings };
    let told = rules.addresses_in_two();
    for number in 0..rules.groups.len() {
        let Some(group) = rules.groups.get(number).cloned() else { continue };
        if group.len() < 2 {
            rules.alone(&group, told.contains(&number));
            continue;
        }
        rules.version(&group);
        rules.interval(&group);
        rules.authentication(&group);
        rules.addresses(&group);
        rules.checksum(&group);
        rules.destination(&group);
        rules.peers(&group);
        rules.owners(&group);
        rules.priorities(&group);
        rules.masters(&group);
        rules.preemption(&group);
        rules.weights(&group);
        rules.prefixes(&group);
        rules.excluded(&group);
        rules.vmac(&group);
    }
    rules.sync_groups();
}

/// A virtual router as its owner calls it.
fn name(group: &[&Router]) -> String {
    let names: BTreeSet<_> = group.iter().map(|r| r.name.value.as_str()).collect();
    let names: Vec<_> = names.into_iter().collect();
    format!("{} (VRID {})", names.join(", "), group.first().map_or(0, |r| r.vrid.value))
}

/// Whether `value` is not the same everywhere.
fn differs<T: PartialEq>(group: &[&Router], value: impl Fn(&Router) -> T) -> bool {
    group.windows(2).any(|w| matches!(w, [a, b] if value(a) != value(b)))
}

/// What each node has.
fn places<'a>(group: &[&'a Router], value: impl Fn(&'a Router) -> (&'a Span, String)) -> Vec<Place> {
    let place = |r: &&'a Router| {
        let (span, value) = value(r);
        Place { node: r.node, span: Some(span.clone()), value }
    };
    group.iter().map(place).collect()
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|i| i.to_string()).collect();
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

impl Rules<'_> {
    fn add(&mut self, severity: Severity, rule: &'static str, text: String, hint: &str, places: Vec<Place>) {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        self.findings.push(Finding { severity, rule, text, hint, places });
    }

    fn splits(&mut self, rule: &'static str, text: String, hint: &str, places: Vec<Place>) {
        self.add(Severity::Error, rule, text, hint, places);
    }

    fn surprises(&mut self, rule: &'static str, text: String, hint: &str, places: Vec<Place>) {
        self.add(Severity::Warning, rule, text, hint, places);
    }
}

/// The place of a setting of a router.
fn place<T>(router: &Router, setting: &At<T>, value: String) -> Place {
    Place { node: router.node, span: Some(setting.span.clone()), value }
}
