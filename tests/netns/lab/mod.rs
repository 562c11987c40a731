//! A laboratory of routers on a LAN, made of network namespaces.
//!
//! A [`Lan`] is a bridge in a namespace of its own. A [`Router`] has a network, process and mount namespace, a
//! private `/etc`, `/run`, `/tmp` and `/usr/local`, and a port on the bridge for each of its interfaces. What
//! crosses the bridge is seen by a [`Capture`] with the kernel's own timestamps, and [`inject`] puts crafted
//! packets onto it. Nothing touches the host's interfaces or files, and all of it goes when the owning value is
//! dropped or its process dies, for whatever reason.

#![allow(
    dead_code,
    unused_imports,
    reason = "shared by the tests and the benches, and each uses most of it but not all"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "it runs beside real daemons in real time: clocks are its own to read"
)]

mod capture;
mod daemon;
mod inject;
mod namespace;
mod packet;
mod router;

use std::time::{Duration, Instant};

pub use capture::Capture;
pub use daemon::{Daemon, Kind};
pub use inject::inject;
pub use namespace::{Holder, Namespace};
pub use packet::{Advert, Garp, Packet, checksum};
pub use router::{Address, Lan, Router};

/// How long a condition may take to come true. It costs time only when a test fails, so it is generous: the
/// slowest transition any test waits for takes 5 seconds.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Polls `condition` until it yields something; panics naming `what` after [`LIMIT`].
#[track_caller]
pub fn wait_for<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    wait_longer(LIMIT, what, condition)
}

/// Polls `condition` until it yields something; panics naming `what` after `limit`.
#[track_caller]
pub fn wait_longer<T>(limit: Duration, what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(start.elapsed() < limit, "gave up waiting until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// As [`wait_for`], for a condition that is true or not.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}
