//! Who wants to know about something tracked.

use tokio::sync::mpsc::UnboundedSender;

use crate::plan::{Plan, Subject};
use crate::vrrp::instance::Control;
use crate::vrrp::tracking::Status;

/// Instances, and under which index each of them tracks it.
#[derive(Clone, Debug, Default)]
pub struct Listeners(Vec<(UnboundedSender<Control>, usize)>);

impl Listeners {
    /// The instances of `plan` that track what `is_it` says; `controls` are their inboxes, in the plan's order.
    pub fn of(plan: &Plan, controls: &[UnboundedSender<Control>], is_it: impl Fn(&Subject) -> bool) -> Self {
        let mut listeners = Vec::new();
        for (instance, control) in plan.instances.iter().zip(controls) {
            let tracks = instance.tracks.iter().enumerate().filter(|(_, track)| is_it(&track.what));
            listeners.extend(tracks.map(|(index, _)| (control.clone(), index)));
        }
        Self(listeners)
    }

    /// Tells them what is known now.
    pub fn tell(&self, status: Status) {
        for (listener, index) in &self.0 {
            // An instance that is gone needs no news.
            let _ = listener.send(Control::Tracked(*index, status));
        }
    }

    /// Tells them whether it is good.
    pub fn tell_good(&self, good: bool) {
        self.tell(if good { Status::Good } else { Status::Bad });
    }
}
