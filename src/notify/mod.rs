//! Changes of state → scripts, pipes and mail, in order.
//!
//! | file | subject |
//! |---|---|
//! | `words` | what is to be told, and in which words |
//! | `lane` | the scripts of one instance or group, one transition after the other |
//! | `fifo` | named pipes and who reads them |
//! | `mail` | mail, which has a task of its own |

mod fifo;
mod lane;
mod words;

pub mod mail;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use self::fifo::Pipes;
use self::lane::{Lane, Patience};
use self::mail::Post;
use crate::base::InstanceId;
use crate::host::{Child, Files, Kill, Plane, Processes};
use crate::report::wording;
use crate::vrrp::machine::{Notice, State};

pub use words::{Message, Scripts, command, execution};

/// Who has scripts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Instance(InstanceId),
    /// What an instance says of lower priorities it hears: apart, since somebody may keep sending them.
    Lower(InstanceId),
    Group(String),
}

/// Runs notify scripts, writes to pipes, and tells the mailer.
pub struct Notifier {
    plane: Plane,
    processes: Rc<dyn Processes>,
    scripts: Scripts,
    pipes: Pipes,
    posts: UnboundedSender<Post>,
    lanes: BTreeMap<Source, Lane>,
}

impl Notifier {
    /// Opens the pipes that `scripts` has. What is to be mailed goes to `posts`.
    pub fn new(
        plane: Plane,
        processes: Rc<dyn Processes>,
        files: Rc<dyn Files>,
        posts: UnboundedSender<Post>,
        scripts: Scripts,
    ) -> Self {
        let mut pipes = Pipes::new(files, Rc::clone(&processes));
        pipes.replace(scripts.pipes());
        Self { plane, processes, scripts, pipes, posts, lanes: BTreeMap::new() }
    }

    /// Does what messages say, in the order in which they come, until all senders are gone, and what waits after that. What
    /// takes too long then does not end in order: the rest is started, all have another moment, and those that take longer
    /// are ended.
    pub async fn run(&mut self, messages: &mut UnboundedReceiver<Message>) {
        let mut timer = self.plane.timers.timer();
        // When what still runs or waits is not waited for any longer; `None`: more may come.
        let mut end = None;
        while end.is_none_or(|end| !self.lanes.is_empty() && self.plane.now() < end) {
            timer.set(self.lanes.values().filter_map(Lane::next_deadline).chain(end).min());
            tokio::select! {
                biased;
                message = messages.recv(), if end.is_none() => match message {
                    Some(message) => self.take(message),
                    None => end = Some(self.plane.now() + Patience::BACKLOG),
                },
                () = ended(&mut self.lanes, &mut self.pipes) => {}
                () = timer.fired() => {}
            }
            self.go_on();
        }
        let (mut running, mut left_out) = (Vec::new(), 0);
        for lane in self.lanes.values_mut() {
            let (children, superseded) = lane.flush(&*self.processes);
            running.extend(children);
            left_out += superseded;
        }
        if left_out > 0 {
            wording::scripts_left_out(left_out);
        }
        self.await_end(running, Patience::STOP, wording::scripts_cut).await;
        let readers = self.pipes.close();
        self.await_end(readers, Patience::READER, |_| ()).await;
    }

    fn take(&mut self, message: Message) {
        if let Message::Reload(scripts) = message {
            self.pipes.replace(scripts.pipes());
            if scripts.repeats_states() {
                self.scripts.known().for_each(|line| self.pipes.write(&line));
            }
            self.post(Post::Settings(scripts.mail()));
            self.scripts.replace(scripts);
            return;
        }
        if let Some(line) = self.scripts.line(&message) {
            self.pipes.write(&line);
        }
        self.scripts.remember(&message);
        if let Some(alert) = self.scripts.alert(&message) {
            self.post(Post::Alert(alert, self.plane.unix_time()));
        }
        let (name, commands) = self.scripts.commands(&message);
        let (source, is_stop) = match &message {
            Message::Instance(id, Notice::MasterRxLowerPri(_)) => (Source::Lower(*id), false),
            Message::Instance(id, Notice::State(state, _)) => {
                (Source::Instance(*id), *state == State::Stopped)
            }
            Message::Instance(id, _) => (Source::Instance(*id), false),
            Message::Group(name, state) => (Source::Group(name.clone()), *state == State::Stopped),
            Message::Mail(_) | Message::Reload(_) => return,
        };
        if !commands.is_empty() {
            let lane = self.lanes.entry(source.clone()).or_default();
            // One at a time is enough for this.
            if !(matches!(source, Source::Lower(_)) && lane.is_busy()) {
                lane.push(name, commands, is_stop);
            }
        }
        if let Message::Instance(id, Notice::Deleted(_)) = message {
            self.scripts.forget(id);
        }
    }

    fn post(&self, post: Post) {
        // It ends after this one.
        let _ = self.posts.send(post);
    }

    /// Starts what can be started.
    fn go_on(&mut self) {
        let now = self.plane.now();
        for lane in self.lanes.values_mut() {
            lane.go_on(now, &*self.processes);
        }
        self.lanes.retain(|_, lane| lane.is_busy());
    }

    /// Waits for the end of `children`, and brings it about when that takes too long. `cut` is told of how many.
    async fn await_end(&self, mut children: Vec<Box<dyn Child>>, patience: Duration, cut: fn(usize)) {
        let all_ended = poll_fn(|cx| {
            children.retain_mut(|child| child.poll_exit(cx).is_pending());
            if children.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        });
        if self.plane.within(patience, all_ended).await.is_some() {
            return;
        }
        cut(children.len());
        children.iter_mut().for_each(|child| child.kill(Kill::Terminate));
        self.plane.sleep(Patience::KILL).await;
        children.iter_mut().for_each(|child| child.kill(Kill::Kill));
    }
}

/// Ready when a script or a reader of a pipe has ended.
async fn ended(lanes: &mut BTreeMap<Source, Lane>, pipes: &mut Pipes) {
    poll_fn(|cx| {
        let mut ended = pipes.reap(cx);
        for lane in lanes.values_mut() {
            ended |= lane.reap(cx);
        }
        if ended { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// A script could not be started.
fn not_executed(name: &str, error: &crate::host::Error) {
    wording::notify_not_executed(name, error);
}

#[cfg(test)]
mod tests;
