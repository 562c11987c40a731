//! The files that a pattern stands for, as glob(3) finds them.
//!
//! A directory is read once, and of what is in it nothing is looked at but the names and kinds that come with them:
//! a pattern of several wildcards over a large tree takes about as long as with the C library.

use std::fs;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

/// How names are compared: an asterisk does not stand for a leading dot.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The files, by the order of the bytes of their paths.
pub(super) fn matching(pattern: &Path) -> Vec<PathBuf> {
    let text = pattern.to_string_lossy();
    let mut found = vec![PathBuf::from(if text.starts_with('/') { "/" } else { "" })];
    let mut names = text.split('/').filter(|n| !n.is_empty()).peekable();
    while let Some(name) = names.next() {
        let last = names.peek().is_none() && !text.ends_with('/');
        match wildcards(name) {
            Some(wild) => found = found.iter().flat_map(|directory| inside(directory, &wild, last)).collect(),
            None => {
                found.iter_mut().for_each(|path| path.push(name));
                // Between wildcards, what is not there shows when it is to be read.
                if last {
                    found.retain(|path| fs::symlink_metadata(path).is_ok());
                }
            }
        }
    }
    if text.ends_with('/') {
        found.retain(|path| path.is_dir());
    }
    found.sort_unstable_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    found
}

/// A name as a pattern, if it is one. Several asterisks are one: to the crate they would mean all that is below.
fn wildcards(name: &str) -> Option<Pattern> {
    if !name.contains(['*', '?', '[']) {
        return None;
    }
    let mut name = name.to_owned();
    while name.contains("**") {
        name = name.replace("**", "*");
    }
    Pattern::new(&name).ok()
}

/// What is in a directory and matches; unless `last`, directories alone.
fn inside(directory: &Path, wild: &Pattern, last: bool) -> Vec<PathBuf> {
    let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let entries = fs::read_dir(here).into_iter().flatten().flatten();
    let fits = |entry: &fs::DirEntry| {
        let is_directory = || match entry.file_type() {
            Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
            kind => kind.is_ok_and(|k| k.is_dir()),
        };
        wild.matches_with(&entry.file_name().to_string_lossy(), OPTIONS) && (last || is_directory())
    };
    entries.filter(fits).map(|entry| directory.join(entry.file_name())).collect()
}
