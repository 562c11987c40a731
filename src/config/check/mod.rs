//! Cross-checks of what has been read, one function per rule, in stock's order.

mod ids;
mod instance;

use super::apply::Build;
use super::apply::instance::Draft;
use super::diagnostic::{Class, Severity};
use crate::base::Family;

/// Checks everything and moves what can be used into the model.
pub(crate) fn run(b: &mut Build<'_>) {
    without_instances(b);
    // Stock checks nothing behind a missing interface; we do, but what only that would find must not change the
    // status that people know.
    let scripts = b.security.scripts && b.has_instances && !b.interface_missing;
    if (scripts || b.security.others) && !b.config.globals.script_security {
        security(b);
    }
    let drafts = std::mem::take(&mut b.instances);
    let mut kept: Vec<Draft> = Vec::new();
    let mut taken = ids::Taken::new();
    for mut draft in drafts {
        if not_in_effect(b, &draft) {
            continue;
        }
        if !instance::complete(b, &draft) {
            continue;
        }
        instance::check(b, &mut draft);
        if ids::clash(b, &draft, &mut taken) {
            continue;
        }
        kept.push(draft);
    }
    b.config.instances = kept.into_iter().map(|d| d.instance).collect();
}

/// What concerns the scripts of instances does not count when there are none.
fn without_instances(b: &mut Build<'_>) {
    let numbers = std::mem::take(&mut b.of_instances);
    if b.has_instances {
        return;
    }
    for number in numbers {
        if let Some(diagnostic) = b.report.list.get_mut(number) {
            diagnostic.class = Class::Log;
        }
    }
}

/// Section 10.4: scripts without `enable_script_security`.
fn security(b: &mut Build<'_>) {
    let mut text =
        "SECURITY VIOLATION - scripts are being executed but script_security not enabled.".to_owned();
    if b.security.insecure {
        text.push_str(" There are insecure scripts.");
    }
    let added = b.report.add(None, Severity::Warning, Class::Security, text);
    added.hint("add enable_script_security to global_defs");
}

/// Leaves out an instance that would not understand its peers with what is in effect.
fn not_in_effect(b: &mut Build<'_>, draft: &Draft) -> bool {
    let ipv6 = (draft.family == Some(Family::V6)).then_some("IPv6");
    let Some(what) = ipv6.or(draft.left_out.first().copied()).or(b.vital.first().copied()) else {
        return false;
    };
    let name = &draft.instance.name;
    let text = format!("vrrp_instance {name} is left out: {what} is not in effect yet");
    let added = b.report.at(&draft.name, Severity::Error, Class::Log, text);
    added
        .not_in_effect()
        .hint("without it, this router and its peers would not hear each other, and both would be master");
    true
}
