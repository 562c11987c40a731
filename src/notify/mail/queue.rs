//! Mails that wait, and when the next one is tried. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use super::words::Alert;
use crate::base::Instant;

/// Mails that may wait. One more, and the oldest is lost.
pub(super) const MOST: usize = 4_096;
/// The pause after the first attempt that failed. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How often those are tried who do not get what others got: a mailbox that stays full is not waited for.
const TRIES: u32 = 24;

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mail {
    pub(super) alert: Alert,
    /// When it happened: time since 1970.
    pub(super) at: Duration,
    /// Who has not got it, if others have or never will; otherwise it is for whoever is configured when it is sent.
    pub(super) left: Option<Vec<String>>,
    /// How often it was tried since others got it.
    pub(super) tries: u32,
}

impl Mail {
    /// For everybody.
    pub(super) fn new(alert: Alert, at: Duration) -> Self {
        Self { alert, at, left: None, tries: 0 }
    }
}

/// Mails, oldest first, which is the order in which they are sent: none before the one before it. Apart from these are
/// mails that some have got and others are to get later; nobody waits for them.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Mail>,
    /// With the time of the next attempt.
    apart: Vec<(Instant, Mail)>,
    /// How many have been lost, since they were too many.
    lost: u64,
    /// The last pause, and its end; `None`: the last attempt did not fail.
    pause: Option<(Duration, Instant)>,
}

impl Queue {
    /// Adds a mail. Gives how many have been lost by now, if one is lost for it.
    pub(super) fn push(&mut self, mail: Mail) -> Option<u64> {
        self.waiting.push_back(mail);
        if self.len() <= MOST {
            return None;
        }
        if self.apart.is_empty() {
            self.waiting.pop_front();
        } else {
            self.apart.remove(0);
        }
        self.lost += 1;
        Some(self.lost)
    }

    /// The next mail, if there is one that may be tried now. It must come back by [`Queue::defer`] or [`Queue::set_apart`]
    /// if the attempt fails.
    pub(super) fn take(&mut self, now: Instant) -> Option<Mail> {
        if self.pause.is_some_and(|(_, end)| end > now) {
            return None;
        }
        self.waiting.pop_front().or_else(|| {
            let due = self.apart.iter().position(|(at, _)| *at <= now)?;
            Some(self.apart.remove(due).1)
        })
    }

    /// Takes back a mail that was tried in vain. Gives how long everybody waits now.
    pub(super) fn defer(&mut self, now: Instant, mail: Mail) -> Duration {
        let pause = self.pause.map_or(FIRST_PAUSE, |(last, _)| (last * 2).min(LONGEST_PAUSE));
        self.pause = Some((pause, now + pause));
        self.waiting.push_front(mail);
        pause
    }

    /// Takes back a mail that only some have got. `false`: the others have been tried often enough.
    pub(super) fn set_apart(&mut self, now: Instant, mut mail: Mail) -> bool {
        let pause = FIRST_PAUSE * 2_u32.saturating_pow(mail.tries);
        mail.tries += 1;
        if mail.tries > TRIES {
            return false;
        }
        self.apart.push((now + pause.min(LONGEST_PAUSE), mail));
        true
    }

    /// The server is there: the next mail need not wait.
    pub(super) fn go_on(&mut self) {
        self.pause = None;
    }

    /// All may be tried now.
    pub(super) fn hurry(&mut self) {
        self.pause = None;
        self.apart.iter_mut().for_each(|(at, _)| *at = Instant::ZERO);
    }

    /// Forgets all. Gives how many there were.
    pub(super) fn clear(&mut self) -> usize {
        let count = self.len();
        *self = Self { lost: self.lost, ..Self::default() };
        count
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.apart.len()
    }

    /// When the next one may be tried, if there is one and it has to wait.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let apart = self.apart.iter().map(|(at, _)| *at).min();
        match self.pause {
            Some((_, end)) => (self.len() > 0).then_some(end),
            None => apart.filter(|_| self.waiting.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(subject: &str) -> Mail {
        let alert = Alert { subject: subject.to_owned(), body: String::new() };
        Mail::new(alert, Duration::ZERO)
    }

    fn subject(mail: Option<Mail>) -> Option<String> {
        mail.map(|mail| mail.alert.subject)
    }

    #[test]
    fn pauses_grow_and_the_order_stays() {
        let mut queue = Queue::default();
        assert_eq!((queue.push(mail("a")), queue.push(mail("b"))), (None, None));
        let mut now = Instant::from_micros(1);
        let mut pauses = Vec::new();
        for _ in 0..11 {
            let first = queue.take(now).expect("it is due");
            assert_eq!(first.alert.subject, "a");
            let pause = queue.defer(now, first);
            pauses.push(pause.as_secs());
            assert_eq!(queue.take(now + (pause - Duration::from_micros(1))), None, "not yet");
            assert_eq!(queue.next_deadline(), Some(now + pause));
            now += pause;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(subject(queue.take(now)).as_deref(), Some("a"));
        queue.go_on();
        assert_eq!(subject(queue.take(now)).as_deref(), Some("b"), "without a pause");
        assert_eq!((queue.len(), queue.next_deadline()), (0, None));
        assert_eq!(queue.defer(now, mail("b")).as_secs(), 1, "from the beginning");
    }

    #[test]
    fn the_oldest_is_lost() {
        let mut queue = Queue::default();
        let lost: Vec<u64> = (0..MOST + 2).filter_map(|n| queue.push(mail(&n.to_string()))).collect();
        assert_eq!(lost, [1, 2]);
        assert_eq!(subject(queue.take(Instant::ZERO)).as_deref(), Some("2"));
        assert_eq!(queue.clear(), MOST - 1);
        assert_eq!(queue.take(Instant::ZERO), None);
    }

    #[test]
    fn those_who_are_late_hold_up_nobody() {
        let mut queue = Queue::default();
        let mut now = Instant::from_micros(1);
        assert!(queue.set_apart(now, mail("late")));
        queue.push(mail("a"));
        assert_eq!(subject(queue.take(now)).as_deref(), Some("a"));
        let mut tries = 1;
        while let Some(at) = queue.next_deadline() {
            assert_eq!(queue.take(now), None, "not yet");
            now = at;
            let late = queue.take(now).expect("it is due");
            tries += u32::from(queue.set_apart(now, late));
        }
        assert_eq!((tries, queue.len()), (TRIES, 0));
        assert!(queue.set_apart(now, mail("late")));
        queue.hurry();
        assert_eq!(subject(queue.take(now)).as_deref(), Some("late"));
    }
}
