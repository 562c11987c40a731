//! The signals the daemon gets.

use std::task::{Context, Poll};

use tokio::signal::unix::{self, SignalKind};

use crate::host::{Error, Signal, Signals};

/// Handlers of this process, in the order they are asked, and what their signals mean, if anything.
pub(super) struct ProcessSignals(Vec<(unix::Signal, Option<Signal>)>);

impl ProcessSignals {
    /// Installs the handlers. With `ignore_sigint`, `SIGINT` means nothing.
    ///
    /// # Errors
    /// The system refused one.
    pub(super) fn install(ignore_sigint: bool) -> Result<Self, Error> {
        let wanted = [
            (SignalKind::terminate(), Some(Signal::Stop)),
            (SignalKind::interrupt(), (!ignore_sigint).then_some(Signal::Stop)),
            (SignalKind::hangup(), Some(Signal::Reload)),
            (SignalKind::user_defined1(), Some(Signal::Data)),
            (SignalKind::user_defined2(), Some(Signal::Stats)),
            (SignalKind::from_raw(libc::SIGRTMAX() - 1), Some(Signal::StatsClear)),
            (SignalKind::from_raw(libc::SIGRTMIN() + 2), Some(Signal::Json)),
        ];
        let handlers = wanted.into_iter().map(|(kind, meaning)| {
            let handler =
                unix::signal(kind).map_err(|e| Error::new("handle signal", kind.as_raw_value(), e))?;
            Ok((handler, meaning))
        });
        handlers.collect::<Result<_, _>>().map(Self)
    }
}

impl Signals for ProcessSignals {
    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Signal> {
        for (handler, meaning) in &mut self.0 {
            while let Poll::Ready(Some(())) = handler.poll_recv(cx) {
                if let Some(meaning) = *meaning {
                    return Poll::Ready(meaning);
                }
            }
        }
        Poll::Pending
    }
}
