//! Log lines: a subscriber that puts what a simulated process says into the records of its world.
//!
//! It is installed for the thread only while a process of the world is polled, so worlds on several threads and
//! the test's own logging do not see each other.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::rc::Rc;

use tracing::field::{Field, Visit};
use tracing::span;
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

use super::NodeId;
use super::observe::{Record, What};
use super::state::Shared;

thread_local! {
    /// Whose lines are being written on this thread, and from which level on.
    static SPEAKER: RefCell<Option<(Shared, NodeId, Level)>> = const { RefCell::new(None) };
    /// Subscribers register with a table of the whole program; one a thread is enough.
    static DISPATCH: Dispatch = Dispatch::new(Capture);
}

/// Runs `f`, which is `node` speaking.
pub(super) fn speaking<T>(world: &Shared, node: NodeId, f: impl FnOnce() -> T) -> T {
    /// Ends the speech even if `f` panics.
    struct Silence;
    impl Drop for Silence {
        fn drop(&mut self) {
            SPEAKER.with_borrow_mut(|speaker| *speaker = None);
        }
    }

    let level = world.borrow().log_level;
    SPEAKER.with_borrow_mut(|speaker| *speaker = Some((Rc::clone(world), node, level)));
    let _silence = Silence;
    let dispatch = DISPATCH.with(Dispatch::clone);
    tracing::dispatcher::with_default(&dispatch, f)
}

struct Capture;

impl Subscriber for Capture {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // Which level is wanted differs from world to world.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        SPEAKER.with_borrow(|speaker| {
            speaker.as_ref().is_some_and(|(_, _, level)| metadata.is_event() && metadata.level() <= level)
        })
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        SPEAKER.with_borrow(|speaker| {
            if let Some((world, node, _)) = speaker {
                let level = *event.metadata().level();
                let mut world = world.borrow_mut();
                let at = world.now;
                let text = line.message + &line.fields;
                world.records.push(Record { at, node: Some(*node), what: What::Log { level, text } });
            }
        });
    }

    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// The message, and behind it the other fields as ` name=value`.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            // The message says these, too.
            "instance" | "interface" | "state" | "priority" => Ok(()),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
