//! What an instance tells of itself to those who ask.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::event::Change;
use super::machine::Snapshot;
use crate::base::{InstanceId, Instant};

/// A question.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Where the answer goes.
    pub reply: UnboundedSender<Observed>,
    /// Whether the last changes are wanted as well.
    pub history: bool,
    /// Whether the counters begin anew behind the answer.
    pub clear: bool,
}

impl Ask {
    /// Answers it.
    pub(super) fn answer(&self, observed: Observed) {
        // Whoever asked may have stopped waiting.
        let _ = self.reply.send(observed);
    }
}

impl PartialEq for Ask {
    fn eq(&self, other: &Self) -> bool {
        let same = self.reply.same_channel(&other.reply);
        same && (self.history, self.clear) == (other.history, other.clear)
    }
}

impl Eq for Ask {}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Which instance.
    pub id: InstanceId,
    /// When it answered.
    pub at: Instant,
    /// That moment since 1970.
    pub unix_time: Duration,
    /// When it came into the state it is in, since 1970.
    pub since: Duration,
    /// Where its adverts come from.
    pub source: Option<IpAddr>,
    /// What its machine shows.
    pub snapshot: Snapshot,
    /// The last changes, oldest first, if they were asked for.
    pub history: Vec<Change>,
}

impl Observed {
    /// A moment near the answer, since 1970.
    pub fn unix(&self, at: Instant) -> Duration {
        let ahead = at.saturating_since(self.at);
        (self.unix_time + ahead).saturating_sub(self.at.saturating_since(at))
    }
}
