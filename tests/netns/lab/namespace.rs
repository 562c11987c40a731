//! A process that holds namespaces open, and commands run inside them.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// What a namespace's holder does.
pub enum Holder<'a> {
    /// A network namespace only.
    Network,
    /// Network, mount and process namespaces; the router has this file as `/usr/local/sbin/keepalived-rs`.
    Router(Option<&'a str>),
}

/// Namespaces that exist as long as this value.
#[derive(Debug)]
pub struct Namespace {
    /// `unshare`. Its standard input is the string the namespaces' life hangs on.
    holder: Child,
    has_processes: bool,
}

impl Namespace {
    /// Makes the namespaces and waits until they are furnished.
    pub fn new(what: &Holder<'_>) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--net", "--kill-child", "--fork"]);
        match what {
            Holder::Network => command.args(["sh", "-c", "echo ready; exec cat >/dev/null"]),
            Holder::Router(daemon) => command
                .args(["--mount", "--pid", "sh", "-c", include_str!("router.sh"), "router"])
                .arg(daemon.unwrap_or_default()),
        };
        let mut holder = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("cannot run unshare ({e}): apt-get install util-linux"));
        let mut answer = String::new();
        if let Some(stdout) = holder.stdout.take() {
            BufReader::new(stdout).read_line(&mut answer).expect("read from unshare");
        }
        let namespace = Self { holder, has_processes: matches!(what, Holder::Router(_)) };
        assert_eq!(
            answer, "ready\n",
            "cannot make namespaces: this needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN)"
        );
        namespace
    }

    /// A process of the host's that is in these namespaces.
    pub fn pid(&self) -> u32 {
        self.holder.id()
    }

    /// Where the host sees `path` of these namespaces.
    pub fn path(&self, path: &str) -> PathBuf {
        // A symbolic link would lead back to the host's files.
        let path = path.strip_prefix("/var").filter(|rest| rest.starts_with("/run/")).unwrap_or(path);
        PathBuf::from(format!("/proc/{}/root{path}", self.pid()))
    }

    /// The network namespace, for a thread that wants to enter it.
    pub fn network(&self) -> File {
        File::open(format!("/proc/{}/ns/net", self.pid())).expect("open a network namespace")
    }

    /// A command that is going to run inside.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.pid()));
        if self.has_processes {
            command.arg(format!("--mount=/proc/{}/ns/mnt", self.pid()));
            command.arg(format!("--pid=/proc/{}/ns/pid_for_children", self.pid()));
        }
        command.arg("--").arg(program);
        command
    }

    /// Runs a shell command inside and returns what it printed; panics if it fails.
    #[track_caller]
    pub fn run(&self, script: &str) -> String {
        let output = self.command("sh").args(["-c", script]).output().expect("run nsenter");
        assert!(
            output.status.success(),
            "`{script}` failed with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // --kill-child takes the first process of the process namespace along, and that one all the others.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
