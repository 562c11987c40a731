//! Routers on a LAN, described by the keepalived.conf they run with.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;
use std::time::Duration;

use keepalived_rs::base::Instant;
use keepalived_rs::host::Signal;
use keepalived_rs::host::route::{Route, Rule, RuleAction};
use keepalived_rs::plan::{self, Plan};
use keepalived_rs::sim::loader::MemoryLoader;
use keepalived_rs::sim::{Advert, LanId, LanOptions, NodeId, Record, Rng, What, World, cidr};
use keepalived_rs::{config, daemon};

/// A program for `vrrp_script`.
pub(crate) const CHECK: &str = "/usr/bin/check";
/// All programs that configurations may name.
const PROGRAMS: [&str; 6] = [CHECK, "/n/master", "/n/backup", "/n/fault", "/n/stop", "/n/any"];

/// Seconds, fractions included.
pub(crate) fn secs(secs: f64) -> Duration {
    Duration::from_secs_f64(secs)
}

/// Virtual routers from this number on have IPv6 addresses in these tests.
pub(crate) const FIRST_V6: u8 = 251;

/// The virtual address of a virtual router in these tests.
pub(crate) fn vip(vrid: u8) -> IpAddr {
    if vrid < FIRST_V6 {
        Ipv4Addr::new(10, 0, 1, vrid).into()
    } else {
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 1, vrid.into()).into()
    }
}

/// The address of a family that router `i` has on `eth0`.
pub(crate) fn own_address(i: usize, v6: bool) -> IpAddr {
    if v6 {
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, i as u16 + 1).into()
    } else {
        Ipv4Addr::new(10, 0, 0, i as u8 + 1).into()
    }
}

/// A `vrrp_instance` to be written.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    vrid: u8,
    lines: Vec<String>,
    interface: String,
}

/// An instance on `eth0` with one address, [`vip`].
pub(crate) fn instance(vrid: u8, priority: u8) -> Instance {
    let lines = vec![format!("priority {priority}")];
    Instance { vrid, lines, interface: "eth0".to_owned() }
}

impl Instance {
    /// With one more line, or block.
    pub(crate) fn with(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// Speaking to the first `routers` routers by unicast, itself among them.
    pub(crate) fn unicast(self, routers: usize) -> Self {
        let v6 = self.vrid >= FIRST_V6;
        let peers: String = (0..routers).map(|i| format!("        {}\n", own_address(i, v6))).collect();
        self.with(&format!("unicast_peer {{\n{peers}    }}"))
    }

    /// On another interface.
    pub(crate) fn on(mut self, interface: &str) -> Self {
        interface.clone_into(&mut self.interface);
        self
    }

    /// The name it gets.
    pub(crate) fn name(vrid: u8) -> String {
        format!("VI_{vrid}")
    }

    /// Its block.
    pub(crate) fn text(&self) -> String {
        let (name, vrid) = (Self::name(self.vrid), self.vrid);
        let mut text = format!("vrrp_instance {name} {{\n    interface {}\n", self.interface);
        let _ = writeln!(text, "    virtual_router_id {vrid}");
        for line in &self.lines {
            let _ = writeln!(text, "    {line}");
        }
        let prefix = if vrid < FIRST_V6 { 24 } else { 64 };
        let _ = writeln!(text, "    virtual_ipaddress {{\n        {}/{prefix}\n    }}\n}}", vip(vrid));
        text
    }
}

/// Routers on one LAN: `a` at 10.0.0.1, `b` at 10.0.0.2, and so on. When it goes, it makes sure that nobody has
/// logged an error, or shows what happened if the test has failed.
pub(crate) struct Cluster {
    pub(crate) world: World,
    pub(crate) lan: LanId,
    pub(crate) nodes: Vec<NodeId>,
    pub(crate) configs: Vec<String>,
    /// What the daemon of each router finds when it reads its configuration again.
    files: Vec<Rc<RefCell<String>>>,
    /// Show what happened when the test fails.
    pub(crate) verbose: bool,
    /// The test has looked at the errors itself.
    pub(crate) errors_expected: bool,
}

impl Cluster {
    /// One router for each configuration, none of them started.
    pub(crate) fn new(seed: u64, configs: Vec<String>) -> Self {
        let mut world = World::new(seed);
        let lan = world.lan(LanOptions::default());
        let nodes = (1..=configs.len())
            .map(|i| {
                let node = world.node(&char::from(b'a' + i as u8 - 1).to_string());
                world.attach(node, lan, "eth0", cidr(&format!("{}/24", own_address(i - 1, false))));
                world.configure(node, "eth0", cidr(&format!("{}/64", own_address(i - 1, true))));
                node
            })
            .collect();
        let files = configs.iter().map(|text| Rc::new(RefCell::new(text.clone()))).collect();
        Self { world, lan, nodes, configs, files, verbose: true, errors_expected: false }
    }

    /// All routers started, and given time to settle.
    pub(crate) fn running(seed: u64, configs: Vec<String>) -> Self {
        let mut cluster = Self::new(seed, configs);
        for i in 0..cluster.nodes.len() {
            cluster.start(i);
        }
        cluster.run(10.0);
        cluster
    }

    /// Two routers with one instance each.
    pub(crate) fn pair(a: Instance, b: Instance) -> Self {
        Self::running(1, vec![a.text(), b.text()])
    }

    /// Starts the daemon of router `i`.
    pub(crate) fn start(&mut self, i: usize) {
        start(&mut self.world, self.nodes[i], &self.files[i]);
    }

    /// Changes the configuration of router `i`, for its next start and its next reload.
    pub(crate) fn write_config(&mut self, i: usize, text: String) {
        self.files[i].replace(text.clone());
        self.configs[i] = text;
    }

    /// Changes the configuration of router `i` and has it read that.
    pub(crate) fn reload(&mut self, i: usize, text: String) {
        self.write_config(i, text);
        self.world.signal(self.nodes[i], Signal::Reload);
    }

    pub(crate) fn run(&mut self, time: f64) {
        self.world.run_for(secs(time));
    }

    pub(crate) fn now(&self) -> Instant {
        self.world.now()
    }

    /// The routers that run and have the address of `vrid`.
    pub(crate) fn holders(&self, vrid: u8) -> Vec<usize> {
        let holds = |i: &usize| {
            let node = self.nodes[*i];
            self.world.is_alive(node) && self.world.has_ip(node, vip(vrid))
        };
        (0..self.nodes.len()).filter(holds).collect()
    }

    /// The routes of the virtual router `vrid` on `node`: those to `192.0.VRID.0/24`.
    pub(crate) fn routes(&self, node: NodeId, vrid: u8) -> Vec<Route> {
        let of = |route: &Route| route.destination.ip.to_string().starts_with(&format!("192.0.{vrid}."));
        self.world.routes(node).into_iter().filter(of).collect()
    }

    /// The rules of the virtual router `vrid` on `node`: those of its table.
    pub(crate) fn rules(&self, node: NodeId, vrid: u8) -> Vec<Rule> {
        let of = |rule: &Rule| rule.action == RuleAction::Table(vrid.into());
        self.world.rules(node).into_iter().filter(of).collect()
    }

    /// The adverts of `vrid` that router `i` sent since `since`.
    pub(crate) fn adverts(&self, i: usize, vrid: u8, since: Instant) -> Vec<Advert> {
        let mut adverts = self.world.adverts_since(since);
        adverts.retain(|advert| advert.node == self.nodes[i] && advert.vrid == vrid);
        adverts
    }

    /// The priorities in those adverts, repetitions left out.
    pub(crate) fn priorities(&self, i: usize, vrid: u8, since: Instant) -> Vec<u8> {
        let mut priorities: Vec<u8> = self.adverts(i, vrid, since).iter().map(|a| a.priority).collect();
        priorities.dedup();
        priorities
    }

    /// Asserts that router `i` is the only master of `vrid`: it alone has the address, it was the last to announce
    /// it, and nobody else sends adverts during the next five seconds.
    #[track_caller]
    pub(crate) fn assert_master(&mut self, i: usize, vrid: u8) {
        let since = self.now();
        self.run(5.0);
        assert_eq!(self.holders(vrid), [i], "holders of {}", vip(vrid));
        let announced = self.world.announced(self.lan, vip(vrid)).map(|(_, node)| node);
        assert_eq!(announced, Some(self.nodes[i]), "last to announce {}", vip(vrid));
        for other in 0..self.nodes.len() {
            let speaks = !self.adverts(other, vrid, since).is_empty();
            assert_eq!(speaks, other == i, "router {other} sends adverts");
        }
    }

    /// Asserts that router `i` has logged `text`.
    #[track_caller]
    pub(crate) fn assert_logged(&self, i: usize, text: &str) {
        let log = self.world.log(self.nodes[i]);
        assert!(log.iter().any(|line| line.contains(text)), "{text:?} is not in {log:#?}");
    }

    /// How often router `i` logged `text`.
    pub(crate) fn logged(&self, i: usize, text: &str) -> usize {
        self.world.log(self.nodes[i]).iter().filter(|line| line.contains(text)).count()
    }

    /// When router `i` first got the address of `vrid` since `since`.
    pub(crate) fn address_added(&self, i: usize, vrid: u8, since: Instant) -> Option<Instant> {
        let added = |record: &Record| match &record.what {
            What::AddressAdded { address, .. }
                if record.node == Some(self.nodes[i]) && address.cidr.ip == vip(vrid) =>
            {
                Some(record.at)
            }
            _ => None,
        };
        self.world.records_since(since, added).first().copied()
    }

    /// What router `i` has asked its kernel for since `since`.
    pub(crate) fn kernel_changes(&self, i: usize, since: Instant) -> Vec<String> {
        self.world.records_since(since, |record| match &record.what {
            What::AddressAdded { .. } | What::AddressDeleted { .. } | What::Changed { .. }
                if record.node == Some(self.nodes[i]) =>
            {
                Some(format!("{:?}", record.what))
            }
            _ => None,
        })
    }

    /// The programs that router `i` has run since `since`.
    pub(crate) fn programs(&self, i: usize, since: Instant) -> Vec<String> {
        self.world.records_since(since, |record| match &record.what {
            What::Program(command) if record.node == Some(self.nodes[i]) => Some(command.argv.join(" ")),
            _ => None,
        })
    }

    /// When router `i` announced the address of `vrid` since `since`.
    pub(crate) fn announcements(&self, i: usize, vrid: u8, since: Instant) -> Vec<Instant> {
        self.world.records_since(since, |record| match &record.what {
            What::Announcement { ip, .. } if record.node == Some(self.nodes[i]) && *ip == vip(vrid) => {
                Some(record.at)
            }
            _ => None,
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.errors_expected || self.world.errors().is_empty(), "{:#?}", self.world.errors());
        } else if self.verbose {
            eprintln!("{}", self.world.trace());
        }
    }
}

/// Starts a daemon on `node` with the configuration that is in `file`, now and whenever it is to reload.
pub(crate) fn start(world: &mut World, node: NodeId, file: &Rc<RefCell<String>>) {
    let plan = plan_of(&file.borrow());
    world.start(node, |host| Box::pin(daemon::run(host, plan, reread(file))));
}

/// Reads `file` whenever a daemon is to reload.
pub(crate) fn reread(file: &Rc<RefCell<String>>) -> daemon::Reread {
    let file = Rc::clone(file);
    Box::new(move || {
        let plan = plan_of(&file.borrow());
        Box::pin(async move { Ok(plan) })
    })
}

/// What the configuration `text` makes exist.
pub(crate) fn plan_of(text: &str) -> Plan {
    let machine = PROGRAMS.iter().fold(MemoryLoader::with_main(text), |machine, path| machine.program(path));
    let options = config::Options { main: MemoryLoader::MAIN.to_owned(), config_id: None, all_files: false };
    let loaded = config::load(&machine, &options);
    let complaints: Vec<&str> = loaded.diagnostics.iter().map(|d| d.text.as_str()).collect();
    assert!(loaded.refusal().is_none(), "{text}\n{complaints:#?}");
    let mut plan = plan::resolve(&loaded.config);
    plan.set_hand_over("/run/keepalived.hand-over", true);
    plan
}

/// A generator for what a test wants random, apart from the world's own.
pub(crate) fn rng(seed: u64) -> Rng {
    Rng::new(seed ^ 0x5eed)
}
