//! The host as a whole. Handlers of signals, environment and the number of threads belong to a process, so these
//! tests run in processes of their own: each starts the test program again for itself alone.

use std::future::poll_fn;
use std::io::Read as _;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;
use std::{env, fs};

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal as Number, raise};
use tokio::sync::oneshot;

use crate::host::{self, Exit, KernelEvent, Signal};
use crate::linux::daemonize::daemonize;
use crate::linux::{Options, run};

/// Set in the process of a test: where it may leave files.
const DIRECTORY: &str = "KEEPALIVED_RS_TEST_DIRECTORY";

/// In a process of its own: that process's directory. Otherwise runs this test, of that name, there, with
/// `prepare` applied to the command, and gives `None` when it has passed.
fn own_process(name: &str, prepare: impl FnOnce(&mut Command, &PathBuf)) -> Option<PathBuf> {
    if let Some(directory) = env::var_os(DIRECTORY) {
        return Some(directory.into());
    }
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", &format!("linux::tests::host::{name}"), "--nocapture"]);
    command.env(DIRECTORY, directory.path());
    prepare(&mut command, &directory.path().to_owned());
    let output = command.output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("test result: ok. 1 passed"), "{said}");
    None
}

#[test]
fn both_planes_run_and_end() {
    if own_process("both_planes_run_and_end", |_, _| {}).is_none() {
        return;
    }
    unshare(CloneFlags::CLONE_NEWNET).expect("this test makes a network namespace: run it as root");
    let status = run(Options::default(), |host| {
        Box::pin(async move {
            let (tell, told) = oneshot::channel();
            let fast = (host.start_fast)(Box::new(move |mut fast| {
                Box::pin(async move {
                    let thread = std::thread::current().name().map(str::to_owned);
                    let first = poll_fn(|cx| fast.events.poll_event(cx)).await;
                    let (done, spawned) = oneshot::channel();
                    let plane = fast.plane.clone();
                    let task = async move {
                        plane.sleep(Duration::from_millis(1)).await;
                        let _ = done.send(plane.now());
                    };
                    fast.plane.tasks.spawn("one", Box::pin(task));
                    fast.plane.tasks.spawn("two", Box::pin(async { panic!("this is meant to be seen") }));
                    let later = spawned.await.unwrap();
                    // A task that never ends holds the writer, and does not hold up the end.
                    let writer = Rc::clone(&fast.writer);
                    fast.plane.tasks.spawn(
                        "three",
                        Box::pin(async move {
                            std::future::pending::<()>().await;
                            drop(writer);
                        }),
                    );
                    tell.send((thread, first, later)).unwrap();
                })
            }));
            fast.unwrap().await;
            let (thread, first, later) = told.await.unwrap();
            assert_eq!(thread.as_deref(), Some("vrrp"));
            assert!(
                matches!(first, KernelEvent::Resync(dump) if dump.links.len() == 1),
                "lo is all there is"
            );
            assert!(later <= host.slow.now(), "the planes share a clock");
            7
        })
    });
    assert_eq!(status.unwrap(), 7);
    assert_eq!(
        fs::read_dir("/proc/self/task")
            .unwrap()
            .filter(|entry| {
                let name =
                    fs::read_to_string(entry.as_ref().unwrap().path().join("comm")).unwrap_or_default();
                ["vrrp", "netlink"].contains(&name.trim_end())
            })
            .count(),
        0,
        "threads are left over"
    );
}

#[test]
fn signals_come_as_what_they_mean() {
    if own_process("signals_come_as_what_they_mean", |_, _| {}).is_none() {
        return;
    }
    let meanings = [
        (libc::SIGTERM, Signal::Stop),
        (libc::SIGINT, Signal::Stop),
        (libc::SIGHUP, Signal::Reload),
        (libc::SIGUSR1, Signal::Data),
        (libc::SIGUSR2, Signal::Stats),
        (libc::SIGRTMAX() - 1, Signal::StatsClear),
        (libc::SIGRTMIN() + 2, Signal::Json),
    ];
    let status = run(Options::default(), move |mut host| {
        Box::pin(async move {
            for (number, meaning) in meanings {
                // SAFETY: no pointers.
                assert_eq!(unsafe { libc::raise(number) }, 0);
                assert_eq!(poll_fn(|cx| host.signals.poll_signal(cx)).await, meaning, "signal {number}");
            }
            // Of a reload and a stop at once, the stop is served first.
            raise(Number::SIGHUP).unwrap();
            raise(Number::SIGTERM).unwrap();
            host.slow.sleep(Duration::from_millis(20)).await;
            assert_eq!(poll_fn(|cx| host.signals.poll_signal(cx)).await, Signal::Stop);
            0
        })
    });
    assert_eq!(status.unwrap(), 0);
}

#[test]
fn sigint_can_be_ignored() {
    if own_process("sigint_can_be_ignored", |_, _| {}).is_none() {
        return;
    }
    let status = run(Options { ignore_sigint: true, ..Options::default() }, |mut host| {
        Box::pin(async move {
            raise(Number::SIGINT).unwrap();
            host.slow.sleep(Duration::from_millis(20)).await;
            raise(Number::SIGUSR1).unwrap();
            assert_eq!(poll_fn(|cx| host.signals.poll_signal(cx)).await, Signal::Data);
            0
        })
    });
    assert_eq!(status.unwrap(), 0);
}

#[test]
fn the_service_manager_is_told() {
    let name = "the_service_manager_is_told";
    let socket = |directory: &PathBuf| directory.join("notify");
    let prepare = |command: &mut Command, directory: &PathBuf| {
        command.env("NOTIFY_SOCKET", socket(directory));
    };
    let Some(directory) = own_process(name, prepare) else { return };
    let manager = UnixDatagram::bind(socket(&directory)).unwrap();
    let status = run(Options::default(), |host| {
        Box::pin(async move {
            host.supervisor.ready();
            host.supervisor.stopping();
            0
        })
    });
    assert_eq!(status.unwrap(), 0);
    for expected in [format!("READY=1\nMAINPID={}\n", std::process::id()), "STOPPING=1\n".to_owned()] {
        let mut buf = [0; 256];
        let len = manager.recv(&mut buf).unwrap();
        assert_eq!(String::from_utf8_lossy(&buf[..len]), expected);
    }
}

#[test]
fn what_would_mislead_a_script_is_not_handed_down() {
    let prepare = |command: &mut Command, _: &PathBuf| {
        command
            .env("IFS", "x")
            .env("LD_LIBRARY_PATH", "/nonexistent")
            .env("LD_PRELOAD", "")
            .env("OTHER", "y");
    };
    let Some(directory) = own_process("what_would_mislead_a_script_is_not_handed_down", prepare) else {
        return;
    };
    let file = directory.join("environment");
    let script = format!("cat /proc/$$/environ > {}", file.display());
    let argv = ["sh", "-c", &script].map(str::to_owned).into();
    let status = run(Options::default(), |host| {
        Box::pin(async move {
            let command = host::Command { program: "/bin/sh".to_owned(), argv, credentials: None };
            let mut child = host.processes.spawn(&command).unwrap();
            assert_eq!(poll_fn(|cx| child.poll_exit(cx)).await, Exit::Status(0));
            0
        })
    });
    assert_eq!(status.unwrap(), 0);
    let environment = fs::read_to_string(file).unwrap();
    let variables: Vec<_> = environment.split('\0').collect();
    assert!(variables.contains(&"OTHER=y"));
    for hidden in ["IFS=", "LD_PRELOAD=", "LD_LIBRARY_PATH="] {
        assert!(!variables.iter().any(|variable| variable.starts_with(hidden)), "{environment}");
    }
}

#[test]
fn a_daemon_has_left_its_terminal_and_directory() {
    if own_process("a_daemon_has_left_its_terminal_and_directory", |_, _| {}).is_none() {
        return;
    }
    let (mut here, there) = UnixStream::pair().unwrap();
    // A child of one thread only, as `main` is when it starts.
    // SAFETY: the child calls nothing that needs a lock another thread may have held: the allocator's are the
    // only ones, and glibc takes care of those.
    match unsafe { nix::unistd::fork() }.unwrap() {
        nix::unistd::ForkResult::Child => {
            drop(here);
            let result = daemonize();
            let links =
                ["fd/0", "fd/1", "fd/2", "cwd"].map(|name| fs::read_link(format!("/proc/self/{name}")).ok());
            let leader = nix::unistd::getsid(None) == Ok(nix::unistd::getpid());
            let report = format!("{result:?} {links:?} {leader}");
            let _ = std::io::Write::write_all(&mut &there, report.as_bytes());
            // SAFETY: ends the process.
            unsafe { libc::_exit(0) }
        }
        nix::unistd::ForkResult::Parent { child } => {
            drop(there);
            let mut report = String::new();
            here.read_to_string(&mut report).unwrap();
            let null = "Some(\"/dev/null\")";
            assert_eq!(report, format!("Ok(()) [{null}, {null}, {null}, Some(\"/\")] false"));
            let status = nix::sys::wait::waitpid(child, None).unwrap();
            assert_eq!(status, nix::sys::wait::WaitStatus::Exited(child, 0), "the process in front");
        }
    }
}

#[test]
fn outside_a_service_nothing_is_told_and_a_host_needs_no_privileges() {
    let name = "outside_a_service_nothing_is_told_and_a_host_needs_no_privileges";
    let prepare = |command: &mut Command, _: &PathBuf| {
        command.env_remove("NOTIFY_SOCKET");
    };
    if own_process(name, prepare).is_none() {
        return;
    }
    nix::unistd::setgid(65534.into()).unwrap();
    nix::unistd::setuid(65534.into()).unwrap();
    let status = run(Options::default(), |host| {
        Box::pin(async move {
            host.supervisor.ready();
            // Signals and timers are there already; what needs privileges is refused with a reason.
            let refused = (host.start_fast)(Box::new(|_| Box::pin(async {})));
            let error = refused.err().unwrap();
            assert_eq!(error.source.raw_os_error(), Some(libc::EPERM), "{error}");
            0
        })
    });
    assert_eq!(status.unwrap(), 0);
}
