//! The scripts of one instance or group. Stock starts them and forgets them: a slow script for MASTER may end after the
//! one for BACKUP, and what it did is wrong then. Here each waits for the one before it, for a while.

use std::collections::VecDeque;
use std::task::Context;
use std::time::Duration;

use super::not_executed;
use crate::base::Instant;
use crate::host::{Child, Command, Kill, Processes};

/// How long what is waited for.
pub(super) struct Patience;

impl Patience {
    /// A script of the same transition.
    const WITHIN: Duration = Duration::from_secs(1);
    /// The scripts of the transition before.
    const BETWEEN: Duration = Duration::from_secs(10);
    /// All that run or wait when the daemon stops, in order.
    pub(super) const BACKLOG: Duration = Duration::from_millis(2500);
    /// What runs and what is started after that, side by side.
    pub(super) const STOP: Duration = Duration::from_secs(1);
    /// Readers of pipes that are closed.
    pub(super) const READER: Duration = Duration::from_millis(500);
    /// Whoever was told to end.
    pub(super) const KILL: Duration = Duration::from_millis(200);
}

/// Scripts of one lane that may run side by side, since those before them do not end. One more, and the oldest is killed.
const MOST: usize = 8;

/// A script that waits.
#[derive(Debug)]
struct Waiting {
    /// Who for.
    name: String,
    command: Command,
    /// How long those that run are waited for.
    patience: Duration,
    is_stop: bool,
}

struct Running {
    child: Box<dyn Child>,
    since: Instant,
}

/// The scripts of one instance or group.
#[derive(Default)]
pub(super) struct Lane {
    waiting: VecDeque<Waiting>,
    /// Oldest first.
    running: Vec<Running>,
}

impl Lane {
    /// The scripts of one transition, in order.
    pub(super) fn push(&mut self, name: &str, commands: Vec<Command>, is_stop: bool) {
        for (place, command) in commands.into_iter().enumerate() {
            let patience = if place == 0 { Patience::BETWEEN } else { Patience::WITHIN };
            self.waiting.push_back(Waiting { name: name.to_owned(), command, patience, is_stop });
        }
    }

    /// Whether anything runs or waits.
    pub(super) fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.running.is_empty()
    }

    /// When the next script is not to wait any longer.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        Some(self.running.last()?.since + self.waiting.front()?.patience)
    }

    /// Starts what has waited long enough.
    pub(super) fn go_on(&mut self, now: Instant, processes: &dyn Processes) {
        while self.next_deadline().is_none_or(|at| at <= now)
            && let Some(next) = self.waiting.pop_front()
        {
            self.start(next, now, processes);
            if self.running.len() > MOST {
                self.running.remove(0).child.kill(Kill::Kill);
            }
        }
    }

    fn start(&mut self, next: Waiting, since: Instant, processes: &dyn Processes) {
        match processes.spawn(&next.command) {
            Ok(child) => self.running.push(Running { child, since }),
            Err(error) => not_executed(&next.name, &error),
        }
    }

    /// Whether a script has ended since this was asked last.
    pub(super) fn reap(&mut self, cx: &mut Context<'_>) -> bool {
        let before = self.running.len();
        self.running.retain_mut(|running| running.child.poll_exit(cx).is_pending());
        self.running.len() < before
    }

    /// Starts what waits, but of what tells of states before the stop only the newest, as many as may run side by side.
    /// Gives all that run, and how many were not started.
    pub(super) fn flush(&mut self, processes: &dyn Processes) -> (Vec<Box<dyn Child>>, usize) {
        let mut left_out = 0;
        while self.running.len() + self.waiting.len() > MOST
            && self.waiting.pop_front_if(|oldest| !oldest.is_stop).is_some()
        {
            left_out += 1;
        }
        while let Some(next) = self.waiting.pop_front() {
            self.start(next, Instant::ZERO, processes);
        }
        let running = std::mem::take(&mut self.running);
        (running.into_iter().map(|running| running.child).collect(), left_out)
    }
}
