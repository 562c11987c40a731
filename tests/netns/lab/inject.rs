//! Crafted packets.

use std::net::{Ipv4Addr, SocketAddrV4};

use nix::sched::{CloneFlags, setns};
use socket2::{Domain, Protocol, Socket, Type};

use super::router::Router;

/// Sends `message` as an IPv4 packet of protocol 112 with this TTL from the (first) address of `router` to
/// `group`, the kernel adding the IPv4 header.
pub fn inject(router: &Router, from: Ipv4Addr, group: Ipv4Addr, ttl: u32, message: &[u8]) {
    let network = router.namespace().network();
    let message = message.to_vec();
    let sender = std::thread::spawn(move || -> std::io::Result<()> {
        // Only this thread changes its network namespace, and it ends here.
        setns(network, CloneFlags::CLONE_NEWNET)?;
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(112)))?;
        socket.set_multicast_if_v4(&from)?;
        socket.set_multicast_ttl_v4(ttl)?;
        socket.bind(&SocketAddrV4::new(from, 0).into())?;
        socket.send_to(&message, &SocketAddrV4::new(group, 0).into())?;
        Ok(())
    });
    sender.join().expect("the sender does not panic").expect("send a crafted packet");
}
