//! What happens to a virtual router, for logs, counters and dumps.

use std::net::IpAddr;
use std::time::Duration;

use super::auth::{Doubt, SkewWarning};
use super::group::Blame;
use super::machine::State;
use crate::base::{Family, Instant, Priority};
use crate::host::LinkState;

/// Why a packet was dropped, or what is odd about one that was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    /// Length differs from what its header says.
    Length {
        /// Bytes received, IP header included.
        received: usize,
        /// Bytes the header makes it.
        expected: usize,
    },
    /// TTL is not 255 (RFC 9568 section 7.1), or not what is expected of a unicast peer.
    Ttl(u8),
    /// Another protocol version.
    Version(u8),
    /// An auth type that does not exist.
    AuthTypeInvalid(u8),
    /// Another auth type than ours.
    AuthTypeMismatch(u8),
    /// A wrong password.
    Password,
    /// Version 2: another interval than ours, in seconds.
    Interval(u8),
    /// Not an advertisement.
    Type(u8),
    /// A wrong checksum.
    Checksum,
    /// Sent to another group than ours, or to us alone.
    Destination(IpAddr),
    /// Accepted all the same: another number of addresses than ours.
    AddressCount(u8),
    /// Accepted all the same: lacks one of our addresses.
    AddressMissing(IpAddr),
    /// Accepted all the same (version 3): another interval than ours, in centiseconds, that is not learned.
    IntervalDiffers(u16),
    /// Unicast, and sent by nobody we know.
    NotAPeer,
    /// Its authentication header is not believed.
    Ah(Doubt),
    /// Its `auth_hmac` trailer is not believed. Accepted all the same if it has none and need not have one.
    Trailer(Doubt),
    /// Accepted all the same: the sender's clock differs from ours so much that soon it will not be.
    ClockSkew(SkewWarning),
}

impl Fault {
    /// Whether both are the same thing that is wrong, perhaps in another way.
    pub fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Reject {
    /// How many kinds there are.
    pub const KINDS: usize = 23;

    /// A number for each kind, whatever it carries: less than [`Reject::KINDS`].
    pub fn kind(&self) -> u32 {
        match self {
            Self::Length { .. } => 0,
            Self::Ttl(_) => 1,
            Self::Version(_) => 2,
            Self::AuthTypeInvalid(_) => 3,
            Self::AuthTypeMismatch(_) => 4,
            Self::Password => 5,
            Self::Interval(_) => 6,
            Self::Type(_) => 7,
            Self::Checksum => 8,
            Self::Destination(_) => 9,
            Self::AddressCount(_) => 10,
            Self::AddressMissing(_) => 11,
            Self::IntervalDiffers(_) => 12,
            Self::NotAPeer => 13,
            Self::Ah(Doubt::Replayed) => 14,
            Self::Ah(_) => 15,
            Self::Trailer(doubt) => match doubt {
                Doubt::Missing => 16,
                Doubt::Malformed => 17,
                Doubt::UnknownKey(_) => 18,
                Doubt::WrongCode => 19,
                Doubt::Stale { .. } => 20,
                Doubt::Replayed => 21,
            },
            Self::ClockSkew(_) => 22,
        }
    }
}

impl Reject {
    /// What a [`Reject::kind`] is called in a few words.
    pub fn kind_name(kind: u32) -> &'static str {
        const NAMES: [&str; Reject::KINDS] = [
            "length",
            "TTL",
            "version",
            "invalid auth type",
            "other auth type",
            "password",
            "interval",
            "packet type",
            "checksum",
            "destination",
            "number of addresses",
            "missing address",
            "interval differs",
            "not a peer",
            "AH replayed",
            "AH",
            "HMAC missing",
            "HMAC malformed",
            "HMAC of an unknown key",
            "HMAC wrong",
            "HMAC stale",
            "HMAC replayed",
            "clock skew",
        ];
        NAMES.get(kind as usize).copied().unwrap_or("unknown")
    }
}

/// Why a router cannot take part. There is one of each kind at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Its interface is not up and running, or not there.
    Link(LinkState),
    /// There is no address to send from.
    NoAddress(Source),
    /// It is to speak to single routers, and there are none.
    NoPeers,
    /// Its adverts are to be signed, and there is no key to sign them with.
    NoKey,
    /// Its sockets cannot be opened.
    NoSocket,
    /// Its VMAC or ipvlan is not there.
    NoVmac,
    /// A link that is not ours has the name of its VMAC or ipvlan.
    VmacNameTaken,
    /// Another macvlan has the hardware address of its VMAC.
    VmacAddressTaken,
    /// Another member of its sync group is in FAULT.
    Group,
}

/// What a router needs to send from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Any address of this family on its interface; of IPv6, a link-local one.
    Any(Family),
    /// This address.
    Only(IpAddr),
}

/// What brought a change of state about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The daemon started.
    Start,
    /// The configuration was reloaded.
    Reload,
    /// A reload has removed it from the configuration.
    Deleted,
    /// No advert for the master-down time.
    MasterDown,
    /// The master resigned and nobody else came forward.
    MasterResigned,
    /// The address owner need not wait.
    Owner,
    /// An advert with a higher priority.
    HigherPriority(IpAddr, u8),
    /// An advert with the same priority from a higher address.
    HigherAddress(IpAddr, u8),
    /// While we were stalled another router became master, and we do not preempt.
    Stalled(IpAddr, u8),
    /// Another member of the sync group lost an election.
    Group,
    /// Something is wrong with another member of the sync group.
    Member(Blame),
    /// Something is wrong with the router itself.
    Fault(Fault),
    /// That is over.
    Over(Fault),
    /// Something tracked has changed: what, and what is known of it.
    Tracked(String),
    /// We were away so long that another router must have taken over (`timer_expired_backup`).
    TimerExpired(Duration),
    /// Another address owner does not give way to us, and so we give way to it.
    OwnerConflict(IpAddr),
    /// The process before this one was master, and has left that to us.
    HandedOver,
    /// The daemon stops.
    Stop,
}

/// A change of state, or of the reasons for FAULT, kept for those who ask later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Instant,
    /// The state since then.
    pub state: State,
    /// Why.
    pub cause: Cause,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The master-down timer ran out.
    AdvertTimeout,
    /// Now MASTER.
    Master(Cause),
    /// Now BACKUP. `init`: for the first time.
    Backup {
        /// The first state after the start.
        init: bool,
        /// Why.
        cause: Cause,
    },
    /// Now FAULT.
    Fault {
        /// The first state after the start.
        init: bool,
        /// Why.
        cause: Cause,
    },
    /// Still FAULT, for another reason than before.
    StillFault(Cause),
    /// Stopped.
    Stopped,
    /// What a master holds stays for this long, for the next start.
    Lent(Duration),
    /// It could not be left: it stops as at any other time.
    NotLent,
    /// Resigned: an advert with priority 0 was sent.
    SentPriorityZero,
    /// BACKUP, and the master resigned.
    BackupHeardPriorityZero(IpAddr),
    /// MASTER, and somebody else resigned.
    MasterHeardPriorityZero(IpAddr),
    /// BACKUP, and the master has a lower priority.
    LowerPriorityDiscarded {
        /// Its address.
        from: IpAddr,
        /// Its priority.
        priority: u8,
    },
    /// MASTER, and somebody of lower priority is too.
    LowerPriorityHeard {
        /// Its address.
        from: IpAddr,
        /// Its priority.
        priority: u8,
        /// Ours.
        ours: Priority,
        /// Whether we answer with an advert.
        election: bool,
    },
    /// MASTER, and somebody of higher priority is too.
    HigherPriorityHeard {
        /// Its address.
        from: IpAddr,
        /// Its priority.
        priority: u8,
        /// Ours.
        ours: Priority,
    },
    /// MASTER, and somebody of the same priority and a higher address is too.
    HigherAddressHeard {
        /// Its address.
        from: IpAddr,
        /// The priority.
        priority: u8,
    },
    /// MASTER with `auth_type AH`, and somebody of lower priority counts adverts as well: we go on from its number.
    SequenceSynced,
    /// An advert with our priority and our address.
    OwnAddressHeard,
    /// MASTER, and somebody else claims to own the addresses as well.
    OwnerConflict(IpAddr),
    /// It goes on: we give way with priority 254.
    OwnerReduced(IpAddr),
    /// It is silent: back to priority 255.
    OwnerRestored,
    /// MASTER, and away this long beyond a deadline: another router must have taken over.
    TimerExpired(Duration),
    /// Another router is the master now; `None` before: there was none known.
    MasterIs {
        /// The one before.
        before: Option<IpAddr>,
        /// The one now.
        now: IpAddr,
    },
    /// Version 3: the master's interval was learned.
    IntervalLearned {
        /// The one before.
        before: Duration,
        /// The one now.
        now: Duration,
    },
    /// Version 3: it is master now, and its own interval counts again.
    IntervalOwn {
        /// The one before.
        before: Duration,
        /// The one now.
        now: Duration,
    },
    /// The wait before preempting has begun.
    PreemptDelayStarted(Duration),
    /// The wait before preempting is off.
    PreemptDelayStopped,
    /// Something tracked keeps the router from taking part now, or no longer.
    TrackedFault {
        /// What.
        what: String,
        /// Whether it does.
        fault: bool,
    },
    /// Tracking changed the priority.
    PriorityChanged {
        /// The one before.
        before: Priority,
        /// The one now.
        now: Priority,
        /// What did it.
        what: String,
    },
    /// What a file says is no fault any more, and counts towards the priority again.
    PrioritySet {
        /// The one now.
        now: Priority,
        /// What did it.
        what: String,
    },
    /// A packet was dropped, or is odd. Reported once per kind until the state or the master changes.
    Rejected {
        /// Why.
        reject: Reject,
        /// Who sent it.
        from: IpAddr,
    },
    /// Somebody was heard whose unicast checksum is that of very old routers: ours is so from now on.
    OldChecksum,
    /// We were not run for this long, and listen before we speak.
    Stalled(Duration),
}

impl Event {
    /// A number for each kind of event that anybody on the network can bring about as often as he likes: its line in the
    /// log is spared.
    pub fn provoked(&self) -> Option<u32> {
        const REJECTS: u32 = Reject::KINDS as u32;
        match self {
            Self::Rejected { reject, .. } => Some(reject.kind()),
            Self::LowerPriorityHeard { .. } => Some(REJECTS),
            Self::LowerPriorityDiscarded { .. } => Some(REJECTS + 1),
            Self::BackupHeardPriorityZero(_) => Some(REJECTS + 2),
            Self::MasterHeardPriorityZero(_) => Some(REJECTS + 3),
            Self::OwnAddressHeard => Some(REJECTS + 4),
            Self::SequenceSynced => Some(REJECTS + 5),
            Self::MasterIs { .. } => Some(REJECTS + 6),
            Self::IntervalLearned { .. } => Some(REJECTS + 7),
            _ => None,
        }
    }
}
