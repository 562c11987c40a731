//! The file by which one process leaves its masters to the next.

use std::collections::BTreeMap;
use std::path::Path;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::base::InstanceId;
use crate::host::Files;
use crate::plan::Plan;
use crate::report::wording;
use crate::vrrp::machine::Inheritance;

/// How much of the file is looked at, in bytes: the lines of some 10,000 instances.
const LOOKED_AT: usize = 1024 * 1024;
/// Who may read it: nobody else has to know.
const MODE: u32 = 0o600;

/// Who goes on as master, and with what. The file counts once.
pub(super) fn inherited(plan: &Plan, files: &dyn Files, boot: &str) -> BTreeMap<InstanceId, Inheritance> {
    let Some(path) = plan.hand_over.file.as_ref().map(Path::new) else { return BTreeMap::new() };
    let Some(bytes) = files.read_start(path, LOOKED_AT) else { return BTreeMap::new() };
    if let Err(error) = files.remove(path) {
        // It could count a second time.
        wording::hand_over_not_used(&error);
        return BTreeMap::new();
    }
    plan.inherited(boot, &String::from_utf8_lossy(&bytes))
}

/// Leaves those of `masters` that have come to the next process.
pub(super) async fn leave(
    plan: &Plan,
    files: &dyn Files,
    boot: &str,
    masters: &mut UnboundedReceiver<(InstanceId, Inheritance)>,
) {
    let mut all = Vec::new();
    while let Ok(master) = masters.try_recv() {
        all.push(master);
    }
    let Some(path) = plan.hand_over.file.as_ref().filter(|_| !all.is_empty()) else { return };
    let text = plan.handed_over(boot, &all).into_bytes();
    if let Err(error) = files.replace(path.into(), text, MODE).await {
        // The kernel takes the addresses away.
        wording::not_handed_over(&error);
    }
}
