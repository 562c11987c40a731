//! What mails say, in keepalived's words.

use crate::vrrp::machine::{Notice, State};

/// Something to be mailed, without what is the same in every mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Behind the name of the router.
    pub subject: String,
    /// One line.
    pub body: String,
}

/// What has become of an instance, or of all members of a sync group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Master.
    Master,
    /// Backup.
    Backup,
    /// In fault.
    Fault,
    /// Stopped for good.
    Stopped,
    /// Removed from the configuration.
    Deleted,
}

impl Change {
    /// What a state means; nothing before the first one.
    pub(crate) fn of_state(state: State) -> Option<Self> {
        match state {
            State::Init => None,
            State::Master => Some(Self::Master),
            State::Backup => Some(Self::Backup),
            State::Fault => Some(Self::Fault),
            State::Stopped => Some(Self::Stopped),
        }
    }

    /// What an instance has said. If it is removed it is a fault, unless it `tells_deletion`.
    pub(crate) fn of_notice(notice: Notice, tells_deletion: bool) -> Option<Self> {
        match notice {
            Notice::State(state, _) => Self::of_state(state),
            Notice::Deleted(_) if tells_deletion => Some(Self::Deleted),
            Notice::Deleted(_) => Some(Self::Fault),
            Notice::MasterRxLowerPri(_) | Notice::Priority { .. } => None,
        }
    }

    fn subject(self) -> &'static str {
        match self {
            Self::Master => "Entering MASTER state",
            Self::Backup => "Entering BACKUP state",
            Self::Fault => "Entering FAULT state",
            Self::Stopped => "Stopping",
            Self::Deleted => "Deleted",
        }
    }
}

impl Alert {
    /// Of an instance.
    pub(crate) fn of_instance(name: &str, change: Change) -> Self {
        let body = match change {
            Change::Master => "=> VRRP Instance is now owning VRRP VIPs <=",
            Change::Backup | Change::Fault => "=> VRRP Instance is no longer owning VRRP VIPs <=",
            Change::Stopped => "=> VRRP Instance stopping <=",
            Change::Deleted => "=> VRRP Deleted at reload <=",
        };
        Self { subject: format!("VRRP Instance {name} - {}", change.subject()), body: body.to_owned() }
    }

    /// Of a sync group, which is never told to be deleted.
    pub(crate) fn of_group(name: &str, change: Change) -> Self {
        let state = match change {
            Change::Master => "in MASTER state",
            Change::Backup => "in BACKUP state",
            Change::Fault => "in FAULT state",
            Change::Stopped | Change::Deleted => "stopping",
        };
        Self {
            subject: format!("VRRP Group {name} - {}", change.subject()),
            body: format!("=> All VRRP group instances are now {state} <="),
        }
    }
}
