//! Why something happened, in a few words.

use crate::base::Family;
use crate::vrrp::event::{Cause, Fault};
use crate::vrrp::machine::State;

/// What brought a change about, in a few words; nothing where the text of the event says it all.
pub fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Start => String::new(),
        Cause::Reload => "the configuration has changed".to_owned(),
        Cause::Deleted => "removed from the configuration".to_owned(),
        Cause::MasterDown => "no advert for the master-down time".to_owned(),
        Cause::MasterResigned => "the master resigned".to_owned(),
        Cause::Owner => "address owner".to_owned(),
        Cause::HigherPriority(from, priority) => {
            format!("advert from {from} with higher priority {priority}")
        }
        Cause::HigherAddress(from, priority) => {
            format!("advert from {from} with the same priority {priority} and a higher address")
        }
        Cause::Stalled(from, priority) => {
            format!("{from} with priority {priority} took over while this router was stalled")
        }
        Cause::TimerExpired(late) => {
            format!(
                "stalled for {}.{:06} s, so another router must have taken over",
                late.as_secs(),
                late.subsec_micros()
            )
        }
        Cause::OwnerConflict(from) => {
            format!("{from} is configured as address owner, too, and does not yield")
        }
        Cause::Group => "another member of the sync group lost an election".to_owned(),
        Cause::Fault(fault) => fault_words(*fault).to_owned(),
        Cause::Tracked(what) => format!("{what} failed"),
        Cause::Recovered => "recovered".to_owned(),
        Cause::Stop => "stop".to_owned(),
    }
}

fn fault_words(fault: Fault) -> &'static str {
    match fault {
        Fault::InterfaceMissing => "the interface does not exist",
        Fault::InterfaceDown => "the interface is down",
        Fault::NoAddress(Family::V4) => "no IPv4 address for interface",
        Fault::NoAddress(Family::V6) => "no IPv6 address for interface",
        Fault::NoPeers => "no unicast peers",
        Fault::NoSocket => "the sockets cannot be opened",
        Fault::Group => "another member of the sync group",
    }
}

/// What scripts and the log call a state; nothing before the first one.
pub fn state_word(state: State) -> Option<&'static str> {
    match state {
        State::Init => None,
        State::Backup => Some("BACKUP"),
        State::Master => Some("MASTER"),
        State::Fault => Some("FAULT"),
        State::Stopped => Some("STOP"),
    }
}
