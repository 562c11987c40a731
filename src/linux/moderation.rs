//! Moderates how often a thread is woken up, as network cards moderate their interrupts.
//!
//! Being woken up costs a thread, and whoever wakes it, more than the packet it is woken for. As long as that happens rarely
//! a thread is woken at once. When it comes thick and fast, what has arrived is left to gather for a moment.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::clock::Clock;
use crate::base::Instant;

/// What each wait costs of the credit, which grows as time goes by. So this is also how long something may lie there: as
/// long as from one beat of a thousand masters to the next (`vrrp::timers::beat`), the adverts of which are read together.
const COST: Duration = Duration::from_millis(1);
/// The most credit there can be: sixteen waits.
const MOST: Duration = COST.saturating_mul(16);

/// One thread's credit.
pub(super) struct Moderation {
    /// Its timers, which nothing delays.
    alarm: OwnedFd,
    credit: Mutex<Credit>,
}

struct Credit {
    /// What there was at that time.
    left: Duration,
    at: Instant,
}

impl Moderation {
    /// `alarm`: a descriptor that becomes readable when a timer is due.
    pub(super) fn new(alarm: OwnedFd) -> Self {
        Self { alarm, credit: Mutex::new(Credit { left: MOST, at: Clock.read() }) }
    }

    /// To be called before the thread waits: without credit, it first waits for nothing but its timers.
    pub(super) fn rest(&self) {
        let lacking = self.credit.lock().unwrap_or_else(PoisonError::into_inner).spend(Clock.read());
        if !lacking.is_zero() {
            let mut alarm = [PollFd::new(self.alarm.as_fd(), PollFlags::POLLIN)];
            // However it ends, the thread goes on with what it finds.
            let _ = ppoll(&mut alarm, Some(TimeSpec::from_duration(lacking)), None);
        }
    }
}

impl Credit {
    /// Takes the cost of a wait at `now`. Gives how long to rest first, if there is not as much as that.
    fn spend(&mut self, now: Instant) -> Duration {
        let left = (self.left + (now - self.at)).min(MOST);
        let lacking = COST.saturating_sub(left);
        self.left = left.saturating_sub(COST);
        // The rest pays for itself.
        self.at = now + lacking;
        lacking
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_free_until_they_come_too_often() {
        let mut credit = Credit { left: MOST, at: Instant::ZERO };
        let mut now = Instant::ZERO;
        for _ in 0..16 {
            assert_eq!(credit.spend(now), Duration::ZERO);
        }
        assert_eq!(credit.spend(now), COST);
        now += COST;
        assert_eq!(credit.spend(now), COST, "the rest has paid for one only");
        now += COST / 4;
        assert_eq!(credit.spend(now), COST, "woken up early");
        now += COST + COST / 4;
        assert_eq!(credit.spend(now), COST * 3 / 4);
        now += COST * 2;
        assert_eq!(credit.spend(now), Duration::ZERO);
    }

    #[test]
    fn credit_grows_to_a_limit() {
        let mut credit = Credit { left: Duration::ZERO, at: Instant::ZERO };
        let now = Instant::ZERO + Duration::from_secs(1);
        for _ in 0..16 {
            assert_eq!(credit.spend(now), Duration::ZERO);
        }
        assert_eq!(credit.spend(now), COST);
    }
}
