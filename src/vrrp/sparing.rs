//! Saying what anybody on the network can make us say, without filling the disk.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::Instant;

/// The shortest time between two lines about what others do.
const PAUSE: Duration = Duration::from_secs(1);
/// The shortest time between two lines about a failure that is not over.
const FAILURE_PAUSE: Duration = Duration::from_secs(60);

/// Says when a line of one kind is worth logging, and how many were left out before it.
#[derive(Debug)]
pub(super) struct Sparing {
    pause: Duration,
    last: Cell<Option<Instant>>,
    left_out: Cell<u64>,
}

impl Default for Sparing {
    fn default() -> Self {
        Self { pause: PAUSE, last: Cell::new(None), left_out: Cell::new(0) }
    }
}

impl Sparing {
    /// Something happened at `now`. If it is to be logged, gives how often it happened since the last line without being
    /// logged.
    pub(super) fn turn(&self, now: Instant) -> Option<u64> {
        if self.last.get().is_some_and(|last| now - last < self.pause) {
            self.left_out.set(self.left_out.get() + 1);
            return None;
        }
        self.last.set(Some(now));
        Some(self.left_out.take())
    }
}

/// The same of failures, each kind for itself.
#[derive(Debug, Default)]
pub(super) struct Failures(RefCell<BTreeMap<Option<i32>, Sparing>>);

impl Failures {
    /// As [`Sparing::turn`], of the failure with this number.
    pub(super) fn turn(&self, now: Instant, errno: Option<i32>) -> Option<u64> {
        let sparing = || Sparing { pause: FAILURE_PAUSE, ..Sparing::default() };
        self.0.borrow_mut().entry(errno).or_insert_with(sparing).turn(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_a_second_and_nothing_is_miscounted() {
        let sparing = Sparing::default();
        let lines: Vec<_> = (0..25_000).filter_map(|n| sparing.turn(Instant::from_micros(n * 100))).collect();
        assert_eq!(lines, [0, 9_999, 9_999]);
        assert_eq!(sparing.turn(Instant::from_micros(9_000_000)), Some(4_999));
    }

    #[test]
    fn a_failure_that_lasts_is_a_line_a_minute_and_another_one_a_line_at_once() {
        let failures = Failures::default();
        let at = |secs: u64| Instant::from_micros(secs * 1_000_000);
        let lines: Vec<_> = (0..130).filter_map(|n| failures.turn(at(n), Some(101))).collect();
        assert_eq!(lines, [0, 59, 59]);
        assert_eq!(failures.turn(at(130), Some(19)), Some(0));
        assert_eq!(failures.turn(at(131), Some(19)), None);
        assert_eq!(failures.turn(at(180), Some(101)), Some(9));
    }
}
