//! Scripts: real processes.

use std::fs;
use std::future::poll_fn;
use std::path::Path;
use std::time::Duration;

use super::{on_a_plane, soon};
use crate::host::{Child, Command, Credentials, Exit, Kill, Plane, Processes};
use crate::linux::process::LocalProcesses;
use crate::linux::startup::Original;

fn processes(plane: &Plane) -> LocalProcesses {
    LocalProcesses { plane: plane.clone(), original: None }
}

fn shell(script: &str) -> Command {
    Command {
        program: "/bin/sh".to_owned(),
        argv: ["sh", "-c", script].map(str::to_owned).into(),
        credentials: None,
    }
}

async fn exit(plane: &Plane, child: &mut Box<dyn Child>) -> Exit {
    soon(plane, "the end of the script", poll_fn(|cx| child.poll_exit(cx))).await
}

/// Waits until `path` has a whole line, and gives it.
async fn line(plane: &Plane, path: &Path) -> String {
    let written = async {
        loop {
            match fs::read_to_string(path) {
                Ok(text) if text.ends_with('\n') => return text.trim_end().to_owned(),
                _ => plane.sleep(Duration::from_millis(2)).await,
            }
        }
    };
    soon(plane, "a line in a file", written).await
}

/// State letter of a process; `None` if there is no such process.
fn state(pid: &str) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

#[test]
fn an_end_is_told_as_it_was() {
    on_a_plane(|plane| async move {
        for (script, end) in [
            ("exit 0", Exit::Status(0)),
            ("exit 255", Exit::Status(255)),
            ("kill -KILL $$", Exit::Signal(libc::SIGKILL)),
        ] {
            let mut child = processes(&plane).spawn(&shell(script)).unwrap();
            assert_eq!(exit(&plane, &mut child).await, end, "{script}");
            assert_eq!(exit(&plane, &mut child).await, end, "asked again");
            child.kill(Kill::Kill);
        }
    });
}

#[test]
fn what_cannot_be_executed_is_an_error() {
    on_a_plane(|plane| async move {
        let directory = tempfile::tempdir().unwrap();
        let plain = directory.path().join("plain");
        fs::write(&plain, "#!/bin/sh\n").unwrap();
        for (program, errno) in
            [("/nonexistent", libc::ENOENT), ("/", libc::EACCES), (plain.to_str().unwrap(), libc::EACCES)]
        {
            let command =
                Command { program: program.to_owned(), argv: vec!["x".to_owned()], credentials: None };
            let error = processes(&plane).spawn(&command).err().unwrap();
            assert_eq!(error.source.raw_os_error(), Some(errno), "{error}");
            assert!(error.to_string().starts_with(&format!("cannot execute {program}: ")));
        }
    });
}

#[test]
fn a_kill_reaches_the_whole_group() {
    on_a_plane(|plane| async move {
        for (how, signal) in [(Kill::Terminate, libc::SIGTERM), (Kill::Kill, libc::SIGKILL)] {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("pid");
            let script = format!("sleep 1000 & echo $! > {}; wait", file.display());
            let mut child = processes(&plane).spawn(&shell(&script)).unwrap();
            let grandchild = line(&plane, &file).await;
            child.kill(how);
            assert_eq!(exit(&plane, &mut child).await, Exit::Signal(signal));
            gone(&plane, &grandchild).await;
        }
    });
}

/// Waits until `pid` runs no more. Whoever adopted it may not reap it.
async fn gone(plane: &Plane, pid: &str) {
    let gone = async {
        while !matches!(state(pid), None | Some('Z' | 'X')) {
            plane.sleep(Duration::from_millis(2)).await;
        }
    };
    soon(plane, "the end of a process", gone).await;
}

#[test]
fn who_minds_no_signal_is_ended_after_its_leader() {
    on_a_plane(|plane| async move {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pid");
        let script = format!("(trap '' TERM; exec sleep 1000) & echo $! > {}; wait", file.display());
        let mut child = processes(&plane).spawn(&shell(&script)).unwrap();
        let deaf = line(&plane, &file).await;
        ignores_sigterm(&plane, &deaf).await;
        child.kill(Kill::Terminate);
        assert_eq!(exit(&plane, &mut child).await, Exit::Signal(libc::SIGTERM));
        assert!(!matches!(state(&deaf), None | Some('Z' | 'X')), "it has its time");
        drop(child);
        gone(&plane, &deaf).await;
    });
}

#[test]
fn who_was_not_told_to_end_may_stay() {
    on_a_plane(|plane| async move {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}", file.display());
        let mut child = processes(&plane).spawn(&shell(&script)).unwrap();
        let left = line(&plane, &file).await;
        assert_eq!(exit(&plane, &mut child).await, Exit::Status(0));
        // Its number is free: a signal would reach somebody else.
        child.kill(Kill::Kill);
        drop(child);
        assert!(!matches!(state(&left), None | Some('Z' | 'X')), "as with stock");
        let left = nix::unistd::Pid::from_raw(left.parse().unwrap());
        nix::sys::signal::kill(left, nix::sys::signal::Signal::SIGKILL).unwrap();
    });
}

/// Waits until `pid` ignores `SIGTERM`.
async fn ignores_sigterm(plane: &Plane, pid: &str) {
    let ignores = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        let set = u64::from_str_radix(set.trim(), 16).ok()?;
        Some(set >> (libc::SIGTERM - 1) & 1 == 1)
    };
    let ignored = async {
        while ignores() != Some(true) {
            plane.sleep(Duration::from_millis(2)).await;
        }
    };
    soon(plane, "a signal that is ignored", ignored).await;
}

#[test]
fn a_forgotten_child_goes_on_and_is_reaped() {
    on_a_plane(|plane| async move {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pid");
        let script = format!("sleep 0.05; echo $$ > {}", file.display());
        drop(processes(&plane).spawn(&shell(&script)).unwrap());
        let pid = line(&plane, &file).await;
        let reaped = async {
            while state(&pid).is_some() {
                plane.sleep(Duration::from_millis(2)).await;
            }
        };
        soon(&plane, "reaping", reaped).await;
    });
}

#[test]
fn a_script_starts_clean() {
    on_a_plane(|plane| async move {
        // A descriptor that somebody forgot to mark, and an ignored and a blocked signal.
        let null = fs::File::open("/dev/null").unwrap();
        let leaked = nix::unistd::dup(&null).unwrap();
        let mut mask = nix::sys::signal::SigSet::empty();
        mask.add(nix::sys::signal::Signal::SIGUSR2);
        mask.thread_block().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("out");
        let read = |name: &'static str| {
            let (file, mut command) = (file.clone(), shell(""));
            command.argv[2] = format!("exec > {}; {name}; echo", file.display());
            command
        };
        let mut child = processes(&plane).spawn(&read("cat /proc/self/status")).unwrap();
        exit(&plane, &mut child).await;
        let status = fs::read_to_string(&file).unwrap();
        for set in ["SigBlk:", "SigIgn:", "SigCgt:"] {
            let line = status.lines().find_map(|line| line.strip_prefix(set)).unwrap();
            let signals = u64::from_str_radix(line.trim(), 16).unwrap();
            // 32 and 33 belong to libc, which lets nobody touch them.
            assert_eq!(signals & !(0b11 << 31), 0, "{set}{line}");
        }
        let mut child = processes(&plane).spawn(&read("readlink /proc/$$/fd/*")).unwrap();
        exit(&plane, &mut child).await;
        let files = fs::read_to_string(&file).unwrap();
        let files: Vec<_> = files.split_whitespace().collect();
        assert_eq!(files, ["/dev/null", file.to_str().unwrap(), "/dev/null"]);
        drop(leaked);
    });
}

#[test]
fn credentials_are_taken_on_with_the_groups_that_they_have() {
    on_a_plane(|plane| async move {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("out");
        fs::write(&file, "").unwrap();
        std::os::unix::fs::chown(&file, Some(65534), Some(12345)).unwrap();
        std::os::unix::fs::chown(directory.path(), Some(65534), None).unwrap();
        let mut command =
            shell(&format!("grep -E '^(Uid|Gid|Groups)' /proc/self/status > {}", file.display()));
        for (groups, told) in [(vec![], "Groups:"), (vec![11, 12], "Groups:\t11 12")] {
            command.credentials = Some(Credentials { uid: 65534, gid: 12345, groups });
            let mut child = processes(&plane).spawn(&command).unwrap();
            assert_eq!(exit(&plane, &mut child).await, Exit::Status(0));
            let status: Vec<_> =
                fs::read_to_string(&file).unwrap().lines().map(|l| l.trim_end().to_owned()).collect();
            let (uid, gid) = ("Uid:\t65534\t65534\t65534\t65534", "Gid:\t12345\t12345\t12345\t12345");
            assert_eq!(status, [uid, gid, told]);
        }
    });
}

#[test]
fn a_script_does_not_survive_its_daemon() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    let script = format!("echo $$ > {}; exec sleep 1000", file.display());
    let copy = file.clone();
    // The end of the thread that started it is to the kernel the end of its parent.
    on_a_plane(|plane| async move {
        processes(&plane).spawn(&shell(&script)).unwrap();
        line(&plane, &copy).await;
    });
    on_a_plane(move |plane| async move {
        let pid = line(&plane, &file).await;
        let gone = async {
            while !matches!(state(&pid), None | Some('Z' | 'X')) {
                plane.sleep(Duration::from_millis(2)).await;
            }
        };
        soon(&plane, "the end of the script", gone).await;
    });
}

#[test]
fn a_fifo_nobody_writes_to_can_be_opened() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRUSR).unwrap();
    on_a_plane(move |plane| async move {
        processes(&plane).open_for_reading(&fifo).unwrap();
        assert!(processes(&plane).open_for_reading(&directory.path().join("none")).is_err());
    });
}

#[test]
fn programs_get_the_limit_of_open_files_that_the_daemon_was_started_with() {
    on_a_plane(|plane| async move {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("limit");
        let script = format!("ulimit -n >{}", file.display());
        let files = libc::rlimit { rlim_cur: 77, rlim_max: 78 };
        // Which may be less than the daemon has, and than it had itself.
        let processes =
            LocalProcesses { plane: plane.clone(), original: Some(Original { files, ..Original::read() }) };
        let mut child = processes.spawn(&shell(&script)).unwrap();
        assert_eq!(exit(&plane, &mut child).await, Exit::Status(0));
        assert_eq!(line(&plane, &file).await, "77");
    });
}
