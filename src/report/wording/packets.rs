//! Packets that are not as they should be.

use std::net::IpAddr;

use tracing::{debug, info, warn};

use crate::base::{Family, IfName};
use crate::config::model::Version;
use crate::vrrp::auth::{Doubt, SkewWarning};
use crate::vrrp::check::version_number;
use crate::vrrp::event::Reject;
use crate::vrrp::params::{Delivery, Params};
use crate::wire::ip::VRRP_TTL;

/// A packet that is not as it should be. Once per kind until the state or the master changes.
pub(super) fn rejected(name: &str, params: &Params, reject: &Reject, from: IpAddr) {
    let version = version_number(params.version);
    match reject {
        Reject::Length { received, expected } => {
            let how = if received < expected { "short" } else { "long" };
            info!(
                target: "vrrp",
                "({name}) vrrp packet from {from} too {how}, length {received} and expect {expected}"
            );
        }
        Reject::Ttl(ttl) => {
            let expected = expected_ttl(params, from);
            info!(target: "vrrp", "({name}) invalid TTL/HL from {from}. Received {ttl} and expect {expected}");
        }
        Reject::Version(theirs) => info!(
            target: "vrrp",
            "({name}) wrong VRRP version from {from}. Received {theirs} and expect {version}"
        ),
        Reject::AuthTypeInvalid(kind) => {
            info!(target: "vrrp", "({name}) Invalid auth type from {from}: {kind}");
        }
        Reject::AuthTypeMismatch(kind) => {
            let ours = params.authentication.auth_type();
            info!(target: "vrrp", "({name}) received a {kind} auth from {from}, expecting {ours}!");
        }
        Reject::Password => info!(target: "vrrp", "({name}) received an invalid passwd from {from}!"),
        Reject::Interval(theirs) => info!(
            target: "vrrp",
            "({name}) advertisement interval mismatch with {from} mine={} sec rcv'd={theirs} sec",
            params.advert_int.as_secs()
        ),
        Reject::Type(kind) => {
            info!(target: "vrrp", "({name}) Invalid packet type from {from}. {kind} and expect 1");
        }
        Reject::Checksum => {
            let word = if params.version == Version::V2 { "VRRPv2" } else { "VRRPv3" };
            info!(target: "vrrp", "({name}) Invalid {word} checksum from {from}");
        }
        Reject::Destination(to) => {
            let expected = match &params.delivery {
                Delivery::Multicast(group) => group.to_string(),
                Delivery::Unicast(_) => "unicast".to_owned(),
            };
            info!(target: "vrrp", "({name}) advert from {from} was sent to {to}, expecting {expected}");
        }
        Reject::NotAPeer => {
            info!(target: "vrrp", "({name}) unicast source address {from} not a unicast peer");
        }
        Reject::AddressCount(count) => info!(
            target: "vrrp",
            "({name}) expected {} VIPs but received {count}",
            params.addresses.len()
        ),
        Reject::AddressMissing(vip) => info!(
            target: "vrrp",
            "({name}) ip address associated with VRID {} not present in advert from {from}: {vip}",
            params.vrid
        ),
        Reject::IntervalDiffers(cs) => info!(
            target: "vrrp",
            "({name}) advertisement interval mismatch ours = {} centi-sec rcv'd={cs} centi-sec",
            params.advert_int.as_millis() / 10
        ),
        Reject::Ah(Doubt::Replayed) => {
            info!(target: "vrrp", "({name}) IPSEC-AH : replayed sequence number from {from}. Packet dropped");
        }
        Reject::Ah(Doubt::WrongCode) => info!(
            target: "vrrp",
            "({name}) IPSEC-AH : invalid IPSEC HMAC-MD5 value. Due to fields mutation or bad password ! (from {from})"
        ),
        Reject::Ah(_) => {
            info!(target: "vrrp", "({name}) IPSEC-AH : invalid authentication header from {from}. Packet dropped");
        }
        Reject::Trailer(doubt) => info!(target: "vrrp", "({name}) {}", trailer_doubt(*doubt, from)),
        Reject::ClockSkew(SkewWarning { skew, window }) => warn!(
            target: "vrrp",
            "({name}) authentication clock skew {skew} sec from {from} approaching window {window} sec"
        ),
    }
}

/// Why a trailer of `auth_hmac` is not believed.
fn trailer_doubt(doubt: Doubt, from: IpAddr) -> String {
    match doubt {
        Doubt::Missing => format!("missing authentication trailer from {from}"),
        Doubt::Malformed => format!("malformed authentication trailer from {from}"),
        Doubt::UnknownKey(id) => format!("unknown authentication key id {id} from {from}"),
        Doubt::WrongCode => format!("invalid authentication HMAC from {from}"),
        Doubt::Stale { skew, window } => format!(
            "stale authentication trailer from {from}, clock skew {skew} sec exceeds window {window} sec"
        ),
        Doubt::Replayed => format!("replayed authentication trailer from {from}"),
    }
}

/// The TTL that an advert of `from` should have had.
fn expected_ttl(params: &Params, from: IpAddr) -> String {
    let peers = match &params.delivery {
        Delivery::Unicast(unicast) => unicast.peers.as_slice(),
        Delivery::Multicast(_) => &[],
    };
    let peer = peers.iter().find(|peer| peer.address == from);
    peer.map_or_else(|| VRRP_TTL.to_string(), |peer| format!("{} to {}", peer.min_ttl, peer.max_ttl))
}

/// A packet too short to tell its VRID.
pub fn packet_too_short(family: Family, len: usize, left_out: u64) {
    debug!(target: "vrrp", "{family} VRRP packet too short - {len} bytes{}", and(left_out));
}

/// A packet of a virtual router that is not ours.
pub fn unknown_vrid(vrid: u8, interface: Option<&IfName>, left_out: u64) {
    let interface = interface.map_or("any", IfName::as_str);
    info!(target: "vrrp", "Unknown VRID({vrid}) received on interface({interface}). ignoring...{}", and(left_out));
}

/// That `count` lines like this one were left out before it.
pub(super) fn and(count: u64) -> String {
    if count == 0 { String::new() } else { format!(" (and {count} more before it)") }
}
