//! Announcements without pauses between them. Who has many, or many who have some at once, hold nobody's advert up.
//!
//! A few frames leave at once. What is more waits, and some of it leaves whenever everything else that was due has been
//! done. First each address is announced once, whosever it is. Repetitions come when all have been, and without haste: they
//! are for those whom the first one did not reach.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::mailbox::{Mailbox, Post, mailbox};
use crate::base::InstanceId;
use crate::host::{Announcer, Frame, Plane};
use crate::plan::InstancePlan;
use crate::report::wording;

/// Frames that leave before anything else gets its turn: about half a millisecond's work.
const TURN: usize = 64;
/// How many of these may be repetitions, if something else was sent only just before.
const REPEATS: usize = 16;
/// A pause in which everything else that is due gets its turn.
const PAUSE: Duration = Duration::from_micros(1);
/// The pause when only repetitions wait.
const LONG_PAUSE: Duration = Duration::from_millis(1);

/// What announces one address once.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// The address.
    pub ip: IpAddr,
    /// What to send.
    pub frame: Frame,
}

/// What one instance announces.
pub struct Burst {
    /// Who announces.
    pub plan: Arc<InstancePlan>,
    /// What is announced, in order.
    pub announcements: Vec<Announcement>,
    /// How often that is still to be sent.
    pub rounds: u32,
    /// Whether it was sent before.
    pub repeats: bool,
}

/// What waits to be sent.
#[derive(Default)]
struct Queue {
    /// What has not been sent once, and how far it has come in its present round.
    first: VecDeque<(Burst, usize)>,
    /// What has.
    again: VecDeque<(Burst, usize)>,
}

impl Queue {
    fn put(&mut self, burst: Burst) {
        if burst.rounds > 0 && !burst.announcements.is_empty() {
            let queue = if burst.repeats { &mut self.again } else { &mut self.first };
            queue.push_back((burst, 0));
        }
    }

    /// Hands the next announcements to `send`: `limit` at most, of which `repeats` may be repetitions; gives how many.
    fn take(&mut self, limit: usize, repeats: usize, mut send: impl FnMut(&Burst, &Announcement)) -> usize {
        let mut taken = [0, 0];
        loop {
            let left = limit - taken[0] - taken[1];
            let (queue, left, kind) = match self.first.is_empty() {
                false => (&mut self.first, left, 0),
                true => (&mut self.again, left.min(repeats - taken[1]), 1),
            };
            if left == 0 {
                break;
            }
            let Some((mut burst, next)) = queue.pop_front() else { break };
            let end = burst.announcements.len().min(next + left);
            taken[kind] += end - next;
            let slice = burst.announcements.get(next..end).unwrap_or_default();
            slice.iter().for_each(|announcement| send(&burst, announcement));
            if end < burst.announcements.len() {
                queue.push_front((burst, end));
            } else {
                burst.rounds -= 1;
                burst.repeats = true;
                self.put(burst);
            }
        }
        taken[0] + taken[1]
    }

    /// How long what waits can wait; `None`: nothing does.
    fn pause(&self) -> Option<Duration> {
        match (self.first.is_empty(), self.again.is_empty()) {
            (false, _) => Some(PAUSE),
            (true, false) => Some(LONG_PAUSE),
            (true, true) => None,
        }
    }

    fn retain(&mut self, keep: impl Fn(&Burst) -> bool) {
        for queue in [&mut self.first, &mut self.again] {
            queue.retain(|(burst, _)| keep(burst));
        }
    }
}

/// Sends bursts.
pub struct Bursts {
    announcer: Rc<dyn Announcer>,
    queue: RefCell<Queue>,
    /// Frames that may leave at once.
    credit: Cell<usize>,
    /// Wakes the task that gives new credit.
    spent: Post<()>,
}

impl Bursts {
    /// Begins to run on `plane`.
    pub fn start(plane: &Plane, announcer: Rc<dyn Announcer>) -> Rc<Self> {
        let (spent, wakes) = mailbox(1);
        let bursts = Rc::new(Self { announcer, queue: RefCell::default(), credit: Cell::new(TURN), spent });
        plane.tasks.spawn("bursts", Box::pin(refill(plane.clone(), Rc::clone(&bursts), wakes)));
        bursts
    }

    /// Sends a burst, some of it perhaps later.
    pub fn send(&self, burst: Burst) {
        let repeats = if self.queue.borrow().pause().is_none() { TURN } else { 0 };
        self.queue.borrow_mut().put(burst);
        self.spend(repeats);
        // A second wake-up would say nothing new.
        self.spent.send(());
    }

    /// Forgets what still waits of this instance.
    pub fn forget(&self, owner: InstanceId) {
        self.queue.borrow_mut().retain(|burst| burst.plan.id != owner);
    }

    /// Sends what there is credit for, of repetitions so many at most.
    fn spend(&self, repeats: usize) {
        let (credit, mut frames) = (self.credit.get(), Vec::<Frame>::new());
        let sent = self.queue.borrow_mut().take(credit, repeats, |burst, announcement| {
            if !burst.repeats {
                wording::announcing(&burst.plan.name, &announcement.frame.name, announcement.ip);
            }
            wording::announced(&announcement.frame.name, announcement.ip);
            frames.push(announcement.frame.clone());
        });
        self.credit.set(credit - sent);
        if !frames.is_empty()
            && let Err(error) = self.announcer.announce(&frames)
        {
            wording::announcement_failed(&error);
        }
    }

    /// Sends a turn's worth that was due `late` ago.
    fn turn(&self, late: Duration) {
        // The owner was away so long that it will listen first, and announce again.
        self.queue.borrow_mut().retain(|burst| late < burst.plan.params.shortest_master_down());
        self.credit.set(TURN);
        self.spend(REPEATS);
    }
}

/// Gives new credit when everything else that was due has been done.
async fn refill(plane: Plane, bursts: Rc<Bursts>, mut wakes: Mailbox<()>) {
    loop {
        wakes.recv().await;
        let mut pause = Some(PAUSE);
        while let Some(time) = pause {
            let due = plane.now() + time;
            plane.sleep_until(due).await;
            bursts.turn(plane.now() - due);
            pause = bursts.queue.borrow().pause();
        }
        bursts.credit.set(TURN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{IfIndex, IfName, Vrid};
    use crate::config::model::{Config, VrrpInstance};

    /// Instances 0 to 3.
    fn plans() -> Vec<Arc<InstancePlan>> {
        let instance = |n: u8| VrrpInstance {
            name: format!("VI_{n}"),
            interface: IfName::new("eth0"),
            vrid: Vrid::new(n + 1),
            ..VrrpInstance::default()
        };
        crate::plan::resolve(&Config { instances: (0..4).map(instance).collect(), ..Config::default() })
            .instances
    }

    fn burst(owner: u8, count: u8, rounds: u32, repeats: bool) -> Burst {
        let announcement = |n: u8| Announcement {
            ip: IpAddr::from([10, 0, owner, n]),
            frame: Frame { link: IfIndex(1), name: IfName::new("eth0").unwrap(), bytes: Vec::new() },
        };
        let plan = Arc::clone(&plans()[usize::from(owner)]);
        Burst { plan, announcements: (0..count).map(announcement).collect(), rounds, repeats }
    }

    fn take(queue: &mut Queue, limit: usize) -> Vec<String> {
        let mut sent = Vec::new();
        let count = queue.take(limit, limit, |_, a| sent.push(a.ip.to_string()[5..].to_owned()));
        assert_eq!(count, sent.len());
        sent
    }

    #[test]
    fn every_address_is_announced_once_before_any_is_twice() {
        let mut queue = Queue::default();
        queue.put(burst(1, 3, 2, false));
        assert_eq!(take(&mut queue, 4), ["1.0", "1.1", "1.2", "1.0"]);
        queue.put(burst(2, 2, 1, false));
        queue.put(burst(3, 1, 1, true));
        assert_eq!(take(&mut queue, 1), ["2.0"]);
        assert_eq!(take(&mut queue, 9), ["2.1", "1.1", "1.2", "3.0"]);
        assert!(take(&mut queue, 9).is_empty());
    }

    #[test]
    fn repetitions_are_rationed() {
        let mut queue = Queue::default();
        queue.put(burst(1, 3, 5, false));
        let mut take = |limit, repeats| queue.take(limit, repeats, |_, _| {});
        assert_eq!(take(2, 9), 2);
        assert_eq!(take(9, 4), 1 + 4);
        assert_eq!(take(9, 0), 0);
        assert_eq!(take(9, 9), 8);
        assert_eq!(take(9, 9), 0);
    }

    #[test]
    fn what_is_forgotten_is_not_sent() {
        let mut queue = Queue::default();
        queue.put(burst(1, 2, 5, false));
        queue.put(burst(2, 1, 1, false));
        assert_eq!(take(&mut queue, 1), ["1.0"]);
        queue.retain(|burst| burst.plan.name != "VI_1");
        assert_eq!(take(&mut queue, 9), ["2.0"]);
        queue.put(burst(1, 0, 5, false));
        queue.put(burst(1, 2, 0, false));
        assert!(take(&mut queue, 9).is_empty());
    }
}
