//! The log: what becomes of tracing events.
//!
//! A line is the event's message and nothing else, because people's tools match on stock's wording; only a field
//! `cause` is shown behind it, in parentheses. With `-D -D` every other field follows as `key=value`.
//!
//! | option | shown | stock has there |
//! |---|---|---|
//! | – | ERROR, WARN, INFO | what it logs always |
//! | `-D` | DEBUG | its detail |
//! | `-D -D` | TRACE | – |
//!
//! Who logs must never wait for who reads: after [`Log::detach`] a thread of its own writes, and when its queue is
//! full, lines are dropped, counted, and the loss is logged.

use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::SetGlobalDefaultError;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

#[cfg(test)]
mod tests;

/// Lines that may wait for the writer: a burst of 1,000 instances in detail.
const QUEUE: usize = 16_384;

/// How long the end of the program waits for the writer.
const PATIENCE: Duration = Duration::from_secs(1);

/// A finished line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it was logged.
    pub time: Timestamp,
    /// Syslog severity (RFC 5424 table 2): 3 error, 4 warning, 6 information, 7 debug.
    pub severity: u8,
    /// Name of the part that logs: `Keepalived`, or `Keepalived_vrrp` for what stock's VRRP process does.
    pub ident: &'static str,
    /// The text, on one line: control characters are escaped.
    pub text: String,
    /// What the text says, by the names in [`FIELDS`], escaped too; nothing if no sink wants it.
    pub fields: Vec<(&'static str, String)>,
}

/// Fields of events that a sink may want beside the text, which has them already. All but `cause` are about VRRP.
pub const FIELDS: [&str; 5] = ["instance", "interface", "state", "priority", "cause"];

/// Where lines go. Failures are the sink's own business: there is nowhere to report them.
pub trait Sink: Send {
    /// Writes one line.
    fn write(&mut self, line: &Line);

    /// From now on [`Line::ident`] is followed by `suffix`, if this sink shows it.
    fn rename(&mut self, suffix: &str) {
        let _ = suffix;
    }

    /// Whether it has a use for [`Line::fields`].
    fn wants_fields(&self) -> bool {
        false
    }
}

impl<F: FnMut(&Line) + Send> Sink for F {
    fn write(&mut self, line: &Line) {
        self(line);
    }
}

/// Lines as stock writes them to its console: `Sat Nov 21 08:32:24 2026: message`, in local time.
pub struct Console<W> {
    out: W,
    zone: TimeZone,
}

impl Console<io::Stderr> {
    /// On stderr, in the local time zone.
    pub fn stderr() -> Self {
        Self::new(io::stderr())
    }
}

impl<W: Write> Console<W> {
    /// On `out`, in the local time zone.
    pub fn new(out: W) -> Self {
        Self { out, zone: TimeZone::system() }
    }
}

/// The [`Line::ident`] of what stock's VRRP process says.
pub const VRRP: &str = "Keepalived_vrrp";

impl<W: Write + Send> Sink for Console<W> {
    fn write(&mut self, line: &Line) {
        let time = line.time.to_zoned(self.zone.clone());
        // One write for the whole line, so that lines of several processes do not mix.
        let text = format!("{}: {}\n", time.strftime("%a %b %e %H:%M:%S %Y"), line.text);
        let _ = self.out.write_all(text.as_bytes());
    }
}

/// Makes the log the program's one log. `detail` counts the `-D`.
///
/// # Errors
/// There is one already.
pub fn init(
    detail: u8,
    clock: fn() -> Timestamp,
    sinks: Vec<Box<dyn Sink>>,
) -> Result<Log, SetGlobalDefaultError> {
    let (subscriber, log) = subscriber(detail, clock, sinks);
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(log)
}

/// The subscriber that [`init`] installs, and the handle to it.
fn subscriber(
    detail: u8,
    clock: fn() -> Timestamp,
    sinks: Vec<Box<dyn Sink>>,
) -> (impl Subscriber + Send + Sync, Log) {
    let with_fields = sinks.iter().any(|sink| sink.wants_fields());
    let outlet = Outlet {
        route: Mutex::new(Route::Direct(sinks)),
        waiting: AtomicUsize::new(0),
        lost: AtomicUsize::new(0),
    };
    let outlet = Arc::new(outlet);
    let layer = LogLayer { detail, with_fields, clock, outlet: outlet.clone() };
    (Registry::default().with(layer), Log { outlet, ended: None })
}

/// The handle to the log.
pub struct Log {
    outlet: Arc<Outlet>,
    /// Disconnected when the writer has ended.
    ended: Option<Receiver<()>>,
}

impl Log {
    /// From now on what names its lines by [`Line::ident`] puts `suffix` behind it. Has no effect after [`Log::detach`].
    pub fn rename(&mut self, suffix: &str) {
        if let Route::Direct(sinks) = &mut *self.outlet.route() {
            sinks.iter_mut().for_each(|sink| sink.rename(suffix));
        }
    }

    /// From now on a thread of its own writes. Not before the program has become a daemon: threads do not survive
    /// a fork.
    ///
    /// # Errors
    /// The thread cannot be started; then the log goes on as before.
    pub fn detach(&mut self) -> io::Result<()> {
        let (queue, lines) = channel();
        let (running, ended) = sync_channel(0);
        // The sinks follow through a channel, so that they are not lost when the thread cannot be started.
        let (sinks, arrival) = sync_channel(1);
        let outlet = self.outlet.clone();
        let writer = move || {
            let _running = running;
            if let Ok(sinks) = arrival.recv() {
                write_all(&lines, sinks, &outlet);
            }
        };
        thread::Builder::new().name("log".to_owned()).stack_size(256 * 1024).spawn(writer)?;
        if let Route::Direct(direct) = self.outlet.replace(Route::Queue(queue)) {
            let _ = sinks.send(direct);
        }
        self.ended = Some(ended);
        Ok(())
    }

    /// Waits until everything is written, but not for long. Later lines are lost.
    pub fn finish(self) {
        drop(self.outlet.replace(Route::Direct(Vec::new())));
        if let Some(ended) = self.ended {
            // Nothing is ever sent: the wait ends when the writer does, or with our patience.
            let _ = ended.recv_timeout(PATIENCE);
        }
    }
}

/// The body of the writer's thread.
fn write_all(lines: &Receiver<Line>, mut sinks: Vec<Box<dyn Sink>>, outlet: &Outlet) {
    for line in lines {
        outlet.waiting.fetch_sub(1, Ordering::Relaxed);
        sinks.iter_mut().for_each(|sink| sink.write(&line));
        let missing = outlet.lost.swap(0, Ordering::Relaxed);
        if missing > 0 {
            let text = format!("{missing} log lines lost: they came faster than they could be written");
            let notice = Line { text, severity: 4, fields: Vec::new(), ..line };
            sinks.iter_mut().for_each(|sink| sink.write(&notice));
        }
    }
}

/// Where the layer puts its lines.
struct Outlet {
    route: Mutex<Route>,
    /// Lines in the queue.
    waiting: AtomicUsize,
    /// Lines dropped since the loss was last told.
    lost: AtomicUsize,
}

enum Route {
    /// Whoever logs writes.
    Direct(Vec<Box<dyn Sink>>),
    /// A thread writes.
    Queue(Sender<Line>),
}

impl Outlet {
    fn put(&self, line: Line) {
        match &mut *self.route() {
            Route::Direct(sinks) => sinks.iter_mut().for_each(|sink| sink.write(&line)),
            Route::Queue(queue) => {
                // The channel itself has no limit, because one with a limit takes its memory at once.
                if self.waiting.fetch_add(1, Ordering::Relaxed) < QUEUE {
                    let _ = queue.send(line);
                } else {
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                    self.lost.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    fn replace(&self, route: Route) -> Route {
        std::mem::replace(&mut *self.route(), route)
    }

    fn route(&self) -> MutexGuard<'_, Route> {
        self.route.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Turns events into lines.
struct LogLayer {
    detail: u8,
    /// Whether somebody wants fields of their own.
    with_fields: bool,
    clock: fn() -> Timestamp,
    outlet: Arc<Outlet>,
}

impl LogLayer {
    fn threshold(&self) -> LevelFilter {
        match self.detail {
            0 => LevelFilter::INFO,
            1 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= self.threshold()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.threshold())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text { all_fields: self.detail > 1, with_fields: self.with_fields, ..Text::default() };
        event.record(&mut text);
        let severity = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            // Stock's detail has this severity too; a syslog daemon that drops debug messages keeps it.
            Level::INFO | Level::DEBUG => 6,
            Level::TRACE => 7,
        };
        let ident = ident(event.metadata().target());
        let fields = std::mem::take(&mut text.fields);
        self.outlet.put(Line { time: (self.clock)(), severity, ident, text: text.finish(), fields });
    }
}

/// The part that logs under `target`: a module path of ours, or a name given by hand.
fn ident(target: &str) -> &'static str {
    let room = target.strip_prefix("keepalived_rs::").unwrap_or(target);
    match room.split("::").next() {
        Some("vrrp" | "track" | "kernel" | "notify" | "linux") => VRRP,
        _ => "Keepalived",
    }
}

/// Collects the fields of an event.
#[derive(Default)]
struct Text {
    message: String,
    cause: String,
    others: String,
    /// Whether fields other than `cause` are wanted.
    all_fields: bool,
    /// Whether those of [`FIELDS`] are wanted by themselves.
    with_fields: bool,
    fields: Vec<(&'static str, String)>,
}

impl Text {
    fn finish(self) -> String {
        let Self { message, cause, others, .. } = self;
        let mut text = escape(message);
        if !cause.is_empty() {
            text.push_str(&format!(" ({})", escape(cause)));
        }
        text.push_str(&escape(others));
        text
    }
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.with_fields
            && let Some(name) = FIELDS.iter().find(|name| **name == field.name())
        {
            self.fields.push((name, escape(format!("{value:?}"))));
        }
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            "cause" => write!(self.cause, "{value:?}"),
            name if self.all_fields && !FIELDS.contains(&name) => write!(self.others, " {name}={value:?}"),
            _ => Ok(()),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

/// Makes what came from outside unable to begin a line of its own or to steer a terminal.
fn escape(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}
