//! The file that tells the next process what this one may have left in the kernel, if it is killed.

use std::path::{Path, PathBuf};

use crate::host::Files;
use crate::kernel::{Claim, Inventory};
use crate::plan::Plan;
use crate::report::wording;

/// How much of the file is looked at, in bytes: the lines of some 100,000 claims.
const LOOKED_AT: usize = 8 * 1024 * 1024;
/// Who may read it: nobody else has to know.
const MODE: u32 = 0o600;

/// Beside the file by which masters are handed over, and so beside the pid file, which only one process can have.
fn path(plan: &Plan) -> Option<PathBuf> {
    plan.hand_over.file.as_ref().map(|file| Path::new(file).with_extension("claims"))
}

/// What a predecessor that was killed may have left.
pub(super) fn left(plan: &Plan, files: &dyn Files, boot: &str) -> Inventory {
    let bytes = path(plan).and_then(|path| files.read_start(&path, LOOKED_AT));
    bytes.map_or_else(Inventory::default, |bytes| Inventory::parse(boot, &String::from_utf8_lossy(&bytes)))
}

/// Notes what may be claimed from now on.
pub(super) async fn note(plan: &Plan, files: &dyn Files, boot: &str) {
    let Some(path) = path(plan) else { return };
    let claims: Vec<Claim> =
        plan.statics.iter().cloned().chain(plan.instances.iter().flat_map(|i| i.claims())).collect();
    if claims.is_empty() {
        forget(plan, files);
        return;
    }
    let text = Inventory::text(boot, claims.iter()).into_bytes();
    // One byte more, to see whether the file is longer.
    if files.read_start(&path, text.len() + 1).is_some_and(|noted| noted == text) {
        return;
    }
    if let Err(error) = files.replace(path, text, MODE).await {
        wording::claims_not_noted(&error);
    }
}

/// Nothing is left: the kernel has followed.
pub(super) fn forget(plan: &Plan, files: &dyn Files) {
    if let Some(Err(error)) = path(plan).map(|path| files.remove(&path)) {
        wording::claims_not_noted(&error);
    }
}
