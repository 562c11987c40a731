//! Files, and what concerns reloading.

use std::path::Path;

use super::super::super::model::GlobalOptions;
use super::super::super::tree::Stmt;
use super::super::Build;
use super::{text, text_once};

/// A path, and nothing else.
pub(crate) fn one_path(b: &mut Build<'_>, stmt: &Stmt, to: fn(&mut GlobalOptions) -> &mut Option<String>) {
    if stmt.len() > 2 || stmt.word(1).is_none_or(str::is_empty) {
        b.report.error(&stmt.line, format!("{} must have one path - ignoring", stmt.row.name));
        return;
    }
    text(b, stmt, to);
}

/// `reload_check_config [FILE]`.
pub(crate) fn reload_check(b: &mut Build<'_>, stmt: &Stmt) {
    b.config.globals.options.reload.check = Some(stmt.word(1).unwrap_or("/dev/null").to_owned());
}

/// `reload_file [PATH]`.
pub(crate) fn reload_file(b: &mut Build<'_>, stmt: &Stmt) {
    b.config.globals.options.reload.file = Some(stmt.word(1).unwrap_or_default().to_owned());
}

/// `config_save_dir DIRECTORY`, whose parent must be there; stock makes the directory itself.
pub(crate) fn config_save_dir(b: &mut Build<'_>, stmt: &Stmt) {
    let path = Path::new(stmt.word(1).unwrap_or_default());
    let usable = b.loader.is_directory(path)
        || !b.loader.exists(path) && path.parent().is_some_and(|parent| b.loader.is_directory(parent));
    if usable {
        text(b, stmt, |g| &mut g.files.config_save);
    } else {
        let text =
            format!("config_save_dir {} is no directory and cannot be made one - ignoring", path.display());
        b.report.error(&stmt.place(1), text);
    }
}

/// `tmp_config_directory DIRECTORY`.
pub(crate) fn tmp_config_directory(b: &mut Build<'_>, stmt: &Stmt) {
    text_once(b, stmt, |g| &mut g.files.temporary);
}
