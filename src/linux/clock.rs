//! The time line, which is the time since boot, suspended time included; and the wall clock.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::base::Instant;
use crate::host;

/// Reads `CLOCK_BOOTTIME` and `CLOCK_REALTIME`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock;

impl Clock {
    /// The present moment, rounded down to the microsecond.
    pub(super) fn read(self) -> Instant {
        // The call fails only for a clock the kernel does not know; this one is there since Linux 2.6.39.
        let now = clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from);
        Instant::ZERO + now
    }
}

impl host::Clock for Clock {
    fn now(&self) -> Instant {
        self.read()
    }

    fn unix_time(&self) -> Duration {
        // Before 1970 it is 1970. No Linux lacks this clock.
        let now = clock_gettime(ClockId::CLOCK_REALTIME).ok();
        now.filter(|now| now.tv_sec() >= 0).map_or(Duration::ZERO, Duration::from)
    }
}
