//! The signals the daemon gets.

use std::task::{Context, Poll};

use tokio::signal::unix::{self, SignalKind};

use crate::host::{Error, Signal, Signals};

/// Handlers of this process, in the order they are asked, and what their signals mean, if anything.
pub(super) struct ProcessSignals {
    requests: Vec<(unix::Signal, Option<Signal>)>,
    /// `SIGXCPU`: a real-time thread has gone on for too long (`RLIMIT_RTTIME`). By default it ends the process.
    overrun: unix::Signal,
}

impl ProcessSignals {
    /// Installs the handlers. With `ignore_sigint`, `SIGINT` means nothing.
    ///
    /// # Errors
    /// The system refused one.
    pub(super) fn install(ignore_sigint: bool) -> Result<Self, Error> {
        let wanted = [
            (SignalKind::terminate(), Some(Signal::Stop)),
            (SignalKind::interrupt(), (!ignore_sigint).then_some(Signal::Stop)),
            (SignalKind::from_raw(libc::SIGRTMIN() + 5), Some(Signal::HandOver)),
            (SignalKind::hangup(), Some(Signal::Reload)),
            (SignalKind::user_defined1(), Some(Signal::Data)),
            (SignalKind::user_defined2(), Some(Signal::Stats)),
            (SignalKind::from_raw(libc::SIGRTMAX() - 1), Some(Signal::StatsClear)),
            (SignalKind::from_raw(libc::SIGRTMIN() + 2), Some(Signal::Json)),
        ];
        let handler = |kind: SignalKind| {
            unix::signal(kind).map_err(|e| Error::new("handle signal", kind.as_raw_value(), e))
        };
        let requests = wanted.into_iter().map(|(kind, meaning)| Ok((handler(kind)?, meaning)));
        Ok(Self {
            requests: requests.collect::<Result<_, Error>>()?,
            overrun: handler(SignalKind::from_raw(libc::SIGXCPU))?,
        })
    }
}

impl Signals for ProcessSignals {
    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Signal> {
        for (handler, meaning) in &mut self.requests {
            while let Poll::Ready(Some(())) = handler.poll_recv(cx) {
                if let Some(meaning) = *meaning {
                    return Poll::Ready(meaning);
                }
            }
        }
        while let Poll::Ready(Some(())) = self.overrun.poll_recv(cx) {
            tracing::warn!(target: "vrrp", "A real-time thread ran without a pause for longer than vrrp_rlimit_rttime (SIGXCPU)");
        }
        Poll::Pending
    }
}
