//! `History`: why each instance is in the state it is in, and how it came there. Stock has nothing like it.

use super::instance::word;
use super::view::{Lines, View};
use crate::report::wording;
use crate::vrrp::event::Reject;

/// The section, if somebody answered. Its labels are none of stock's, so that nobody takes it for a list of instances.
pub(super) fn section(view: &View<'_>, out: &mut Lines) {
    if view.findings.observed.is_empty() {
        return;
    }
    out.section("History");
    for plan in &view.plan.instances {
        out.add(format_args!(" History of {}", plan.name));
        let Some(observed) = view.findings.observed.get(&plan.id) else {
            out.add("   It did not answer");
            continue;
        };
        let cause = |cause| Some(wording::cause(cause, plan)).filter(|text| !text.is_empty());
        let start = || "start".to_owned();
        out.put("Cause", cause(&observed.snapshot.cause).unwrap_or_else(start));
        for (kind, count) in &observed.snapshot.counters.rejects {
            out.put(&format!("Rejected, {}", Reject::kind_name(*kind)), count);
        }
        for change in &observed.history {
            let when = view.moment(observed.unix(change.at));
            let why = cause(&change.cause).unwrap_or_else(start);
            out.add(format_args!("     {when} {}: {why}", word(change.state)));
        }
    }
}
