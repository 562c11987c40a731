//! The two planes: their threads and runtimes, and what is on each.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use super::announcer::PacketAnnouncer;
use super::carrier::Interfaces;
use super::clock::Clock;
use super::files::LocalFiles;
use super::kernel;
use super::loader::SystemLoader;
use super::moderation::Moderation;
use super::network::Internet;
use super::process::LocalProcesses;
use super::process_table::ProcFs;
use super::scheduling::{self, Threads};
use super::signals::ProcessSignals;
use super::startup::{self, Original};
use super::supervisor::Systemd;
use super::tasks::LocalTasks;
use super::timer::{self, Late, PlaneTimers};
use super::vrrp_net::RawVrrpNet;
use crate::host::{Error, Fast, FastMain, Host, Loader, LocalBoxFuture, Network, Pid, Plane};

/// Stack of our threads, in bytes. Only what is touched costs memory.
const STACK: usize = 512 * 1024;

/// How the machine is to behave.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `SIGINT` does nothing, instead of stopping the daemon.
    pub ignore_sigint: bool,
    /// How the process was started, which scripts get back; `None`: nothing of that has changed.
    pub original: Option<Original>,
    /// The file in which settings of the kernel's that are changed are noted until they are put back; `None`: nowhere.
    pub notes: Option<PathBuf>,
}

/// Runs `main` with the real machine, on this thread as the slow plane, and gives what it gives.
///
/// Call it on the main thread: scripts get `SIGTERM` when the thread that started them ends.
///
/// # Errors
/// The runtime or the host cannot be set up.
pub fn run<F>(options: Options, main: F) -> Result<u8, Error>
where
    F: FnOnce(Host) -> LocalBoxFuture<u8>,
{
    on_plane(Waking::AtOnce, None, async |slow| Ok(main(host(slow, options)?).await))
}

/// Runs `main`, which needs time and other machines only, on this thread, and gives what it gives.
///
/// # Errors
/// The runtime cannot be set up.
pub fn client<T, F>(main: F) -> Result<T, Error>
where
    F: FnOnce(Plane, Rc<dyn Network>) -> LocalBoxFuture<T>,
{
    on_plane(Waking::AtOnce, None, async |plane| Ok(main(plane, Rc::new(Internet)).await))
}

/// The machine we are on, with `slow` as the slow plane. Call it on that one's thread.
fn host(slow: Plane, options: Options) -> Result<Host, Error> {
    let original = options.original.unwrap_or_else(Original::read);
    let threads = Threads::new(original);
    let (fast, notes) = (threads.clone(), options.notes);
    Ok(Host {
        start_fast: Box::new(move |main| start_fast(main, fast, notes)),
        processes: Rc::new(LocalProcesses { plane: slow.clone(), original: Some(original) }),
        slow,
        carriers: Rc::new(Interfaces),
        network: Rc::new(Internet),
        files: Rc::new(LocalFiles),
        process_table: Rc::new(ProcFs),
        signals: Box::new(ProcessSignals::install(options.ignore_sigint)?),
        supervisor: Rc::new(Systemd),
        scheduler: Rc::new(threads),
        name: SystemLoader.node_name(),
        process: Pid(std::process::id()),
        boot: startup::boot(),
    })
}

/// The nice value of work that nobody waits for.
const NICE: libc::c_int = 10;

/// Does `work` on a thread of its own, so that this plane goes on meanwhile; when there is more to do than processors, it
/// gives way. `None`: there was no thread, or it panicked.
pub fn aside<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> LocalBoxFuture<Option<T>> {
    let (done, finished) = oneshot::channel();
    let body = move || {
        // SAFETY: no pointers. It is about this thread alone; where it is not permitted, it only competes.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
        // Nobody waits any more when the daemon is stopping.
        let _ = done.send(work());
    };
    let thread = thread::Builder::new().name(name.to_owned()).spawn(body);
    Box::pin(async move {
        match thread {
            Ok(_) => finished.await.ok(),
            Err(error) => {
                tracing::error!("{}", Error::new("start thread", name, error));
                None
            }
        }
    })
}

/// How soon a thread is woken up for what it waits for, other than its timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waking {
    /// At once.
    AtOnce,
    /// At once, unless that happens too often.
    Moderated,
}

/// Makes a plane of this thread, runs `main` on it, and gives what that gives. `late` is told how late timers go off. What
/// was spawned ends with `main`.
///
/// # Errors
/// The plane cannot be made, and those of `main`.
pub(super) fn on_plane<T>(
    waking: Waking,
    late: Option<Late>,
    main: impl AsyncFnOnce(Plane) -> Result<T, Error>,
) -> Result<T, Error> {
    let alarm = timer::alarm()?;
    let runtime = runtime(waking, &alarm)?;
    LocalSet::new().block_on(&runtime, async {
        let timers = Rc::new(PlaneTimers::start(alarm, late)?);
        main(Plane { clock: Rc::new(Clock), timers, tasks: Rc::new(LocalTasks) }).await
    })
}

/// A single-threaded runtime, for timers that go off with `alarm`: epoll, and neither a thread pool nor tokio's timers.
fn runtime(waking: Waking, alarm: &OwnedFd) -> Result<Runtime, Error> {
    let failed = |e| Error::new("create", "a runtime", e);
    let mut builder = Builder::new_current_thread();
    if waking == Waking::Moderated {
        let moderation = Moderation::new(alarm.try_clone().map_err(failed)?);
        // The hook runs only if nothing is left to do.
        builder.on_thread_park(move || moderation.rest());
    }
    builder.enable_io().build().map_err(failed)
}

/// Starts a thread of ours and waits until it has told over the channel how its start went.
pub(super) fn start_thread<T: Send + 'static>(
    name: &'static str,
    body: impl FnOnce(&SyncSender<Result<T, Error>>) + Send + 'static,
) -> Result<(T, JoinHandle<()>), Error> {
    let (started, start) = std::sync::mpsc::sync_channel(1);
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK);
    let thread = thread.spawn(move || body(&started)).map_err(|e| Error::new("start thread", name, e))?;
    match start.recv() {
        Ok(Ok(value)) => Ok((value, thread)),
        Ok(Err(error)) => {
            let _ = thread.join();
            Err(error)
        }
        Err(_) => {
            let _ = thread.join();
            Err(Error::new("start thread", name, io::Error::other("it ended at once")))
        }
    }
}

fn start_fast(main: FastMain, threads: Threads, notes: Option<PathBuf>) -> Result<LocalBoxFuture<()>, Error> {
    let (done, finished) = oneshot::channel::<()>();
    let ((), thread) = start_thread(scheduling::FAST, move |started| {
        let _done = done; // dropped at the end, also after a panic
        if let Err(error) = fast_plane(main, threads, notes, started) {
            let _ = started.send(Err(error));
        }
    })?;
    Ok(Box::pin(async move {
        let _ = finished.await;
        if thread.join().is_err() {
            tracing::error!("the fast plane panicked");
        }
    }))
}

/// The body of the fast plane's thread. An error means that `main` was not called.
fn fast_plane(
    main: FastMain,
    threads: Threads,
    notes: Option<PathBuf>,
    started: &SyncSender<Result<(), Error>>,
) -> Result<(), Error> {
    threads.join();
    let (kernel, kernel_threads) = kernel::start(threads.clone(), notes)?;
    let late: Late = Box::new(move |by| threads.late(by));
    let result = on_plane(Waking::Moderated, Some(late), async |plane| {
        let fast = Fast {
            plane,
            vrrp: Rc::new(RawVrrpNet),
            announcer: Rc::new(PacketAnnouncer::open()?),
            events: Box::new(kernel.events),
            writer: Rc::new(kernel.writer),
        };
        let _ = started.send(Ok(()));
        main(fast).await;
        Ok(())
    });
    // Its tasks held the writer and the events; without those the kernel's threads end when all is done.
    for thread in kernel_threads {
        let _ = thread.join();
    }
    result
}
