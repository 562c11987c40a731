//! Masters that are handed over from one process to the next, in time or too late.

use std::time::Duration;

use keepalived_rs::base::Instant;
use keepalived_rs::host::Signal;
use keepalived_rs::sim::{Record, What};

use super::schedule::Run;
use crate::harness::*;

/// What a start takes, and the scripts that it waits for.
const START: Duration = Duration::from_millis(100);

impl Run {
    /// Restarts of random routers, after random pauses: an address that was left is not given up by who comes back in time,
    /// and nobody else takes it as long as it is there.
    pub(super) fn restarts(&mut self) -> Result<(), String> {
        for i in 0..self.setup.routers {
            self.start(i);
            self.pass(300_000);
        }
        self.quiet()?;
        for _ in 0..4 {
            let i = self.rng.pick(0..=self.setup.routers as u64 - 1) as usize;
            let held: Vec<u8> = (self.setup.virtuals.iter().map(|v| v.vrid))
                .filter(|vrid| self.cluster.holders(*vrid).contains(&i))
                .collect();
            let begin = self.cluster.now();
            self.cluster.world.signal(self.cluster.nodes[i], Signal::HandOver);
            self.cluster.run(0.05);
            let longest = *self.rng.one_of(&[100_000, 2_000_000, 4_000_000]);
            self.pass(longest);
            let back = self.cluster.now();
            self.start(i);
            self.quiet()?;
            for vrid in held {
                self.check_restart(i, vrid, begin, back)?;
            }
        }
        // Not on a beat, which begins with a start and goes on in whole intervals.
        self.pass(1_000_000);
        self.stop()
    }

    fn check_restart(&self, i: usize, vrid: u8, begin: Instant, back: Instant) -> Result<(), String> {
        let plan = plan_of(&self.cluster.configs[i]);
        let instance = plan.instances.iter().find(|instance| instance.params.vrid.get() == vrid);
        let Some(lease) = instance.and_then(|instance| instance.params.lease) else { return Ok(()) };
        let node = self.cluster.nodes[i];
        let gone = self.cluster.world.records_since(begin, |record: &Record| match &record.what {
            What::AddressDeleted { address, .. }
                if record.node == Some(node) && address.cidr.ip == vip(vrid) =>
            {
                Some(record.at)
            }
            _ => None,
        });
        let gone = gone.first().copied();
        if back + START < begin + lease
            && let Some(at) = gone
        {
            return Err(format!(
                "vrid {vrid}: {i} was back at {back}, in time, and lost the address at {at}"
            ));
        }
        for j in (0..self.setup.routers).filter(|j| *j != i) {
            let Some(at) = self.cluster.address_added(j, vrid, begin) else { continue };
            if at < back && gone.is_none_or(|gone| at < gone) {
                return Err(format!(
                    "vrid {vrid}: {j} has the address at {at}, which {i} has left at {begin}, and until {gone:?}"
                ));
            }
        }
        Ok(())
    }
}
