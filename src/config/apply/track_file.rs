//! `track_file`, or `vrrp_track_file`.

use std::path::Path;

use super::super::grammar;
use super::super::model::{InitFile, TrackFile};
use super::super::tree::Stmt;
use super::Build;

/// A block being read.
#[derive(Debug)]
pub(crate) struct Draft {
    file: TrackFile,
    /// Its `file` has been read, whether or not it can be used.
    given: bool,
}

pub(crate) fn block(b: &mut Build<'_>, stmt: &Stmt) {
    let name = stmt.word(1).unwrap_or_default().to_owned();
    let file = TrackFile { name: name.clone(), path: String::new(), weight: 1, reverse: false, init: None };
    b.drafts.track_file = Some(Draft { file, given: false });
    b.run(stmt.row.name, &stmt.body);
    let Some(Draft { file, given }) = b.drafts.track_file.take() else { return };
    if !given {
        b.report.lacks(&stmt.place(1), "file", format!("No file set for track_file {name} - removing"));
    }
    let given = given && watchable(b, stmt, &file);
    // References find the first block of a name; stock does not mind further ones.
    if b.defined.files.contains_key(&name) {
        b.report
            .warning(&stmt.place(1), format!("track_file '{name}' is there already; this one is never used"));
        return;
    }
    b.defined.files.insert(name, given);
    if given {
        b.config.track_files.push(file);
    }
}

/// Whether changes of a file can be noticed. Its directory is watched, for the file may come and go.
fn watchable(b: &mut Build<'_>, stmt: &Stmt, file: &TrackFile) -> bool {
    let at = stmt.body.iter().find(|s| s.row.name == "file").map_or(stmt.place(1), |s| s.place(1));
    let path = Path::new(&file.path);
    let directory = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = &file.name;
    if !b.loader.is_directory(directory) {
        let text = format!("Directory {} of track_file {name} does not exist", directory.display());
        // Stock 2.2.7 says nothing; later ones drop the tracker.
        b.report.warning(&at, text).hint("it is tracked all the same, once the directory is there");
        return true;
    }
    if let Some(what) = b.loader.unwatchable(directory) {
        let text = format!(
            "track_file {name}: {} is {what}, where changes go unnoticed - removing",
            directory.display()
        );
        b.report.error(&at, text).hint("a directory below /run is a good place");
        return false;
    }
    if file.init.as_ref().is_some_and(|i| i.overwrite) && b.loader.is_directory(path) {
        let text =
            format!("track_file {name}: {} is a directory and cannot be written - removing", file.path);
        b.report.error(&at, text);
        return false;
    }
    true
}

pub(crate) fn file(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(draft) = &mut b.drafts.track_file else { return };
    if draft.given {
        b.report.error(&stmt.place(1), "file is given twice - ignoring the second one");
        return;
    }
    draft.given = true;
    stmt.word(1).unwrap_or_default().clone_into(&mut draft.file.path);
}

pub(crate) fn weight(b: &mut Build<'_>, stmt: &Stmt) {
    let weight = b.number(stmt).unwrap_or(1);
    let reverse = reverse(b, stmt);
    let Some(draft) = &mut b.drafts.track_file else { return };
    if draft.file.weight != 1 {
        b.report.error(&stmt.place(1), "weight is given twice - ignoring the second one");
        return;
    }
    (draft.file.weight, draft.file.reverse) = (weight, reverse);
}

/// Whether `reverse` follows a weight.
pub(super) fn reverse(b: &mut Build<'_>, stmt: &Stmt) -> bool {
    match stmt.word(2) {
        None => false,
        Some("reverse") => true,
        Some(word) => {
            let text = format!("Unknown word '{word}' after the weight - ignoring");
            b.report.error(&stmt.place(2), text).hint("reverse is understood");
            false
        }
    }
}

/// `init_file [N] [overwrite]`.
pub(crate) fn init_file(b: &mut Build<'_>, stmt: &Stmt) {
    let mut init = InitFile::default();
    for (n, word) in stmt.words_from(1).enumerate().map(|(i, w)| (i + 1, w)) {
        match grammar::integer(word) {
            (Some(number), "") => {
                if number.abs() > 254 {
                    let text = format!("init value {number} is outside sensible range [-254, 254]");
                    b.report.error(&stmt.place(n), text);
                }
                init.value = number;
            }
            _ if word == "overwrite" => init.overwrite = true,
            _ => {
                let text = format!("Unknown track file init option {word}");
                b.report.error(&stmt.place(n), text).hint("a number and overwrite are understood");
            }
        }
    }
    if let Some(draft) = &mut b.drafts.track_file {
        draft.file.init = Some(init);
    }
}
