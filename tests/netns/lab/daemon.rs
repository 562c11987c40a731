//! A running daemon, ours or stock's.

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::router::Router;
use super::{wait_for, wait_until};

/// Whose daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// keepalived-rs, of this build.
    Ours,
    /// keepalived as the distribution packages it.
    Stock,
}

impl Kind {
    /// What a router calls this daemon.
    pub fn program(self) -> &'static str {
        match self {
            Self::Ours => "/usr/local/sbin/keepalived-rs",
            Self::Stock => "/usr/sbin/keepalived",
        }
    }

    /// The file a router is to see as [`Kind::Ours`]: from the environment variable `KEEPALIVED_RS` or of this
    /// build.
    pub fn program_on_host(self) -> Option<String> {
        match self {
            Self::Ours => Some(
                std::env::var("KEEPALIVED_RS")
                    .unwrap_or_else(|_| env!("CARGO_BIN_EXE_keepalived-rs").to_owned()),
            ),
            Self::Stock => None,
        }
    }

    /// `ours` or `stock`.
    pub fn parse(name: &str) -> Self {
        match name {
            "ours" => Self::Ours,
            "stock" => Self::Stock,
            other => panic!("SUBJECT and PEER are `ours` or `stock`, not `{other}`"),
        }
    }
}

/// A daemon in the foreground of a router. It is killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    router: Router,
    kind: Kind,
    /// `nsenter`, which has the daemon as its only child and ends as it does.
    entered: RefCell<Child>,
    log: PathBuf,
}

impl Daemon {
    /// Starts it with the router's `/etc/keepalived/keepalived.conf`, to log in detail.
    pub fn start(router: &Router, kind: Kind, options: &[&str]) -> Self {
        Self::start_as_told(router, kind, &[&["-D"], options].concat())
    }

    /// Starts it with nothing but `options`.
    pub fn start_as_told(router: &Router, kind: Kind, options: &[&str]) -> Self {
        Self::run(router, kind, &[], options)
    }

    /// Starts it as packages do: without options, since a thousand instances in detail measure the log, and in a session of
    /// its own, which is what the scheduler divides the processors among, as it does among services.
    pub fn start_as_packaged(router: &Router, kind: Kind) -> Self {
        Self::run(router, kind, &["setsid"], &[])
    }

    fn run(router: &Router, kind: Kind, wrapper: &[&str], options: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        assert!(
            kind == Kind::Ours || Path::new(kind.program()).exists(),
            "{} is missing: apt-get install keepalived",
            kind.program()
        );
        let name = format!("/tmp/daemon-{}.log", COUNT.fetch_add(1, Ordering::Relaxed));
        let log = router.path(&name);
        let file = File::create(&log).expect("make a log file");
        let words = [wrapper, &[kind.program()]].concat();
        let mut command = router.namespace().command(words[0]);
        command.args(&words[1..]).args(["-n", "-l", "-f", "/etc/keepalived/keepalived.conf"]).args(options);
        let stdout = file.try_clone().expect("duplicate a descriptor");
        let entered = command.stdin(Stdio::null()).stdout(stdout).stderr(file).spawn().expect("run nsenter");
        Self { router: router.clone(), kind, entered: RefCell::new(entered), log }
    }

    /// All it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it has logged `text`.
    #[track_caller]
    pub fn wait_log(&self, text: &str) {
        wait_until(&format!("the {:?} daemon logs `{text}`", self.kind), || {
            assert!(
                self.exited().is_none() || self.log().contains(text),
                "it ended without logging `{text}`"
            );
            self.log().contains(text)
        });
    }

    /// Its exit status if it has ended.
    pub fn exited(&self) -> Option<ExitStatus> {
        self.entered.borrow_mut().try_wait().expect("wait for a child")
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(&self) -> ExitStatus {
        wait_for("the daemon ends", || self.exited())
    }

    /// The process ids of the daemon and of what it started, as the host counts them, parents first.
    pub fn processes(&self) -> Vec<i32> {
        let mut found = children(self.entered.borrow().id() as i32);
        let mut next = 0;
        while let Some(&pid) = found.get(next) {
            found.extend(children(pid));
            next += 1;
        }
        found
    }

    /// Sends a signal to its first process.
    pub fn signal(&self, signal: Signal) {
        let main = wait_for("the daemon runs", || self.processes().first().copied());
        kill(Pid::from_raw(main), signal).expect("send a signal");
    }

    /// Asks it to end as `systemctl stop` does, and waits until it has.
    #[track_caller]
    pub fn stop(&self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.wait()
    }

    /// Stops all its processes, as if the machine did not run them. What arrives meanwhile waits.
    pub fn freeze(&self) {
        for pid in self.processes() {
            kill(Pid::from_raw(pid), Signal::SIGSTOP).expect("send a signal");
        }
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        for pid in self.processes() {
            kill(Pid::from_raw(pid), Signal::SIGCONT).expect("send a signal");
        }
        // It stops itself when its child is stopped.
        kill(Pid::from_raw(self.entered.borrow().id() as i32), Signal::SIGCONT).expect("send a signal");
    }

    /// Kills all its processes at once, leaving none the time to tidy up.
    pub fn crash(&self) {
        let processes = self.processes();
        // Stopped first, or the survivors would notice the death of the others and act on it.
        for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
            for &pid in &processes {
                // It may have been a script that ended by itself.
                let _ = kill(Pid::from_raw(pid), signal);
            }
        }
        let nsenter = Pid::from_raw(self.entered.borrow().id() as i32);
        let status = wait_for("the killed daemon is gone", || {
            // nsenter stops itself when its child is stopped.
            let _ = kill(nsenter, Signal::SIGCONT);
            self.exited()
        });
        assert_eq!(status.signal(), Some(Signal::SIGKILL as i32), "the daemon had ended before: {status}");
    }

    /// Its proportional share of memory in KiB, all processes together.
    pub fn pss(&self) -> u64 {
        let share = |pid: &i32| {
            let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
            let line = rollup.lines().find_map(|l| l.strip_prefix("Pss:")).unwrap_or_default().to_owned();
            line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0)
        };
        self.processes().iter().map(share).sum()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of a {:?} daemon:\n{}---", self.kind, self.log());
        }
        if self.exited().is_none() {
            for pid in self.processes() {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
            let mut entered = self.entered.borrow_mut();
            let _ = entered.kill();
            let _ = entered.wait();
        }
    }
}

fn children(pid: i32) -> Vec<i32> {
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
