//! Reports changes of links, addresses, routes and rules.
//!
//! First it subscribes, then it asks for everything there is. What happened while the answer came in is applied
//! to the answer before anybody sees it: of each link and address the last word counts. When the socket
//! overflows, it starts again with a new picture.

use std::io;
use std::time::Duration;

use futures_util::stream::LocalBoxStream;
use futures_util::{FutureExt, StreamExt};
use netlink_packet_core::{NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::rule::RuleMessage;
use rtnetlink::{Handle, MulticastGroup, new_multicast_connection};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use super::{Message, enlarge_receive_buffer, message};
use crate::base::IfIndex;
use crate::host::{Dump, KernelEvent, Plane, Route};
use crate::linux::startup::give_back_memory;

/// How long the kernel may take to answer before the socket is given up.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause before a new attempt after a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// Attempts to get a picture during which nothing changes, before one that may be torn is good enough.
const ATTEMPTS: u32 = 5;

/// An open, subscribed socket.
pub(super) struct Monitor {
    handle: Handle,
    notifications: LocalBoxStream<'static, Message>,
    connection: JoinHandle<()>,
}

impl Monitor {
    /// Opens the socket and subscribes.
    ///
    /// # Errors
    /// What the system refused.
    pub(super) fn open() -> io::Result<Self> {
        let groups = [
            MulticastGroup::Link,
            MulticastGroup::Ipv4Ifaddr,
            MulticastGroup::Ipv6Ifaddr,
            MulticastGroup::Ipv4Route,
            MulticastGroup::Ipv6Route,
            MulticastGroup::Ipv4Rule,
            MulticastGroup::Ipv6Rule,
        ];
        let (mut connection, handle, notifications) = new_multicast_connection(&groups)?;
        enlarge_receive_buffer(&mut connection)?;
        // The end of a dump carries the flag that says whether it is torn.
        connection.set_forward_done(true);
        Ok(Self {
            handle,
            notifications: notifications.map(|(message, _)| message).boxed_local(),
            connection: tokio::task::spawn_local(connection),
        })
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Reports to `report` until nobody listens any more.
pub(super) async fn run(monitor: Monitor, report: UnboundedSender<KernelEvent>, plane: Plane) {
    let mut opened: io::Result<Monitor> = Ok(monitor);
    loop {
        let error = match opened {
            Ok(mut monitor) => match watch(&mut monitor, &report, &plane).await {
                Ok(()) => return,
                Err(error) => error,
            },
            Err(error) => error,
        };
        tracing::error!("netlink monitor failed, starting again: {error}");
        plane.sleep(PAUSE).await;
        opened = Monitor::open();
    }
}

/// Reports until nobody listens (`Ok`) or the socket is of no more use.
async fn watch(
    monitor: &mut Monitor,
    report: &UnboundedSender<KernelEvent>,
    plane: &Plane,
) -> io::Result<()> {
    let mut lost = true;
    loop {
        if lost {
            let (dump, overrun) = picture(monitor, plane).await?;
            // Each link's answer takes some kilobytes, and the start has left what it needed.
            give_back_memory();
            lost = overrun;
            if report.send(KernelEvent::Resync(dump)).is_err() {
                return Ok(());
            }
            continue;
        }
        let notification = monitor.notifications.next().await;
        let notification = notification.ok_or(io::ErrorKind::ConnectionAborted)?;
        lost = is_overrun(&notification);
        if let Some(event) = message::event(&notification)
            && report.send(event).is_err()
        {
            return Ok(());
        }
    }
}

/// All there is, and whether notifications were lost since the question.
async fn picture(monitor: &mut Monitor, plane: &Plane) -> io::Result<(Dump, bool)> {
    let mut dump = Dump::default();
    for attempt in 1.. {
        let mut routes = RouteMessage::default();
        // A hint: older kernels, and those not asked to be strict, answer with all routes.
        routes.header.protocol = Route::<IfIndex>::PROTO_KEEPALIVED.into();
        let questions = [
            RouteNetlinkMessage::GetLink(LinkMessage::default()),
            RouteNetlinkMessage::GetAddress(AddressMessage::default()),
            RouteNetlinkMessage::GetRoute(routes),
            RouteNetlinkMessage::GetRule(RuleMessage::default()),
        ];
        dump = Dump::default();
        let mut whole = true;
        for question in questions {
            whole &= ask(&monitor.handle, question, &mut dump, plane).await?;
        }
        if whole || attempt == ATTEMPTS {
            break;
        }
    }
    // The connection hands over notifications before answers: those from before the end of the dump are here.
    let mut overrun = false;
    while let Some(Some(notification)) = monitor.notifications.next().now_or_never() {
        overrun |= is_overrun(&notification);
        if let Some(event) = message::event(&notification) {
            apply(&mut dump, event);
        }
    }
    dump.links.sort_by_key(|link| link.index);
    Ok((dump, overrun))
}

/// Adds what the kernel answers to `question`; `false` if it changed meanwhile and the answer may be torn.
async fn ask(
    handle: &Handle,
    question: RouteNetlinkMessage,
    dump: &mut Dump,
    plane: &Plane,
) -> io::Result<bool> {
    let mut question = Message::from(question);
    question.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let answers = handle.clone().request(question).map_err(io::Error::other)?;
    let mut answers = std::pin::pin!(answers);
    let deadline = plane.now() + PATIENCE;
    let mut whole = true;
    loop {
        let answer = tokio::select! {
            biased;
            answer = answers.next() => answer,
            () = plane.sleep_until(deadline) => return Err(io::ErrorKind::TimedOut.into()),
        };
        let Some(answer) = answer else { return Ok(whole) };
        whole &= answer.header.flags & NLM_F_DUMP_INTR == 0;
        match &answer.payload {
            NetlinkPayload::Error(error) if error.code.is_some() => return Err(error.to_io()),
            _ => {
                if let Some(event) = message::event(&answer) {
                    apply(dump, event);
                }
            }
        }
    }
}

fn is_overrun(message: &Message) -> bool {
    matches!(message.payload, NetlinkPayload::Overrun(_))
}

/// What `dump` becomes by `event`.
fn apply(dump: &mut Dump, event: KernelEvent) {
    match event {
        KernelEvent::Resync(whole) => *dump = whole,
        KernelEvent::Link(link) => match dump.links.iter_mut().find(|known| known.index == link.index) {
            Some(known) => *known = link,
            None => dump.links.push(link),
        },
        KernelEvent::LinkGone { index, .. } => {
            dump.links.retain(|known| known.index != index);
            dump.routes.retain(|route| route.hops().iter().all(|hop| hop.link != Some(index)));
            dump.addresses.retain(|known| known.link != index);
        }
        KernelEvent::Address(address) => {
            match dump.addresses.iter_mut().find(|known| known.key() == address.key()) {
                Some(known) => *known = address,
                None => dump.addresses.push(address),
            }
        }
        KernelEvent::AddressGone(address) => dump.addresses.retain(|known| known.key() != address.key()),
        KernelEvent::Route(route) => {
            dump.routes.retain(|known| !known.is_same(&route));
            dump.routes.push(*route);
        }
        KernelEvent::RouteGone(route) => dump.routes.retain(|known| !known.is_same(&route)),
        KernelEvent::RouteReplaced(route) => {
            dump.routes.retain(|known| known.key() != route.key());
            dump.routes.push(*route);
        }
        KernelEvent::Rule(rule) => {
            dump.rules.retain(|known| *known != *rule);
            dump.rules.push(*rule);
        }
        KernelEvent::RuleGone(rule) => dump.rules.retain(|known| *known != *rule),
        // It is not dumped.
        KernelEvent::FirewallLost => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Cidr, IfIndex, IfName};
    use crate::host::{Address, AddressOptions, Link, Stacking};

    fn link(index: u32, mtu: u32) -> Link {
        Link {
            index: IfIndex(index),
            name: IfName::new("eth0").unwrap(),
            up: true,
            running: true,
            multicast: true,
            arp: true,
            loopback: false,
            mtu,
            mac: None,
            stacking: Stacking::default(),
        }
    }

    fn address(link: u32, last: u8) -> Address {
        Address {
            link: IfIndex(link),
            cidr: Cidr::host([192, 0, 2, last].into()),
            peer: None,
            broadcast: None,
            label: None,
            scope: 0,
            protocol: 0,
            options: AddressOptions::default(),
        }
    }

    #[test]
    fn the_last_word_on_each_link_and_address_counts() {
        let addresses = vec![address(1, 1), address(1, 2)];
        let mut dump = Dump { links: vec![link(1, 1500)], addresses, ..Dump::default() };
        let during = [
            KernelEvent::AddressGone(address(1, 1)),
            KernelEvent::Address(Address { scope: 253, ..address(1, 2) }),
            KernelEvent::Link(link(2, 1500)),
            KernelEvent::Address(address(2, 1)),
            KernelEvent::Link(link(1, 9000)),
            KernelEvent::AddressGone(address(1, 9)),
            KernelEvent::Address(address(1, 1)),
            KernelEvent::LinkGone { index: IfIndex(2), moved: false },
        ];
        for event in during {
            apply(&mut dump, event);
        }
        let expected = Dump {
            links: vec![link(1, 9000)],
            addresses: vec![Address { scope: 253, ..address(1, 2) }, address(1, 1)],
            ..Dump::default()
        };
        assert_eq!(dump, expected);
    }
}
