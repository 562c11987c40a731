//! Asks the kernel what an interface is, and waits for the answer.

use std::io;
use std::time::Duration;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoIpVlan, InfoMacVlan, InfoVrf, IpVlanMode, LinkAttribute, LinkFlags, LinkInfo,
    LinkLayerType, LinkMessage, MacVlanMode,
};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use crate::base::IfName;
use crate::host::Link;
use crate::host::loader::{LinkFacts, LinkKind};

/// The shortest message.
const NETLINK_HEADER_LEN: usize = 16;

/// How long the kernel may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What an interface is; `None` if there is none.
///
/// # Errors
/// The kernel cannot be asked.
pub(super) fn facts(name: &IfName) -> io::Result<Option<LinkFacts>> {
    Ok(ask(name)?.map(|link| read(&link)))
}

/// What the kernel says of an interface; `None` if there is none.
///
/// # Errors
/// The kernel cannot be asked.
pub(in crate::linux) fn ask(name: &IfName) -> io::Result<Option<LinkMessage>> {
    let mut request = LinkMessage::default();
    request.attributes.push(LinkAttribute::IfName(name.as_str().to_owned()));
    let socket = question(request, NLM_F_REQUEST)?;
    let (answer, _) = socket.recv_from_full()?;
    match NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer).map(|m| m.payload) {
        Ok(NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link))) => Ok(Some(link)),
        _ => Ok(None),
    }
}

/// All interfaces.
///
/// # Errors
/// The kernel cannot be asked.
pub(super) fn all() -> io::Result<Vec<Link>> {
    let socket = question(LinkMessage::default(), NLM_F_REQUEST | NLM_F_DUMP)?;
    let mut links = Vec::new();
    loop {
        let (answer, _) = socket.recv_from_full()?;
        let mut rest = answer.as_slice();
        while !rest.is_empty() {
            let message =
                NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest).map_err(io::Error::other)?;
            match message.payload {
                NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => {
                    links.extend(crate::linux::kernel::link(&link));
                }
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                NetlinkPayload::Done(_) => return Ok(links),
                _ => {}
            }
            // Messages begin at multiples of four bytes.
            let length = message.header.length.next_multiple_of(4) as usize;
            rest = rest.get(length.max(NETLINK_HEADER_LEN)..).unwrap_or_default();
        }
    }
}

/// Asks the kernel; the answer is to be read.
fn question(request: LinkMessage, flags: u16) -> io::Result<Socket> {
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    let payload = NetlinkPayload::from(RouteNetlinkMessage::GetLink(request));
    let mut message = NetlinkMessage::new(header, payload);
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);

    let socket = Socket::new(NETLINK_ROUTE)?;
    nix::sys::socket::setsockopt(
        &socket,
        nix::sys::socket::sockopt::ReceiveTimeout,
        &nix::sys::time::TimeVal::new(PATIENCE.as_secs().cast_signed(), 0),
    )?;
    socket.send_to(&bytes, &SocketAddr::new(0, 0), 0)?;
    Ok(socket)
}

fn read(link: &LinkMessage) -> LinkFacts {
    let mtu = link.attributes.iter().find_map(|a| match a {
        LinkAttribute::Mtu(bytes) => Some(*bytes),
        _ => None,
    });
    let info = link.attributes.iter().find_map(|a| match a {
        LinkAttribute::LinkInfo(info) => Some(info.as_slice()),
        _ => None,
    });
    LinkFacts {
        kind: kind(info.unwrap_or_default()),
        mtu: mtu.unwrap_or(u32::MAX),
        multicast: link.header.flags.contains(LinkFlags::Multicast),
        ethernet: link.header.link_layer_type == LinkLayerType::Ether,
    }
}

/// What kind of interface says this of itself.
pub(in crate::linux) fn kind(info: &[LinkInfo]) -> LinkKind {
    let data = info.iter().find_map(|i| match i {
        LinkInfo::Data(data) => Some(data),
        _ => None,
    });
    match data {
        Some(InfoData::MacVlan(data)) => LinkKind::Macvlan {
            private: data.iter().any(|d| matches!(d, InfoMacVlan::Mode(MacVlanMode::Private))),
        },
        Some(InfoData::IpVlan(data)) => {
            LinkKind::Ipvlan { l2: data.iter().any(|d| matches!(d, InfoIpVlan::Mode(IpVlanMode::L2))) }
        }
        Some(InfoData::Vrf(data)) => vrf(data),
        _ => LinkKind::Other,
    }
}

fn vrf(data: &[InfoVrf]) -> LinkKind {
    let table = data.iter().find_map(|d| match d {
        InfoVrf::TableId(table) => Some(*table),
        _ => None,
    });
    table.map_or(LinkKind::Other, |table| LinkKind::Vrf { table })
}
