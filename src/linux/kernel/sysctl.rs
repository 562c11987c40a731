//! Settings below `/proc/sys` that we change for a time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::base::IfName;
use crate::host::kernel::Errno;
use crate::host::{KernelOp, Setting};

/// Where IPv4 keeps its settings, a folder for each interface.
const V4: &str = "/proc/sys/net/ipv4/conf";

/// A file with what it says and what we make it say.
#[derive(Debug)]
struct Change {
    file: PathBuf,
    before: String,
    now: String,
}

/// What we have changed, and have to change back.
#[derive(Debug, Default)]
pub(super) struct Settings {
    changed: BTreeMap<Setting, Vec<Change>>,
}

impl Settings {
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
            Setting::Promotion(dev) => vec![change(dev, "promote_secondaries", "1", &["0"])?],
            // Other values than these keep it from answering for other interfaces, too, or from answering at all.
            Setting::ArpIsolation(dev) => {
                vec![change(dev, "arp_ignore", "1", &["0", "3"])?, change(dev, "arp_filter", "1", &["0"])?]
            }
            Setting::SourceChecks => source_checks()?,
            Setting::Filter(_) => Vec::new(),
        };
        for change in changes.into_iter().flatten() {
            fs::write(&change.file, &change.now)?;
            self.changed.entry(setting.clone()).or_default().push(change);
        }
        Ok(())
    }

    /// What somebody else has changed meanwhile is his.
    fn unset(&mut self, setting: &Setting) -> io::Result<()> {
        for change in self.changed.remove(setting).unwrap_or_default().iter().rev() {
            // Without the interface there is nothing to change back.
            if read(&change.file).is_ok_and(|value| value == change.now) {
                fs::write(&change.file, &change.before)?;
            }
        }
        Ok(())
    }
}

/// The change of a setting of `dev` to `now`, if it is one of `before`.
fn change(dev: &IfName, setting: &str, now: &str, before: &[&str]) -> io::Result<Option<Change>> {
    let file = Path::new(V4).join(dev.as_str()).join(setting);
    let value = read(&file)?;
    let changes = before.contains(&value.as_str());
    Ok(changes.then(|| Change { file, before: value, now: now.to_owned() }))
}

/// What counts is the larger of the setting of all interfaces and that of an interface: each gets what applied to all,
/// and then nothing applies to all.
fn source_checks() -> io::Result<Vec<Option<Change>>> {
    let file = |dev: &Path| dev.join("rp_filter");
    let all = Path::new(V4).join("all");
    let value = read(&file(&all))?;
    let strictness = |value: &str| value.parse::<u8>().unwrap_or(0);
    let mut changes = Vec::new();
    if strictness(&value) == 0 {
        return Ok(changes);
    }
    for dev in fs::read_dir(V4)? {
        let dev = dev?.path();
        // An interface may go while we look.
        let Ok(before) = read(&file(&dev)) else { continue };
        if dev != all && strictness(&before) < strictness(&value) {
            changes.push(Some(Change { file: file(&dev), before, now: value.clone() }));
        }
    }
    // Last, so that no interface is ever without.
    changes.push(Some(Change { file: file(&all), before: value, now: "0".to_owned() }));
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
