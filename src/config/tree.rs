//! Lines → statements, nested as the tables say.
//!
//! The nesting follows stock to the letter, because what a configuration with a mistake means to stock is what its
//! owner has been running. In particular an unknown keyword does not protect its braces: what is inside them counts
//! as part of the enclosing block, and the closing brace ends that block. Only the reporting differs: one diagnostic
//! for the mistake and none for its consequences.

mod wrong;

use std::collections::BTreeSet;
use std::ops::Range;

use super::grammar;
use super::lines::Line;
use super::report::{Place, Report, place_of};
use super::schema::top::TOP;
use super::schema::{ENTRY, Head, Kind, Missing, Row, Table};
use super::suggest;
pub(crate) use wrong::missing_argument;
use wrong::{missing_brace, service, unknown_keyword, unseen};

/// A keyword with its arguments and what is inside its braces; or an entry of a list.
#[derive(Debug)]
pub(crate) struct Stmt {
    /// Its row; [`ENTRY`] for an entry of a list.
    pub(crate) row: &'static Row,
    /// Where it is.
    pub(crate) line: Line,
    /// Its words, the keyword first.
    words: Vec<Range<u32>>,
    /// What is inside.
    pub(crate) body: Vec<Stmt>,
}

impl Stmt {
    /// Word number `n`, the keyword being number 0.
    pub(crate) fn word(&self, n: usize) -> Option<&str> {
        self.words.get(n).and_then(|r| self.line.text().get(bytes(r)))
    }

    /// The words from number `n` on.
    pub(crate) fn words_from(&self, n: usize) -> impl Iterator<Item = &str> {
        (n..self.words.len()).filter_map(|n| self.word(n))
    }

    /// Whether there is anything behind the keyword, be it an open quote.
    pub(crate) fn has_more(&self) -> bool {
        self.words.first().is_some_and(|w| bytes(w).end < self.line.text().len())
    }

    /// How many words there are.
    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// The place of word number `n`; the whole line if there is no such word.
    pub(crate) fn place(&self, n: usize) -> Line {
        self.words.get(n).map_or_else(|| self.line.clone(), |r| self.line.part(bytes(r)))
    }
}

/// A range as slices take it.
const fn bytes(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

/// A block that is open.
#[derive(Debug)]
struct Open {
    stmt: Stmt,
    inside: &'static Table,
    is_list: bool,
    /// Its `{` has been seen.
    begun: bool,
    /// How far its keyword is indented.
    indent: Option<usize>,
    /// Something inside is indented further, so indentation means something.
    indents: bool,
    /// Its header is unusable: braces are counted and nothing is looked at. How deep we are inside.
    skipped: Option<u32>,
}

/// A block that probably lacks its `}`.
#[derive(Debug)]
struct Suspect {
    keyword: &'static str,
    line: Line,
    /// The number of the line that does not look as if it were inside.
    found: u32,
}

/// Builds the tree, line by line.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    open: Vec<Open>,
    done: Vec<Stmt>,
    /// Names of blocks that may exist only once, with their keywords.
    names: BTreeSet<(&'static str, String)>,
    /// Braces seen open, whether or not they opened a block.
    depth: u32,
    /// An unknown keyword's braces have upset the nesting; until depth is 0 again only the first mistake is told.
    derailed: bool,
    /// The first `{` of an unknown keyword that upset it.
    derailed_at: Option<Line>,
    /// What upset the nesting: the number of its diagnostic.
    derailed_by: Option<usize>,
    /// Blocks that have been closed since then, perhaps early.
    cut: Vec<Cut>,
    /// The first block that something is inside of which does not look so: its `}` is probably missing.
    suspect: Option<Suspect>,
    /// Lines behind where a `}` seems to be missing that would be right in a block around.
    astray: Vec<Astray>,
    /// The diagnostic of the unknown keyword on the line before, whose `{` may come.
    unknown: Option<usize>,
    /// What unknown keywords may have been meant to be.
    advices: suggest::Advices,
}

/// A line that would be right in a block around the one it is in.
#[derive(Debug)]
struct Astray {
    at: Place,
    /// The first line of the block that it would be right in, unless it is outside any.
    block: Option<Place>,
    keyword: &'static str,
    /// What follows the keyword: perhaps the name of a block.
    name: Option<String>,
}

/// A block that a brace may have closed that was not meant for it.
#[derive(Debug)]
struct Cut {
    at: Place,
    inside: &'static Table,
    /// The number of the diagnostic that is to blame.
    by: usize,
}

/// How many of those are noted: nobody reads as many findings.
const ASTRAY: usize = 10_000;

/// How many blocks are noted that may have been closed early.
const CUTS: usize = 16;

impl Builder {
    /// Whether lines are inside `global_defs` now, or about to be.
    pub(crate) fn in_globals(&self) -> bool {
        self.open.first().is_some_and(|o| o.stmt.row.name == "global_defs")
    }

    /// Takes one line: a brace alone, or text without braces. Tells the statement it was, if it is complete.
    pub(crate) fn line(&mut self, report: &mut Report, line: Line) -> Option<&Stmt> {
        let unknown = self.unknown.take();
        self.look(&line);
        match line.text() {
            "{" => self.begin(report, &line, unknown),
            "}" => self.end(report, &line),
            _ => return self.text(report, line),
        }
        None
    }

    /// The statements outside any block that have become complete since the last call.
    pub(crate) fn take_complete(&mut self) -> Vec<Stmt> {
        std::mem::take(&mut self.done)
    }

    /// Ends the input: what is open is closed, with one diagnostic.
    pub(crate) fn finish(mut self, report: &mut Report) -> Vec<Stmt> {
        let lost = self.derailed_at.is_some() && self.depth > 0;
        let strayed = !self.astray.is_empty() && self.depth > 0;
        if let Some(suspect) = self.suspect.take().filter(|_| !self.open.is_empty() || strayed) {
            let text = format!("Missing '}}' at the end, probably to close '{}'", suspect.keyword);
            let hint = format!("line {} is not indented as if it were inside", suspect.found);
            report.error(&suspect.line, text).hint(hint);
            for astray in &self.astray {
                match (astray.block, &astray.name) {
                    (Some(block), _) => report.attempt(block, astray.keyword),
                    (None, Some(name)) => report.loses(name),
                    (None, None) => {}
                }
            }
            report.is_cause_of(self.astray.iter().map(|a| a.at));
        } else if let Some(open) = self.open.last()
            && !self.derailed
        {
            let text = format!("Missing '}}' at the end, to close '{}'", open.stmt.row.name);
            report.error(&open.stmt.line.clone(), text).hint("this block is still open where the file ends");
        } else if lost && let Some(at) = &self.derailed_at {
            report
                .error(at, "Missing '}' at the end, to close what is opened here or inside")
                .hint("each '{' needs its '}', whether or not the keyword before it is known");
        }
        while !self.open.is_empty() {
            self.close();
        }
        self.done
    }

    /// Notes how a line is indented, and which block it does not seem to belong to.
    fn look(&mut self, line: &Line) {
        let (Some(open), Some(indent)) = (self.open.last_mut(), line.indent()) else { return };
        let (Some(outer), true) = (open.indent, open.begun) else { return };
        if indent > outer {
            open.indents = true;
        } else if self.suspect.is_none()
            && (indent < outer || indent == outer && open.indents && !matches!(line.text(), "{" | "}"))
        {
            let found = line.span().line;
            self.suspect = Some(Suspect { keyword: open.stmt.row.name, line: open.stmt.line.clone(), found });
        }
    }

    fn begin(&mut self, report: &mut Report, line: &Line, unknown: Option<usize>) {
        self.depth = self.depth.saturating_add(1);
        match self.open.last_mut() {
            Some(open) if !open.begun => open.begun = true,
            Some(Open { skipped: Some(depth), .. }) => *depth = depth.saturating_add(1),
            inside => {
                let enclosing = inside.map(|o| o.stmt.row.name);
                match unknown.and_then(|n| report.list.get_mut(n)) {
                    Some(diagnostic) if diagnostic.hint.is_none() => {
                        if let Some(name) = enclosing {
                            diagnostic.hint(format!(
                                "the '}}' that belongs to it ends '{name}' early, as in stock"
                            ));
                        }
                    }
                    Some(_) => {}
                    None if self.derailed => {}
                    None => {
                        report.error(line, "Unexpected '{' - ignoring");
                    }
                }
                self.derailed = true;
                if self.derailed_by.is_none() {
                    self.derailed_by = unknown.or(report.list.len().checked_sub(1));
                }
                if unknown.is_some() {
                    self.derailed_at.get_or_insert_with(|| line.clone());
                }
            }
        }
    }

    /// What should stand between braces stands behind the keyword of a block, and no `{` follows: that was all of it.
    fn value_for_a_block(&mut self, report: &mut Report) {
        let is_it = |open: &Open| !open.begun && open.stmt.row.head == Head::None && open.stmt.len() > 1;
        let Some(open) = self.open.pop_if(|open| is_it(open)) else { return };
        let name = open.stmt.row.name;
        let text = format!("'{name}' needs a block, not a value");
        report
            .error(&open.stmt.line, text)
            .hint(format!("write it as: {name} {{, one entry on each line, }}"));
        report.is_cause_of(std::iter::once(place_of(&open.stmt.line)));
        if let Some(around) = self.open.last() {
            report.attempt(place_of(&around.stmt.line), name);
        }
    }

    fn end(&mut self, report: &mut Report, line: &Line) {
        self.value_for_a_block(report);
        let derailed = self.derailed;
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            self.derailed = false;
            self.derailed_at = None;
        }
        let by = self.derailed_by;
        if self.depth == 0 {
            self.derailed_by = None;
            self.cut.clear();
        }
        match self.open.last_mut() {
            None if derailed => {}
            None => {
                report.error(line, "Extra '}' found");
            }
            Some(Open { skipped: Some(depth), begun: true, .. }) if *depth > 0 => *depth -= 1,
            Some(open) => {
                if !open.begun {
                    missing_brace(report, open, line);
                }
                if let Some(by) = by.filter(|_| self.depth > 0 && self.cut.len() < CUTS) {
                    let Open { stmt, inside, .. } = open;
                    self.cut.push(Cut { at: place_of(&stmt.line), inside, by });
                }
                self.close();
            }
        }
    }

    /// Closes the innermost block.
    fn close(&mut self) {
        if let Some(open) = self.open.pop()
            && open.skipped.is_none()
        {
            self.add(open.stmt);
        }
    }

    fn add(&mut self, stmt: Stmt) {
        match self.open.last_mut() {
            Some(open) => open.stmt.body.push(stmt),
            None => self.done.push(stmt),
        }
    }

    fn text(&mut self, report: &mut Report, line: Line) -> Option<&Stmt> {
        self.value_for_a_block(report);
        if let Some(open) = self.open.last_mut()
            && !open.begun
        {
            missing_brace(report, open, &line);
            open.begun = true;
            self.depth = self.depth.saturating_add(1);
        }
        if self.open.last().is_some_and(|o| o.skipped.is_some()) {
            return None;
        }
        let words = grammar::words(line.text());
        if words.open_quote.is_some() {
            // Reported where the comment was looked for, which sees the same quotes.
            if words.ranges.is_empty() {
                return None;
            }
        }
        let mut stmt = Stmt { row: &ENTRY, line, words: words.ranges, body: Vec::new() };
        let (table, is_list) = self.open.last().map_or((&TOP, false), |o| (o.inside, o.is_list));
        unseen(report, &stmt, is_list);
        let keyword = stmt.word(0).unwrap_or_default();
        let row = if is_list { None } else { table.row(keyword) };
        // A keyword that no block around this one has is more likely misspelt.
        let outside = if self.suspect.is_some() && row.is_none() { self.outside(keyword) } else { None };
        let strays = outside.is_some() || self.derailed && self.suspect.is_some() && row.is_none();
        if strays && self.astray.len() < ASTRAY {
            let (block, keyword) = outside.unwrap_or((None, ""));
            let name = stmt.word(1).map(str::to_owned);
            self.astray.push(Astray { at: place_of(&stmt.line), block, keyword, name });
        }
        if !is_list {
            let Some(row) = row else {
                for (cut, row) in self.cut.iter().filter_map(|c| Some((c, c.inside.row(keyword)?))) {
                    report.attempt_at(cut.at, row.name, cut.by);
                }
                if !self.derailed {
                    self.unknown = Some(report.list.len());
                    let here = |s: &&Suspect| outside.is_some() && s.found == stmt.line.span().line;
                    let lacking = self.suspect.as_ref().filter(here);
                    let meant = unknown_keyword(report, &stmt, table, lacking, &mut self.advices);
                    match (meant, self.open.last(), stmt.word(1)) {
                        (Some(keyword), Some(block), _) => {
                            report.attempt(place_of(&block.stmt.line), keyword)
                        }
                        (_, None, Some(name)) => report.loses(name),
                        _ => {}
                    }
                }
                return None;
            };
            stmt.row = row;
            if let Kind::Block(inside) | Kind::List(inside) = row.kind {
                let is_list = matches!(row.kind, Kind::List(_));
                let skipped = (!self.head(report, &stmt)).then_some(0);
                if let Some(block) = self.open.last().filter(|_| skipped.is_some()) {
                    report.attempt(place_of(&block.stmt.line), row.name);
                }
                let indent = stmt.line.indent();
                self.open.push(Open { stmt, inside, is_list, begun: false, indent, indents: false, skipped });
                return None;
            }
        }
        self.add(stmt);
        match self.open.last() {
            Some(open) => open.stmt.body.last(),
            None => self.done.last(),
        }
    }

    /// The first line of the block around the innermost one that has this keyword, and the keyword.
    fn outside(&self, keyword: &str) -> Option<(Option<Place>, &'static str)> {
        let blocks = self.open.iter().rev().skip(1);
        let mut found =
            blocks.filter_map(|o| Some((Some(place_of(&o.stmt.line)), o.inside.row(keyword)?.name)));
        found.next().or_else(|| Some((None, TOP.row(keyword)?.name)))
    }

    /// Checks what follows the keyword of a block; `false`: the block is to be skipped.
    fn head(&mut self, report: &mut Report, stmt: &Stmt) -> bool {
        let keyword = stmt.row.name;
        match stmt.row.head {
            Head::None => {
                if stmt.len() > 1 {
                    let text = format!("Block {keyword} has extra parameters - ignoring them");
                    // Of a list stock counts it as an error, of a block it says nothing.
                    if matches!(stmt.row.kind, Kind::List(_)) {
                        report.error(&stmt.place(1), text);
                    } else {
                        report.warning(&stmt.place(1), text);
                    }
                }
                true
            }
            Head::Name => {
                let named = stmt.len() > 1;
                if !named {
                    missing_argument(report, stmt, Missing::Fatal);
                }
                named
            }
            Head::UniqueName | Head::UniqueFirst => {
                let surplus = stmt.row.head == Head::UniqueName && stmt.len() > 2;
                let Some(name) = stmt.word(1).filter(|_| !surplus) else {
                    let text = format!("{keyword} must have one name - skipping block");
                    report.error(&stmt.line, text).hint(format!("{keyword} NAME {{"));
                    return false;
                };
                let fresh = self.names.insert((keyword, name.to_owned()));
                if !fresh {
                    let text = format!("{keyword} name '{name}' already defined - skipping block");
                    report.error(&stmt.place(1), text);
                }
                fresh
            }
            Head::VirtualServer | Head::RealServer => service(report, stmt),
        }
    }
}
