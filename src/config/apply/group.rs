//! `vrrp_sync_group` and `track_group`.

use std::collections::BTreeSet;

use super::super::lines::Line;
use super::super::model::{Script, SyncGroup, TrackGroup};
use super::super::tree::Stmt;
use super::{Build, put, script, track};

/// A `vrrp_sync_group` being read, or read.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) group: SyncGroup,
    /// Its name, for what concerns all of it.
    pub(crate) name: Line,
    members: MemberList,
    /// The scripts that have been given.
    given: BTreeSet<&'static str>,
}

/// The `group` of a group.
#[derive(Debug, Default)]
pub(crate) struct MemberList {
    /// The list has been read; stock knows one only.
    given: bool,
    /// Its members and where they are.
    pub(crate) members: Vec<(String, Line)>,
}

impl Draft {
    /// The members as written, with their places.
    pub(crate) fn members(&self) -> &[(String, Line)] {
        &self.members.members
    }
}

impl MemberList {
    fn read(&mut self, b: &mut Build<'_>, stmt: &Stmt) {
        if self.given {
            b.report.error(&stmt.line, "Group list already specified - ignoring the second one");
            return;
        }
        self.given = true;
        for entry in &stmt.body {
            let words = entry.words_from(0).enumerate();
            self.members.extend(words.map(|(n, name)| (name.to_owned(), entry.place(n))));
        }
        if self.members.is_empty() {
            b.report.error(&stmt.line, "Warning - empty group block");
        }
    }
}

pub(crate) fn sync_group(b: &mut Build<'_>, stmt: &Stmt) {
    let name = stmt.word(1).unwrap_or_default().to_owned();
    b.drafts.sync_group = Some(Draft {
        group: SyncGroup { name, ..SyncGroup::default() },
        name: stmt.place(1),
        members: MemberList::default(),
        given: BTreeSet::new(),
    });
    b.run("vrrp_sync_group", &stmt.body);
    if let Some(draft) = b.drafts.sync_group.take() {
        b.sync_groups.push(draft);
    }
}

fn set(b: &mut Build<'_>, set: impl FnOnce(&mut SyncGroup)) {
    if let Some(draft) = &mut b.drafts.sync_group {
        set(&mut draft.group);
    }
}

pub(crate) fn sync_members(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(mut draft) = b.drafts.sync_group.take() else { return };
    draft.members.read(b, stmt);
    b.drafts.sync_group = Some(draft);
}

/// `track_script`.
pub(crate) fn track_script(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(mut draft) = b.drafts.sync_group.take() else { return };
    track::scripts(b, stmt, &mut draft.group.track_scripts);
    b.drafts.sync_group = Some(draft);
}

/// `track_interface`, `track_file`, `track_process`, `track_bfd`.
pub(crate) fn tracks(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(mut draft) = b.drafts.sync_group.take() else { return };
    track::others(b, stmt, &mut draft.group.tracks);
    b.drafts.sync_group = Some(draft);
}

/// One of the scripts, each of which may be given once only.
fn notify_once(b: &mut Build<'_>, stmt: &Stmt, slot: fn(&mut SyncGroup) -> &mut Option<Script>) {
    if b.drafts.sync_group.as_ref().is_some_and(|d| d.given.contains(stmt.row.name)) {
        b.report.error(&stmt.line, format!("{} script is given twice - ignoring", stmt.row.name));
        return;
    }
    let Some(script) = script::notify(b, stmt) else { return };
    if let Some(draft) = &mut b.drafts.sync_group {
        draft.given.insert(stmt.row.name);
        *slot(&mut draft.group) = script;
    }
}

pub(crate) fn notify_master(b: &mut Build<'_>, stmt: &Stmt) {
    notify_once(b, stmt, |g| &mut g.notify_master);
}

pub(crate) fn notify_backup(b: &mut Build<'_>, stmt: &Stmt) {
    notify_once(b, stmt, |g| &mut g.notify_backup);
}

pub(crate) fn notify_fault(b: &mut Build<'_>, stmt: &Stmt) {
    notify_once(b, stmt, |g| &mut g.notify_fault);
}

pub(crate) fn notify_stop(b: &mut Build<'_>, stmt: &Stmt) {
    notify_once(b, stmt, |g| &mut g.notify_stop);
}

pub(crate) fn notify(b: &mut Build<'_>, stmt: &Stmt) {
    notify_once(b, stmt, |g| &mut g.notify);
}

pub(crate) fn smtp_alert(b: &mut Build<'_>, stmt: &Stmt) {
    let on = b.boolean(stmt);
    set(b, |g| put(on, &mut g.smtp_alert));
}

pub(crate) fn notify_priority_changes(b: &mut Build<'_>, stmt: &Stmt) {
    let on = b.boolean(stmt);
    set(b, |g| put(on, &mut g.notify_priority_changes));
}

pub(crate) fn global_tracking(b: &mut Build<'_>, _stmt: &Stmt) {
    set(b, |g| g.global_tracking = true);
}

pub(crate) fn tracking_weight(b: &mut Build<'_>, _stmt: &Stmt) {
    set(b, |g| g.tracking_weight = true);
}

pub(crate) fn track_group(b: &mut Build<'_>, stmt: &Stmt) {
    let name = stmt.word(1).unwrap_or_default().to_owned();
    b.drafts.track_group = Some(MemberList::default());
    b.run("track_group", &stmt.body);
    let Some(list) = b.drafts.track_group.take() else { return };
    // Instances may come later, and one that never does is only logged by stock.
    let members = list.members.into_iter().map(|(name, _)| name).collect();
    b.defined.track_groups.insert(name.clone());
    b.config.track_groups.push(TrackGroup { name, members });
}

pub(crate) fn track_members(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(mut list) = b.drafts.track_group.take() else { return };
    list.read(b, stmt);
    b.drafts.track_group = Some(list);
}
