//! Whether there are as many processes as there have to be, and for how long.

use std::time::Duration;

use crate::base::Instant;

/// How many there have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// At least so many; 1 to 65,535.
    pub least: u32,
    /// At most so many, 0 to 65,535; 0: none at all, whatever `least` says. `None`: any number.
    pub most: Option<u32>,
}

impl Quorum {
    /// Whether `count` is right.
    fn is_met(self, count: u32) -> bool {
        match self.most {
            Some(0) => count == 0,
            most => count >= self.least && most.is_none_or(|most| count <= most),
        }
    }
}

/// The verdict on one kind of process.
#[derive(Clone, Debug)]
pub struct Verdict {
    quorum: Quorum,
    fork_delay: Duration,
    terminate_delay: Duration,
    count: u32,
    /// The verdict that counts; `None` before the first number.
    met: Option<bool>,
    /// When the other verdict counts, if the number stays as it is.
    turns: Option<Instant>,
}

impl Verdict {
    /// No verdict yet. A change that more processes bring counts after `fork_delay`, one that fewer processes bring
    /// after `terminate_delay`.
    pub fn new(quorum: Quorum, fork_delay: Duration, terminate_delay: Duration) -> Self {
        Self { quorum, fork_delay, terminate_delay, count: 0, met: None, turns: None }
    }

    /// There are `count` now. Gives the verdict if it has changed; the first number is a verdict at once.
    pub fn counted(&mut self, now: Instant, count: u32) -> Option<bool> {
        let more = count > self.count;
        self.count = count;
        let met = self.quorum.is_met(count);
        if self.met == Some(met) {
            self.turns = None;
            return None;
        }
        if self.met.is_some() {
            let delay = if more { self.fork_delay } else { self.terminate_delay };
            self.turns.get_or_insert(now + delay);
        } else {
            self.turns = Some(now);
        }
        self.turns.take_if(|at| *at <= now)?;
        self.met = Some(met);
        self.met
    }

    /// When the number has to be told again, though it is the same.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    #[test]
    fn numbers_that_are_right() {
        let met = |least, most, count| Quorum { least, most }.is_met(count);
        for (least, most, right, wrong) in [
            (1, None, &[1, 2, 9][..], &[0][..]),
            (2, Some(3), &[2, 3], &[0, 1, 4]),
            (1, Some(0), &[0], &[1, 2]),
        ] {
            assert!(right.iter().all(|n| met(least, most, *n)), "{least} {most:?}");
            assert!(!wrong.iter().any(|n| met(least, most, *n)), "{least} {most:?}");
        }
    }

    #[test]
    fn a_change_counts_when_it_has_lasted() {
        let (fork, terminate) = (Duration::from_millis(100), Duration::from_millis(300));
        let mut verdict = Verdict::new(Quorum { least: 1, most: None }, fork, terminate);
        assert_eq!(verdict.counted(at(0), 0), Some(false), "the first number at once");
        assert_eq!(verdict.counted(at(10), 1), None);
        assert_eq!(verdict.counted(at(50), 2), None);
        assert_eq!((verdict.next_deadline(), verdict.counted(at(109), 2)), (Some(at(110)), None));
        assert_eq!(verdict.counted(at(110), 2), Some(true));
        assert_eq!(verdict.counted(at(200), 0), None);
        assert_eq!(verdict.counted(at(300), 1), None, "it is back in time");
        assert_eq!(verdict.next_deadline(), None);
        assert_eq!(verdict.counted(at(400), 0), None);
        assert_eq!(verdict.counted(at(700), 0), Some(false));
    }

    #[test]
    fn without_delay_a_change_counts_at_once() {
        let mut verdict = Verdict::new(Quorum { least: 1, most: Some(1) }, Duration::ZERO, Duration::ZERO);
        let verdicts = [1, 2, 3, 1, 0].map(|count| verdict.counted(at(0), count));
        assert_eq!(verdicts, [Some(true), Some(false), None, Some(true), Some(false)]);
    }
}
