//! The signals the daemon gets.

use std::task::{Context, Poll};

use tokio::signal::unix::{self, SignalKind};

use crate::host::{Error, Signal, Signals};

/// Handlers of this process, in the order they are asked.
pub(super) struct ProcessSignals(Vec<(unix::Signal, Signal)>);

impl ProcessSignals {
    /// Installs the handlers.
    ///
    /// # Errors
    /// The system refused one.
    pub(super) fn install() -> Result<Self, Error> {
        let wanted = [
            (SignalKind::terminate(), Signal::Stop),
            (SignalKind::interrupt(), Signal::Stop),
            (SignalKind::hangup(), Signal::Reload),
            (SignalKind::user_defined1(), Signal::Data),
            (SignalKind::user_defined2(), Signal::Stats),
            (SignalKind::from_raw(libc::SIGRTMAX() - 1), Signal::StatsClear),
            (SignalKind::from_raw(libc::SIGRTMIN() + 2), Signal::Json),
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
            if let Poll::Ready(Some(())) = handler.poll_recv(cx) {
                return Poll::Ready(*meaning);
            }
        }
        Poll::Pending
    }
}
