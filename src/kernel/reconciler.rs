//! The task that carries claims to the kernel and the kernel's news to instances.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::claim::{Key, Owner};
use super::debounce::Debounce;
use super::ledger::{Interface, Ledger, Output};
use super::mirror::Mirror;
use crate::base::{IfName, InstanceId};
use crate::host::kernel::Errno;
use crate::host::{KernelEvent, KernelEvents, KernelOp, KernelWriter, LocalBoxFuture, Plane};
use crate::report::wording;

/// What an instance asks of the reconciler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who asks.
    pub owner: InstanceId,
    /// Whether to hold its addresses, routes and rules.
    pub hold: bool,
    /// Comes back in the answer.
    pub number: u64,
}

/// What the reconciler tells an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The kernel has followed the claim with this number.
    Confirmed(u64),
    /// An address that somebody else had removed is back.
    Restored,
    /// The interface has changed, or is told of for the first time.
    Interface(Interface),
    /// A tracked interface, given as its place in the instance's list, is usable now or not.
    Tracked(usize, bool),
}

/// Delivers [`News`] to one instance.
pub type Deliver = Box<dyn Fn(News)>;

/// How many changes go to the kernel as one batch: the answers of more would not fit a default receive buffer.
const BATCH: usize = 128;

/// The reconciler.
pub struct Reconciler {
    /// Clock and timers.
    pub plane: Plane,
    /// What is claimed.
    pub ledger: Ledger,
    /// Changes of links that are held back.
    pub debounce: Debounce,
    /// What links say that are asked for their carrier.
    pub carriers: UnboundedReceiver<(IfName, bool)>,
    /// What is there; read by instances too.
    pub mirror: Rc<RefCell<Mirror>>,
    /// Reports of changes.
    pub events: Box<dyn KernelEvents>,
    /// Makes changes.
    pub writer: Rc<dyn KernelWriter>,
    /// Claims come from here.
    pub claims: UnboundedReceiver<Claim>,
    /// News go there.
    pub instances: BTreeMap<InstanceId, Deliver>,
}

/// One batch on its way, and what comes back.
type Answers = Vec<(Key, KernelOp, Result<(), Errno>)>;

impl Reconciler {
    /// Runs until all senders of claims are gone and every claim has been followed. The static items are there before
    /// the first instance hears of its interface, and go when the last one has gone.
    pub async fn run(mut self) {
        self.ledger.claim(Owner::Static, true, 1);
        let mut timer = self.plane.timers.timer();
        let mut batches: FuturesUnordered<LocalBoxFuture<Answers>> = FuturesUnordered::new();
        let mut open = true;
        while open || !self.ledger.is_idle() {
            timer.set(self.ledger.next_deadline().into_iter().chain(self.debounce.next_deadline()).min());
            tokio::select! {
                biased;
                Some(answers) = batches.next(), if !batches.is_empty() => self.answers(answers),
                claim = self.claims.recv(), if open => match claim {
                    Some(claim) => self.claims(claim),
                    None => {
                        open = false;
                        self.ledger.claim(Owner::Static, false, 2);
                    }
                },
                Some((name, carrier)) = self.carriers.recv() => {
                    if let Some(event) = self.debounce.carrier(self.plane.now(), name, carrier) {
                        self.follow(&event);
                    }
                }
                event = poll_fn(|cx| self.events.poll_event(cx)) => {
                    let event = self.debounce.event(self.plane.now(), event);
                    self.event(&event);
                }
                () = timer.fired() => {}
            }
            let now = self.plane.now();
            while let Some(event) = self.debounce.expire(now) {
                self.event(&event);
            }
            let outputs = self.ledger.settle(now, &self.mirror.borrow());
            for output in outputs {
                match output {
                    Output::Apply(changes) => self.apply(changes, &batches),
                    output => self.tell(&output),
                }
            }
        }
    }

    /// A claim, and all others that wait behind it: they make one batch.
    fn claims(&mut self, first: Claim) {
        let mut next = Some(first);
        while let Some(claim) = next {
            self.ledger.claim(Owner::Instance(claim.owner), claim.hold, claim.number);
            next = self.claims.try_recv().ok();
        }
    }

    fn event(&mut self, event: &KernelEvent) {
        wording::kernel_event(event, &self.mirror.borrow());
        self.follow(event);
    }

    fn follow(&mut self, event: &KernelEvent) {
        self.mirror.borrow_mut().apply(event);
        self.ledger.event(&self.mirror.borrow(), event);
    }

    fn answers(&mut self, answers: Answers) {
        let now = self.plane.now();
        for (key, op, answer) in answers {
            if answer.is_ok() {
                wording::kernel_done(&op);
            }
            let output = self.ledger.answer(now, &mut self.mirror.borrow_mut(), key, &op, answer);
            if let Some(output) = output {
                self.tell(&output);
            }
        }
    }

    /// Hands changes to the kernel.
    fn apply(&self, changes: Vec<(Key, KernelOp)>, batches: &FuturesUnordered<LocalBoxFuture<Answers>>) {
        for batch in changes.chunks(BATCH) {
            let (keys, ops): (Vec<Key>, Vec<KernelOp>) = batch.iter().cloned().unzip();
            let answers = self.writer.apply(ops.clone());
            batches.push(Box::pin(async move {
                let answers = answers.await.into_iter().chain(std::iter::repeat(Err(Errno::IO)));
                keys.into_iter().zip(ops).zip(answers).map(|((key, op), answer)| (key, op, answer)).collect()
            }));
        }
    }

    /// Tells instances and the log.
    fn tell(&self, output: &Output) {
        wording::kernel(output);
        match output {
            Output::Confirmed { owner, number } => self.deliver(*owner, News::Confirmed(*number)),
            // They are announced anew. Of a route or rule nobody needs to know.
            Output::Restored { owners, key: Key::Address(..), .. } => {
                for owner in owners {
                    self.deliver(*owner, News::Restored);
                }
            }
            Output::Interface(owner, interface) => self.deliver(*owner, News::Interface(*interface)),
            Output::Tracked(owner, index, usable) => self.deliver(*owner, News::Tracked(*index, *usable)),
            Output::Apply(_)
            | Output::Restored { .. }
            | Output::Failed { .. }
            | Output::NoInterface { .. } => {}
        }
    }

    fn deliver(&self, owner: InstanceId, news: News) {
        if let Some(deliver) = self.instances.get(&owner) {
            deliver(news);
        }
    }
}

/// Where instances send their claims.
pub type Claims = UnboundedSender<Claim>;
