//! Saying what anybody on the network can make us say, without filling the disk.

use std::cell::Cell;
use std::time::Duration;

use crate::base::Instant;

/// The shortest time between two lines of a kind.
const PAUSE: Duration = Duration::from_secs(1);

/// Says when a line of one kind is worth logging, and how many were left out before it.
#[derive(Debug, Default)]
pub(super) struct Sparing {
    last: Cell<Option<Instant>>,
    left_out: Cell<u64>,
}

impl Sparing {
    /// Something happened at `now`. If it is to be logged, gives how often it happened since the last line without being
    /// logged.
    pub(super) fn turn(&self, now: Instant) -> Option<u64> {
        if self.last.get().is_some_and(|last| now - last < PAUSE) {
            self.left_out.set(self.left_out.get() + 1);
            return None;
        }
        self.last.set(Some(now));
        Some(self.left_out.take())
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
}
