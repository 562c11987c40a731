//! Foreign adverts by the thousand.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns};
use socket2::{Domain, Protocol, Socket, Type};

use crate::fleet;
use crate::lab::{Kind, Lan, Router, wait_until};

const OURS: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 1);
const FOREIGN: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 9);
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// Packets a second.
const RATE: u32 = 50_000;
const INTERVAL: Duration = Duration::from_millis(100);

const CONFIG: &str = "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n version 3\n priority 200\n \
     advert_int 0.1\n virtual_ipaddress {\n 10.7.0.100/24\n }\n}\n";

/// Three floods against each make.
pub fn run(kinds: &[Kind]) {
    println!("{RATE} foreign adverts a second against a master with advert_int 0.1");
    println!(
        "                                       sent/s     CPU %    worst lateness of 20 adverts, ms    log, bytes"
    );
    // Priority 100, an interval of 0.1 s; the checksum of the last two is wrong, the TTL of the last but one, too.
    let unknown = [0x31, 99, 100, 1, 0, 10, 0, 0, 10, 7, 0, 99];
    let known = [0x31, 51, 100, 1, 0, 10, 0, 0, 10, 7, 0, 100];
    for (what, message, ttl) in
        [("unknown VRID", unknown, 255), ("wrong TTL", known, 64), ("wrong checksum", known, 255)]
    {
        for kind in kinds {
            flood(*kind, what, message.to_vec(), ttl);
        }
    }
}

fn flood(kind: Kind, what: &str, message: Vec<u8>, ttl: u32) {
    let lan = Lan::new();
    let capture = lan.capture();
    let router = lan.router("eth0", &format!("{OURS}/24"));
    let foreigner = lan.router("eth0", &format!("{FOREIGN}/24"));
    let daemon = router.start(kind, CONFIG);
    wait_until("the router is master", || capture.adverts(OURS).len() >= 20);
    drop(capture);
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let sender = send(&foreigner, message, ttl, Arc::clone(&stop), Arc::clone(&sent));
    std::thread::sleep(Duration::from_millis(500));
    // Only what the router sends: a capture of the flood would cost more than the flood.
    let capture = lan.capture_of(OURS);
    let (ticks, packets, begin) = (fleet::ticks(&daemon), sent.load(Ordering::Relaxed), Instant::now());
    wait_until("20 adverts", || capture.adverts(OURS).len() > 20);
    let time = begin.elapsed().as_secs_f64();
    let cpu = (fleet::ticks(&daemon) - ticks) as f64 / fleet::TICKS_PER_SECOND / time * 100.0;
    let rate = (sent.load(Ordering::Relaxed) - packets) as f64 / time;
    stop.store(true, Ordering::Relaxed);
    sender.join().expect("the sender does not panic");
    let adverts = capture.adverts(OURS);
    let late = adverts.windows(2).map(|w| (w[1].at - w[0].at).as_secs_f64() - INTERVAL.as_secs_f64());
    let worst = late.fold(0.0, f64::max) * 1000.0;
    println!(
        "    {:<10} {what:<20} {rate:>8.0}    {cpu:>6.1}    {worst:>10.2}                         {:>10}",
        format!("{kind:?}"),
        daemon.log().len()
    );
}

/// Sends as fast as [`RATE`] says until told to stop.
fn send(
    from: &Router,
    message: Vec<u8>,
    ttl: u32,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
) -> std::thread::JoinHandle<()> {
    let network = from.namespace().network();
    std::thread::spawn(move || {
        // Only this thread changes its network namespace, and it ends here.
        setns(network, CloneFlags::CLONE_NEWNET).expect("enter a network namespace");
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(112))).expect("raw socket");
        socket.set_multicast_if_v4(&FOREIGN).expect("IP_MULTICAST_IF");
        socket.set_multicast_ttl_v4(ttl).expect("IP_MULTICAST_TTL");
        let group = SocketAddrV4::new(GROUP, 0).into();
        let begin = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            let due = (begin.elapsed().as_secs_f64() * f64::from(RATE)) as u64;
            for _ in sent.load(Ordering::Relaxed)..due {
                // A full queue loses a packet, as a wire would.
                let _ = socket.send_to(&message, &group);
                sent.fetch_add(1, Ordering::Relaxed);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    })
}
