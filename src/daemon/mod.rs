//! Boot and shutdown.

mod fast;

use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

use crate::base::IfName;
use crate::host::{
    Carriers, Files, Host, LocalBoxFuture, Plane, ProcessTable, Processes, Signal, Supervisor,
};
use crate::notify::{Message, Notifier};
use crate::plan::{Plan, Subject};
use crate::report::wording;
use crate::track::file::FileTracker;
use crate::track::linkbeat::Linkbeat;
use crate::track::listeners::Listeners;
use crate::track::process_watch::ProcessTracker;
use crate::track::script::Tracker;
use crate::vrrp::instance::Control;

/// How long the fast plane may take to give up all addresses.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// How long notify scripts may take after that; they are ended when theirs is over.
const NOTIFY_LIMIT: Duration = Duration::from_secs(3);

/// Exit status: a normal stop.
pub const EXIT_OK: u8 = 0;
/// Exit status: a fatal error.
pub const EXIT_FATAL: u8 = 1;

/// Runs a daemon until a signal stops it. Gives its exit status.
pub async fn run(host: Host, plan: Plan) -> u8 {
    let Host { slow, start_fast, processes, carriers, files, process_table, mut signals, supervisor } = host;
    // With nothing to do the fast plane ends at once; the daemon waits all the same, as stock's does.
    let idle = plan.instances.is_empty() && plan.statics.is_empty();
    if idle {
        wording::nothing_to_run();
    }
    let (controls, inboxes): (Vec<_>, Vec<_>) = plan.instances.iter().map(|_| unbounded_channel()).unzip();
    let (notices, notices_inbox) = unbounded_channel();
    let notified = start_notifier(&slow, &processes, &plan, notices_inbox);
    let (stop_trackers, trackers) = start_trackers(&slow, &processes, &plan, &controls);
    let (tell_carrier, known_carriers) = unbounded_channel();
    start_linkbeat(&slow, carriers, &plan, tell_carrier, &stop_trackers);
    start_file_tracker(&slow, files, &plan, &controls, &stop_trackers);
    start_process_tracker(&slow, process_table, &plan, &controls, &stop_trackers);
    let (stop_statics, stopped) = oneshot::channel();
    let fast_main = Box::new(move |fast| -> LocalBoxFuture<()> {
        Box::pin(fast::run(fast, plan, inboxes, notices, known_carriers, stopped))
    });
    let mut fast = match start_fast(fast_main) {
        Ok(fast) => fast,
        Err(error) => {
            wording::cannot_start(&error);
            return EXIT_FATAL;
        }
    };
    supervisor.ready();
    wording::started();
    loop {
        tokio::select! {
            biased;
            signal = poll_fn(|cx| signals.poll_signal(cx)) => match signal {
                Signal::Stop => break,
                other => wording::signal_not_in_effect(other),
            },
            () = &mut fast, if !idle => {
                wording::fast_plane_ended();
                return EXIT_FATAL;
            }
        }
    }
    // They go first: a script that ends because it is told to must not change a priority any more.
    let _ = stop_trackers.send(true);
    // Nobody may be waiting: there are no static items, or the fast plane has ended.
    let _ = stop_statics.send(());
    stop(&slow, &*supervisor, controls, fast, notified).await;
    tokio::select! {
        biased;
        () = trackers => {}
        () = slow.sleep(NOTIFY_LIMIT) => {}
    }
    EXIT_OK
}

/// Every instance resigns, the kernel gives up the addresses, the stop scripts run.
async fn stop(
    slow: &Plane,
    supervisor: &dyn Supervisor,
    controls: Vec<UnboundedSender<Control>>,
    fast: LocalBoxFuture<()>,
    notified: oneshot::Receiver<()>,
) {
    wording::stopping();
    supervisor.stopping();
    // Kept until the end: an instance whose inbox is closed does not wait for the kernel.
    for control in &controls {
        // An instance that is gone has nothing to give up.
        let _ = control.send(Control::Stop);
    }
    tokio::select! {
        biased;
        () = fast => {}
        () = slow.sleep(STOP_LIMIT) => wording::stop_overdue(STOP_LIMIT),
    }
    tokio::select! {
        biased;
        _ = notified => {}
        () = slow.sleep(NOTIFY_LIMIT) => {}
    }
}

fn start_notifier(
    slow: &Plane,
    processes: &Rc<dyn Processes>,
    plan: &Plan,
    inbox: UnboundedReceiver<Message>,
) -> oneshot::Receiver<()> {
    let (done, notified) = oneshot::channel();
    let notifier = Notifier {
        plane: slow.clone(),
        processes: Rc::clone(processes),
        instances: plan.instances.clone(),
        groups: plan.groups.clone(),
    };
    let task = async move {
        notifier.run(inbox).await;
        // Nobody waits any more when the stop took too long.
        let _ = done.send(());
    };
    slow.tasks.spawn("notify", Box::pin(task));
    notified
}

fn start_trackers(
    slow: &Plane,
    processes: &Rc<dyn Processes>,
    plan: &Plan,
    controls: &[UnboundedSender<Control>],
) -> (watch::Sender<bool>, LocalBoxFuture<()>) {
    let (stop, stopped) = watch::channel(false);
    let (done, mut ended) = unbounded_channel::<()>();
    for (number, script) in plan.scripts.iter().enumerate() {
        let is_it = |s: &Subject| matches!(s, Subject::Script { number: tracked, .. } if *tracked == number);
        let tracker = Tracker {
            plane: slow.clone(),
            processes: Rc::clone(processes),
            plan: script.clone(),
            stop: stopped.clone(),
            listeners: Listeners::of(plan, controls, is_it),
        };
        let done = done.clone();
        let task = async move {
            tracker.run().await;
            drop(done);
        };
        slow.tasks.spawn("script", Box::pin(task));
    }
    // Nothing is ever sent: the channel closes when the last tracker has ended.
    let all_ended = async move {
        ended.recv().await;
    };
    (stop, Box::pin(all_ended))
}

/// Asks interfaces for their carrier before it returns, and then again and again.
fn start_linkbeat(
    slow: &Plane,
    carriers: Rc<dyn Carriers>,
    plan: &Plan,
    tell: UnboundedSender<(IfName, bool)>,
    stop: &watch::Sender<bool>,
) {
    if !plan.linkbeats.is_empty() {
        let linkbeat = Linkbeat::new(slow.clone(), carriers, plan.linkbeats.clone(), tell);
        slow.tasks.spawn("linkbeat", Box::pin(linkbeat.run(stop.subscribe())));
    }
}

/// Reads tracked files and tells what they say before it returns, and then watches them.
fn start_file_tracker(
    slow: &Plane,
    files: Rc<dyn Files>,
    plan: &Plan,
    controls: &[UnboundedSender<Control>],
    stop: &watch::Sender<bool>,
) {
    if plan.files.is_empty() {
        return;
    }
    let listeners = |number| {
        Listeners::of(plan, controls, |s| matches!(s, Subject::File { number: n, .. } if *n == number))
    };
    let plans = plan.files.iter().enumerate().map(|(number, file)| (file.clone(), listeners(number)));
    let tracker = FileTracker::new(slow.clone(), files, plans.collect());
    slow.tasks.spawn("track files", Box::pin(tracker.run(stop.subscribe())));
}

/// Counts tracked processes and tells what follows before it returns, and then watches them.
fn start_process_tracker(
    slow: &Plane,
    table: Rc<dyn ProcessTable>,
    plan: &Plan,
    controls: &[UnboundedSender<Control>],
    stop: &watch::Sender<bool>,
) {
    if plan.processes.is_empty() {
        return;
    }
    let listeners = |number| {
        Listeners::of(plan, controls, |s| matches!(s, Subject::Process { number: n, .. } if *n == number))
    };
    let plans =
        plan.processes.iter().enumerate().map(|(number, process)| (process.clone(), listeners(number)));
    let tracker = ProcessTracker::new(slow.clone(), table, plans.collect());
    slow.tasks.spawn("track processes", Box::pin(tracker.run(stop.subscribe())));
}
