//! Parts of the daemon that panic: what can go on does, and else the router ends in order.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::harness::*;
use keepalived_rs::daemon;
use keepalived_rs::host::kernel::Errno;
use keepalived_rs::host::loader::{Program, ProgramError};
use keepalived_rs::host::{
    Child, Command, Datagram, Endpoint, EndpointSpec, Error, Host, KernelOp, KernelWriter, LocalBoxFuture,
    Processes, VrrpNet, VrrpReceiver,
};
use keepalived_rs::sim::Behaviour;

/// What falls into a trap.
#[derive(Clone, Copy)]
enum Part {
    Writer,
    Receiver,
    Processes,
}

/// Panics once, on its `on`-th use.
struct Use {
    left: Cell<u32>,
}

impl Use {
    fn new(on: u32) -> Self {
        Self { left: Cell::new(on) }
    }

    fn step(&self) {
        self.left.set(self.left.get().wrapping_sub(1));
        assert_ne!(self.left.get(), 0, "a trap");
    }
}

struct TrapWriter(Rc<dyn KernelWriter>, Use);

impl KernelWriter for TrapWriter {
    fn apply(&self, ops: Vec<KernelOp>) -> LocalBoxFuture<Vec<Result<(), Errno>>> {
        self.1.step();
        self.0.apply(ops)
    }
}

struct TrapNet(Rc<dyn VrrpNet>);
struct TrapReceiver(Box<dyn VrrpReceiver>, Use);

impl VrrpNet for TrapNet {
    fn open(&self, spec: &EndpointSpec) -> Result<Endpoint, Error> {
        let (receiver, sender) = self.0.open(spec)?;
        Ok((Box::new(TrapReceiver(receiver, Use::new(20))), sender))
    }
}

impl VrrpReceiver for TrapReceiver {
    fn poll_recv(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<Result<Datagram, Error>> {
        self.1.step();
        self.0.poll_recv(cx, buf)
    }

    fn try_recv(&mut self, buf: &mut [u8]) -> Option<Result<Datagram, Error>> {
        self.0.try_recv(buf)
    }

    fn set_vrids(&mut self, vrids: &[u8]) {
        self.0.set_vrids(vrids);
    }
}

struct TrapProcesses(Rc<dyn Processes>, Use);

impl Processes for TrapProcesses {
    fn spawn(&self, command: &Command) -> Result<Box<dyn Child>, Error> {
        self.1.step();
        self.0.spawn(command)
    }

    fn find(&self, name: &str, uid: u32, gid: u32) -> Result<Program, ProgramError> {
        self.0.find(name, uid, gid)
    }

    fn open_for_reading(&self, path: &Path) -> Result<(), Error> {
        self.0.open_for_reading(path)
    }
}

/// Two routers, the first of which has a trap in one of its parts.
fn trapped(part: Part, on: u32, text: &str) -> Cluster {
    let backup = instance(1, 100).text();
    let mut cluster = Cluster::new(1, vec![text.to_owned(), backup]);
    let plan = plan_of(text);
    cluster.world.start(cluster.nodes[0], |host| {
        let start = host.start_fast;
        let start_fast = Box::new(move |main: keepalived_rs::host::FastMain| {
            start(Box::new(move |mut fast| {
                match part {
                    Part::Writer => fast.writer = Rc::new(TrapWriter(fast.writer, Use::new(on))),
                    Part::Receiver => fast.vrrp = Rc::new(TrapNet(fast.vrrp)),
                    Part::Processes => {}
                }
                main(fast)
            }))
        });
        let processes: Rc<dyn Processes> = match part {
            Part::Processes => Rc::new(TrapProcesses(host.processes, Use::new(on))),
            _ => host.processes,
        };
        let host = Host { start_fast, processes, ..host };
        Box::pin(daemon::run(host, plan, reread(&Rc::default())))
    });
    cluster.start(1);
    cluster.errors_expected = true;
    cluster
}

/// Without the reconciler a router would hold on to addresses for ever. It gives them up, tells its peers, and ends.
#[test]
fn a_router_without_reconciler_ends() {
    let mut cluster = trapped(Part::Writer, 2, &instance(1, 150).text());
    cluster.run(5.0);
    assert_eq!(cluster.holders(1), [0]);
    // The change that puts it back falls into the trap.
    let start = cluster.now();
    assert!(cluster.world.delete_address(cluster.nodes[0], vip(1)));
    cluster.run(1.5);
    assert_eq!(cluster.holders(1), [1], "told, not found out: {:#?}", cluster.world.errors());
    assert!(cluster.adverts(0, 1, start).iter().any(|advert| advert.priority == 0));
    assert_eq!(cluster.world.exit_status(cluster.nodes[0]), Some(daemon::EXIT_FATAL));
    let errors = cluster.world.errors();
    assert!(errors.len() == 1 && errors[0].contains("reconciler panicked"), "{errors:#?}");
}

/// One packet is lost, and not the ears.
#[test]
fn a_demultiplexer_that_panics_goes_on() {
    let mut cluster = trapped(Part::Receiver, 20, &instance(1, 50).text());
    cluster.run(60.0);
    cluster.assert_master(1, 1);
    assert_eq!(cluster.holders(1), [1]);
    let errors = cluster.world.errors();
    assert!(errors.len() == 1 && errors[0].contains("Task demux panicked"), "{errors:#?}");
}

/// A tracker that panics starts again, and what it finds out then counts.
#[test]
fn a_tracker_that_panics_starts_again() {
    let script = format!("vrrp_script S {{\n script {CHECK}\n interval 1\n}}\n");
    let own = instance(1, 150).with("track_script {\n S\n }").text();
    let mut cluster = trapped(Part::Processes, 10, &format!("{script}{own}"));
    cluster.run(20.0);
    cluster.assert_master(0, 1);
    cluster.world.set_program(cluster.nodes[0], CHECK, Behaviour::exits(1));
    cluster.run(3.0);
    assert_eq!(cluster.holders(1), [1]);
    let errors = cluster.world.errors();
    assert!(errors.len() == 1 && errors[0].contains("Task script panicked"), "{errors:#?}");
}
