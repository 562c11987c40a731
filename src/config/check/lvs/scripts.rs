//! Rule 10: the commands of a virtual server that is kept.

use crate::config::apply::Build;
use crate::config::apply::lvs::{Real, Server};
use crate::config::apply::script;
use crate::config::model::checkers::Check;

/// Looks for its commands. One that cannot be used is left out, and a checker with it.
pub(super) fn find(b: &mut Build<'_>, draft: &mut Server) {
    for command in std::mem::take(&mut draft.commands) {
        let found = script::find_other(b, &command);
        match command.keyword {
            "quorum_up" => draft.server.quorum_up = found,
            _ => draft.server.quorum_down = found,
        }
    }
    for command in std::mem::take(&mut draft.skipped) {
        script::find_other(b, &command);
    }
    for real in &mut draft.reals {
        of_real_server(b, real);
    }
}

fn of_real_server(b: &mut Build<'_>, real: &mut Real) {
    let mut gone = Vec::new();
    for (checker, command) in std::mem::take(&mut real.commands) {
        let found = script::find_other(b, &command);
        let Some(number) = checker else {
            match command.keyword {
                "notify_up" => real.real.notify_up = found.map(Box::new),
                _ => real.real.notify_down = found.map(Box::new),
            }
            continue;
        };
        match (real.real.checkers.get_mut(number).map(|c| &mut c.check), found) {
            (Some(Check::Misc(misc)), Some(script)) => misc.script = script,
            _ => gone.push(number),
        }
    }
    let mut number = 0;
    real.real.checkers.retain(|_| {
        number += 1;
        !gone.contains(&(number - 1))
    });
}
