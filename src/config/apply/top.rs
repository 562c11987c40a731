//! Keywords outside any block.

use super::super::tree::Stmt;
use super::{Build, put};

pub(crate) fn net_namespace(b: &mut Build<'_>, stmt: &Stmt) {
    let name = stmt.word(1).unwrap_or_default();
    if !b.loader.has_namespace(name) {
        let text = format!("Unable to set network namespace {name} - there is none of this name");
        b.report.error(&stmt.place(1), text).refuses(2).hint(format!("ip netns add {name}"));
    }
    once(b, stmt, name, |b| &mut b.config.top.net_namespace);
}

pub(crate) fn net_namespace_ipvs(b: &mut Build<'_>, stmt: &Stmt) {
    let name = stmt.word(1).unwrap_or_default();
    once(b, stmt, name, |b| &mut b.config.top.net_namespace_ipvs);
}

pub(crate) fn instance(b: &mut Build<'_>, stmt: &Stmt) {
    let name = stmt.word(1).unwrap_or_default();
    once(b, stmt, name, |b| &mut b.config.top.instance);
}

/// Sets what may be given once only.
pub(super) fn once(
    b: &mut Build<'_>,
    stmt: &Stmt,
    value: &str,
    slot: impl for<'x> Fn(&'x mut Build<'_>) -> &'x mut Option<String>,
) {
    if slot(b).is_some() {
        let text = format!("{} is given twice - ignoring the second one", stmt.row.name);
        b.report.error(&stmt.line, text);
        return;
    }
    *slot(b) = Some(value.to_owned());
}

pub(crate) fn namespace_with_ipsets(b: &mut Build<'_>, _stmt: &Stmt) {
    b.config.top.namespace_with_ipsets = true;
}

pub(crate) fn use_pid_dir(b: &mut Build<'_>, _stmt: &Stmt) {
    b.config.top.use_pid_dir = true;
}

pub(crate) fn linkbeat_use_polling(b: &mut Build<'_>, _stmt: &Stmt) {
    b.config.top.linkbeat_polling = true;
}

pub(crate) fn child_wait_time(b: &mut Build<'_>, stmt: &Stmt) {
    put(b.whole_seconds(stmt), &mut b.config.top.child_wait);
}
