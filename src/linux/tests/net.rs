//! Packets between two connected interfaces.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use nix::net::if_::if_nametoindex;
use socket2::{Domain, Protocol, Socket, Type};

use super::{in_a_namespace, soon};
use crate::base::{Family, IfIndex, IfName, MacAddr};
use crate::host::{Announcer, Datagram, Endpoint, EndpointSpec, Frame, Plane, VrrpNet, VrrpReceiver};
use crate::linux::announcer::PacketAnnouncer;
use crate::linux::buffer;
use crate::linux::vrrp_net::RawVrrpNet;
use crate::wire::arp;
use crate::wire::ip::{
    PROTO_VRRP, TOS_INTERNETWORK_CONTROL, V4_HEADER_LEN, V4Header, V6_HEADER_LEN, V6Header, VRRP_TTL,
};

const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));
const SOURCE: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 77);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);
const SOURCE_V6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x77);

fn index(name: &str) -> IfIndex {
    IfIndex(if_nametoindex(name).unwrap())
}

fn spec(name: &str) -> EndpointSpec {
    EndpointSpec {
        interface: Some((index(name), IfName::new(name).unwrap())),
        family: Family::V4,
        protocol: PROTO_VRRP,
        groups: vec![GROUP],
    }
}

fn open(name: &str) -> Endpoint {
    RawVrrpNet.open(&spec(name)).unwrap()
}

/// Something like an advert of `vrid`: its second byte is what the filter looks at.
fn packet(vrid: u8, destination: Ipv4Addr, ttl: u8) -> Vec<u8> {
    let mut packet = vec![0; V4_HEADER_LEN];
    packet.extend([0x31, vrid, 100, 1, 0, 100, 0, 0, 192, 0, 2, vrid]);
    let header = V4Header {
        header_len: 20,
        tos: TOS_INTERNETWORK_CONTROL,
        total_len: packet.len() as u16,
        id: 1,
        ttl,
        protocol: PROTO_VRRP,
        source: SOURCE,
        destination,
    };
    header.emit(&mut packet);
    packet
}

async fn receive(plane: &Plane, receiver: &mut Box<dyn VrrpReceiver>, buf: &mut [u8]) -> Datagram {
    soon(plane, "a packet", poll_fn(|cx| receiver.poll_recv(cx, buf))).await.unwrap()
}

fn advert(vrid: u8) -> Vec<u8> {
    packet(vrid, Ipv4Addr::new(224, 0, 0, 18), VRRP_TTL)
}

#[test]
fn an_advert_crosses_the_wire_and_the_filter() {
    in_a_namespace(|plane| async move {
        let (mut own, sender) = open("va");
        let (mut peer, _) = open("vb");
        let mut buf = [0; 4200];
        assert!(peer.try_recv(&mut buf).is_none());

        sender.send(&advert(50), GROUP).unwrap();
        let datagram = receive(&plane, &mut peer, &mut buf).await;
        let expected = Datagram {
            source: SOURCE.into(),
            destination: GROUP,
            ttl: VRRP_TTL,
            protocol: PROTO_VRRP,
            declared_len: 32,
            header_len: 20,
            payload: 20..32,
        };
        assert_eq!(datagram, expected);
        assert_eq!(buf[20..32], advert(50)[20..]);

        peer.set_vrids(&[51, 7, 51]);
        for vrid in [50, 51, 52, 7] {
            sender.send(&advert(vrid), GROUP).unwrap();
        }
        for vrid in [51, 7] {
            let datagram = receive(&plane, &mut peer, &mut buf).await;
            assert_eq!(buf[datagram.payload][1], vrid);
        }
        assert!(peer.try_recv(&mut buf).is_none());
        assert!(own.try_recv(&mut buf).is_none(), "own adverts came back");

        sender.send(&packet(51, Ipv4Addr::new(224, 0, 0, 18), 254), GROUP).unwrap();
        let late = peer.try_recv(&mut buf).unwrap().unwrap();
        assert_eq!(late.ttl, 254);
    });
}

/// Something like an advert of `vrid` over IPv6.
fn packet_v6(vrid: u8, destination: Ipv6Addr, hops: u8) -> Vec<u8> {
    let mut packet = vec![0; V6_HEADER_LEN];
    packet.extend([0x31, vrid, 100, 0, 0, 100, 0, 0]);
    let (class, next) = (TOS_INTERNETWORK_CONTROL, PROTO_VRRP);
    V6Header { class, payload_len: 8, next, hops, source: SOURCE_V6, destination }.emit(&mut packet);
    packet
}

#[test]
fn an_ipv6_advert_crosses_the_wire_and_the_filter() {
    in_a_namespace(|plane| async move {
        let group = GROUP_V6;
        super::ip("addr add fe80::77/64 dev va nodad");
        let six = |name| EndpointSpec { family: Family::V6, groups: vec![group.into()], ..spec(name) };
        let (mut own, sender) = RawVrrpNet.open(&six("va")).unwrap();
        let (mut peer, _) = RawVrrpNet.open(&six("vb")).unwrap();
        let (mut four, _) = open("vb");
        let mut buf = [0; 4200];
        sender.send(&packet_v6(50, group, 255), group.into()).unwrap();
        let datagram = receive(&plane, &mut peer, &mut buf).await;
        let expected = Datagram {
            source: SOURCE_V6.into(),
            destination: group.into(),
            ttl: 255,
            protocol: PROTO_VRRP,
            declared_len: 8,
            header_len: 0,
            payload: 0..8,
        };
        assert_eq!(datagram, expected);
        assert_eq!(buf[..8], packet_v6(50, group, 255)[V6_HEADER_LEN..]);

        peer.set_vrids(&[51]);
        for (vrid, hops) in [(50, 255), (51, 254), (52, 255)] {
            sender.send(&packet_v6(vrid, group, hops), group.into()).unwrap();
        }
        assert_eq!(receive(&plane, &mut peer, &mut buf).await.ttl, 254);
        assert!(peer.try_recv(&mut buf).is_none());
        assert!(own.try_recv(&mut buf).is_none(), "own adverts came back");
        assert!(four.try_recv(&mut buf).is_none(), "the families do not mix");
    });
}

#[test]
fn unicast_needs_no_interface() {
    in_a_namespace(|plane| async move {
        let own = Ipv4Addr::new(10, 9, 0, 1);
        for family in [Family::V4, Family::V6] {
            let anywhere = EndpointSpec { interface: None, family, protocol: PROTO_VRRP, groups: vec![] };
            let (mut receiver, sender) = RawVrrpNet.open(&anywhere).unwrap();
            let mut buf = [0; 4200];
            let (bytes, destination): (_, IpAddr) = match family {
                Family::V4 => (packet(50, own, 9), own.into()),
                Family::V6 => (packet_v6(50, Ipv6Addr::LOCALHOST, 9), Ipv6Addr::LOCALHOST.into()),
            };
            sender.send(&bytes, destination).unwrap();
            let datagram = receive(&plane, &mut receiver, &mut buf).await;
            assert_eq!((datagram.destination, datagram.ttl), (destination, 9));
            let grouped = EndpointSpec { groups: vec![GROUP], ..anywhere };
            assert!(RawVrrpNet.open(&grouped).is_err());
        }
    });
}

#[test]
fn whether_an_interface_forwards_is_known() {
    in_a_namespace(|_| async move {
        let announcer = PacketAnnouncer::open().unwrap();
        let name = IfName::new("va").unwrap();
        assert!(!announcer.forwards_v6(&name));
        std::fs::write("/proc/sys/net/ipv6/conf/va/forwarding", "1").unwrap();
        assert!(announcer.forwards_v6(&name));
        assert!(!announcer.forwards_v6(&IfName::new("missing").unwrap()));
    });
}

#[test]
fn the_filter_holds_all_255_vrids_or_none() {
    in_a_namespace(|_| async move {
        let (_, sender) = open("va");
        let (mut peer, _) = open("vb");
        let mut buf = [0; 4200];
        let all: Vec<u8> = (0..=255).collect();
        peer.set_vrids(&all);
        for vrid in [0, 1, 128, 255] {
            sender.send(&advert(vrid), GROUP).unwrap();
        }
        let mut seen = Vec::new();
        while let Some(datagram) = peer.try_recv(&mut buf) {
            seen.push(buf[datagram.unwrap().payload.start + 1]);
        }
        assert_eq!(seen, [1, 128, 255]);
        peer.set_vrids(&[]);
        sender.send(&advert(1), GROUP).unwrap();
        assert!(peer.try_recv(&mut buf).is_none());
    });
}

#[test]
fn what_the_network_refuses_is_an_error() {
    in_a_namespace(|plane| async move {
        let nowhere = (IfIndex(4711), IfName::new("va").unwrap());
        let missing = EndpointSpec { interface: Some(nowhere), ..spec("va") };
        let error = RawVrrpNet.open(&missing).err().unwrap();
        assert_eq!(error.source.raw_os_error(), Some(libc::ENODEV));
        let mixed = EndpointSpec { family: Family::V6, ..spec("va") };
        assert_eq!(RawVrrpNet.open(&mixed).err().unwrap().source.kind(), io::ErrorKind::InvalidInput);

        let (mut receiver, sender) = open("va");
        super::ip("link set va down");
        assert!(sender.send(&advert(1), GROUP).is_err());
        // A link that went down is reported once, and the endpoint lives on.
        let mut buf = [0; 4200];
        while let Some(result) = receiver.try_recv(&mut buf) {
            assert_eq!(result.unwrap_err().source.raw_os_error(), Some(libc::ENETDOWN));
        }
        super::ip("link set va up");
        let (_, peer) = open("vb");
        let heard = async {
            loop {
                // Until the carrier is back, packets are lost.
                let _ = peer.send(&advert(9), GROUP);
                if let Some(Ok(datagram)) = receiver.try_recv(&mut buf) {
                    return datagram;
                }
                plane.sleep(Duration::from_millis(10)).await;
            }
        };
        assert_eq!(soon(&plane, "a packet after the link came back", heard).await.source, SOURCE);
    });
}

#[test]
fn announcements_leave_in_order_and_one_failure_stops_nobody() {
    const COUNT: u16 = 600;
    in_a_namespace(|plane| async move {
        let listener =
            Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(i32::from(0x0806_u16.to_be()))))
                .unwrap();
        listener.set_nonblocking(true).unwrap();
        buffer::receive(&listener, 8 << 20).unwrap();
        let mac = MacAddr([2, 0, 0, 0, 0, 0x0a]);
        let frame = |link: IfIndex, n: u16| {
            let [high, low] = n.to_be_bytes();
            let name = IfName::new(&format!("number{}", link.0)).unwrap();
            Frame { link, name, bytes: arp::gratuitous(mac, Ipv4Addr::new(10, 8, high, low)).to_vec() }
        };
        let mut frames: Vec<_> = (0..COUNT).map(|n| frame(index("va"), n)).collect();
        frames.insert(300, frame(IfIndex(4711), 0));
        let announcer = PacketAnnouncer::open().unwrap();
        let start = plane.now();
        let error = announcer.announce(&frames).unwrap_err();
        println!("{COUNT} announcements left in {:?}", plane.now() - start);
        assert!(matches!(error.source.raw_os_error(), Some(libc::ENXIO | libc::ENODEV)), "{error}");
        assert!(error.to_string().starts_with("cannot announce on interface number4711: "), "{error}");

        // The listener hears both ends; what it hears at vb has crossed the wire.
        let mut seen = Vec::new();
        let mut buf = [std::mem::MaybeUninit::uninit(); 256];
        while let Ok((len, from)) = listener.recv_from(&mut buf) {
            // SAFETY: `len` bytes were received into the buffer.
            let bytes: Vec<u8> = buf[..len].iter().map(|byte| unsafe { byte.assume_init() }).collect();
            // SAFETY: the address of a packet socket is a `sockaddr_ll`.
            let link = unsafe { (*from.as_ptr().cast::<libc::sockaddr_ll>()).sll_ifindex };
            if link as u32 == index("vb").0 {
                seen.push(bytes);
            }
        }
        frames.remove(300);
        assert!(seen.into_iter().eq(frames.into_iter().map(|frame| frame.bytes)));
        assert!(announcer.announce(&[]).is_ok());
    });
}
