//! The deadlines of one machine, as data, and the arithmetic of the protocol's times.

use std::time::Duration;

use crate::base::{Instant, Priority};
use crate::config::model::Version;

/// What a machine may be waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// BACKUP: an advert is overdue. Nothing follows from that, unless this itself is noticed late.
    Watch,
    /// BACKUP: the master is down (RFC 9568: `Active_Down_Timer`).
    Election,
    /// MASTER: the next advert.
    Advert,
    /// MASTER: the second burst of announcements.
    Announce,
    /// MASTER: the periodic announcement.
    Refresh,
    /// MASTER: the periodic announcement on other interfaces.
    Extra,
}

impl Timer {
    /// All of them, in the order in which they are handled when due together.
    pub const ALL: [Self; 6] =
        [Self::Watch, Self::Election, Self::Advert, Self::Announce, Self::Refresh, Self::Extra];
}

/// One deadline for each [`Timer`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timers([Option<Instant>; Timer::ALL.len()]);

impl Timers {
    /// When `timer` is due.
    pub fn get(&self, timer: Timer) -> Option<Instant> {
        self.0[timer as usize]
    }

    /// Sets or clears `timer`.
    pub fn set(&mut self, timer: Timer, at: Option<Instant>) {
        self.0[timer as usize] = at;
    }

    /// Clears all.
    pub fn clear(&mut self) {
        self.0 = Default::default();
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes a timer that is due at `now`, with the time it was due at.
    pub fn expire(&mut self, now: Instant) -> Option<(Timer, Instant)> {
        let timer = Timer::ALL.into_iter().find(|t| self.get(*t).is_some_and(|at| at <= now))?;
        let due = self.0[timer as usize].take()?;
        Some((timer, due))
    }
}

/// How much longer than `down_timer_adverts` intervals a router of this priority waits, to let higher ones go first
/// (RFC 3768 section 6.1, RFC 9568 section 6.1). Exact to the microsecond, as stock computes it.
pub fn skew(version: Version, priority: Priority, master_interval: Duration) -> Duration {
    let steps = 256 - u64::from(priority.get());
    let micros = match version {
        Version::V2 => steps * 1_000_000 / 256,
        // A centisecond is 10,000 µs: steps * cs * 10,000 / 256 = steps * cs * 625 / 16.
        Version::V3 => steps * (master_interval.as_micros() as u64 / 10_000) * 625 / 16,
    };
    Duration::from_micros(micros)
}

/// How far apart the moments are that adverts share, at most.
const BEAT: Duration = Duration::from_millis(1);
/// The part of an interval that these moments are apart at most.
const PART: u32 = 100;

/// When an advert `interval` after `from` is due: a little sooner, if that is nothing to the interval. So a thousand masters
/// wake up for many adverts at once and not for each.
pub fn beat(from: Instant, interval: Duration) -> Instant {
    let beat = BEAT.min(interval / PART).as_micros() as u64;
    let due = (from + interval).as_micros();
    Instant::from_micros(due - due.checked_rem(beat).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skew_micros(version: Version, priority: u8, interval_ms: u64) -> u128 {
        let priority = Priority::new(priority).unwrap();
        skew(version, priority, Duration::from_millis(interval_ms)).as_micros()
    }

    /// Values shown by stock as `Skew time` and `Master down timer`.
    #[test]
    fn skew_as_stock_computes_it() {
        for (version, priority, interval_ms, expected) in [
            (Version::V2, 100, 1_000, 609_375),
            (Version::V3, 100, 1_000, 609_375),
            (Version::V2, 100, 5_000, 609_375),
            (Version::V2, 255, 1_000, 3_906),
            (Version::V3, 255, 1_000, 3_906),
            (Version::V3, 254, 10, 78),
            (Version::V3, 1, 40_950, 40_790_039),
        ] {
            assert_eq!(
                skew_micros(version, priority, interval_ms),
                expected,
                "{version:?} {priority} {interval_ms}"
            );
        }
    }

    #[test]
    fn adverts_meet() {
        let due = |from: u64, ms| beat(Instant::from_micros(from), Duration::from_millis(ms)).as_micros();
        assert_eq!(due(1_234_567, 100), 1_334_000);
        assert_eq!(due(1_334_000, 100), 1_434_000, "and stay there");
        assert_eq!(due(1_234_567, 1_000), 2_234_000);
        assert_eq!(due(1_234_567, 90), 1_323_900, "a millisecond is too much of a short interval");
        assert_eq!(due(1_234_567, 10), 1_244_500);
        assert_eq!(due(1_244_500, 10), 1_254_500, "and stay there");
        assert_eq!(due(1_234_567, 0), 1_234_567);
    }

    #[test]
    fn timers_expire_only_when_due_and_once() {
        let mut timers = Timers::default();
        let at = Instant::from_micros;
        timers.set(Timer::Announce, Some(at(10)));
        timers.set(Timer::Advert, Some(at(20)));
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.expire(at(9)), None);
        assert_eq!(timers.expire(at(20)), Some((Timer::Advert, at(20))));
        assert_eq!(timers.expire(at(20)), Some((Timer::Announce, at(10))));
        assert_eq!(timers.expire(at(20)), None);
        assert_eq!(timers.next(), None);
    }
}
