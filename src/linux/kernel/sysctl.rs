//! Settings below `/proc/sys` that we change for a time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use nix::net::if_::{if_indextoname, if_nametoindex};

use super::journal::Journal;
use crate::base::IfName;
use crate::host::kernel::Errno;
use crate::host::{KernelOp, Setting};

/// Where IPv4 keeps its settings, a folder for each interface.
const V4: &str = "/proc/sys/net/ipv4/conf";

/// The settings that we change.
pub(super) const SETTINGS: [&str; 4] = [PROMOTION, ARP_IGNORE, ARP_FILTER, SOURCE_CHECK];
const PROMOTION: &str = "promote_secondaries";
const ARP_IGNORE: &str = "arp_ignore";
const ARP_FILTER: &str = "arp_filter";
const SOURCE_CHECK: &str = "rp_filter";

/// A setting of an interface, or of what is in the place of one: what it was, and what we make of it.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) dev: String,
    /// The number of the interface, which it keeps whatever it is called; 0 of what is none: `all`, `default`.
    pub(super) index: u32,
    pub(super) setting: &'static str,
    pub(super) before: String,
    pub(super) now: String,
}

impl Change {
    /// A change that is to be made to the interface that is called `dev` now.
    fn new(dev: String, setting: &'static str, before: String, now: &str) -> Self {
        let index = if_nametoindex(dev.as_str()).unwrap_or(0);
        Self { dev, index, setting, before, now: now.to_owned() }
    }

    /// Where it is set at present; `None`: the interface is gone.
    pub(super) fn file(&self) -> Option<PathBuf> {
        let dev = match self.index {
            0 => self.dev.clone(),
            index => name_of(index)?,
        };
        Some(Path::new(V4).join(dev).join(self.setting))
    }

    /// Makes it what it was, unless somebody else has changed it meanwhile, or its interface is gone: then `false`.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn undo(&self) -> io::Result<bool> {
        let Some(file) = self.file() else { return Ok(false) };
        if !read(&file).is_ok_and(|value| value == self.now) {
            return Ok(false);
        }
        fs::write(file, &self.before).map(|()| true)
    }
}

/// What the interface with this number is called at present.
pub(super) fn name_of(index: u32) -> Option<String> {
    // Of what is not there, `nix` gives the empty name.
    let name = if_indextoname(index).ok()?.into_string().ok()?;
    (!name.is_empty()).then_some(name)
}

/// What we have changed, and have to change back.
#[derive(Debug)]
pub(super) struct Settings {
    changed: BTreeMap<Setting, Vec<Change>>,
    journal: Journal,
}

impl Settings {
    /// Nothing has been changed; what will be, is noted there.
    pub(super) fn new(journal: Journal) -> Self {
        Self { changed: BTreeMap::new(), journal }
    }

    /// Whether `op` is a setting.
    pub(super) fn concerns(op: &KernelOp) -> bool {
        match op {
            KernelOp::Set(setting) | KernelOp::Unset(setting) => !matches!(setting, Setting::Filter(_)),
            _ => false,
        }
    }

    /// Does `op`; `None`: it is no setting.
    pub(super) fn apply(&mut self, op: &KernelOp) -> Option<Result<(), Errno>> {
        if !Self::concerns(op) {
            return None;
        }
        let done = match op {
            KernelOp::Set(setting) => self.set(setting),
            KernelOp::Unset(setting) => self.unset(setting),
            _ => return None,
        };
        Some(done.map_err(errno))
    }

    fn set(&mut self, setting: &Setting) -> io::Result<()> {
        let changes = match setting {
            Setting::Promotion(dev) => vec![change(dev, PROMOTION, "1", &["0"])?],
            // Other values than these keep it from answering for other interfaces, too, or from answering at all.
            Setting::ArpIsolation(dev) => {
                vec![change(dev, ARP_IGNORE, "1", &["0", "3"])?, change(dev, ARP_FILTER, "1", &["0"])?]
            }
            Setting::SourceChecks => source_checks()?,
            Setting::Filter(_) => Vec::new(),
        };
        for change in changes.into_iter().flatten() {
            self.journal.note(&change, self.changed.values().flatten());
            let file = change.file().ok_or(io::ErrorKind::NotFound)?;
            fs::write(file, &change.now)?;
            self.changed.entry(setting.clone()).or_default().push(change);
        }
        Ok(())
    }

    fn unset(&mut self, setting: &Setting) -> io::Result<()> {
        for change in self.changed.remove(setting).unwrap_or_default().iter().rev() {
            change.undo()?;
        }
        if self.changed.is_empty() {
            self.journal.end();
        }
        Ok(())
    }
}

/// The change of a setting of `dev` to `now`, if it is one of `before`.
fn change(dev: &IfName, setting: &'static str, now: &str, before: &[&str]) -> io::Result<Option<Change>> {
    let value = read(&Path::new(V4).join(dev.as_str()).join(setting))?;
    let changes = before.contains(&value.as_str());
    Ok(changes.then(|| Change::new(dev.as_str().to_owned(), setting, value, now)))
}

/// What counts is the larger of the setting of all interfaces and that of an interface: each gets what applied to all,
/// and then nothing applies to all.
fn source_checks() -> io::Result<Vec<Option<Change>>> {
    const ALL: &str = "all";
    let value_of = |dev: &str| read(&Path::new(V4).join(dev).join(SOURCE_CHECK));
    let value = value_of(ALL)?;
    let change = |dev: String, before, now: &str| Change::new(dev, SOURCE_CHECK, before, now);
    let strictness = |value: &str| value.parse::<u8>().unwrap_or(0);
    let mut changes = Vec::new();
    if strictness(&value) == 0 {
        return Ok(changes);
    }
    for dev in fs::read_dir(V4)? {
        // The kernel takes any bytes for a name; what is not text cannot be noted, and is left alone.
        let Ok(dev) = dev?.file_name().into_string() else { continue };
        // An interface may go while we look.
        let Ok(before) = value_of(&dev) else { continue };
        if dev != ALL && strictness(&before) < strictness(&value) {
            changes.push(Some(change(dev, before, &value)));
        }
    }
    // Last, so that no interface is ever without.
    changes.push(Some(change(ALL.to_owned(), value, "0")));
    Ok(changes)
}

fn read(file: &Path) -> io::Result<String> {
    Ok(fs::read_to_string(file)?.trim().to_owned())
}

/// What the kernel says of a setting of an interface that does not exist is that there is no such file.
pub(super) fn errno(error: io::Error) -> Errno {
    match error.raw_os_error() {
        Some(2) => Errno::NODEV,
        Some(number) => Errno(number),
        None => Errno::IO,
    }
}
