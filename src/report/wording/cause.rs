//! Why something happened, in a few words.

use crate::base::Family;
use crate::host::LinkState;
use crate::plan::InstancePlan;
use crate::vrrp::event::{Cause, Fault, Source};
use crate::vrrp::machine::State;

/// What brought a change about, in a few words; nothing where the text of the event says it all.
pub fn cause(cause: &Cause, plan: &InstancePlan) -> String {
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
        Cause::Member(blame) if blame.others => format!("{}, and with others", blame.trouble),
        Cause::Member(blame) => blame.trouble.to_string(),
        Cause::Fault(fault) => wrong(*fault, plan),
        Cause::Over(fault) => right(*fault, plan),
        Cause::Tracked(what) => what.clone(),
        Cause::HandedOver => "handed over by the process before this one".to_owned(),
        Cause::Stop => "stop".to_owned(),
    }
}

/// What is wrong with a member, as its sync group is told.
pub fn trouble(plan: &InstancePlan, what: &Cause) -> String {
    format!("Instance {}: {}", plan.name, cause(what, plan))
}

/// What is wrong.
fn wrong(fault: Fault, plan: &InstancePlan) -> String {
    let interface = interface(plan);
    match fault {
        Fault::Link(state) => format!("{interface} {}", state.words()),
        Fault::NoAddress(Source::Any(family)) => format!("{interface} lacks {}", address(family)),
        Fault::NoAddress(Source::Only(ip)) if plan.params.delivery.is_unicast() => {
            format!("no interface has the source address {ip}")
        }
        Fault::NoAddress(Source::Only(ip)) => format!("{interface} does not have the source address {ip}"),
        Fault::NoPeers => "no unicast peers".to_owned(),
        Fault::NoKey => "auth_hmac has no key to sign with".to_owned(),
        Fault::NoSocket => "the sockets cannot be opened".to_owned(),
        Fault::NoVmac => format!("{} is not there", vmac(plan)),
        Fault::VmacNameTaken => format!("a foreign link has the name of {}", vmac(plan)),
        Fault::VmacAddressTaken => format!("another macvlan has the hardware address of {}", vmac(plan)),
        Fault::Group => "another member of the sync group".to_owned(),
    }
}

/// What is right again.
fn right(fault: Fault, plan: &InstancePlan) -> String {
    let interface = interface(plan);
    match fault {
        Fault::Link(LinkState::NoCarrier) => format!("{interface} has a carrier again"),
        Fault::Link(LinkState::Up | LinkState::Down) => format!("{interface} is up again"),
        Fault::Link(LinkState::Missing) => format!("{interface} exists now"),
        Fault::Link(LinkState::Deleted | LinkState::Renamed | LinkState::Moved) => {
            format!("{interface} exists again")
        }
        Fault::NoAddress(Source::Any(family)) => format!("{interface} has {} now", address(family)),
        Fault::NoAddress(Source::Only(ip)) => format!("the source address {ip} is there now"),
        Fault::NoPeers => "there are unicast peers".to_owned(),
        Fault::NoKey => "auth_hmac has a key to sign with".to_owned(),
        Fault::NoSocket => "the sockets are open".to_owned(),
        Fault::NoVmac | Fault::VmacNameTaken | Fault::VmacAddressTaken => format!("{} is there", vmac(plan)),
        Fault::Group => "no other member of the sync group is in FAULT".to_owned(),
    }
}

/// What the instance has of its own.
fn vmac(plan: &InstancePlan) -> String {
    let what = if plan.vmac.is_ipvlan { "ipvlan" } else { "VMAC" };
    plan.vmac.name.as_ref().map_or_else(|| what.to_owned(), |name| format!("{what} interface {name}"))
}

/// What the instance is on; who has no interface may be in a VRF.
fn interface(plan: &InstancePlan) -> String {
    let name = plan.interface.as_ref().or(plan.vrf.as_ref());
    name.map_or_else(|| "the machine".to_owned(), |name| format!("interface {name}"))
}

/// What adverts of a family are sent from.
fn address(family: Family) -> &'static str {
    match family {
        Family::V4 => "an IPv4 address",
        Family::V6 => "a link-local IPv6 address",
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
