//! VMACs and ipvlans: the messages that make them, and their settings.

use std::{fs, io};

use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoIpVlan, InfoKind, InfoMacVlan, IpVlanFlags, IpVlanMode, LinkAttribute, LinkFlags, LinkInfo,
    LinkMessage, MacVlanMode,
};

use super::sysctl::errno;
use super::writer::Channel;
use super::{Message, message};
use crate::base::{Family, IfName};
use crate::host::kernel::Errno;
use crate::host::{Isolation, Link, Plane, VirtualKind, VirtualLink};
use crate::linux::loader::link::ask;

/// How the hardware addresses of virtual routers begin (RFC 9568 section 7.3).
const VIRTUAL_ROUTER: [u8; 4] = [0x00, 0x00, 0x5e, 0x00];

/// Makes `link`, or makes what is there so, and brings it up. Until it has its settings it is down, and says nothing.
pub(super) async fn make(channel: &mut Channel, plane: &Plane, link: &VirtualLink) -> Result<(), Errno> {
    match channel.change(create(link), plane).await {
        Ok(()) => {}
        Err(Errno::EXIST) => match there(link).map_err(errno)? {
            Some(found) if link.is_like(&found) => channel.change(correct(link), plane).await?,
            // Of a predecessor whose configuration named another interface.
            Some(found) if is_left_over(&found) => {
                channel.change(delete(link), plane).await?;
                channel.change(create(link), plane).await?;
            }
            _ => return Err(Errno::EXIST),
        },
        Err(other) => return Err(other),
    }
    configure(link).map_err(errno)?;
    channel.change(up(link), plane).await
}

/// Deletes `link`.
pub(super) async fn unmake(channel: &mut Channel, plane: &Plane, link: &VirtualLink) -> Result<(), Errno> {
    channel.change(delete(link), plane).await
}

fn there(link: &VirtualLink) -> io::Result<Option<Link>> {
    Ok(ask(&link.name)?.and_then(|found| message::link(&found)))
}

fn is_left_over(found: &Link) -> bool {
    let is_macvlan = found.stacking.kind == (crate::host::loader::LinkKind::Macvlan { private: true });
    is_macvlan && found.mac.is_some_and(|mac| mac.0.starts_with(&VIRTUAL_ROUTER))
}

fn create(link: &VirtualLink) -> Message {
    let mut message = named(&link.name);
    message.attributes.push(LinkAttribute::Link(link.base.0));
    message.attributes.push(LinkAttribute::Group(link.group));
    message.attributes.extend(link.vrf.map(|vrf| LinkAttribute::Controller(vrf.0)));
    message.attributes.extend(identity(link));
    request(RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
}

/// Gives a link that is there its hardware address and mode.
fn correct(link: &VirtualLink) -> Message {
    let mut message = named(&link.name);
    message.attributes.extend(identity(link));
    request(RouteNetlinkMessage::NewLink(message), 0)
}

fn up(link: &VirtualLink) -> Message {
    let mut message = named(&link.name);
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
    request(RouteNetlinkMessage::NewLink(message), 0)
}

fn delete(link: &VirtualLink) -> Message {
    request(RouteNetlinkMessage::DelLink(named(&link.name)), 0)
}

fn named(name: &IfName) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.as_str().to_owned()));
    message
}

fn identity(link: &VirtualLink) -> Vec<LinkAttribute> {
    match link.kind {
        VirtualKind::Macvlan(mac) => vec![
            LinkAttribute::Address(mac.0.to_vec()),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::MacVlan),
                LinkInfo::Data(InfoData::MacVlan(vec![InfoMacVlan::Mode(MacVlanMode::Private)])),
            ]),
        ],
        VirtualKind::Ipvlan(isolation) => {
            let flags = match isolation {
                Isolation::Bridge => IpVlanFlags::empty(),
                Isolation::Private => IpVlanFlags::Private,
                Isolation::Vepa => IpVlanFlags::Vepa,
            };
            let data = vec![InfoIpVlan::Mode(IpVlanMode::L2), InfoIpVlan::Flags(flags)];
            vec![LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::IpVlan),
                LinkInfo::Data(InfoData::IpVlan(data)),
            ])]
        }
    }
}

fn request(message: RouteNetlinkMessage, flags: u16) -> Message {
    let mut message = Message::from(message);
    message.header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    message
}

/// A VMAC answers for its own addresses only, takes packets from other addresses of this machine, and has no address
/// that it made up itself. What has no IPv6 has it switched off.
fn configure(link: &VirtualLink) -> io::Result<()> {
    let name = &link.name;
    if link.family == Family::V4 && matches!(link.kind, VirtualKind::Macvlan(_)) {
        let settings =
            [("arp_ignore", "1"), ("accept_local", "1"), ("rp_filter", "0"), ("promote_secondaries", "1")];
        for (setting, value) in settings {
            fs::write(format!("/proc/sys/net/ipv4/conf/{name}/{setting}"), value)?;
        }
    }
    /// `IN6_ADDR_GEN_MODE_NONE`.
    const NONE: &str = "1";
    let v6 = format!("/proc/sys/net/ipv6/conf/{name}");
    // The kernel may have no IPv6.
    if fs::exists(&v6)? {
        // An ipvlan sends from an address of its own.
        if matches!(link.kind, VirtualKind::Macvlan(_)) {
            fs::write(format!("{v6}/addr_gen_mode"), NONE)?;
        }
        fs::write(format!("{v6}/disable_ipv6"), if link.ipv6 { "0" } else { "1" })?;
    }
    Ok(())
}
