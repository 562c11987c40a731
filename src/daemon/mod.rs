//! Boot, reload and shutdown.

mod dumps;
mod fast;
mod hand_over;
mod inventory;
mod reload;
mod stage;
mod timetable;
mod trackers;
mod watchdog;

use std::future::{pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::tz::TimeZone;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use self::dumps::{Dumper, Request, Saves};
use self::fast::{Lines, Order};
use self::reload::Reader;
use self::trackers::Trackers;
use crate::host::{Host, LocalBoxFuture, Plane, Signal, Signals};
use crate::notify::mail::{Mailer, Post};
use crate::notify::{Message, Notifier, Scripts};
use crate::plan::{Plan, converge};
use crate::report::wording;
use crate::track::listeners::Tell;

/// Reads the configuration again; an error says in one line why it is of no use.
pub type Reread = Box<dyn FnMut() -> LocalBoxFuture<Result<Plan, String>>>;

/// How long the kernel may take to answer, when all is to be given up.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// How long notify scripts may take after that; they are ended when theirs is over.
const NOTIFY_LIMIT: Duration = Duration::from_secs(5);
/// How long mails may take after that; they have a limit of their own, which is shorter.
const MAIL_LIMIT: Duration = Duration::from_secs(10);

/// The pause before a part that panicked goes on.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// Exit status: a normal stop.
pub const EXIT_OK: u8 = 0;
/// Exit status: a fatal error.
pub const EXIT_FATAL: u8 = 1;

/// Runs a daemon until a signal stops it. Gives its exit status. When a signal says so, `reread` gives it another plan.
pub async fn run(host: Host, plan: Plan, reread: Reread) -> u8 {
    let Host { slow, start_fast, processes, carriers, network, files, process_table, .. } = host;
    let (mut signals, supervisor) = (host.signals, host.supervisor);
    let scheduler = host.scheduler;
    scheduler.apply(&plan.scheduling);
    let mut early_reload = false;
    let told = told_to_stop(&mut *signals, &mut early_reload);
    if !stage::run(&slow, &*processes, "startup", plan.stages.startup.as_ref(), told).await {
        // Nothing has begun that would have to be ended.
        supervisor.stopping();
        wording::stopping();
        return EXIT_OK;
    }
    let mut plan = Rc::new(plan);
    let (notices, notices_inbox) = unbounded_channel();
    let (posts, posts_inbox) = unbounded_channel();
    let mailer = Mailer::new(slow.clone(), network, plan.mail.clone(), TimeZone::system(), host.name.clone());
    let mailed = start_mailer(&slow, mailer, posts_inbox);
    let notifier = {
        let (processes, files) = (Rc::clone(&processes), Rc::clone(&files));
        Notifier::new(slow.clone(), processes, files, posts.clone(), Scripts::of(&plan))
    };
    let notified = start_notifier(&slow, notifier, notices_inbox);
    let (tell_carrier, known_carriers) = unbounded_channel();
    let tools = trackers::Tools {
        slow: slow.clone(),
        processes: Rc::clone(&processes),
        carriers,
        files: Rc::clone(&files),
        process_table,
        tell_carrier,
    };
    let (orders, orders_inbox) = unbounded_channel();
    let mut trackers = Trackers::start(tools, &plan, tell(&orders));
    let (failed, mut failures) = unbounded_channel();
    let (handed_over, mut handed) = unbounded_channel();
    let boot = host.boot;
    let dumps = Dumper::start(slow.clone(), Rc::clone(&files), host.name, orders.downgrade());
    let mut saves = Saves::new(host.process);
    watchdog::start(&slow, Rc::clone(&supervisor), orders.downgrade());
    let progress = Arc::new(AtomicU64::new(0));
    let lines = Lines {
        notices: notices.clone(),
        carriers: known_carriers,
        failed,
        progress: Arc::clone(&progress),
        orders: orders_inbox,
        inherited: hand_over::inherited(&plan, &*files, &boot),
        left: inventory::left(&plan, &*files, &boot),
        handed_over,
    };
    inventory::note(&plan, &*files, &boot).await;
    wording::not_to_be_handed_over(&plan.hand_over.left_out);
    // With nothing to do the daemon waits all the same, as stock's does.
    if plan.instances.is_empty() && plan.statics.is_empty() {
        wording::nothing_to_run();
    }
    let planned = Plan::clone(&plan);
    let fast_main = Box::new(move |fast| -> LocalBoxFuture<()> { Box::pin(fast::run(fast, planned, lines)) });
    let mut fast = match start_fast(fast_main) {
        Ok(fast) => fast,
        Err(error) => {
            wording::cannot_start(&error);
            return EXIT_FATAL;
        }
    };
    let mut reader = Reader::new(reread, slow.clone(), Rc::clone(&files), Rc::clone(&supervisor), &plan);
    supervisor.ready();
    wording::started();
    if early_reload {
        reader.ask(&plan);
    }
    let mut status = EXIT_OK;
    loop {
        let signal = tokio::select! {
            biased;
            signal = poll_fn(|cx| signals.poll_signal(cx)) => signal,
            Some(part) = failures.recv() => {
                wording::part_failed(part);
                status = EXIT_FATAL;
                break;
            }
            () = &mut fast => {
                wording::fast_plane_ended();
                return EXIT_FATAL;
            }
            new = reader.next(&plan) => {
                let changed = new.is_ok();
                if let Ok(new) = new {
                    saves.next();
                    saves.save(&dumps, "pre", request(Signal::Data, &plan, &trackers, &reader)).await;
                    plan = Rc::new(reload(&plan, new, &mut trackers, &notices, &orders));
                    inventory::note(&plan, &*files, &boot).await;
                    scheduler.apply(&plan.scheduling);
                    wording::not_to_be_handed_over(&plan.hand_over.left_out);
                    saves.save(&dumps, "post", request(Signal::Data, &plan, &trackers, &reader)).await;
                }
                reader.done(&plan, changed);
                continue;
            }
        };
        match signal {
            Signal::Stop => break,
            Signal::HandOver => {
                // Whoever is no master, or cannot be left, stops as ever.
                let _ = orders.send(Order::HandOver);
                break;
            }
            Signal::Reload => reader.ask(&plan),
            what => {
                wording::printing(what, host.process);
                // The dumper ends when nobody can ask it any more.
                let _ = dumps.send(request(what, &plan, &trackers, &reader));
            }
        }
    }
    // They go first: a script that ends because it is told to must not change a priority any more.
    let ended = trackers.stop();
    wording::stopping();
    supervisor.stopping();
    drop((orders, notices, dumps, reader));
    let stays = plan.instances.iter().any(|instance| instance.params.stays);
    let is_all_gone = stop(&slow, fast, &progress).await && !stays;
    let end = hand_over::leave(&plan, &*files, &boot, slow.now(), &mut handed).await;
    if is_all_gone && end.is_none() {
        inventory::forget(&plan, &*files);
    }
    let patience = |limit: Duration| end.map_or(limit, |end| limit.min(end - slow.now()));
    slow.within(patience(NOTIFY_LIMIT), notified).await;
    let _ = posts.send(Post::Stop);
    slow.within(patience(MAIL_LIMIT), mailed).await;
    slow.within(patience(NOTIFY_LIMIT), ended).await;
    let stage = stage::run(&slow, &*processes, "shutdown", plan.stages.shutdown.as_ref(), pending());
    match end {
        None => _ = stage.await,
        Some(end) => _ = slow.within(end - slow.now(), stage).await,
    }
    status
}

/// Waits for a signal that stops the daemon. `reload`: one has come that asks for a reload, which is for later; there is
/// nothing yet that a dump could tell.
async fn told_to_stop(signals: &mut dyn Signals, reload: &mut bool) {
    loop {
        match poll_fn(|cx| signals.poll_signal(cx)).await {
            Signal::Stop | Signal::HandOver => return,
            Signal::Reload => *reload = true,
            _ => {}
        }
    }
}

/// A dump of what runs now.
fn request(what: Signal, plan: &Rc<Plan>, trackers: &Trackers, reader: &Reader) -> Request {
    Request {
        what,
        plan: Rc::clone(plan),
        tallies: trackers.known(),
        scheduled: reader.scheduled(),
        to: None,
    }
}

/// Every instance resigns or is left to the next process, and the kernel follows. Gives whether it has.
async fn stop(slow: &Plane, mut fast: LocalBoxFuture<()>, progress: &AtomicU64) -> bool {
    loop {
        let before = progress.load(Ordering::Relaxed);
        tokio::select! {
            biased;
            () = &mut fast => return true,
            () = slow.sleep(STOP_LIMIT) => {}
        }
        if progress.load(Ordering::Relaxed) == before {
            wording::stop_overdue(STOP_LIMIT);
            return false;
        }
    }
}

/// How trackers reach instances. Nobody waits for what is on this way when the daemon stops.
fn tell(orders: &UnboundedSender<Order>) -> Tell {
    let orders = orders.downgrade();
    Rc::new(move |id, what| {
        if let Some(orders) = orders.upgrade() {
            // The fast plane may have ended.
            let _ = orders.send(Order::Tell(id, what));
        }
    })
}

/// Carries a changed configuration to everybody. Gives what is in effect now.
fn reload(
    old: &Plan,
    new: Plan,
    trackers: &mut Trackers,
    notices: &UnboundedSender<Message>,
    orders: &UnboundedSender<Order>,
) -> Plan {
    let convergence = converge(old, new);
    let plan = convergence.plan.clone();
    // What is told from now on is told as it is configured now. Neither of the two ends before it is told to.
    let _ = notices.send(Message::Reload(Scripts::of(&plan)));
    let _ = orders.send(Order::Reload(Box::new(convergence)));
    trackers.replace(&plan);
    plan
}

fn start_notifier(
    slow: &Plane,
    mut notifier: Notifier,
    mut inbox: UnboundedReceiver<Message>,
) -> oneshot::Receiver<()> {
    keep_running(slow, "notify", async move || notifier.run(&mut inbox).await)
}

fn start_mailer(
    slow: &Plane,
    mut mailer: Mailer,
    mut inbox: UnboundedReceiver<Post>,
) -> oneshot::Receiver<()> {
    keep_running(slow, "mail", async move || mailer.run(&mut inbox).await)
}

/// Does `work` until it ends otherwise than by a panic. What it gives tells of that.
fn keep_running(
    slow: &Plane,
    name: &'static str,
    mut work: impl AsyncFnMut() + 'static,
) -> oneshot::Receiver<()> {
    let (done, ended) = oneshot::channel();
    let plane = slow.clone();
    let task = async move {
        // What made it panic has been taken out of its inbox.
        while AssertUnwindSafe(work()).catch_unwind().await.is_err() {
            wording::task_panicked(name, "goes on with what comes next");
            plane.sleep(RESTART_PAUSE).await;
        }
        // Nobody waits any more when the stop took too long.
        let _ = done.send(());
    };
    slow.tasks.spawn(name, Box::pin(task));
    ended
}
