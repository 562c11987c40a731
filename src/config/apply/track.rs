//! The lines of `track_interface`, `track_script`, `track_file`, `track_process` and `track_bfd`, which instances
//! and sync groups have alike.

use super::super::grammar;
use super::super::model::{Track, TrackInterface, TrackScript, Tracks};
use super::super::tree::Stmt;
use super::{Build, Once};

/// What is tracked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Script,
    File,
    Process,
    Bfd,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Script => "track script",
            Self::File => "track file",
            Self::Process => "track process",
            Self::Bfd => "track bfd",
        }
    }

    /// The block that defines it.
    const fn block(self) -> &'static str {
        match self {
            Self::Script => "vrrp_script",
            Self::File => "track_file",
            Self::Process => "vrrp_track_process",
            Self::Bfd => "bfd_instance",
        }
    }

    /// Whether there is such a thing, and whether it can be used.
    fn defined(self, b: &Build<'_>, name: &str) -> Option<bool> {
        let names = match self {
            Self::Script => &b.scripts,
            Self::File => &b.defined.files,
            Self::Process => &b.defined.processes,
            Self::Bfd => &b.defined.bfds,
        };
        names.get(name).copied()
    }
}

/// Adds the lines of a `track_script` list.
pub(crate) fn scripts(b: &mut Build<'_>, stmt: &Stmt, tracked: &mut Vec<TrackScript>) {
    for entry in &stmt.body {
        if let Some(Track { name, weight, reverse }) = line(b, entry, Kind::Script) {
            b.is_new(Once::Tracked(Kind::Script.name(), name.clone()));
            tracked.push(TrackScript { script: name, weight, reverse });
        }
    }
}

/// Adds the lines of one of the other lists.
pub(crate) fn others(b: &mut Build<'_>, stmt: &Stmt, tracks: &mut Tracks) {
    let (kind, tracked) = match stmt.row.name {
        "track_file" => (Kind::File, &mut tracks.files),
        "track_process" => (Kind::Process, &mut tracks.processes),
        "track_bfd" => (Kind::Bfd, &mut tracks.bfds),
        _ => return interfaces(b, stmt, &mut tracks.interfaces),
    };
    for entry in &stmt.body {
        if let Some(track) = line(b, entry, kind) {
            b.is_new(Once::Tracked(kind.name(), track.name.clone()));
            tracked.push(track);
        }
    }
}

/// `NAME [weight N [reverse|noreverse]]`.
fn line(b: &mut Build<'_>, entry: &Stmt, kind: Kind) -> Option<Track> {
    let (what, name) = (kind.name(), entry.word(0)?);
    match kind.defined(b, name) {
        Some(true) => {}
        // It has been reported where it was defined.
        Some(false) => return None,
        None => {
            let hint = format!("a {} must come before what tracks it", kind.block());
            b.report.error(&entry.place(0), format!("{what} {name} not found, ignoring...")).hint(hint);
            b.report.misses(name);
            return None;
        }
    }
    if b.has(&Once::Tracked(kind.name(), name.to_owned())) {
        b.report.error(&entry.place(0), format!("{what} {name} is tracked twice - ignoring"));
        return None;
    }
    let mut track = Track { name: name.to_owned(), weight: None, reverse: None };
    if entry.len() == 1 {
        return Some(track);
    }
    track.weight = match weight(b, entry, kind == Kind::Bfd)? {
        Some(n @ (-254 | 254)) if kind == Kind::Script => {
            let used = n.signum() * 253;
            b.report.error(&entry.place(2), format!("weight {n} is out of reach; {used} used"));
            Some(used)
        }
        weight => weight,
    };
    match entry.word(3) {
        None => {}
        Some("reverse") => track.reverse = Some(true),
        Some("noreverse") => track.reverse = Some(false),
        Some(word) => {
            let text = format!("Unknown word '{word}' after the weight of {what} {name} - ignoring");
            b.report.error(&entry.place(3), text).hint("reverse and noreverse are understood");
            if matches!(kind, Kind::File | Kind::Bfd) {
                return None;
            }
        }
    }
    Some(track)
}

/// `weight N` behind a name. The outer `None`: the line is to be dropped; the inner one: the number is not usable.
fn weight(b: &mut Build<'_>, entry: &Stmt, of_bfd: bool) -> Option<Option<i16>> {
    let name = entry.word(0).unwrap_or_default();
    if let Some(word) = entry.word(1).filter(|w| *w != "weight") {
        let text = format!("Unknown word '{word}' after '{name}' - ignoring the line");
        b.report.error(&entry.place(1), text).hint("NAME, or NAME weight N");
        return None;
    }
    let Some(word) = entry.word(2) else {
        b.report.error(&entry.place(1), format!("weight of {name} is missing - ignoring the line"));
        return None;
    };
    let most = if of_bfd { 253 } else { 254 };
    let (number, tail) = grammar::integer(word);
    let number = number.and_then(|n| i16::try_from(n).ok()).filter(|n| tail.is_empty() && n.abs() <= most);
    if number.is_none() {
        b.report.error(&entry.place(2), format!("weight must be a number from -253 to 253, not '{word}'"));
    }
    Some(number)
}

/// Adds the lines `IFNAME [weight N [reverse]]` of `track_interface`.
fn interfaces(b: &mut Build<'_>, stmt: &Stmt, tracked: &mut Vec<TrackInterface>) {
    for entry in &stmt.body {
        let Some(interface) = b.interface(entry, 0, "track_interface") else { continue };
        let once = Once::Tracked("track_interface", interface.as_str().to_owned());
        if b.has(&once) {
            b.report.error(&entry.place(0), format!("duplicate track_interface {interface} - ignoring"));
            continue;
        }
        let mut track = TrackInterface { interface, weight: 0, reverse: false };
        if entry.len() > 1 {
            let Some(weight) = weight(b, entry, false) else { continue };
            track.weight = weight.unwrap_or(0).clamp(-253, 253);
            if let Some(weight) = weight.filter(|w| w.abs() == 254) {
                b.report.error(
                    &entry.place(2),
                    format!("weight {weight} is out of reach; {} used", track.weight),
                );
            }
            match entry.word(3) {
                None => {}
                Some("reverse") => track.reverse = true,
                Some(word) => {
                    let text = format!("Unknown word '{word}' after the weight - ignoring");
                    b.report.error(&entry.place(3), text).hint("reverse is understood");
                }
            }
        }
        b.is_new(once);
        tracked.push(track);
    }
}
