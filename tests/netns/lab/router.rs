//! LANs and the routers on them.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::capture::Capture;
use super::daemon::{Daemon, Kind};
use super::namespace::{Holder, Namespace};
use super::wait_until;

/// A bridge in a network namespace of its own.
#[derive(Debug)]
pub struct Lan {
    namespace: Namespace,
    ports: AtomicU8,
}

impl Lan {
    /// A LAN without routers.
    pub fn new() -> Self {
        let namespace = Namespace::new(&Holder::Network);
        // Without snooping the bridge floods every group, like a plain switch.
        namespace.run("ip link add lan type bridge mcast_snooping 0 && ip link set lan up");
        Self { namespace, ports: AtomicU8::new(0) }
    }

    /// A router with one interface on this LAN, `address` being like `10.7.0.1/24`.
    pub fn router(&self, interface: &str, address: &str) -> Router {
        let router = Router::new();
        router.attach(self, interface, address);
        router
    }

    /// Starts to record what crosses the bridge.
    pub fn capture(&self) -> Capture {
        Capture::start(&self.namespace.network())
    }

    /// Starts to record what `source` sends, and nothing else.
    pub fn capture_of(&self, source: Ipv4Addr) -> Capture {
        Capture::start_with(&self.namespace.network(), Some(source))
    }

    /// The network namespace of the bridge.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }
}

/// A machine of its own, as far as a daemon can tell.
#[derive(Clone, Debug)]
pub struct Router {
    namespace: Arc<Namespace>,
}

impl Router {
    /// A router without interfaces.
    pub fn new() -> Self {
        let ours = Kind::Ours.program_on_host();
        Self { namespace: Arc::new(Namespace::new(&Holder::Router(ours.as_deref()))) }
    }

    /// Adds an interface on `lan`. The n-th interface on a LAN always has the same MAC address, so that two LANs
    /// can be compared byte by byte.
    pub fn attach(&self, lan: &Lan, interface: &str, address: &str) {
        let port = lan.ports.fetch_add(1, Ordering::Relaxed);
        let pid = self.namespace.pid();
        lan.namespace.run(&format!(
            "ip link add port{port} type veth peer name {interface} address 02:00:00:00:00:{port:02x} netns {pid} &&
             ip link set port{port} master lan up"
        ));
        self.run(&format!("ip addr add {address} dev {interface} && ip link set {interface} up"));
        // The kernel takes up to a second to say that a link is up when many have come up lately.
        wait_until(&format!("{interface} is up"), || {
            self.run(&format!("ip -o link show dev {interface}")).contains("state UP")
        });
    }

    /// Runs a shell command on the router and returns what it printed; panics if it fails.
    #[track_caller]
    pub fn run(&self, script: &str) -> String {
        self.namespace.run(script)
    }

    /// The namespaces the router is made of.
    pub fn namespace(&self) -> &Arc<Namespace> {
        &self.namespace
    }

    /// Where the host sees a file of the router.
    pub fn path(&self, path: &str) -> PathBuf {
        self.namespace.path(path)
    }

    /// Writes a file on the router, with the directories above it.
    #[track_caller]
    pub fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        let directory = path.parent().expect("a file is in a directory");
        std::fs::create_dir_all(directory).expect("make a directory");
        std::fs::write(&path, content).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    /// Writes a shell script on the router that is fit to be executed.
    #[track_caller]
    pub fn write_script(&self, path: &str, body: &str) {
        use std::os::unix::fs::PermissionsExt;
        self.write(path, &format!("#!/bin/sh\n{body}\n"));
        std::fs::set_permissions(self.path(path), std::fs::Permissions::from_mode(0o755)).expect("chmod");
    }

    /// The content of a file of the router, if it has that file.
    pub fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.path(path)).ok()
    }

    /// Whether the router has this file.
    pub fn has_file(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// Starts a daemon with this text as its `/etc/keepalived/keepalived.conf`.
    pub fn start(&self, kind: Kind, config: &str) -> Daemon {
        self.start_with(kind, config, &[])
    }

    /// As [`start`](Self::start), with more options on the command line.
    pub fn start_with(&self, kind: Kind, config: &str, options: &[&str]) -> Daemon {
        self.write("/etc/keepalived/keepalived.conf", config);
        Daemon::start(self, kind, options)
    }

    /// As [`start`](Self::start), without details in the log.
    pub fn start_as_packaged(&self, kind: Kind, config: &str) -> Daemon {
        self.write("/etc/keepalived/keepalived.conf", config);
        Daemon::start_as_packaged(self, kind)
    }

    /// All IPv4 addresses but the loopback's, in the kernel's order.
    pub fn addresses(&self) -> Vec<Address> {
        self.run("ip -o -4 addr show").lines().filter_map(Address::parse).filter(|a| a.dev != "lo").collect()
    }

    /// Whether one of the router's interfaces has this address.
    pub fn has(&self, ip: Ipv4Addr) -> bool {
        self.addresses().iter().any(|a| a.ip == ip)
    }
}

/// An address as `ip -o addr` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The interface.
    pub dev: String,
    /// The address without its prefix.
    pub ip: Ipv4Addr,
    /// All else: peer, prefix, brd, scope, label, lifetimes.
    pub rest: String,
}

impl Address {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().skip(1);
        let dev = words.next()?.to_owned();
        words.next().filter(|w| *w == "inet")?;
        let address = words.next()?;
        let ip = address.split('/').next()?.parse().ok()?;
        let rest = [address].into_iter().chain(words).collect::<Vec<_>>().join(" ");
        Some(Self { dev, ip, rest })
    }
}
