//! Who is told of changes: scripts, named pipes, readers of mail.

use crate::config::model::{Fifo, Globals, Script, SyncGroup, VrrpInstance};
use crate::host::Credentials;

/// Who is told of changes of state: scripts, and readers of mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotifyPlan {
    /// `notify_master`.
    pub master: Option<Script>,
    /// `notify_backup`.
    pub backup: Option<Script>,
    /// `notify_fault`.
    pub fault: Option<Script>,
    /// `notify_stop`.
    pub stop: Option<Script>,
    /// `notify`.
    pub any: Option<Script>,
    /// `notify_master_rx_lower_pri`.
    pub master_rx_lower_pri: Option<Script>,
    /// `notify_deleted`, which need not name a script.
    pub deleted: Option<Option<Script>>,
    /// `notify_priority_changes`.
    pub priority_changes: bool,
    /// `smtp_alert`.
    pub mail: bool,
}

/// A named pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipePlan {
    /// Its keyword, without `_fifo`, as the log calls it.
    pub name: &'static str,
    /// Where it is.
    pub path: String,
    /// Whose it is, if we make it.
    pub owner: Option<Credentials>,
    /// Reads it; gets its path as the last argument.
    pub script: Option<Script>,
}

/// The pipe for everything comes before that for VRRP.
pub(super) fn pipes(globals: &Globals) -> Vec<PipePlan> {
    let pipe = |name, fifo: &Fifo| {
        let owner = (fifo.owner.as_ref()).map(|user| Credentials {
            uid: user.uid,
            gid: user.gid,
            groups: Vec::new(),
        });
        Some(PipePlan { name, path: fifo.path.clone()?, owner, script: fifo.script.clone() })
    };
    let all = [pipe("notify", &globals.options.fifo), pipe("vrrp notify", &globals.options.vrrp_fifo)];
    all.into_iter().flatten().collect()
}

pub(super) fn resolve(globals: &Globals, instance: &VrrpInstance, group: Option<&SyncGroup>) -> NotifyPlan {
    let of_group = group.and_then(|group| group.notify_priority_changes);
    let changes = instance.options.notify_priority_changes.or(of_group);
    NotifyPlan {
        deleted: instance.options.notify_deleted.clone(),
        mail: globals.options.mail.tells_of(instance.options.smtp_alert),
        priority_changes: changes.or(globals.options.notify_priority_changes).unwrap_or(false),
        master: instance.notify_master.clone(),
        backup: instance.notify_backup.clone(),
        fault: instance.notify_fault.clone(),
        stop: instance.notify_stop.clone(),
        any: instance.notify.clone(),
        master_rx_lower_pri: instance.notify_master_rx_lower_pri.clone(),
    }
}
