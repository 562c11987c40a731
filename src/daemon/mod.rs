//! Boot and shutdown.

mod fast;

use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

use crate::host::{Host, LocalBoxFuture, Plane, Processes, Signal, Supervisor};
use crate::notify::{Message, Notifier};
use crate::plan::{Plan, Subject};
use crate::report::wording;
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
    let Host { slow, start_fast, processes, mut signals, supervisor } = host;
    // With nothing to do the fast plane ends at once; the daemon waits all the same, as stock's does.
    let idle = plan.instances.is_empty() && plan.statics.is_empty();
    if idle {
        wording::nothing_to_run();
    }
    let (controls, inboxes): (Vec<_>, Vec<_>) = plan.instances.iter().map(|_| unbounded_channel()).unzip();
    let (notices, notices_inbox) = unbounded_channel();
    let notified = start_notifier(&slow, &processes, &plan, notices_inbox);
    let (stop_trackers, trackers) = start_trackers(&slow, &processes, &plan, &controls);
    let (stop_statics, stopped) = oneshot::channel();
    let fast_main = Box::new(move |fast| -> LocalBoxFuture<()> {
        Box::pin(fast::run(fast, plan, inboxes, notices, stopped))
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
        let listeners = plan.instances.iter().zip(controls).flat_map(|(instance, control)| {
            let tracks = instance.tracks.iter().enumerate().filter(
                |(_, t)| matches!(t.what, Subject::Script { number: tracked, .. } if tracked == number),
            );
            tracks.map(|(index, _)| (control.clone(), index))
        });
        let tracker = Tracker {
            plane: slow.clone(),
            processes: Rc::clone(processes),
            plan: script.clone(),
            stop: stopped.clone(),
            listeners: listeners.collect(),
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
