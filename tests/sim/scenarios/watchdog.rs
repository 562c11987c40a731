//! The service manager is told that the daemon is alive, as long as the fast plane is.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use crate::harness::*;
use keepalived_rs::host::{FastMain, Host, LocalBoxFuture, Supervisor, Tasks};
use keepalived_rs::sim::loader::MemoryLoader;
use keepalived_rs::{config, daemon, plan};

/// Waits ten seconds for a sign of life.
#[derive(Default)]
struct Manager(Cell<u32>);

impl Supervisor for Manager {
    fn ready(&self) {}
    fn reloading(&self) {}
    fn status(&self, _text: &str) {}
    fn stopping(&self) {}
    fn watchdog(&self) -> Option<Duration> {
        Some(secs(10.0))
    }
    fn alive(&self) {
        self.0.set(self.0.get() + 1);
    }
}

/// Tasks that do nothing any more when this is set.
struct Freezing(Rc<dyn Tasks>, Arc<AtomicBool>);

impl Tasks for Freezing {
    fn spawn(&self, name: &str, mut task: LocalBoxFuture<()>) {
        let frozen = self.1.clone();
        let unless_frozen = poll_fn(move |cx| match frozen.load(Ordering::Relaxed) {
            true => Poll::Pending,
            false => task.as_mut().poll(cx),
        });
        self.0.spawn(name, Box::pin(unless_frozen));
    }
}

#[test]
fn a_fast_plane_that_hangs_is_not_alive() {
    let mut cluster = Cluster::new(1, vec![instance(1, 100).text()]);
    let manager = Rc::new(Manager::default());
    let frozen = Arc::new(AtomicBool::new(false));
    let (supervisor, freeze) = (manager.clone(), frozen.clone());
    let options = config::Options { main: MemoryLoader::MAIN.to_owned(), config_id: None, all_files: false };
    let text = cluster.configs[0].clone();
    let plan = plan::resolve(&config::load(&MemoryLoader::with_main(text), &options).config);
    cluster.world.start(cluster.nodes[0], move |host| {
        let start = host.start_fast;
        let start_fast = Box::new(move |main: FastMain| {
            start(Box::new(move |mut fast| {
                fast.plane.tasks = Rc::new(Freezing(fast.plane.tasks, freeze));
                main(fast)
            }))
        });
        Box::pin(daemon::run(Host { start_fast, supervisor, ..host }, plan, reread(&Rc::default())))
    });
    cluster.run(60.0);
    let alive = manager.0.get();
    assert!((24..=26).contains(&alive), "four times in ten seconds: {alive}");
    frozen.store(true, Ordering::Relaxed);
    cluster.run(60.0);
    assert!(manager.0.get() <= alive + 1, "what does not move is not alive");
}
