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
use crate::base::{Family, IfIndex, IfName};
use crate::host::kernel::Errno;
use crate::host::{Isolation, Link, Plane, VirtualKind, VirtualLink};
use crate::linux::loader::link::ask;

/// `EBUSY`: what is up cannot be changed that way.
const BUSY: Errno = Errno(16);

/// Makes `link` out of the one with the number `origin`, if that is there; or makes it anew, and brings it up. Until it has
/// its settings it is down, and says nothing.
pub(super) async fn make(
    channel: &mut Channel,
    plane: &Plane,
    link: &VirtualLink,
    origin: Option<IfIndex>,
) -> Result<(), Errno> {
    if let Some(origin) = origin {
        match adjust(channel, plane, link, origin).await {
            Err(Errno::NODEV) => {}
            done => return done,
        }
    }
    match channel.change(create(link), plane).await {
        Err(Errno::EXIST) => match ask_for(link)? {
            Some(found) if link.continues(&found) => return adjust(channel, plane, link, found.index).await,
            // Of a predecessor whose configuration named another interface, or another virtual router. That one may be
            // wanted under another name, and goes on from nothing then: nobody is to take it from under our hands.
            Some(found) if link.replaces(&found) => {
                channel.change(delete(link, Some(found.index)), plane).await?;
                channel.change(create(link), plane).await?;
            }
            _ => return Err(Errno::EXIST),
        },
        created => created?,
    }
    let done = finish(channel, plane, link).await;
    if done.is_err() {
        // What it failed by is worth more than how this fails.
        let _ = channel.change(delete(link, None), plane).await;
    }
    done
}

/// Deletes `link`, by its number if that is known.
pub(super) async fn unmake(
    channel: &mut Channel,
    plane: &Plane,
    link: &VirtualLink,
    number: Option<IfIndex>,
) -> Result<(), Errno> {
    channel.change(delete(link, number), plane).await
}

/// Makes the link with the number `index` as it should be.
async fn adjust(
    channel: &mut Channel,
    plane: &Plane,
    link: &VirtualLink,
    index: IfIndex,
) -> Result<(), Errno> {
    let named = ask_for(link)?;
    if named.as_ref().is_none_or(|found| found.index != index) {
        // Of a predecessor whose configuration gave this name to another virtual router. Who wants that one, makes it anew.
        if let Some(found) = named.filter(|found| link.replaces(found)) {
            channel.change(delete(link, Some(found.index)), plane).await?;
        }
        let renamed = channel.change(rename(link, index), plane).await;
        // Before Linux 6.2 only what is down can have another name.
        if renamed == Err(BUSY) {
            channel.change(turn(numbered(index), false), plane).await?;
            channel.change(rename(link, index), plane).await?;
        } else {
            renamed?;
        }
    }
    channel.change(correct(link, index), plane).await?;
    finish(channel, plane, link).await
}

async fn finish(channel: &mut Channel, plane: &Plane, link: &VirtualLink) -> Result<(), Errno> {
    configure(link).map_err(errno)?;
    channel.change(turn(named(&link.name), true), plane).await
}

/// What has the name of `link`.
fn ask_for(link: &VirtualLink) -> Result<Option<Link>, Errno> {
    Ok(ask(&link.name).map_err(errno)?.and_then(|found| message::link(&found)))
}

fn create(link: &VirtualLink) -> Message {
    let mut message = named(&link.name);
    message.attributes.push(LinkAttribute::Link(link.base.0));
    message.attributes.push(LinkAttribute::Group(link.group));
    message.attributes.extend(link.vrf.map(|vrf| LinkAttribute::Controller(vrf.0)));
    message.attributes.extend(identity(link));
    request(RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
}

/// Gives a link that is there its hardware address, mode and place.
fn correct(link: &VirtualLink, index: IfIndex) -> Message {
    let mut message = numbered(index);
    message.attributes.extend(link.vrf.map(|vrf| LinkAttribute::Controller(vrf.0)));
    message.attributes.extend(identity(link));
    request(RouteNetlinkMessage::NewLink(message), 0)
}

fn rename(link: &VirtualLink, index: IfIndex) -> Message {
    let mut message = named(&link.name);
    message.header.index = index.0;
    request(RouteNetlinkMessage::NewLink(message), 0)
}

/// Brings a link up, or takes it down.
fn turn(mut message: LinkMessage, up: bool) -> Message {
    message.header.flags = if up { LinkFlags::Up } else { LinkFlags::empty() };
    message.header.change_mask = LinkFlags::Up;
    request(RouteNetlinkMessage::NewLink(message), 0)
}

fn delete(link: &VirtualLink, number: Option<IfIndex>) -> Message {
    request(RouteNetlinkMessage::DelLink(number.map_or_else(|| named(&link.name), numbered)), 0)
}

fn numbered(index: IfIndex) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index.0;
    message
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
///
/// A VMAC of IPv6 has no IPv4 addresses, and is not to answer for those of others: the same virtual router may be master
/// of IPv4 here and of IPv6 elsewhere, and switches know the hardware address to be there. Stock leaves it to answer.
fn configure(link: &VirtualLink) -> io::Result<()> {
    let name = &link.name;
    if link.family == Family::V6 && matches!(link.kind, VirtualKind::Macvlan(_)) {
        fs::write(format!("/proc/sys/net/ipv4/conf/{name}/arp_ignore"), "1")?;
    }
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
