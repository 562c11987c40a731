//! A task that panics takes nothing else with it.

use std::cell::Cell;
use std::rc::Rc;

use crate::harness::*;
use keepalived_rs::base::IfName;
use keepalived_rs::host::{Announcer, Error, Frame, Host};
use keepalived_rs::sim::loader::MemoryLoader;
use keepalived_rs::{config, daemon, plan};

/// Panics once, when it is to announce for the third time.
struct Trap {
    announcer: Rc<dyn Announcer>,
    calls: Cell<u32>,
}

impl Announcer for Trap {
    fn forwards_v6(&self, interface: &IfName) -> bool {
        self.announcer.forwards_v6(interface)
    }

    fn announce(&self, frames: &[Frame]) -> Result<(), Error> {
        self.calls.set(self.calls.get() + 1);
        assert_ne!(self.calls.get(), 3, "a trap");
        self.announcer.announce(frames)
    }
}

/// A host with a trap in it.
pub(super) fn with_trap(host: Host) -> Host {
    let start = host.start_fast;
    let start_fast = Box::new(move |main: keepalived_rs::host::FastMain| {
        start(Box::new(move |mut fast| {
            fast.announcer = Rc::new(Trap { announcer: fast.announcer, calls: Cell::new(0) });
            main(fast)
        }))
    });
    Host { start_fast, ..host }
}

#[test]
fn an_instance_that_panics_gives_up_its_addresses_and_starts_again() {
    let text = [instance(1, 150).text(), instance(2, 150).text()].join("\n");
    let mut cluster = Cluster::new(1, vec![text.clone(), instance(1, 100).text()]);
    let options = config::Options { main: MemoryLoader::MAIN.to_owned(), config_id: None, all_files: false };
    let plan = plan::resolve(&config::load(&MemoryLoader::with_main(text), &options).config);
    cluster
        .world
        .start(cluster.nodes[0], |host| Box::pin(daemon::run(with_trap(host), plan, reread(&Rc::default()))));
    cluster.start(1);
    // Both instances announce on becoming master; five seconds later the first of them falls into the trap.
    cluster.run(5.0);
    assert_eq!((cluster.holders(1), cluster.holders(2)), (vec![0], vec![0]));
    let start = cluster.now();
    cluster.run(4.0);
    assert_eq!(cluster.holders(1), [0; 0], "given up, and nobody has noticed yet");
    assert_eq!(cluster.holders(2), [0], "the other one goes on");
    assert!(cluster.adverts(0, 2, start).len() >= 4);
    cluster.run(3.5);
    assert_eq!(cluster.holders(1), [1]);
    cluster.run(10.0);
    cluster.assert_master(0, 1);
    cluster.assert_master(0, 2);
    let errors = cluster.world.errors();
    assert!(errors.len() == 1 && errors[0].contains("Task VI_1 panicked"), "{errors:#?}");
    cluster.errors_expected = true;
}
