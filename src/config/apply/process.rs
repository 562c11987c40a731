//! What `global_defs` says for each of stock's processes alike, under names of their own.

use super::super::grammar;
use super::super::model::process::{Fifo, Process};
use super::super::tree::Stmt;
use super::settings::realtime_priority;
use super::{Build, put, script, user};

/// One of the keywords `checker_priority`, `checker_rt_priority`, … of the process that `get` finds.
pub(crate) fn setting(
    b: &mut Build<'_>,
    stmt: &Stmt,
    get: impl for<'x> Fn(&'x mut Build<'_>) -> &'x mut Process,
) {
    let (_, setting) = stmt.row.name.split_once('_').unwrap_or_default();
    match setting {
        "process_name" => get(b).name = Some(name(b, stmt)),
        "priority" => {
            let priority = b.integer(stmt).and_then(|n| i8::try_from(n).ok());
            get(b).priority = Some(priority.unwrap_or(0));
        }
        "no_swap" => get(b).no_swap = true,
        "rt_priority" => {
            let priority = realtime_priority(b, stmt);
            put(priority, &mut get(b).rt_priority);
        }
        "cpu_affinity" => get(b).cpus = cpus(b, stmt),
        _ => {
            let limit = b.integer(stmt).and_then(|n| u32::try_from(n).ok());
            get(b).rlimit_rttime = Some(limit.map_or(0, |n| n.max(2)));
        }
    }
}

/// The name of a process; the kernel keeps 15 bytes of it.
fn name(b: &mut Build<'_>, stmt: &Stmt) -> String {
    const MAX: usize = 15;
    let mut name = stmt.word(1).unwrap_or_default().to_owned();
    if name.len() > MAX {
        let text = format!("Process name {name} has more than {MAX} bytes, truncating");
        b.report.error(&stmt.place(1), text);
        let end = (0..=MAX).rev().find(|n| name.is_char_boundary(*n)).unwrap_or(0);
        name.truncate(end);
    }
    name
}

/// Numbers of CPUs. With a bad one among them none counts.
fn cpus(b: &mut Build<'_>, stmt: &Stmt) -> Vec<u32> {
    let count = b.loader.cpus();
    let mut cpus = Vec::new();
    for (n, word) in stmt.words_from(1).enumerate() {
        match grammar::integer(word) {
            (Some(cpu), "") if (0..i64::from(count)).contains(&cpu) => cpus.extend(u32::try_from(cpu).ok()),
            _ => {
                let text = format!("'{word}' is not the number of a CPU - ignoring {}", stmt.row.name);
                let hint = format!("this machine has the CPUs 0 to {}", count.saturating_sub(1));
                b.report.error(&stmt.place(n + 1), text).hint(hint);
                return Vec::new();
            }
        }
    }
    cpus
}

/// `lvs_notify_fifo`, `lvs_notify_fifo_script` and their kin.
pub(crate) fn fifo(b: &mut Build<'_>, stmt: &Stmt, get: impl for<'x> Fn(&'x mut Build<'_>) -> &'x mut Fifo) {
    let name = stmt.row.name;
    let is_script = name.ends_with("_script");
    let fifo = get(b);
    if if is_script { fifo.has_script } else { fifo.path.is_some() } {
        b.report.error(&stmt.line, format!("{name} is there already - ignoring this one"));
        return;
    }
    if is_script {
        fifo.has_script = true;
        if let Some(command) = script::command(b, stmt) {
            let found = script::find_reader(b, &command);
            get(b).script = found;
        }
        return;
    }
    let user = match stmt.word(2).map(|_| user::named(b, stmt, 2)) {
        None => None,
        Some(Ok(user)) => Some(user),
        Some(Err(why)) => {
            b.report.warning(&stmt.place(2), format!("{why} - ignoring the FIFO"));
            return;
        }
    };
    let fifo = get(b);
    fifo.path = stmt.word(1).map(str::to_owned);
    fifo.user = user;
}
