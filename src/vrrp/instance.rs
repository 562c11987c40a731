//! The task of one virtual router: facts in, decisions out.

mod announce;
mod decisions;
mod facts;
mod seat;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::advert::Adverts;
use super::check::Packet;
use super::demux::{Endpoints, Seat};
use super::group::Order;
use super::group_hub::GroupHub;
use super::machine::{Inheritance, Input, Machine, Output, Reload};
use super::mailbox::{Mailbox, Post, mailbox};
use super::observed::{Ask, Observed};
use super::pacer::Pacer;
use super::sparing::Sparing;
use super::tracking::Status;
use crate::base::{InstanceId, Instant};
use crate::host::{Announcer, Plane};
use crate::kernel::Mirror;
use crate::kernel::claim::Place;
use crate::kernel::ledger::Interface;
use crate::kernel::reconciler::{Claims, News};
use crate::notify;
use crate::plan::{InstancePlan, Subject};

pub use self::facts::Facts;

/// What an instance is told besides adverts. Never dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// Something changed that it may track: what is known now.
    Tracked(Subject, Status),
    /// News of the kernel.
    Kernel(News),
    /// It is to tell what can be seen of it.
    Ask(Ask),
    /// The configuration has it no more: stop.
    Delete,
    /// Stop.
    Stop,
    /// Stop, and leave what can be left to the next start.
    HandOver,
}

/// What waits in an instance's mailbox.
pub enum Message {
    /// As from anywhere else.
    Control(Control),
    /// The sync group of this number wants this.
    Group(u32, Order),
    /// The configuration has changed.
    Reload(Box<Change>),
}

/// What a reload changes.
pub struct Change {
    /// As it is planned now.
    pub plan: Arc<InstancePlan>,
    /// Its sync group.
    pub group: Option<Rc<GroupHub>>,
    /// Whether the sync group is another one, or has other members.
    pub regrouped: bool,
    /// Whether other multicast groups than before are joined on its interface: sockets have to be opened anew.
    pub rejoins: bool,
}

/// Adverts that may wait; of others it is only counted that they came.
const ADVERTS_WAITING: usize = 128;
/// Adverts handled before other inboxes get a turn.
const ADVERTS_A_TURN: usize = 8;

/// What instances work with.
pub struct Ports {
    /// Clock, timers and tasks.
    pub plane: Plane,
    /// Sockets.
    pub endpoints: Rc<Endpoints>,
    /// Gratuitous ARP.
    pub announcer: Rc<dyn Announcer>,
    /// Pauses between them.
    pub pacer: Rc<Pacer>,
    /// Links, to announce by.
    pub mirror: Rc<RefCell<Mirror>>,
    /// Claims go there.
    pub claims: Claims,
    /// Notices go there.
    pub notices: UnboundedSender<notify::Message>,
    /// What masters leave to the next process goes there.
    pub handed_over: UnboundedSender<(InstanceId, Inheritance)>,
}

/// One virtual router and its driver.
pub struct Instance {
    plan: Arc<InstancePlan>,
    ports: Rc<Ports>,
    facts: Rc<RefCell<Facts>>,
    machine: Machine,
    adverts: Option<Adverts>,
    seat: Option<Seat>,
    /// The seat it has just lost with its interface, or with that one's name: the place to say goodbye from.
    lost_seat: Option<Seat>,
    /// What is known of the interface; `None` before the first news.
    interface: Option<Interface>,
    inbox: Mailbox<Packet>,
    inbox_post: Post<Packet>,
    /// When to try again to open the sockets; until then, a VMAC may be missing.
    try_again: Option<Instant>,
    /// Since when the machine has been in its state, on its time line and since 1970.
    since: (Instant, Duration),
    /// What was claimed last: everything, or nothing.
    claimed: Option<bool>,
    /// Addresses that the kernel has just placed, while others of the claim are still on their way.
    placed: Vec<Place>,
    /// Of that claim, those that have been announced once.
    early: BTreeSet<Place>,
    /// Lines that others can bring about.
    provoked: BTreeMap<u32, Sparing>,
    stopped: bool,
}

impl Instance {
    /// A router that waits for the first news of its interface.
    pub fn new(facts: Rc<RefCell<Facts>>, ports: Rc<Ports>) -> Self {
        let plan = Arc::clone(&facts.borrow().plan);
        let (inbox_post, inbox) = mailbox(ADVERTS_WAITING);
        let mut machine = Machine::new(Arc::clone(&plan.params), plan.tracked());
        if let Some(left) = facts.borrow().inherits {
            machine.inherits(left);
        }
        let since = (machine.since(), ports.plane.unix_time());
        Self {
            plan,
            ports,
            since,
            facts,
            machine,
            adverts: None,
            seat: None,
            lost_seat: None,
            interface: None,
            inbox,
            inbox_post,
            try_again: None,
            claimed: None,
            placed: Vec::new(),
            early: BTreeSet::new(),
            provoked: BTreeMap::new(),
            stopped: false,
        }
    }

    /// Runs until stopped, and until the kernel has given up the addresses.
    pub async fn run(&mut self, messages: &mut Mailbox<Message>) {
        let mut timer = self.ports.plane.timers.timer();
        let mut seat_timer = self.ports.plane.timers.timer();
        self.begin(messages);
        while !self.stopped {
            // Not kept, since there may be thousands of instances that wait.
            let mut out = Vec::new();
            timer.set(self.machine.next_deadline());
            seat_timer.set(self.try_again);
            tokio::select! {
                biased;
                message = messages.recv() => self.message(message, &mut out),
                packet = self.inbox.recv() => self.packets(packet, &mut out),
                () = timer.fired() => self.deadline(&mut out),
                () = seat_timer.fired() => {
                    self.try_again = None;
                    self.take_seat(true, &mut out);
                }
            }
            self.perform(&mut out);
        }
    }

    /// What is known of trackers from the start counts before the start.
    fn begin(&mut self, messages: &mut Mailbox<Message>) {
        let mut out = Vec::new();
        self.recall(&mut out);
        while let Some(message) = messages.try_recv() {
            self.message(message, &mut out);
        }
        self.perform(&mut out);
    }

    fn handle(&mut self, input: Input, out: &mut Vec<Output>) {
        self.machine.handle(self.ports.plane.now(), input, out);
    }

    /// Takes up what a predecessor was told.
    fn recall(&mut self, out: &mut Vec<Output>) {
        let (tracked, dragged, interface) = {
            let facts = self.facts.borrow();
            (facts.tracked.clone(), facts.dragged.clone(), facts.interface)
        };
        for (what, status) in tracked {
            self.tracked(what, status, out);
        }
        if dragged.is_some() {
            self.handle(Input::Group(Order::Fault(dragged)), out);
        }
        if let Some(interface) = interface {
            self.interface(interface, out);
        }
        self.perform(out);
    }

    fn message(&mut self, message: Message, out: &mut Vec<Output>) {
        match message {
            Message::Control(message) => self.control(message, out),
            Message::Group(number, order) => {
                if self.is_group(number) {
                    if let Order::Fault(by) = &order {
                        self.facts.borrow_mut().dragged.clone_from(by);
                    }
                    self.handle(Input::Group(order), out);
                }
            }
            Message::Reload(change) => self.reload(*change, out),
        }
    }

    /// Whether this is the number of its sync group: orders of one that is no longer its own do not count.
    fn is_group(&self, number: u32) -> bool {
        self.facts.borrow().group.as_ref().is_some_and(|group| group.number() == number)
    }

    fn control(&mut self, message: Control, out: &mut Vec<Output>) {
        match message {
            Control::Tracked(what, status) => self.tracked(what, status, out),
            Control::Kernel(News::Tracked(name, state)) => {
                self.tracked(Subject::Interface(name), Status::Link(state), out);
            }
            Control::Kernel(News::Confirmed(number)) => self.handle(Input::Confirmed(number), out),
            Control::Kernel(News::Placed(number, placed)) => {
                self.placed = placed;
                self.handle(Input::Placed(number), out);
            }
            Control::Kernel(News::NotLent(number)) => self.handle(Input::NotLent(number), out),
            Control::Kernel(News::Restored) => self.handle(Input::Restored, out),
            Control::Kernel(News::Interface(interface)) => self.interface(interface, out),
            Control::Ask(ask) => self.answer(&ask),
            Control::Delete => self.handle(Input::Delete, out),
            Control::Stop => self.handle(Input::Stop, out),
            Control::HandOver => self.handle(Input::HandOver, out),
        }
    }

    /// Tells what can be seen of it.
    fn answer(&mut self, ask: &Ask) {
        let history = ask.history.then(|| self.machine.history().iter().cloned().collect());
        ask.answer(Observed {
            id: self.plan.id,
            at: self.ports.plane.now(),
            unix_time: self.ports.plane.unix_time(),
            since: self.since.1,
            source: self.adverts.as_ref().map(Adverts::source),
            snapshot: self.machine.snapshot(),
            history: history.unwrap_or_default(),
        });
        if ask.clear {
            self.machine.clear_counters();
        }
    }

    /// Goes on with another plan.
    fn reload(&mut self, change: Change, out: &mut Vec<Output>) {
        let Change { plan, group, regrouped, rejoins } = change;
        let old = std::mem::replace(&mut self.plan, Arc::clone(&plan));
        let mut tracked = plan.tracked();
        {
            let mut facts = self.facts.borrow_mut();
            facts.plan = plan;
            facts.group = group;
            facts.dragged.take_if(|_| regrouped);
            for (item, track) in tracked.iter_mut().zip(&facts.plan.tracks) {
                item.status = facts.tracked.get(&track.what).copied().unwrap_or(item.status);
            }
        }
        let params = Arc::clone(&self.plan.params);
        let sockets = |plan: &InstancePlan| {
            (plan.params.authentication.protocol(), plan.params.delivery.clone(), plan.source)
        };
        // Until the new sockets are open, the old ones are.
        let _seat = self.seat.take_if(|_| rejoins || sockets(&old) != sockets(&self.plan));
        if let Some(adverts) = &mut self.adverts {
            adverts.renew();
        }
        let claims = old.claims() != self.plan.claims();
        self.handle(Input::Reload(Box::new(Reload { params, tracked, claims, regrouped })), out);
        if let Some(interface) = self.interface {
            self.interface(interface, out);
        }
    }

    fn tracked(&mut self, what: Subject, status: Status, out: &mut Vec<Output>) {
        for index in 0..self.plan.tracks.len() {
            if self.plan.tracks.get(index).is_some_and(|track| track.what == what) {
                self.handle(Input::Tracked(index, status), out);
            }
        }
        self.facts.borrow_mut().tracked.insert(what, status);
    }

    /// A packet, and a few of those behind it.
    fn packets(&mut self, first: Packet, out: &mut Vec<Output>) {
        self.handle(Input::Packet(first), out);
        for _ in 1..ADVERTS_A_TURN {
            let Some(packet) = self.inbox.try_recv() else { return };
            self.handle(Input::Packet(packet), out);
        }
    }

    /// Silence counts only when everything that has arrived has been heard.
    fn deadline(&mut self, out: &mut Vec<Output>) {
        if let Some(seat) = &self.seat {
            seat.endpoint().drain();
        }
        while let Some(packet) = self.inbox.try_recv() {
            self.handle(Input::Packet(packet), out);
        }
        self.handle(Input::Deadline, out);
    }
}
