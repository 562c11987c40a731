//! A file that says when the configuration is to be read again: `reload_time_file`.

use std::future::{pending, poll_fn};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::host::{FileChanges, Files, Plane, Timer};
use crate::plan::ReloadTime;
use crate::report::wording;

/// How much of the file is looked at, in bytes; a time is 20 at most.
const LOOKED_AT: usize = 64;
/// The wall clock may be set while we wait: it is looked at this often.
const PAUSE: Duration = Duration::from_secs(30);

/// A time to read the configuration again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    at: Timestamp,
    /// It was written with its date, and cannot come again.
    dated: bool,
}

/// What is wrong with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Format,
    /// There is no such day, or no such time of a day.
    Invalid,
    Past,
}

/// The next time, as a file says it.
pub(super) struct Timetable {
    plane: Plane,
    files: Rc<dyn Files>,
    zone: TimeZone,
    timer: Box<dyn Timer>,
    watched: Option<Watched>,
}

struct Watched {
    plan: ReloadTime,
    changes: Box<dyn FileChanges>,
    due: Option<Due>,
}

impl Timetable {
    /// Watches no file yet.
    pub(super) fn new(plane: Plane, files: Rc<dyn Files>) -> Self {
        let timer = plane.timers.timer();
        Self { plane, files, zone: TimeZone::system(), timer, watched: None }
    }

    /// Goes on with this file, or with none.
    pub(super) fn replace(&mut self, plan: Option<&ReloadTime>) {
        if let (Some(watched), Some(plan)) = (&mut self.watched, plan)
            && watched.plan.path == plan.path
        {
            watched.plan = plan.clone();
            return;
        }
        // An answer of the old file counts no more.
        self.watched = None;
        self.timer.set(None);
        let Some(plan) = plan else { return };
        // Before it is read: what changes after that is reported.
        match self.files.watch(&[plan.path.clone().into()]) {
            Ok(changes) => {
                self.watched = Some(Watched { plan: plan.clone(), changes, due: None });
                self.look();
            }
            Err(error) => wording::reload_time_not_watched(&error),
        }
    }

    /// When the next reload is, as text, if there is one; and whether it was given with its date.
    pub(super) fn next(&self) -> Option<(String, bool)> {
        let due = self.watched.as_ref()?.due?;
        Some((self.text(due.at), due.dated))
    }

    /// Waits until it is time. May be dropped and called again.
    pub(super) async fn due(&mut self) {
        loop {
            let Some(watched) = &mut self.watched else { return pending().await };
            tokio::select! {
                biased;
                _ = poll_fn(|cx| watched.changes.poll_change(cx)) => self.look(),
                () = self.timer.fired() => {
                    if self.is_time() {
                        return;
                    }
                    self.wind();
                }
            }
        }
    }

    /// Whether the time has come. Then it is over; one that comes again each day is set for the next.
    fn is_time(&mut self) -> bool {
        let now = self.now();
        let Some(watched) = &mut self.watched else { return false };
        let Some(due) = watched.due.take_if(|due| due.at <= now) else { return false };
        if watched.plan.repeat && !due.dated {
            self.look();
        } else if let Err(error) = self.files.remove(Path::new(&watched.plan.path)) {
            wording::reload_time_not_removed(&error);
        }
        true
    }

    /// Reads the file.
    fn look(&mut self) {
        let (now, zone) = (self.now(), self.zone.clone());
        let Some(watched) = &mut self.watched else { return };
        let bytes = self.files.read_start(Path::new(&watched.plan.path), LOOKED_AT);
        let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        // A file that is just being written is empty at first.
        let due = text.as_deref().filter(|text| !text.is_empty()).and_then(|text| {
            let line = text.lines().next().unwrap_or_default();
            read(line, now, &zone).map_err(|wrong| told(line, wrong)).ok()
        });
        let before = std::mem::replace(&mut watched.due, due);
        match (before.map(|due| self.text(due.at)), due.map(|due| self.text(due.at))) {
            (None, Some(time)) => wording::reload_scheduled(&time),
            (Some(before), None) => wording::reload_cancelled(&before),
            (Some(before), Some(time)) if before != time => wording::reload_moved(&before, &time),
            _ => {}
        }
        self.wind();
    }

    /// Sets the timer, for now or for the next look at the wall clock.
    fn wind(&mut self) {
        let left = self.watched.as_ref().and_then(|w| w.due).map(|due| {
            let left = Duration::try_from(due.at.duration_since(self.now())).unwrap_or_default();
            self.plane.now() + left.min(PAUSE)
        });
        self.timer.set(left);
    }

    fn now(&self) -> Timestamp {
        let time = self.plane.unix_time();
        i64::try_from(time.as_secs())
            .ok()
            .and_then(|secs| Timestamp::new(secs, time.subsec_nanos() as i32).ok())
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn text(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }
}

fn told(line: &str, wrong: Wrong) {
    match wrong {
        Wrong::Format => wording::reload_time_wrong(line, "format is incorrect"),
        Wrong::Invalid => wording::reload_time_wrong(line, "is invalid"),
        Wrong::Past => wording::reload_time_wrong(line, "is in the past"),
    }
}

/// Reads `[[YY]YY-MM-DD ]HH:MM:SS[Z]`: in `zone`, or with the `Z` in UTC. Without a date the next such time is meant.
fn read(line: &str, now: Timestamp, zone: &TimeZone) -> Result<Due, Wrong> {
    let (line, zone) = match line.strip_suffix('Z') {
        Some(line) => (line, &TimeZone::UTC),
        None => (line, zone),
    };
    let (date, time) = line.rsplit_once(' ').map_or((None, line), |(date, time)| (Some(date), time));
    let [hour, minute, second] = numbers(time, ':', &[2]).ok_or(Wrong::Format)?;
    let small = |number: i16| i8::try_from(number).map_err(|_| Wrong::Invalid);
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, 0).map_err(|_| Wrong::Invalid)?;
    let at = |date: Date| {
        let at = DateTime::from_parts(date, time);
        zone.to_ambiguous_timestamp(at).compatible().map_err(|_| Wrong::Invalid)
    };
    let Some(date) = date else {
        let today = now.to_zoned(zone.clone()).date();
        let first = at(today)?;
        let tomorrow = || today.checked_add(1.day()).map_err(|_| Wrong::Invalid);
        let at = if first > now { first } else { at(tomorrow()?)? };
        return Ok(Due { at, dated: false });
    };
    let [year, month, day] = numbers(date, '-', &[2, 4]).ok_or(Wrong::Format)?;
    let year = if date.len() == "YY-MM-DD".len() { year + 2000 } else { year };
    let at = at(Date::new(year, small(month)?, small(day)?).map_err(|_| Wrong::Invalid)?)?;
    if at > now { Ok(Due { at, dated: true }) } else { Err(Wrong::Past) }
}

/// Three numbers: the first with as many digits as one of `digits`, the others with two.
fn numbers(text: &str, separator: char, digits: &[usize]) -> Option<[i16; 3]> {
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let mut parts = text.split(separator);
    let first = parts.next().filter(|first| digits.contains(&first.len()))?;
    let others = [parts.next()?, parts.next()?];
    if parts.next().is_some() || others.iter().any(|part| part.len() != 2) {
        return None;
    }
    let [second, third] = others;
    Some([number(first)?, number(second)?, number(third)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(line: &str) -> Result<String, Wrong> {
        let zone = TimeZone::fixed(jiff::tz::offset(-5));
        // 10:30 in the morning there.
        let now: Timestamp = "2026-11-21T15:30:00Z".parse().expect("a time");
        read(line, now, &zone).map(|due| format!("{}{}", due.at, if due.dated { " dated" } else { "" }))
    }

    #[test]
    fn times_without_a_date_are_today_or_tomorrow() {
        assert_eq!(due("10:30:01").as_deref(), Ok("2026-11-21T15:30:01Z"));
        assert_eq!(due("10:30:00").as_deref(), Ok("2026-11-22T15:30:00Z"), "now has begun already");
        assert_eq!(due("00:00:00").as_deref(), Ok("2026-11-22T05:00:00Z"));
        assert_eq!(due("15:29:59Z").as_deref(), Ok("2026-11-22T15:29:59Z"));
        assert_eq!(due("15:30:01Z").as_deref(), Ok("2026-11-21T15:30:01Z"));
    }

    #[test]
    fn times_with_a_date_come_once() {
        assert_eq!(due("2026-11-21 10:30:01").as_deref(), Ok("2026-11-21T15:30:01Z dated"));
        assert_eq!(due("27-01-02 03:04:05").as_deref(), Ok("2027-01-02T08:04:05Z dated"));
        assert_eq!(due("27-01-02 03:04:05Z").as_deref(), Ok("2027-01-02T03:04:05Z dated"));
        assert_eq!(due("26-11-21 10:30:00"), Err(Wrong::Past));
    }

    #[test]
    fn what_is_no_time_is_told_apart() {
        for line in [
            "",
            "hello",
            "1:02:03",
            "10:30",
            "10:30:00:00",
            " 10:30:00",
            "10:30:00 ",
            "10:30:00z",
            "+1:30:00",
            "126-11-21 10:30:00",
            "26-1-21 10:30:00",
            "2026-11-21T10:30:00",
            "2026-11-21  10:30:00",
        ] {
            assert_eq!(due(line), Err(Wrong::Format), "{line:?}");
        }
        for line in
            ["25:00:00", "24:00:00", "10:60:00", "10:30:61", "2027-02-29 10:30:00", "27-13-01 10:30:00"]
        {
            assert_eq!(due(line), Err(Wrong::Invalid), "{line:?}");
        }
    }
}
