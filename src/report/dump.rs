//! The text dumps, in the shape of stock's: sections in `------< >------`, objects indented by one blank, attributes by
//! three, entries by five. Labels are stock's, because tools look for them.
//!
//! | what | made by |
//! |---|---|
//! | `keepalived.data`, of a daemon that runs | [`data`] |
//! | `keepalived_parent.data`, what stock's first process knows | [`parent`] |
//! | `-d`, of a configuration | [`lines`] |

mod globals;
mod groups;
mod history;
pub mod instance;
mod interfaces;
pub mod items;
mod parsed;
mod statics;
mod track;
pub mod view;

use jiff::tz::TimeZone;

use self::view::{Findings, Lines, View};
use crate::config::model::Config;
use crate::plan::Plan;

/// `keepalived.data`.
pub fn data(view: &View<'_>) -> String {
    let mut out = Lines::default();
    configuration(view, &mut out);
    interfaces::section(view, &mut out);
    history::section(view, &mut out);
    text(&out)
}

/// `keepalived_parent.data`.
pub fn parent(view: &View<'_>) -> String {
    let mut out = Lines::default();
    globals::section(view, false, &mut out);
    text(&out)
}

/// What `-d` shows: the configuration in effect, with every default applied, and what does not run yet as it was read.
/// `node`: the name of the machine.
pub fn lines(config: &Config, plan: &Plan, node: &str) -> Vec<String> {
    let findings = Findings::default();
    let mut out = Lines::default();
    configuration(&View::new(plan, config, &findings, node, TimeZone::UTC), &mut out);
    statics::links(&View::new(plan, config, &findings, node, TimeZone::UTC), &mut out);
    parsed::sections(config, &mut out.0);
    out.0
}

fn configuration(view: &View<'_>, out: &mut Lines) {
    globals::section(view, true, out);
    statics::pacing(view, out);
    statics::sections(view, out);
    groups::track_groups(view, out);
    instance::section(view, out);
    groups::sockets(view, out);
    groups::section(view, out);
    groups::scripts(view, out);
    track::files(view, out);
    track::processes(view, out);
}

fn text(lines: &Lines) -> String {
    lines.0.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

#[cfg(test)]
mod tests;
