//! `vrrp_instance`.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::lines::Line;
use super::super::model::{Authentication, InitialState, InstanceOptions, Script, Version, VrrpInstance};
use super::super::schema::addresses::VIRTUAL_IPADDRESS;
use super::super::tree::Stmt;
use super::{Build, Once, address, globals, script, track};
use crate::base::{Family, Priority, Vrid};

/// A `vrrp_instance` being read.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) instance: VrrpInstance,
    /// Its name, for what concerns all of it.
    pub(crate) name: Line,
    /// Where its keywords were last written.
    pub(crate) lines: Places,
    /// Its family, once something has told.
    pub(crate) family: Option<Family>,
    /// `auth_type`.
    auth_type: Option<AuthType>,
    /// `auth_pass`, zero-padded.
    auth_pass: Option<[u8; 8]>,
    /// It cannot run, as stock keeps it in its fault state; why has been said.
    pub(crate) faulty: bool,
    /// The scripts that have been given.
    given: BTreeSet<&'static str>,
    /// The diagnostic of a `virtual_router_id` that cannot be used: its absence is not reported again.
    pub(crate) bad_vrid: Option<usize>,
    /// The diagnostic of a loopback `interface`, likewise.
    pub(crate) bad_interface: Option<usize>,
}

/// Where keywords were last written, sorted by keyword. There may be thousands of these: a map takes twice the room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(Box<[(&'static str, Line)]>);

impl Places {
    /// Those of the statements of a block.
    fn of(stmts: &[Stmt]) -> Self {
        let mut all: Vec<_> = stmts.iter().rev().map(|s| (s.row.name, s.place(s.len().min(2) - 1))).collect();
        // The last one written is now the first, and sorting leaves it there.
        all.sort_by_key(|(keyword, _)| *keyword);
        all.dedup_by_key(|(keyword, _)| *keyword);
        Self(all.into())
    }

    /// Whether `keyword` was written.
    pub(crate) fn contains_key(&self, keyword: &str) -> bool {
        self.get(keyword).is_some()
    }

    /// Where `keyword` was last written.
    pub(crate) fn get(&self, keyword: &str) -> Option<&Line> {
        let at = self.0.binary_search_by_key(&keyword, |(keyword, _)| keyword).ok()?;
        self.0.get(at).map(|(_, line)| line)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AuthType {
    Pass,
    Ah,
}

impl Draft {
    /// Where `keyword` was written, or else the name.
    pub(crate) fn line(&self, keyword: &str) -> &Line {
        self.lines.get(keyword).unwrap_or(&self.name)
    }
}

pub(crate) fn block(b: &mut Build<'_>, stmt: &Stmt) {
    let name = stmt.word(1).unwrap_or_default().to_owned();
    b.instance = Some(Draft {
        instance: VrrpInstance { name, ..VrrpInstance::default() },
        name: stmt.place(1),
        lines: Places::of(&stmt.body),
        family: None,
        auth_type: None,
        auth_pass: None,
        faulty: false,
        given: BTreeSet::new(),
        bad_vrid: None,
        bad_interface: None,
    });
    b.run("vrrp_instance", &stmt.body);
    if let Some(mut draft) = b.instance.take() {
        let instance = &mut draft.instance;
        instance.addresses.shrink_to_fit();
        instance.excluded.shrink_to_fit();
        instance.track_scripts.shrink_to_fit();
        instance.peers.shrink_to_fit();
        b.instances.push(draft);
    }
}

/// Sets something of the instance being read.
pub(crate) fn set(b: &mut Build<'_>, set: impl FnOnce(&mut VrrpInstance)) {
    if let Some(draft) = &mut b.instance {
        set(&mut draft.instance);
    }
}

/// Sets something that is not in effect yet.
pub(super) fn set_options(b: &mut Build<'_>, set: impl FnOnce(&mut InstanceOptions)) {
    if let Some(draft) = &mut b.instance {
        set(&mut draft.instance.options);
    }
}

pub(crate) fn state(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    let was_master = b.instance.as_ref().is_some_and(|d| d.instance.state == Some(InitialState::Master));
    let state = match word {
        "MASTER" => InitialState::Master,
        "BACKUP" if was_master => {
            b.report.error(&stmt.place(1), "'state BACKUP' after 'state MASTER' is ignored");
            InitialState::Master
        }
        "BACKUP" => InitialState::Backup,
        _ => {
            let added = b.report.error(&stmt.place(1), format!("Unknown state '{word}', BACKUP used"));
            added.hint("MASTER and BACKUP are understood, in capitals");
            if was_master { InitialState::Master } else { InitialState::Backup }
        }
    };
    set(b, |i| i.state = Some(state));
}

pub(crate) fn interface(b: &mut Build<'_>, stmt: &Stmt) {
    if stmt.word(1) == Some("lo") {
        b.report.error(&stmt.place(1), "VRRP cannot run on the loopback interface - ignoring");
        let reported = b.report.list.len() - 1;
        if let Some(draft) = &mut b.instance {
            draft.bad_interface = Some(reported);
        }
        return;
    }
    let what = format!("vrrp_instance {}", b.instance.as_ref().map_or("", |d| &d.instance.name));
    if let Some(name) = b.interface(stmt, 1, &what) {
        set(b, |i| i.interface = Some(name));
    }
}

pub(crate) fn virtual_router_id(b: &mut Build<'_>, stmt: &Stmt) {
    let vrid = b.integer(stmt).and_then(|n| u8::try_from(n).ok()).and_then(Vrid::new);
    let reported = b.report.list.len().checked_sub(1);
    match (&mut b.instance, vrid) {
        (Some(draft), Some(_)) => draft.instance.vrid = vrid,
        (Some(draft), None) => draft.bad_vrid = reported,
        (None, _) => {}
    }
}

pub(crate) fn version(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(version) = globals::version(b, stmt) else { return };
    let earlier = b.instance.as_ref().and_then(|d| d.instance.version);
    let ipv6 = b.instance.as_ref().is_some_and(|d| d.family == Some(Family::V6));
    if earlier.is_some_and(|e| e != version) {
        b.report.error(&stmt.place(1), "version differs from the one given before - ignoring");
    } else if ipv6 && version == Version::V2 {
        let text = "VRRP version 2 has no IPv6, which this instance speaks - ignoring";
        b.report.error(&stmt.place(1), text).hint("remove it: IPv6 instances use version 3");
    } else {
        set(b, |i| i.version = Some(version));
    }
}

pub(crate) fn priority(b: &mut Build<'_>, stmt: &Stmt) {
    let priority = b.integer(stmt).and_then(|n| u8::try_from(n).ok()).and_then(Priority::new);
    set(b, |i| i.priority = Some(priority.unwrap_or(Priority::DEFAULT)));
}

pub(crate) fn advert_int(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(time) = b.seconds(stmt) {
        set(b, |i| i.advert_int = Some(time));
    }
}

pub(crate) fn nopreempt(b: &mut Build<'_>, _stmt: &Stmt) {
    set(b, |i| i.nopreempt = true);
}

pub(crate) fn preempt(b: &mut Build<'_>, _stmt: &Stmt) {
    set(b, |i| i.nopreempt = false);
}

pub(crate) fn preempt_delay(b: &mut Build<'_>, stmt: &Stmt) {
    let time = b.seconds(stmt).unwrap_or(Duration::ZERO);
    set(b, |i| i.preempt_delay = Some(time));
}

pub(crate) fn dont_track_primary(b: &mut Build<'_>, _stmt: &Stmt) {
    set(b, |i| i.dont_track_primary = true);
}

pub(crate) fn authentication(b: &mut Build<'_>, stmt: &Stmt) {
    b.run("authentication", &stmt.body);
    let Some(draft) = &mut b.instance else { return };
    match (draft.auth_type, draft.auth_pass) {
        (_, None) if draft.auth_type.is_some() => {
            b.report.lacks(&stmt.line, "auth_pass", "authentication without auth_pass - not authenticating");
        }
        (Some(AuthType::Pass), Some(pass)) => {
            draft.instance.authentication = Some(Authentication::Pass(pass))
        }
        (Some(AuthType::Ah), Some(pass)) => draft.instance.options.auth_ah = Some(pass),
        _ => {}
    }
}

pub(crate) fn auth_type(b: &mut Build<'_>, stmt: &Stmt) {
    let auth_type = match stmt.word(1) {
        Some("PASS") => AuthType::Pass,
        Some("AH") => AuthType::Ah,
        other => {
            let text = format!("Unknown authentication type '{}'", other.unwrap_or_default());
            b.report.error(&stmt.place(1), text).hint("PASS and AH are understood, in capitals");
            return;
        }
    };
    if let Some(draft) = &mut b.instance {
        draft.auth_type = Some(auth_type);
    }
}

pub(crate) fn auth_pass(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    if word.len() > 8 {
        let hint = "all routers use the first 8 bytes only; write just these";
        b.report.error(&stmt.place(1), "auth_pass is longer than 8 bytes - truncated").hint(hint);
    }
    if word.contains(char::REPLACEMENT_CHARACTER) {
        b.report.error(&stmt.place(1), "auth_pass is not UTF-8 - peers will not accept it");
    }
    let mut pass = [0; 8];
    for (to, from) in pass.iter_mut().zip(word.bytes()) {
        *to = from;
    }
    // An empty password is no password.
    if let Some(draft) = &mut b.instance {
        draft.auth_pass = (!word.is_empty()).then_some(pass);
    }
}

pub(crate) fn virtual_ipaddress(b: &mut Build<'_>, stmt: &Stmt) {
    for entry in &stmt.body {
        let Some(address) = address::line(b, entry, &VIRTUAL_IPADDRESS) else { continue };
        let Some(draft) = &mut b.instance else { return };
        let family = *draft.family.get_or_insert(Family::of(address.cidr.ip));
        if family != Family::of(address.cidr.ip) {
            let text = format!("{} is not of the instance's address family - dropping it", address.cidr.ip);
            b.report.error(&entry.place(0), text).hint("virtual_ipaddress_excluded takes both families");
        } else if !b.is_new(Once::Address("virtual_ipaddress", address.cidr, address.dev.clone())) {
            b.report.warning(&entry.place(0), format!("{} is given twice", address.cidr));
        } else if let Some(draft) = &mut b.instance {
            draft.instance.addresses.push(address);
        }
    }
}

pub(crate) fn virtual_ipaddress_excluded(b: &mut Build<'_>, stmt: &Stmt) {
    for entry in &stmt.body {
        let Some(address) = address::line(b, entry, &VIRTUAL_IPADDRESS) else { continue };
        if !b.is_new(Once::Address("virtual_ipaddress_excluded", address.cidr, address.dev.clone())) {
            b.report.warning(&entry.place(0), format!("{} is given twice", address.cidr));
        } else if let Some(draft) = &mut b.instance {
            draft.instance.excluded.push(address);
        }
    }
}

pub(crate) fn track_script(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(mut draft) = b.instance.take() else { return };
    track::scripts(b, stmt, &mut draft.instance.track_scripts);
    b.instance = Some(draft);
}

/// `track_interface`, `track_file`, `track_process`, `track_bfd`.
pub(crate) fn tracks(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(mut draft) = b.instance.take() else { return };
    track::others(b, stmt, &mut draft.instance.tracks);
    b.instance = Some(draft);
}

/// Sets one of the scripts that may be given once only.
fn notify_once(b: &mut Build<'_>, stmt: &Stmt, slot: fn(&mut VrrpInstance) -> &mut Option<Script>) {
    if b.instance.as_ref().is_some_and(|d| d.given.contains(stmt.row.name)) {
        b.report.error(&stmt.line, format!("{} script is given twice - ignoring", stmt.row.name));
        return;
    }
    let Some(script) = script::notify(b, stmt) else { return };
    if let Some(draft) = &mut b.instance {
        draft.given.insert(stmt.row.name);
        *slot(&mut draft.instance) = script;
    }
}

pub(crate) fn notify_master(b: &mut Build<'_>, stmt: &Stmt) {
    notify_once(b, stmt, |i| &mut i.notify_master);
}

pub(crate) fn notify_backup(b: &mut Build<'_>, stmt: &Stmt) {
    notify_once(b, stmt, |i| &mut i.notify_backup);
}

pub(crate) fn notify_fault(b: &mut Build<'_>, stmt: &Stmt) {
    notify_once(b, stmt, |i| &mut i.notify_fault);
}

pub(crate) fn notify_stop(b: &mut Build<'_>, stmt: &Stmt) {
    notify_once(b, stmt, |i| &mut i.notify_stop);
}

pub(crate) fn notify(b: &mut Build<'_>, stmt: &Stmt) {
    notify_once(b, stmt, |i| &mut i.notify);
}

pub(crate) fn notify_master_rx_lower_pri(b: &mut Build<'_>, stmt: &Stmt) {
    notify_once(b, stmt, |i| &mut i.notify_master_rx_lower_pri);
}

/// One of the `garp_*` keywords.
pub(crate) fn garp(b: &mut Build<'_>, stmt: &Stmt) {
    // `run` is only called for the body of an instance, so there is one; the defaults stand in for it.
    globals::garp(b, stmt, |b| match b.instance {
        Some(ref mut draft) => &mut draft.instance.garp,
        None => &mut b.config.globals.garp,
    });
}

pub(crate) fn down_timer_adverts(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(n) = b.integer(stmt).and_then(|n| u8::try_from(n).ok()) {
        set(b, |i| i.down_timer_adverts = Some(n));
    }
}

pub(crate) fn lower_prio_no_advert(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(on) = b.boolean(stmt) {
        set(b, |i| i.lower_prio_no_advert = Some(on));
    }
}

pub(crate) fn higher_prio_send_advert(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(on) = b.boolean(stmt) {
        set(b, |i| i.higher_prio_send_advert = Some(on));
    }
}
