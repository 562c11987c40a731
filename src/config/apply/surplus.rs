//! Words behind a keyword that nothing reads.

use super::Build;
use crate::config::grammar;
use crate::config::schema::{Arg, Kind};
use crate::config::tree::Stmt;

impl Build<'_> {
    /// Looks at what stock ignores behind a keyword: another keyword, or a word that is taken for a switch.
    pub(super) fn surplus(&mut self, stmt: &Stmt) {
        let row = stmt.row;
        let taken = match row.kind {
            Kind::Flag => 1,
            Kind::Value(
                Arg::Integer { .. } | Arg::Decimal { .. } | Arg::Address | Arg::Interface | Arg::Boolean,
            ) => 2,
            Kind::Value(Arg::Text) if row.name == "state" => 2,
            _ => return,
        };
        let Some(word) = stmt.word(taken) else { return };
        if matches!(row.kind, Kind::Flag) && row.words.is_none() && grammar::boolean(word) == Some(false) {
            let text = format!("'{}' takes no argument: this switches it on", row.name);
            self.report.warning(&stmt.place(taken), text).hint("leave the keyword out to have it off");
            self.report.is_cause();
            return;
        }
        let Some((place, table)) = self.blocks.last().copied() else { return };
        let own = |word: &str| row.words.is_some_and(|t| t.row(word).is_some());
        for (n, word) in stmt.words_from(taken).enumerate() {
            let Some(other) = table.row(word).filter(|other| !own(word) && other.name != row.name) else {
                continue;
            };
            let text = format!("'{word}' is not read: it stands on the line of '{}'", row.name);
            self.report.warning(&stmt.place(taken + n), text).hint("keepalived reads one keyword a line");
            self.report.attempt(place, other.name);
            return;
        }
    }
}
