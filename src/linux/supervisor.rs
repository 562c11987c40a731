//! The service manager: `sd_notify(3)`. Without `NOTIFY_SOCKET` in the environment nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::host::Supervisor;

/// systemd, or whoever speaks its protocol.
#[derive(Clone, Copy, Debug)]
pub(super) struct Systemd;

impl Supervisor for Systemd {
    fn ready(&self) {
        notify(&[NotifyState::Ready, NotifyState::MainPid(std::process::id())]);
    }

    fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => notify(&[NotifyState::Reloading, now]),
            Err(_) => notify(&[NotifyState::Reloading]),
        }
    }

    fn status(&self, text: &str) {
        // A line feed would end it, and begin another message.
        notify(&[NotifyState::Status(&text.replace(char::is_control, " "))]);
    }

    fn stopping(&self) {
        notify(&[NotifyState::Stopping]);
    }

    fn watchdog(&self) -> Option<Duration> {
        // It names the process that it watches: one that has gone into the background is another.
        sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero())
    }

    fn alive(&self) {
        notify(&[NotifyState::Watchdog]);
    }
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!("cannot notify the service manager: {error}");
    }
}
