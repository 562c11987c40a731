//! Phases of random faults, and what must hold on the way.

use std::time::Duration;

use keepalived_rs::base::Instant;
use keepalived_rs::host::{KernelOp, Signal};
use keepalived_rs::sim::{Behaviour, LanOptions, NodeId, Rng};

use super::setup::{FILES, PROCESS, Setup};
use crate::harness::*;

/// The longest time a packet is ever on its way.
pub(super) const LONGEST_WAY: Duration = Duration::from_millis(5);

/// What the schedule has done to a router.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Router {
    pub(super) link_down: bool,
    pub(super) script_fails: bool,
    /// When its daemon was started last.
    pub(super) started: Instant,
    /// Frozen or paused since.
    stalled: Option<Instant>,
    paused: bool,
}

/// A run of one seed.
pub(super) struct Run {
    pub(super) cluster: Cluster,
    pub(super) setup: Setup,
    pub(super) routers: Vec<Router>,
    pub(super) rng: Rng,
    /// Stalls that ended since the last check.
    pub(super) stalls: Vec<Stall>,
    /// When the LAN lost packets: from, to.
    pub(super) lossy: Vec<(Instant, Instant)>,
    /// Virtual routers whose members could not hear each other for a while, being configured differently.
    pub(super) estranged: Vec<u8>,
    /// Nothing has happened in this phase that may change a master.
    calm: bool,
}

/// A stall that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stall {
    pub(super) router: usize,
    pub(super) begin: Instant,
    pub(super) end: Instant,
    /// What was sent to it meanwhile is lost.
    pub(super) deaf: bool,
}

/// Files and processes of router `i` fail, or recover.
fn set_trackers(cluster: &mut Cluster, i: usize, fail: bool) {
    let (node, [bad, good]) = (cluster.nodes[i], FILES);
    let number = |on| Some(if on { "1\n" } else { "0\n" });
    cluster.world.set_file(node, bad, number(fail));
    cluster.world.set_file(node, good, number(!fail));
    cluster.world.set_processes(node, PROCESS, usize::from(!fail));
}

impl Run {
    /// An administrator deletes the routes of a virtual router.
    fn delete_routes(&mut self, node: NodeId, vrid: u8) {
        for route in self.cluster.routes(node, vrid) {
            self.cluster.world.change(node, KernelOp::DeleteRoute(Box::new(route))).unwrap();
        }
    }

    /// An administrator deletes the rules of a virtual router.
    fn delete_rules(&mut self, node: NodeId, vrid: u8) {
        for rule in self.cluster.rules(node, vrid) {
            self.cluster.world.change(node, KernelOp::DeleteRule(Box::new(rule))).unwrap();
        }
    }
}

impl Run {
    pub(super) fn new(seed: u64, setup: Setup) -> Self {
        let configs = (0..setup.routers).map(|i| setup.text(i)).collect();
        let mut cluster = Cluster::new(seed, configs);
        cluster.verbose = false;
        let routers = vec![Router::default(); setup.routers];
        for (i, node) in cluster.nodes.clone().into_iter().enumerate() {
            cluster.world.set_process_reports(node, i % 2 == 0);
            set_trackers(&mut cluster, i, false);
        }
        // The setup has used the numbers of its seed already.
        Self {
            cluster,
            setup,
            routers,
            rng: rng(!seed),
            stalls: Vec::new(),
            lossy: Vec::new(),
            estranged: Vec::new(),
            calm: false,
        }
    }

    /// All phases.
    pub(super) fn all(&mut self) -> Result<(), String> {
        for i in 0..self.setup.routers {
            if !self.rng.chance(100_000) {
                self.start(i);
            }
            self.pass(300_000);
        }
        self.quiet()?;
        for _ in 0..self.rng.pick(2..=5) {
            let options = LanOptions {
                latency: secs(0.000_01)..=*self.rng.one_of(&[secs(0.000_02), secs(0.000_5), LONGEST_WAY]),
                loss_ppm: *self.rng.one_of(&[0, 0, 0, 50_000, 300_000]),
            };
            let lossy = options.loss_ppm > 0;
            let begin = self.cluster.now();
            let masters = self.masters();
            self.calm = !lossy && self.routers.iter().all(|router| router.stalled.is_none());
            self.cluster.world.set_lan(self.cluster.lan, options);
            for _ in 0..self.rng.pick(1..=5) {
                self.fault();
                self.pass(3_000_000);
            }
            if lossy {
                self.lossy.push((begin, self.cluster.now() + secs(0.01)));
            }
            self.quiet()?;
            if self.calm {
                self.check_calm(&masters, begin)?;
            }
        }
        self.stop()
    }

    /// Who holds which address.
    pub(super) fn masters(&self) -> Vec<(u8, Vec<usize>)> {
        self.setup.virtuals.iter().map(|v| (v.vrid, self.cluster.holders(v.vrid))).collect()
    }

    pub(super) fn start(&mut self, i: usize) {
        self.routers[i].started = self.cluster.now();
        self.cluster.start(i);
    }

    /// Lets up to `micros` pass.
    pub(super) fn pass(&mut self, micros: u64) {
        let pause = Duration::from_micros(self.rng.pick(0..=micros));
        self.cluster.world.run_for(pause);
    }

    pub(super) fn quiet(&mut self) -> Result<(), String> {
        let cluster = &mut self.cluster;
        cluster.world.set_lan(cluster.lan, LanOptions::default());
        for node in cluster.nodes.clone() {
            cluster.world.slow_kernel(node, secs(0.000_1));
            cluster.world.slow_reports(node, secs(0.000_03));
        }
        cluster.run(self.setup.quiet());
        self.check()
    }

    /// One random fault, or the end of one.
    fn fault(&mut self) {
        let i = self.rng.pick(0..=self.setup.routers as u64 - 1) as usize;
        let node = self.cluster.nodes[i];
        let running = self.cluster.world.is_running(node);
        let fault = self.rng.pick(0..=15);
        // These change who may be master, the others must not.
        self.calm &= !matches!(fault, 0..=3 | 6..=9);
        match fault {
            0 if running => self.end_stall_after(i, |world, node| world.crash(node)),
            1 if running => self.end_stall_after(i, |world, node| {
                world.power_off(node);
                world.power_on(node);
            }),
            2 if running => {
                let how = if self.rng.chance(500_000) { Signal::HandOver } else { Signal::Stop };
                self.cluster.world.signal(node, how);
            }
            0..=3 if !running => self.start(i),
            4 | 5 if running => self.stall(i),
            6 => self.partition(),
            7 => self.cluster.world.heal(self.cluster.lan),
            8 => self.link(i),
            9 => self.script(i),
            10 | 11 => {
                let vrid = self.rng.one_of(&self.setup.virtuals).vrid;
                match self.rng.pick(0..=2) {
                    0 => {
                        self.cluster.world.delete_address(node, vip(vrid));
                    }
                    1 => self.delete_routes(node, vrid),
                    _ => self.delete_rules(node, vrid),
                }
            }
            12 => {
                let latency = secs(*self.rng.one_of(&[0.000_01, 0.001, 0.1, 1.0]));
                self.cluster.world.slow_kernel(node, latency);
            }
            13 => {
                let latency = secs(*self.rng.one_of(&[0.0, 0.001, 0.1]));
                self.cluster.world.slow_reports(node, latency);
            }
            14 => self.cluster.world.overrun(node),
            15 => self.meddle(i),
            _ => {}
        }
        self.notice_ends();
    }

    /// Somebody removes a VMAC, or what is in the packet filter.
    fn meddle(&mut self, i: usize) {
        let node = self.cluster.nodes[i];
        let links = self.cluster.world.links(node);
        let vmacs: Vec<_> = links.iter().filter(|link| link.stacking.base.is_some()).collect();
        if vmacs.is_empty() || self.rng.chance(300_000) {
            self.cluster.world.flush_firewall(node);
        } else {
            // A kernel that is slow to make it again lets the others wait too long.
            self.calm = false;
            let name = self.rng.one_of(&vmacs).name.to_string();
            self.cluster.world.delete_link(node, &name);
        }
    }

    fn end_stall_after(
        &mut self,
        i: usize,
        end: impl FnOnce(&mut keepalived_rs::sim::World, keepalived_rs::sim::NodeId),
    ) {
        self.routers[i].stalled = None;
        end(&mut self.cluster.world, self.cluster.nodes[i]);
        // Switching a machine off and on brings its links back.
        self.routers[i].link_down &= !self.cluster.world.is_usable(self.cluster.nodes[i], "eth0");
    }

    /// Begins a stall, or ends it.
    fn stall(&mut self, i: usize) {
        let (node, now) = (self.cluster.nodes[i], self.cluster.now());
        let router = &mut self.routers[i];
        match router.stalled.take() {
            Some(begin) => {
                self.stalls.push(Stall { router: i, begin, end: now, deaf: router.paused });
                self.cluster.world.thaw(node);
            }
            None => {
                self.calm &= !self.setup.virtuals.iter().any(|v| self.cluster.holders(v.vrid).contains(&i));
                let router = &mut self.routers[i];
                router.stalled = Some(now);
                router.paused = self.rng.chance(300_000);
                if router.paused {
                    self.cluster.world.pause_vm(node);
                } else {
                    self.cluster.world.freeze(node);
                }
            }
        }
    }

    fn partition(&mut self) {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for node in &self.cluster.nodes {
            if self.rng.chance(500_000) { one.push(*node) } else { two.push(*node) }
        }
        self.cluster.world.partition(self.cluster.lan, &[&one, &two]);
    }

    fn link(&mut self, i: usize) {
        let (node, router) = (self.cluster.nodes[i], &mut self.routers[i]);
        router.link_down = !router.link_down;
        if router.link_down {
            self.cluster.world.link_down(node, "eth0");
        } else {
            self.cluster.world.link_up(node, "eth0");
        }
    }

    pub(super) fn script(&mut self, i: usize) {
        let router = &mut self.routers[i];
        router.script_fails = !router.script_fails;
        let behaviour = match (router.script_fails, self.rng.pick(0..=2)) {
            (false, _) => Behaviour::exits(0),
            (true, 0) => Behaviour::CannotExecute,
            (true, 1) => Behaviour::Hangs,
            (true, _) => Behaviour::exits(1),
        };
        let fails = router.script_fails;
        self.cluster.world.set_program(self.cluster.nodes[i], CHECK, behaviour);
        set_trackers(&mut self.cluster, i, fails);
    }

    /// A daemon that is gone is not stalled any more.
    fn notice_ends(&mut self) {
        for (router, node) in self.routers.iter_mut().zip(&self.cluster.nodes) {
            if !self.cluster.world.is_running(*node) {
                router.stalled = None;
            }
        }
    }

    /// Stops all daemons that can hear it, one after the other.
    pub(super) fn stop(&mut self) -> Result<(), String> {
        for i in 0..self.setup.routers {
            let node = self.cluster.nodes[i];
            if !self.cluster.world.is_alive(node) {
                continue;
            }
            let vrids: Vec<u8> = self.setup.virtuals.iter().map(|v| v.vrid).collect();
            let held: Vec<u8> =
                vrids.iter().copied().filter(|v| self.cluster.holders(*v).contains(&i)).collect();
            let stop = self.cluster.now();
            self.cluster.world.signal(node, Signal::Stop);
            self.cluster.run(0.1);
            if self.cluster.world.exit_status(node) != Some(0) {
                return Err(format!("router {i} has not stopped"));
            }
            for vrid in vrids {
                let expected: &[u8] = if held.contains(&vrid) { &[0] } else { &[] };
                let sent = self.cluster.priorities(i, vrid, stop);
                if sent != expected {
                    return Err(format!(
                        "router {i} stopped and sent {sent:?} for {vrid} instead of {expected:?}"
                    ));
                }
                if self.cluster.world.has_ip(node, vip(vrid)) {
                    return Err(format!("router {i} stopped and left {} behind", vip(vrid)));
                }
            }
            let links = self.cluster.world.links(node);
            if let Some(left) = links.iter().find(|link| link.stacking.base.is_some()) {
                return Err(format!("router {i} stopped and left {} behind", left.name));
            }
            if let Some(left) = self.cluster.world.firewall(node).first() {
                return Err(format!("router {i} stopped and left {:?} behind", left.rule));
            }
            self.cluster.run(8.0);
        }
        match self.cluster.world.errors().first() {
            Some(error) => Err(format!("an error was logged: {error}")),
            None => Ok(()),
        }
    }
}
