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

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mail {
    pub(super) alert: Alert,
    /// When it happened: time since 1970.
    pub(super) at: Duration,
    /// Who has not got it, if others have; otherwise it is for whoever is configured when it is sent.
    pub(super) left: Option<Vec<String>>,
}

/// Mails, oldest first, which is the order in which they are sent: none before the one before it.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Mail>,
    /// How many have been lost, since they were too many.
    lost: u64,
    /// The last pause, and its end; `None`: the last attempt did not fail.
    pause: Option<(Duration, Instant)>,
}

impl Queue {
    /// Adds a mail. Gives how many have been lost by now, if one is lost for it.
    pub(super) fn push(&mut self, mail: Mail) -> Option<u64> {
        self.waiting.push_back(mail);
        if self.waiting.len() <= MOST {
            return None;
        }
        self.waiting.pop_front();
        self.lost += 1;
        Some(self.lost)
    }

    /// The oldest mail, if it may be tried now. It must come back by [`Queue::defer`] if the attempt fails.
    pub(super) fn take(&mut self, now: Instant) -> Option<Mail> {
        if self.next_deadline().is_some_and(|at| at > now) {
            return None;
        }
        self.waiting.pop_front()
    }

    /// Takes back a mail that was tried in vain. Gives how long everybody waits now.
    pub(super) fn defer(&mut self, now: Instant, mail: Mail) -> Duration {
        let pause = self.pause.map_or(FIRST_PAUSE, |(last, _)| (last * 2).min(LONGEST_PAUSE));
        self.pause = Some((pause, now + pause));
        self.waiting.push_front(mail);
        pause
    }

    /// The server is there: the next mail need not wait.
    pub(super) fn hurry(&mut self) {
        self.pause = None;
    }

    /// Forgets all. Gives how many there were.
    pub(super) fn clear(&mut self) -> usize {
        self.pause = None;
        std::mem::take(&mut self.waiting).len()
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// When the next one may be tried, if there is one and it has to wait.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.pause.filter(|_| !self.waiting.is_empty()).map(|(_, end)| end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(subject: &str) -> Mail {
        let alert = Alert { subject: subject.to_owned(), body: String::new() };
        Mail { alert, at: Duration::ZERO, left: None }
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
        queue.hurry();
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
}
