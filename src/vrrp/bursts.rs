//! Announcements without pauses between them. Who has many, or many who have some at once, hold nobody's advert up.
//!
//! A few frames leave at once. What is more waits, and some of it leaves whenever everything else that was due has been
//! done. First each address is announced once, whosever it is; repetitions come when all have been.

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
/// A pause in which everything else that is due gets its turn.
const PAUSE: Duration = Duration::from_micros(1);

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

    /// Hands the next announcements to `send`, `limit` of them at most; gives how many.
    fn take(&mut self, limit: usize, mut send: impl FnMut(&Burst, &Announcement)) -> usize {
        let mut taken = 0;
        while taken < limit
            && let Some((mut burst, next)) = self.first.pop_front().or_else(|| self.again.pop_front())
        {
            let end = burst.announcements.len().min(next + limit - taken);
            taken += end - next;
            let slice = burst.announcements.get(next..end).unwrap_or_default();
            slice.iter().for_each(|announcement| send(&burst, announcement));
            if end < burst.announcements.len() {
                let queue = if burst.repeats { &mut self.again } else { &mut self.first };
                queue.push_front((burst, end));
            } else {
                burst.rounds -= 1;
                burst.repeats = true;
                self.put(burst);
            }
        }
        taken
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
        self.queue.borrow_mut().put(burst);
        self.spend();
        // A second wake-up would say nothing new.
        self.spent.send(());
    }

    /// Forgets what still waits of this instance.
    pub fn forget(&self, owner: InstanceId) {
        self.queue.borrow_mut().retain(|burst| burst.plan.id != owner);
    }

    /// Sends what there is credit for.
    fn spend(&self) {
        let mut frames: Vec<Frame> = Vec::new();
        let sent = self.queue.borrow_mut().take(self.credit.get(), |burst, announcement| {
            if !burst.repeats {
                wording::announcing(&burst.plan.name, &announcement.frame.name, announcement.ip);
            }
            wording::announced(&announcement.frame.name, announcement.ip);
            frames.push(announcement.frame.clone());
        });
        self.credit.set(self.credit.get() - sent);
        if !frames.is_empty()
            && let Err(error) = self.announcer.announce(&frames)
        {
            wording::announcement_failed(&error);
        }
    }

    /// Whether something waits after another turn's worth has been sent; `late`: how late that is.
    fn turn(&self, late: Duration) -> bool {
        // The owner was away so long that it will listen first, and announce again.
        self.queue.borrow_mut().retain(|burst| late < burst.plan.params.shortest_master_down());
        self.credit.set(TURN);
        self.spend();
        self.credit.get() < TURN
    }
}

/// Gives new credit when everything else that was due has been done.
async fn refill(plane: Plane, bursts: Rc<Bursts>, mut wakes: Mailbox<()>) {
    loop {
        wakes.recv().await;
        loop {
            let due = plane.now() + PAUSE;
            plane.sleep_until(due).await;
            if !bursts.turn(plane.now() - due) {
                break;
            }
        }
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
        let count = queue.take(limit, |_, a| sent.push(a.ip.to_string()[5..].to_owned()));
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
