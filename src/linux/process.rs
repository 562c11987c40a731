//! Scripts as child processes.

use std::cell::Cell;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::sync::oneshot;

use super::startup::Original;
use crate::host::{Child, Command, Credentials, Error, Exit, Kill, Processes};

/// What a script does not inherit: variables that change how a shell or the loader reads what it is given.
const HIDDEN_VARIABLES: [&str; 3] = ["IFS", "LD_PRELOAD", "LD_LIBRARY_PATH"];

/// Starts programs as children of this process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LocalProcesses {
    /// What programs get back of how the daemon was started; `None`: it has changed nothing.
    pub(super) original: Option<Original>,
}

impl Processes for LocalProcesses {
    fn spawn(&self, command: &Command) -> Result<Box<dyn Child>, Error> {
        let failed = |e| Error::new("execute", &command.program, e);
        let mut child = prepare(command, self.original).spawn().map_err(failed)?;
        // Both are there until the child has been waited for.
        let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let gone = Rc::new(Cell::new(false));
        let (report, reported) = oneshot::channel();
        let reaped = Rc::clone(&gone);
        // A task of its own, so that the child is reaped whether or not anybody waits for it.
        tokio::task::spawn_local(async move {
            let status = child.wait().await;
            reaped.set(true);
            // Waiting fails only if somebody else has reaped the child; how it ended is then unknown.
            let exit = status.map_or(Exit::Status(255), |status| match status.signal() {
                Some(signal) => Exit::Signal(signal),
                None => Exit::Status(status.code().unwrap_or(255)),
            });
            let _ = report.send(exit);
        });
        Ok(Box::new(LocalChild { group, gone, report: reported, exit: None }))
    }

    fn open_for_reading(&self, path: &Path) -> Result<(), Error> {
        // O_NONBLOCK: a FIFO without a writer opens at once.
        let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
        opened.map(drop).map_err(|e| Error::new("open", path.display(), e))
    }
}

fn prepare(command: &Command, original: Option<Original>) -> tokio::process::Command {
    let mut prepared = std::process::Command::new(&command.program);
    let prepared = {
        use std::os::unix::process::CommandExt;
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
    };
    tokio::process::Command::from(prepared)
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

struct LocalChild {
    group: Option<Pid>,
    /// Reaped: its number may belong to somebody else.
    gone: Rc<Cell<bool>>,
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
        let signal = match how {
            Kill::Terminate => Signal::SIGTERM,
            Kill::Kill => Signal::SIGKILL,
        };
        if let Some(group) = self.group
            && !self.gone.get()
        {
            // It may end at this very moment; then there is nobody to signal.
            let _ = killpg(group, signal);
        }
    }
}
