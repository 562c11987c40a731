//! How processes are scheduled.

use super::super::super::grammar;
use super::super::super::model::{GlobalOptions, Scheduling};
use super::super::super::tree::Stmt;
use super::super::words::decimal;
use super::super::{Build, numeral, put};

type To = fn(&mut GlobalOptions) -> &mut Scheduling;

/// `…_priority N`; a bad number stands for 0.
pub(crate) fn nice(b: &mut Build<'_>, stmt: &Stmt, to: To) {
    let nice = b.number(stmt).unwrap_or(0);
    super::slot(b, to).nice = Some(nice);
}

/// `…_no_swap`.
pub(crate) fn no_swap(b: &mut Build<'_>, to: To) {
    super::slot(b, to).no_swap = true;
}

/// `…_rt_priority N`.
pub(crate) fn realtime(b: &mut Build<'_>, stmt: &Stmt, to: To) {
    put(realtime_priority(b, stmt), &mut super::slot(b, to).realtime);
}

/// A priority of the real-time scheduler; a number out of range stands for the nearest one.
pub(crate) fn realtime_priority(b: &mut Build<'_>, stmt: &Stmt) -> Option<u8> {
    let word = stmt.word(1)?;
    let process = stmt.row.name.split('_').next().unwrap_or_default();
    let what = format!("{process} process real-time priority");
    let number = match grammar::integer(numeral(word)) {
        (Some(number), "") => i32::try_from(number).ok(),
        _ => None,
    };
    let (near, wrong) = match number {
        None => (None, format!("{what} '{word}' invalid")),
        Some(n) if n < 1 => (Some(1), format!("{what} {n} less than minimum 1 - setting to minimum")),
        Some(n) if n > 99 => (Some(99), format!("{what} {n} greater than maximum 99 - setting to maximum")),
        Some(n) => return u8::try_from(n).ok(),
    };
    b.report.error(&stmt.place(1), wrong);
    near
}

/// `…_cpu_affinity CPU…`; one bad number spoils all.
pub(crate) fn cpu_affinity(b: &mut Build<'_>, stmt: &Stmt, to: To) {
    let count = b.loader.cpus();
    let mut cpus = Vec::new();
    for (n, word) in stmt.words_from(1).enumerate().map(|(i, w)| (i + 1, w)) {
        match decimal(word).and_then(|c| u32::try_from(c).ok()).filter(|c| *c < count) {
            Some(cpu) => cpus.push(cpu),
            None => {
                let text = format!("'{word}' is not a processor: there are 0 to {}", count.saturating_sub(1));
                b.report.error(&stmt.place(n), format!("{text} - ignoring all of them"));
                return;
            }
        }
    }
    super::slot(b, to).cpus = cpus;
}

/// `…_rlimit_rttime MICROSECONDS`; a bad number stands for 0, which is no limit, and 1 for 2.
pub(crate) fn rttime(b: &mut Build<'_>, stmt: &Stmt, to: To) {
    let limit: Option<u32> = b.number(stmt);
    super::slot(b, to).rttime = limit.map(|l| l.max(2));
}
