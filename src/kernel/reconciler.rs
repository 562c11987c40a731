//! The task that carries claims to the kernel and the kernel's news to instances.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::claim::{Key, Owner, Place};
use super::debounce::{Debounce, Delay};
use super::ledger::{Interface, Ledger, Output, Watch};
use super::mirror::Mirror;
use crate::base::{IfName, InstanceId};
use crate::host::kernel::Errno;
use crate::host::{KernelEvent, KernelEvents, KernelOp, KernelWriter, LinkState, LocalBoxFuture, Plane};
use crate::report::wording;

/// What an instance wants with what it may claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// To have it.
    Take,
    /// Not to have it.
    Release,
    /// To leave it to the next start of the daemon, which has this time, whole seconds: then the kernel takes it away.
    Lend(Duration),
}

/// What an instance asks of the reconciler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who asks.
    pub owner: InstanceId,
    /// What it wants with its addresses, routes and rules.
    pub hold: Hold,
    /// Comes back in the answer.
    pub number: u64,
}

/// What instances and a reload ask of the reconciler.
pub enum Request {
    /// An instance claims what it may, or gives it up.
    Claim(Claim),
    /// The configuration has changed.
    Reload(Box<Reload>),
    /// An instance has stopped for good.
    Forget(InstanceId),
}

/// What a reload changes for the reconciler. All of it takes effect at once.
#[derive(Default)]
pub struct Reload {
    /// Instances that are new or have changed.
    pub instances: Vec<Wants>,
    /// How to reach those that are new.
    pub added: Vec<(InstanceId, Deliver)>,
    /// The static items.
    pub statics: Option<Vec<super::Claim>>,
    /// How long changes of links have to last.
    pub delays: BTreeMap<IfName, Delay>,
    /// Interfaces that are asked for their carrier.
    pub asked: BTreeSet<IfName>,
}

/// What an instance may claim and wants to know.
pub struct Wants {
    /// The instance.
    pub id: InstanceId,
    /// Of its own interface.
    pub watch: Watch,
    /// What it may claim.
    pub claims: Vec<super::Claim>,
    /// Interfaces that it tracks.
    pub tracked: Vec<IfName>,
}

/// What the reconciler tells an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The kernel has followed the claim with this number.
    Confirmed(u64),
    /// Of what the claim with this number asked for, the kernel has these addresses since the last news, and others not yet.
    Placed(u64, Vec<Place>),
    /// What the claim with this number wanted to leave to the next start cannot be left.
    NotLent(u64),
    /// An address that somebody else had removed is back.
    Restored,
    /// The interface has changed, or is told of for the first time.
    Interface(Interface),
    /// A tracked interface is like this now.
    Tracked(IfName, LinkState),
}

/// Delivers [`News`] to one instance.
pub type Deliver = Box<dyn Fn(News)>;

/// How long instances have for their last adverts when nothing else can be relied on.
const FAREWELL: Duration = Duration::from_millis(50);
/// How long the kernel then has to answer to one batch.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);
/// How many changes go to the kernel as one batch: the answers of more would not fit a default receive buffer.
const BATCH: usize = 128;
/// How many go first, so that the first address is announced while the kernel is busy with the others.
const FIRST_BATCH: usize = 16;
/// How many of these may be removals of links, each of which may take the kernel some 10 ms.
const LINKS_IN_BATCH: usize = 16;

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
    /// Whether every address that comes or goes is logged.
    pub address_monitoring: bool,
    /// What is there; read by instances too.
    pub mirror: Rc<RefCell<Mirror>>,
    /// Reports of changes.
    pub events: Box<dyn KernelEvents>,
    /// Makes changes.
    pub writer: Rc<dyn KernelWriter>,
    /// Claims and changes of the configuration come from here.
    pub requests: UnboundedReceiver<Request>,
    /// News go there.
    pub instances: BTreeMap<InstanceId, Deliver>,
    /// Counts batches that the kernel has answered.
    pub progress: Arc<AtomicU64>,
}

/// One batch on its way, and what comes back.
type Answers = Vec<(Key, KernelOp, Result<(), Errno>)>;

impl Reconciler {
    /// Runs until all senders of claims are gone and every claim has been followed. The static items are there before
    /// the first instance hears of its interface, and go when the last one has gone.
    ///
    /// After a panic what is known of the kernel may be wrong. Then `failed` is called, which is to stop all instances,
    /// and everything is taken away without further judgement.
    pub async fn run(mut self, failed: impl FnOnce()) {
        if AssertUnwindSafe(self.work()).catch_unwind().await.is_err() {
            failed();
            self.give_up().await;
        }
    }

    /// Takes all that is ours away, and agrees to everything until nobody asks any more.
    async fn give_up(mut self) {
        // Their last adverts go first: whoever takes over is not to find the addresses gone before he hears.
        self.plane.sleep(FAREWELL).await;
        let ops = self.ledger.abandon(&self.mirror.borrow());
        for batch in ops.chunks(BATCH) {
            let answers = self.writer.apply(batch.to_vec());
            tokio::select! {
                biased;
                _ = answers => {}
                () = self.plane.sleep(ANSWER_LIMIT) => {}
            }
        }
        while let Some(request) = self.requests.recv().await {
            if let Request::Claim(claim) = request {
                let lends = matches!(claim.hold, Hold::Lend(_));
                let news = if lends { News::NotLent } else { News::Confirmed };
                self.deliver(claim.owner, news(claim.number));
            }
        }
    }

    async fn work(&mut self) {
        self.ledger.claim(Owner::Static, true, 1);
        let mut timer = self.plane.timers.timer();
        let mut batches: FuturesUnordered<LocalBoxFuture<Answers>> = FuturesUnordered::new();
        let mut open = true;
        while open || !self.ledger.is_idle() {
            timer.set(self.ledger.next_deadline().into_iter().chain(self.debounce.next_deadline()).min());
            tokio::select! {
                biased;
                Some(answers) = batches.next(), if !batches.is_empty() => self.answers(answers),
                request = self.requests.recv(), if open => match request {
                    Some(request) => self.requests(request),
                    None => {
                        open = false;
                        match self.ledger.lent() {
                            Some(time) => self.ledger.lend(Owner::Static, time, 2),
                            None => self.ledger.claim(Owner::Static, false, 2),
                        }
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
            // There may be much to do, and adverts that are due.
            give_way().await;
        }
    }

    /// A request, and all others that wait behind it: they make one batch.
    fn requests(&mut self, first: Request) {
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::Claim(claim) => {
                    let owner = Owner::Instance(claim.owner);
                    match claim.hold {
                        Hold::Take => self.ledger.claim(owner, true, claim.number),
                        Hold::Release => self.ledger.claim(owner, false, claim.number),
                        Hold::Lend(time) => self.ledger.lend(owner, time, claim.number),
                    }
                }
                Request::Reload(reload) => self.reload(*reload),
                Request::Forget(id) => {
                    self.ledger.unregister(id);
                    self.instances.remove(&id);
                }
            }
            next = self.requests.try_recv().ok();
        }
    }

    fn reload(&mut self, reload: Reload) {
        for event in self.debounce.replace(self.plane.now(), reload.delays, &reload.asked) {
            self.follow(&event);
        }
        if let Some(statics) = reload.statics {
            self.ledger.reconfigure(Owner::Static, &statics);
        }
        self.instances.extend(reload.added);
        for Wants { id, watch, claims, tracked } in reload.instances {
            self.ledger.reconfigure(Owner::Instance(id), &claims);
            self.ledger.rewatch(id, watch, &tracked);
        }
        self.ledger.reconfigured();
        self.ledger.compact();
    }

    fn event(&mut self, event: &KernelEvent) {
        wording::kernel_event(event, &self.mirror.borrow(), |name| self.ledger.is_watched(name));
        if self.address_monitoring {
            wording::addresses(event, &self.mirror.borrow());
        }
        self.follow(event);
    }

    fn follow(&mut self, event: &KernelEvent) {
        self.mirror.borrow_mut().apply(event);
        self.ledger.event(&self.mirror.borrow(), event);
    }

    fn answers(&mut self, answers: Answers) {
        self.progress.fetch_add(1, Ordering::Relaxed);
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
        let removes_links = changes.iter().any(|(_, op)| matches!(op, KernelOp::DeleteLink(..)));
        let most = if removes_links { LINKS_IN_BATCH } else { BATCH };
        let (mut left, mut size) = (changes.as_slice(), FIRST_BATCH);
        while let Some((batch, rest)) =
            left.split_at_checked(size.min(left.len())).filter(|(batch, _)| !batch.is_empty())
        {
            (left, size) = (rest, most.min(size * 2));
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
            Output::Placed { owner, number, addresses } => {
                self.deliver(*owner, News::Placed(*number, addresses.clone()));
            }
            Output::NotLent { owner, number } => self.deliver(*owner, News::NotLent(*number)),
            // They are announced anew. Of a route or rule nobody needs to know.
            Output::Restored { owners, key: Key::Address(..), .. } => {
                for owner in owners {
                    self.deliver(*owner, News::Restored);
                }
            }
            Output::Interface(owner, interface) => self.deliver(*owner, News::Interface(*interface)),
            Output::Tracked(owner, name, state) => {
                self.deliver(*owner, News::Tracked(name.clone(), *state));
            }
            Output::Apply(_)
            | Output::Restored { .. }
            | Output::Leftover { .. }
            | Output::Failed { .. }
            | Output::NoInterface { .. }
            | Output::Occupied { .. } => {}
        }
    }

    fn deliver(&self, owner: InstanceId, news: News) {
        if let Some(deliver) = self.instances.get(&owner) {
            deliver(news);
        }
    }
}

/// Lets every other task that is ready go first.
async fn give_way() {
    let mut given = false;
    poll_fn(|cx| match std::mem::replace(&mut given, true) {
        true => Poll::Ready(()),
        false => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

/// Where instances send their claims.
pub type Claims = UnboundedSender<Request>;
