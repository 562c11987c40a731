//! What a machine is told, what it answers, and what can be seen of it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::reload::Reload;
use crate::base::{Instant, Priority};
use crate::vrrp::check::Packet;
use crate::vrrp::event::{Cause, Event, Fault};
use crate::vrrp::group::{Order, Report};
use crate::vrrp::tracking::Status;

/// The state of a virtual router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Not started yet, or waiting for the first result of something tracked.
    #[default]
    Init,
    /// Listening.
    Backup,
    /// Holding the addresses.
    Master,
    /// Unable to take part.
    Fault,
    /// Stopped for good.
    Stopped,
}

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The drivers are ready; faults known by then have been told.
    Start,
    /// A packet has arrived.
    Packet(Packet),
    /// [`Machine::next_deadline`](super::Machine::next_deadline) has come. Everything that had arrived before has been told.
    Deadline,
    /// Something tracked changed: its place in the list, and what is known now.
    Tracked(usize, Status),
    /// A reason not to take part is there (`true`), or none of its kind (`false`).
    Fault(Fault, bool),
    /// Adverts leave from this address.
    Source(IpAddr),
    /// The kernel holds what the claim with this number asked for.
    Confirmed(u64),
    /// Of what the claim with this number asked for, the kernel holds more than before, and not all yet.
    Placed(u64),
    /// Addresses that somebody else had removed are back in place.
    Restored,
    /// The sync group wants this.
    Group(Order),
    /// The configuration has changed.
    Reload(Box<Reload>),
    /// The configuration has it no more: stop.
    Delete,
    /// Stop.
    Stop,
    /// Stop, and leave what can be left to the next start.
    HandOver,
    /// What [`Output::Lend`] with this number wanted to leave cannot be left.
    NotLent(u64),
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send an advert with this priority.
    Advert(u8),
    /// Hold the addresses (`true`) or do not; to be answered by [`Input::Confirmed`] with `number`.
    Claim {
        /// Whether to hold them.
        hold: bool,
        /// Counts the claims.
        number: u64,
    },
    /// Leave the addresses to the kernel for this long, whole seconds; to be answered by [`Input::Confirmed`] or
    /// [`Input::NotLent`] with `number`.
    Lend {
        /// How long.
        time: Duration,
        /// Counts with the claims.
        number: u64,
    },
    /// Stopped, and to be master again in a next start before this moment.
    HandedOver(Instant),
    /// Announce every address this many times.
    Announce(u32),
    /// Announce once the addresses that have just been placed.
    AnnouncePlaced,
    /// Announce, on each interface with addresses that is not the router's own, one of them.
    AnnounceExtra,
    /// Announce the address adverts come from, so that peers who send to it can reach us.
    AnnounceSource,
    /// Tell the sync group.
    Group(Report),
    /// Tell the sync group what is wrong with the router itself; `None`: nothing any more.
    Trouble(Option<Cause>),
    /// Tell the scripts.
    Notify(Notice),
    /// Tell the log.
    Event(Event),
}

/// What scripts are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The state is now this, with this effective priority.
    State(State, Priority),
    /// A master heard an advert of lower priority.
    MasterRxLowerPri(Priority),
    /// The effective priority is another one.
    Priority {
        /// Whether it is master.
        master: bool,
        /// What it is now.
        priority: Priority,
    },
    /// A reload has removed it; it had this effective priority.
    Deleted(Priority),
}

/// What has been counted since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Valid adverts received.
    pub advert_rcvd: u64,
    /// Adverts sent, priority 0 included.
    pub advert_sent: u64,
    /// Times the router became master.
    pub become_master: u64,
    /// Times it ceased to be.
    pub release_master: u64,
    /// Adverts with priority 0 received.
    pub pri_zero_rcvd: u64,
    /// Adverts with priority 0 sent.
    pub pri_zero_sent: u64,
    /// Packets judged, by [`Reject::kind`](crate::vrrp::Reject::kind), of the kinds that there were.
    pub rejects: BTreeMap<u32, u64>,
}

/// What an observer may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// State.
    pub state: State,
    /// The state it is after: another one only while its sync group has not decided.
    pub wanted: State,
    /// Since when it has been in this state.
    pub since: Instant,
    /// Effective priority.
    pub priority: Priority,
    /// The master, as far as a backup knows.
    pub master: Option<IpAddr>,
    /// The priority of the last advert that was followed; 0: none was.
    pub master_priority: u8,
    /// The master's interval.
    pub master_interval: Duration,
    /// How long a backup hears nothing before it takes over.
    pub master_down: Duration,
    /// When the next advert is due, or the election.
    pub deadline: Option<Instant>,
    /// Why the state is what it is.
    pub cause: Cause,
    /// Reasons for FAULT besides tracking.
    pub faults: Vec<Fault>,
    /// What is tracked and keeps it in FAULT.
    pub tracked_faults: usize,
    /// What is tracked and has to say something before the start.
    pub awaited: usize,
    /// What has been counted.
    pub counters: Counters,
}
