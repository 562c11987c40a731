//! Routers that read another configuration while they run end like routers that were started with it.

use keepalived_rs::host::Signal;

use super::schedule::Run;
use super::setup::{Setup, Virtual};

impl Run {
    /// Boots with one setup, goes over to `next` on each router at a random moment, and ends like a boot with that.
    pub(super) fn reloads(&mut self, next: Setup) -> Result<(), String> {
        for i in 0..self.setup.routers {
            // Some are not there yet, and will be started with the new configuration.
            if !self.rng.chance(100_000) {
                self.start(i);
            }
            self.pass(300_000);
        }
        // Some reload before anybody is master.
        if self.rng.chance(800_000) {
            self.quiet()?;
        }
        let old: Vec<u8> = self.setup.virtuals.iter().map(|v| v.vrid).collect();
        for i in 0..self.setup.routers {
            if self.rng.chance(200_000) {
                self.script(i);
            }
            self.cluster.write_config(i, next.text(i));
            match self.cluster.world.is_running(self.cluster.nodes[i]) {
                true => self.cluster.world.signal(self.cluster.nodes[i], Signal::Reload),
                false => self.start(i),
            }
            self.pass(3_000_000);
        }
        // Who does not hear a rival cannot know what it has announced.
        let hear = |v: &&Virtual| self.setup.virtuals.iter().any(|old| old.understands(v));
        self.estranged = next.virtuals.iter().filter(|v| !hear(v)).map(|v| v.vrid).collect();
        let time = self.setup.quiet();
        self.setup = next;
        self.cluster.run(time);
        self.quiet()?;
        for vrid in old {
            if self.setup.virtuals.iter().all(|v| v.vrid != vrid) {
                let holders = self.cluster.holders(vrid);
                if !holders.is_empty() {
                    return Err(format!(
                        "vrid {vrid} is configured no more, but {holders:?} hold its address"
                    ));
                }
            }
        }
        self.stop()
    }
}
