//! Scripts as child processes.

use std::cell::Cell;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tokio::sync::oneshot;

use super::loader::SystemLoader;
use super::plane;
use super::startup::Original;
use super::watch::watch;
use crate::host::loader::{Program, ProgramError};
use crate::host::{Child, Command, Credentials, Error, Exit, Kill, Loader, Plane, Processes};

/// What a script does not inherit: variables that change how a shell or the loader reads what it is given.
const HIDDEN_VARIABLES: [&str; 3] = ["IFS", "LD_PRELOAD", "LD_LIBRARY_PATH"];

/// What a group has to end itself after its first process has, when it was told to end.
const GRACE: Duration = Duration::from_secs(2);

/// Starts programs as children of this process.
#[derive(Clone)]
pub(super) struct LocalProcesses {
    /// Where it is waited for them.
    pub(super) plane: Plane,
    /// What programs get back of how the daemon was started; `None`: it has changed nothing.
    pub(super) original: Option<Original>,
}

impl Processes for LocalProcesses {
    fn spawn(&self, command: &Command) -> Result<Box<dyn Child>, Error> {
        let failed = |e| Error::new("execute", &command.program, e);
        let child = prepare(command, self.original).spawn().map_err(failed)?;
        let pid = i32::try_from(child.id()).map_err(|e| failed(io::Error::other(e)))?;
        let leader = Rc::new(Leader {
            pid: Pid::from_raw(pid),
            reaped: Cell::new(false),
            is_to_end: Cell::new(false),
        });
        let (report, reported) = oneshot::channel();
        let (held, plane) = (Rc::clone(&leader), self.plane.clone());
        // A task of its own, so that the child is reaped whether or not anybody waits for it.
        tokio::task::spawn_local(async move {
            let _ = report.send(held.end().await);
            if held.is_to_end.get() {
                // Who of its group minds no SIGTERM must not go on for ever. While the number is not free, neither is
                // that of the group.
                plane.sleep(GRACE).await;
                held.kill(Signal::SIGKILL);
            }
            held.reap();
        });
        Ok(Box::new(LocalChild { leader, report: reported, exit: None }))
    }

    fn find(&self, name: &str, uid: u32, gid: u32) -> Result<Program, ProgramError> {
        SystemLoader.program(name, uid, gid)
    }

    fn open_for_reading(&self, path: &Path) -> Result<(), Error> {
        // O_NONBLOCK: a FIFO without a writer opens at once.
        let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
        opened.map(drop).map_err(|e| Error::new("open", path.display(), e))
    }
}

fn prepare(command: &Command, original: Option<Original>) -> std::process::Command {
    let mut prepared = std::process::Command::new(&command.program);
    let mut argv = command.argv.iter();
    if let Some(first) = argv.next() {
        prepared.arg0(first);
    }
    prepared.args(argv).process_group(0);
    prepared.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for variable in HIDDEN_VARIABLES {
        prepared.env_remove(variable);
    }
    let credentials = command.credentials.clone();
    let daemon = std::process::id();
    // SAFETY: between fork and exec `in_child` makes system calls only; it neither allocates nor locks.
    unsafe { prepared.pre_exec(move || in_child(daemon, credentials.as_ref(), original.as_ref())) };
    prepared
}

/// What the child does before it executes the program.
fn in_child(daemon: u32, credentials: Option<&Credentials>, original: Option<&Original>) -> io::Result<()> {
    // Whoever runs it may not be allowed to.
    if let Some(original) = original {
        original.restore();
    }
    if let Some(credentials) = credentials {
        become_user(credentials)?;
    }
    // After the change of credentials, which would clear it.
    // SAFETY: no pointers.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: no pointers, cannot fail.
    let parent = unsafe { libc::getppid() };
    if u32::try_from(parent) != Ok(daemon) {
        // The daemon died before it could be said what to do then.
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    // The standard library has emptied the signal mask; ignored signals would stay ignored through exec.
    for signal in 1..=libc::SIGRTMAX() {
        // Signals that cannot be set (KILL, STOP, those libc keeps) are at their defaults anyway.
        // SAFETY: `SIG_DFL` is a valid handler for every signal.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // Our own files are all close-on-exec; this takes care of what the daemon itself inherited. Linux before 5.11
    // does not know it, and then such files stay open.
    // SAFETY: marks descriptors, closes none.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    Ok(())
}

/// Takes on these credentials. Only makes system calls.
fn become_user(credentials: &Credentials) -> io::Result<()> {
    let answer = |done: libc::c_int| if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) };
    let groups = &credentials.groups;
    // SAFETY: the kernel reads as many groups as there are, and they outlive the call.
    let grouped = answer(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) });
    match grouped {
        // Who may not do it has nothing to hide from itself, or fails with the next.
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => {}
        other => other?,
    }
    // SAFETY: no pointers.
    answer(unsafe { libc::setgid(credentials.gid) })?;
    // SAFETY: no pointers.
    answer(unsafe { libc::setuid(credentials.uid) })
}

/// The first process of a group, and with it the group: their number is theirs until it is reaped.
struct Leader {
    pid: Pid,
    reaped: Cell<bool>,
    /// The group has been told to end.
    is_to_end: Cell<bool>,
}

impl Leader {
    /// Waits for its end, without reaping it.
    async fn end(&self) -> Exit {
        if self.has_ended().is_none() && !self.watched().await {
            // A Linux without pidfds: a thread waits.
            let pid = self.pid;
            let _ = plane::aside("wait", move || waitid(Id::Pid(pid), ENDED)).await;
        }
        self.has_ended().unwrap_or(Exit::Status(255))
    }

    /// Waits for its end by its descriptor; `false`: that cannot be done here.
    async fn watched(&self) -> bool {
        // SAFETY: no pointers; the number is that of a child which has not been reaped.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, self.pid.as_raw(), 0) };
        let Some(fd) = i32::try_from(fd).ok().filter(|fd| *fd >= 0) else { return false };
        // SAFETY: just opened, and nobody else's.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        match watch(fd) {
            Ok(watched) => watched.readable().await.is_ok(),
            Err(_) => false,
        }
    }

    /// How it ended, if it has; it is not reaped. Waiting fails only if somebody else has reaped it; how it ended is then
    /// unknown.
    fn has_ended(&self) -> Option<Exit> {
        match waitid(Id::Pid(self.pid), ENDED | WaitPidFlag::WNOHANG) {
            Ok(WaitStatus::Exited(_, status)) => Some(Exit::Status(status)),
            Ok(WaitStatus::Signaled(_, signal, _)) => Some(Exit::Signal(signal as i32)),
            Ok(_) => None,
            Err(_) => Some(Exit::Status(255)),
        }
    }

    /// Signals the group.
    fn kill(&self, signal: Signal) {
        if !self.reaped.get() {
            // It may end at this very moment; then there is nobody to signal.
            let _ = killpg(self.pid, signal);
        }
    }

    /// Frees its number, if it has ended.
    fn reap(&self) {
        if !self.reaped.replace(true) {
            let _ = waitid(Id::Pid(self.pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG);
        }
    }
}

impl Drop for Leader {
    /// The plane ends: nobody waits any more.
    fn drop(&mut self) {
        if self.is_to_end.get() {
            self.kill(Signal::SIGKILL);
        }
        self.reap();
    }
}

/// Its end is waited for, but not taken notice of.
const ENDED: WaitPidFlag = WaitPidFlag::WEXITED.union(WaitPidFlag::WNOWAIT);

struct LocalChild {
    leader: Rc<Leader>,
    report: oneshot::Receiver<Exit>,
    exit: Option<Exit>,
}

impl Child for LocalChild {
    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<Exit> {
        if let Some(exit) = self.exit {
            return Poll::Ready(exit);
        }
        // The sender goes without a word only when the plane ends.
        let exit = ready!(self.report.poll_unpin(cx)).unwrap_or(Exit::Status(255));
        self.exit = Some(exit);
        Poll::Ready(exit)
    }

    fn kill(&mut self, how: Kill) {
        self.leader.is_to_end.set(true);
        self.leader.kill(match how {
            Kill::Terminate => Signal::SIGTERM,
            Kill::Kill => Signal::SIGKILL,
        });
    }
}
