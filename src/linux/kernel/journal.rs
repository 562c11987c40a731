//! What settings were before we changed them, in a file beside the pid file: a daemon that is killed cannot put them
//! back, so the next one does, before anything else.
//!
//! The first line says which boot of the machine and which network namespace it is about; to any other it means nothing.
//! Then there is a line for each change, written before the change is made: interface, its number (0 of what is none),
//! setting, value before, value now. What has another value by now was changed by somebody else, and is left alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::sysctl::{Change, SETTINGS, name_of};
use crate::base::IfName;
use crate::linux::replace::replace;

/// The file has fewer bytes than this, unless somebody else wrote it.
const LONGEST: u64 = 16 << 20;
/// What is in the place of an interface.
const PLACEHOLDERS: [&str; 2] = ["all", "default"];
/// So many lines may be out of date before the file is written anew.
const SPARE: usize = 256;

/// The file, if there is one.
#[derive(Debug)]
pub(super) struct Journal {
    path: Option<PathBuf>,
    /// Open while there is something in it.
    file: Option<File>,
    lines: usize,
}

impl Journal {
    /// Puts back what a predecessor has left changed. Without a path nothing is noted.
    pub(super) fn begin(path: Option<PathBuf>) -> Self {
        if let Some(path) = &path {
            match read(path) {
                Ok(text) => put_back(&text),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!("cannot read {}: {error}", path.display()),
            }
        }
        let mut journal = Self { path, file: None, lines: 0 };
        journal.end();
        journal
    }

    /// Notes a change that is about to be made, beside those of `others` that are made.
    pub(super) fn note<'a>(&mut self, change: &'a Change, others: impl Iterator<Item = &'a Change> + Clone) {
        let Some(path) = self.path.clone() else { return };
        let is_full = self.lines > 2 * others.clone().count() + SPARE;
        let done = match &mut self.file {
            Some(file) if !is_full => file.write_all(line(change).as_bytes()).map(|()| self.lines += 1),
            _ => {
                let changes: Vec<_> = others.chain([change]).collect();
                self.lines = changes.len();
                let text: String = changes.into_iter().map(line).collect();
                self.write(&path, &(header() + &text))
            }
        };
        if let Err(error) = done {
            tracing::warn!("settings will not be put back after a crash: {}: {error}", path.display());
            // Once is enough.
            self.path = None;
        }
    }

    fn write(&mut self, path: &Path, text: &str) -> io::Result<()> {
        replace(path, text.as_bytes(), 0o600).map_err(|error| error.source)?;
        let mut options = OpenOptions::new();
        self.file = Some(options.append(true).custom_flags(libc::O_NOFOLLOW).open(path)?);
        Ok(())
    }

    /// Nothing is changed any more.
    pub(super) fn end(&mut self) {
        self.file = None;
        self.lines = 0;
        if let Some(path) = &self.path {
            // It may not be there, and one that stays says nothing that is true.
            let _ = fs::remove_file(path);
        }
    }
}

/// The text of a file that we wrote.
fn read(path: &Path) -> io::Result<String> {
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.uid() != nix::unistd::geteuid().as_raw() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a file of ours"));
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// Which boot and which network namespace this is.
fn header() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = fs::metadata("/proc/thread-self/ns/net").map_or(0, |metadata| metadata.ino());
    format!("{} {namespace}\n", boot.trim())
}

fn line(change: &Change) -> String {
    let Change { dev, index, setting, before, now } = change;
    format!("{dev} {index} {setting} {before} {now}\n")
}

fn put_back(text: &str) {
    let Some(lines) = text.strip_prefix(&header()) else { return };
    let mut count = 0;
    // Of two changes of one setting the later one is undone first.
    for line in lines.lines().rev() {
        let Some(change) = parse(line) else { continue };
        match change.undo() {
            Ok(done) => count += u32::from(done),
            Err(error) => {
                tracing::warn!("cannot put {} of {} back: {error}", change.setting, change.dev);
            }
        }
    }
    if count > 0 {
        tracing::info!(target: "vrrp", "{count} settings that a killed predecessor had changed are as they were");
    }
}

/// A change of an interface that is still there, whatever it is called by now. A line that was not finished is none.
fn parse(line: &str) -> Option<Change> {
    let mut words = line.split(' ');
    let mut next = || words.next();
    let (dev, index, setting, before, now) = (next()?, next()?, next()?, next()?, next()?);
    let setting = SETTINGS.into_iter().find(|known| *known == setting)?;
    let is_number = |value: &str| !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let index: u32 = index.parse().ok()?;
    let is_there = if index == 0 { PLACEHOLDERS.contains(&dev) } else { name_of(index).is_some() };
    let is_name = IfName::new(dev).is_some() && !dev.contains('/');
    (is_there && is_name && is_number(before) && is_number(now) && words.next().is_none()).then(|| Change {
        dev: dev.to_owned(),
        index,
        setting,
        before: before.to_owned(),
        now: now.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_change_of_ours_is_not_undone() {
        let good = "all 0 rp_filter 1 0";
        assert_eq!(parse(good).map(|change| line(&change)), Some(format!("{good}\n")));
        let index = nix::net::if_::if_nametoindex("lo").unwrap();
        let lo = |rest: &str| parse(&format!("lo {index} {rest}"));
        assert!(lo("arp_ignore 0 1").is_some());
        let renamed = parse(&format!("eth7 {index} arp_ignore 0 1")).and_then(|change| change.file());
        assert_eq!(
            renamed,
            Some("/proc/sys/net/ipv4/conf/lo/arp_ignore".into()),
            "what counts is the number"
        );
        for wrong in ["arp_ignore 0", "arp_ignore 0 1 2", "arp_ignore x 1", "arp_ignore  1", "forwarding 0 1"]
        {
            assert_eq!(lo(wrong).map(|change| change.file()), None, "{wrong}");
        }
        for wrong in ["lo 77777 arp_ignore 0 1", "../lo 0 arp_ignore 0 1", "none 0 arp_ignore 0 1", ""] {
            assert_eq!(parse(wrong).map(|change| change.file()), None, "{wrong}");
        }
    }

    #[test]
    fn a_file_of_another_boot_or_of_somebody_else_says_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("settings");
        // Not even that there are such settings is found out.
        fs::write(&path, "00000000-0000-0000-0000-000000000000 1\nall 0 rp_filter 9 0\n").unwrap();
        Journal::begin(Some(path.clone()));
        assert!(!path.exists());
        std::os::unix::fs::symlink("/proc/self/status", &path).unwrap();
        assert!(read(&path).is_err(), "a link is not followed");
    }

    #[test]
    fn the_file_does_not_grow_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("settings");
        let mut journal = Journal::begin(Some(path.clone()));
        let change = |before: &str| Change {
            dev: "none".to_owned(),
            index: 0,
            setting: SETTINGS[0],
            before: before.to_owned(),
            now: "1".to_owned(),
        };
        let other = change("7");
        for _ in 0..10 * SPARE {
            journal.note(&change("0"), std::iter::once(&other));
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.lines().count() < SPARE + 10);
        assert!(text.contains(" 7 1\n") && text.ends_with(" 0 1\n"), "{text}");
        journal.end();
        assert!(!path.exists());
    }
}
