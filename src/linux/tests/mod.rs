//! The ports on the real kernel, in network namespaces of their own. They need root and the Debian package
//! `iproute2`.

mod files;
mod host;
mod kernel;
mod link;
mod net;
mod process;
mod process_table;
mod scheduling;
mod timer;
mod tls;

use std::future::Future;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};

use super::plane::{Waking, on_plane};
use crate::host::Plane;

/// How long something that must happen may take. Nothing is measured with it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `test` on a thread of its own, in a runtime like a plane's.
fn on_a_plane<F: Future<Output = ()>>(test: impl FnOnce(Plane) -> F + Send + 'static) {
    on_a_thread(move || on_this_thread(test));
}

/// The same in a new network namespace with the interfaces va and vb, which are connected to each other.
fn in_a_namespace<F: Future<Output = ()>>(test: impl FnOnce(Plane) -> F + Send + 'static) {
    on_a_thread(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("this test makes a network namespace: run it as root");
        ip("link set lo up");
        ip("link add va address 02:00:00:00:00:0a type veth peer name vb address 02:00:00:00:00:0b");
        for command in ["link set va up", "link set vb up", "addr add 10.9.0.1/24 dev va"] {
            ip(command);
        }
        on_this_thread(test);
    });
}

fn on_a_thread(body: impl FnOnce() + Send + 'static) {
    if let Err(panic) = std::thread::spawn(body).join() {
        std::panic::resume_unwind(panic);
    }
}

fn on_this_thread<F: Future<Output = ()>>(test: impl FnOnce(Plane) -> F) {
    let run = async |plane| {
        test(plane).await;
        Ok(())
    };
    on_plane(Waking::AtOnce, None, run).unwrap();
}

/// Runs `ip` with these arguments in the namespace of this thread.
fn ip(arguments: &str) {
    ip_batch(arguments.split_whitespace(), "");
}

/// Runs `ip` with these arguments and this input.
fn ip_batch<'a>(arguments: impl Iterator<Item = &'a str>, input: &str) {
    use std::io::Write as _;
    let arguments: Vec<_> = arguments.collect();
    let mut command = Command::new("ip");
    let mut child = command
        .args(&arguments)
        .stdin(Stdio::piped())
        .spawn()
        .expect("these tests run `ip`: install the Debian package iproute2");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "ip {arguments:?} failed");
}

/// What `future` gives; panics if it does not come.
async fn soon<T>(plane: &Plane, what: &str, future: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        value = future => value,
        () = plane.sleep(PATIENCE) => panic!("{what} did not happen"),
    }
}

/// Median and 99th percentile, in the unit of `samples`.
fn quantiles(mut samples: Vec<u128>) -> (u128, u128) {
    samples.sort_unstable();
    (samples[samples.len() / 2], samples[samples.len() * 99 / 100])
}
