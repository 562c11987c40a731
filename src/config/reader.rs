//! Files → logical lines: comments, conditions, definitions, repetition, substitution, includes, braces.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::Options;
use super::diagnostic::{Class, FileId, Severity, SourceFile, Sources, Span};
use super::expand;
use super::include::{self, Checks};
use super::lines::{self, Line, Stripped, Trail};
use super::report::Report;
use crate::host::Loader;
use crate::host::loader::ReadError;

/// How deep files may include each other, and expansions contain each other.
const DEPTH: usize = 64;

/// Reads the files and hands out their lines.
pub(crate) struct Reader<'a> {
    loader: &'a dyn Loader,
    pub(crate) config_id: String,
    /// What relative paths are relative to.
    dir: PathBuf,
    /// Checks that all includes are subject to.
    checks: Checks,
    pub(crate) expander: expand::Expander,
    files: Vec<(String, Rc<String>)>,
    /// The files by path.
    known: BTreeMap<PathBuf, FileId>,
    /// The file whose lines come now, with those that include it.
    inside: Option<Rc<Inside>>,
    /// What is still to be handed out, the next one last.
    stack: Vec<Source>,
}

/// Where lines come from.
enum Source {
    File(OpenFile),
    Line(Line),
    Repeat(expand::Repeat),
}

struct OpenFile {
    id: FileId,
    text: Rc<String>,
    position: usize,
    number: u32,
    /// The directory, the checks and the file to go back to at its end.
    before: (PathBuf, Checks, Option<Rc<Inside>>),
}

/// A file that is being read; a list, innermost first.
struct Inside {
    path: PathBuf,
    outer: Option<Rc<Inside>>,
    /// How many there are, itself included.
    depth: usize,
}

/// Where an include is.
pub(crate) struct Place {
    /// What its path is relative to.
    dir: PathBuf,
    inside: Option<Rc<Inside>>,
}

impl<'a> Reader<'a> {
    /// A reader of the main file or files. What is wrong with them is reported.
    /// `growth`: see [`expand::Expander::new`].
    pub(crate) fn new(loader: &'a dyn Loader, options: &Options, growth: usize, report: &mut Report) -> Self {
        let config_id = options.config_id.clone().unwrap_or_else(|| {
            let node = loader.node_name();
            node.split('.').next().unwrap_or_default().to_owned()
        });
        let dir = loader.current_dir();
        let checks = if options.all_files { Checks::ALL } else { Checks::NONE };
        let mut reader = Self {
            loader,
            config_id,
            dir,
            checks,
            expander: expand::Expander::new(growth),
            files: Vec::new(),
            known: BTreeMap::new(),
            inside: None,
            stack: Vec::new(),
        };
        reader.open_main(options, report);
        reader
    }

    /// Subjects the includes that follow to further checks (`include_check`).
    pub(crate) fn set_checks(&mut self, checks: Checks) {
        self.checks = checks;
    }

    /// The checks includes are subject to.
    pub(crate) fn checks(&self) -> Checks {
        self.checks
    }

    /// The current directory, as `${_PWD}` has it.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The machine.
    pub(crate) fn loader(&self) -> &'a dyn Loader {
        self.loader
    }

    /// All that was read.
    pub(crate) fn into_sources(mut self) -> Sources {
        let files = std::mem::take(&mut self.files);
        // Lines share the text: with the last of them gone, it need not be copied.
        drop(self);
        let own = |text: Rc<String>| Rc::try_unwrap(text).unwrap_or_else(|shared| (*shared).clone());
        let files = files.into_iter().map(|(name, text)| SourceFile { name, text: own(text) });
        Sources { files: files.collect() }
    }

    /// The next logical line: a brace alone, or text without braces.
    ///
    /// `in_globals`: the line is inside `global_defs`, where `\#` protects.
    pub(crate) fn next(&mut self, in_globals: bool, report: &mut Report) -> Option<Line> {
        loop {
            let line = match self.stack.last_mut()? {
                Source::Line(_) => match self.stack.pop() {
                    Some(Source::Line(line)) => line,
                    _ => continue,
                },
                Source::Repeat(repeat) => match self.expander.repeat(repeat, report) {
                    Some(line) => line,
                    None => {
                        self.stack.pop();
                        continue;
                    }
                },
                Source::File(file) => match file.next_line() {
                    Some(line) => {
                        if self.expander.continues(&line) {
                            continue;
                        }
                        match physical(line, in_globals, report) {
                            Some(line) => line,
                            None => continue,
                        }
                    }
                    None => {
                        self.close();
                        continue;
                    }
                },
            };
            if let Some(line) = self.process(line, report) {
                return Some(line);
            }
        }
    }

    /// Ends the file on top.
    fn close(&mut self) {
        if let Some(Source::File(file)) = self.stack.pop() {
            (self.dir, self.checks, self.inside) = file.before;
        }
    }

    /// Takes a line through all steps. What is left of it, or what it stands for, goes on the stack.
    fn process(&mut self, line: Line, report: &mut Report) -> Option<Line> {
        let line = line.trimmed();
        // What is split off a line has been looked through with it: a line of many braces takes no longer than others.
        if !line.substituted && is_plain(line.text()) {
            return Some(line);
        }
        match expand::step(self, line, report) {
            expand::Step::Gone => None,
            expand::Step::Repeat(repeat) => {
                self.stack.push(Source::Repeat(repeat));
                None
            }
            expand::Step::Lines(lines) => {
                self.stack.extend(lines.into_iter().rev().map(Source::Line));
                None
            }
            expand::Step::Line(line) => {
                let line = joined_backslash(line);
                if let Some(statement) = include::parse(&line) {
                    include::run(self, &line, &statement, report);
                    return None;
                }
                self.split(line)
            }
        }
    }

    /// Splits at the first brace; the rest goes back on the stack.
    fn split(&mut self, line: Line) -> Option<Line> {
        let text = line.text();
        let end = match lines::find_brace(text) {
            Some(0) => 1,
            Some(n) => n,
            None => text.len(),
        };
        if end < text.len() {
            self.stack.push(Source::Line(line.part(end..text.len())));
        }
        let first = line.into_part(0..end).trimmed();
        (!first.text().is_empty()).then_some(first)
    }

    /// The place of the line that was read last.
    pub(crate) fn place(&self) -> Place {
        Place { dir: self.dir.clone(), inside: self.inside.clone() }
    }

    /// Reads `path`, which is included at `place`, from here on; its lines come before what is on the stack.
    pub(crate) fn open(&mut self, path: &Path, place: &Place) -> Result<Opened, ReadError> {
        let full = normal(&place.dir.join(path));
        if let Some(why) = place.refuses(&full) {
            return Ok(Opened::Refused(why));
        }
        let (id, text, utf8) = match self.known(&full) {
            Some((id, text)) => (id, text, true),
            None => self.read(path, &full)?,
        };
        // Of several files opened at once the last one opened is read first. What it restores at its end is then
        // the directory of the one that comes next, and the last one restores that of the includer.
        let before = (self.dir.clone(), self.checks, self.inside.take());
        self.dir = match full.parent() {
            Some(parent) if path.components().count() > 1 => parent.to_path_buf(),
            _ => place.dir.clone(),
        };
        let (outer, depth) = (place.inside.clone(), place.depth() + 1);
        self.inside = Some(Rc::new(Inside { path: full, outer, depth }));
        self.stack.push(Source::File(OpenFile { id, text, position: 0, number: 0, before }));
        Ok(Opened::Reading { id, utf8 })
    }

    /// A file that has been read before.
    fn known(&self, full: &Path) -> Option<(FileId, Rc<String>)> {
        let id = *self.known.get(full)?;
        self.files.get(id.0 as usize).map(|(_, text)| (id, text.clone()))
    }

    /// How long a file is that has been read before.
    pub(crate) fn length_if_known(&self, path: &Path, place: &Place) -> Option<usize> {
        self.known(&normal(&place.dir.join(path))).map(|(_, text)| text.len())
    }

    /// Reads a file, and tells whether it is UTF-8.
    fn read(&mut self, path: &Path, full: &Path) -> Result<(FileId, Rc<String>, bool), ReadError> {
        let text = String::from_utf8(self.loader.read(full)?);
        let utf8 = text.is_ok();
        let text = text.unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        let text = Rc::new(text);
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push((path.display().to_string(), text.clone()));
        self.known.insert(full.to_path_buf(), id);
        Ok((id, text, utf8))
    }

    fn open_main(&mut self, options: &Options, report: &mut Report) {
        let pattern = Path::new(&options.main);
        let found = include::matches(self.loader, &self.dir, &options.main);
        if found.is_empty() {
            missing_main(report, format!("Config files missing '{}'.", options.main));
        }
        if found.len() > 1 {
            let text = format!("'{}' matches {} files; all are read", pattern.display(), found.len());
            report.add(None, Severity::Warning, Class::Config, text);
        }
        // The last one pushed is read first.
        let place = self.place();
        let before = self.stack.len();
        for path in found.iter().rev() {
            match self.open(path, &place) {
                Ok(Opened::Reading { id, utf8 }) => self.note_encoding(id, utf8, report),
                Ok(Opened::Refused(_)) => {}
                Err(e) => {
                    let text = format!("Configuration file '{}' {}", path.display(), phrase(&e));
                    report.add(None, Severity::Error, Class::Config, text);
                }
            }
        }
        if !found.is_empty() && self.stack.len() == before {
            missing_main(report, format!("No configuration in '{}' to read", options.main));
        }
    }

    /// Says so if a file is not UTF-8, or has no lines.
    pub(crate) fn note_encoding(&self, id: FileId, utf8: bool, report: &mut Report) {
        let text = self.files.get(id.0 as usize).map_or("", |(_, text)| text.as_str());
        if text.trim_end_matches('\r').contains('\r') && !text.contains('\n') {
            let span = Span { file: id, line: 1, columns: 0..0 };
            let text =
                "This file is a single line: what ends its lines is no line feed but a carriage return";
            report
                .add(Some(span), Severity::Warning, Class::Log, text)
                .hint("convert it, say with tr '\\r' '\\n'");
            report.is_cause();
        }
        if !utf8 {
            let span = Span { file: id, line: 1, columns: 0..0 };
            let text = "This file is not UTF-8; bytes that do not fit are replaced";
            report.add(Some(span), Severity::Warning, Class::Log, text);
        }
    }

    /// A trail for an expansion at `line`, or nothing if there are too many already.
    pub(crate) fn trail(line: &Line, what: String) -> Option<Rc<Trail>> {
        let depth = line.trail.as_ref().map_or(0, |t| t.depth) + 1;
        (depth as usize <= DEPTH)
            .then(|| Rc::new(Trail { at: line.span(), what, outer: line.trail.clone(), depth }))
    }
}

impl Place {
    fn depth(&self) -> usize {
        self.inside.as_ref().map_or(0, |i| i.depth)
    }

    /// Why a file may not be included here, if it may not: it is being read already, or too many are.
    fn refuses(&self, path: &Path) -> Option<&'static str> {
        if self.depth() >= DEPTH {
            return Some("files include each other too deeply");
        }
        let mut files = std::iter::successors(self.inside.as_deref(), |i| i.outer.as_deref());
        files.any(|i| i.path == path).then_some("this file includes itself")
    }
}

/// What became of the opening of a file.
pub(crate) enum Opened {
    /// It is being read.
    Reading {
        /// Its number.
        id: FileId,
        /// Its bytes are UTF-8.
        utf8: bool,
    },
    /// It is not, because of a limit of ours.
    Refused(&'static str),
}

/// Why a file cannot be read, as the end of a sentence.
pub(crate) fn phrase(error: &ReadError) -> String {
    match error {
        ReadError::NotFound => "does not exist".into(),
        ReadError::Directory => "is a directory".into(),
        ReadError::NotRegular => "is not a regular file".into(),
        ReadError::Executable => "is executable".into(),
        ReadError::Unreadable(why) => format!("cannot be read: {why}"),
    }
}

fn missing_main(report: &mut Report, text: String) {
    report.add(None, Severity::Error, Class::Security, text).refuses(6);
}

/// `path` without `.` and `..`, by text alone.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

impl OpenFile {
    fn next_line(&mut self) -> Option<Line> {
        let start = self.position;
        let left = self.text.get(start..).filter(|l| !l.is_empty())?;
        let end = left.find('\n').unwrap_or(left.len());
        self.position = start + end + 1;
        self.number = self.number.saturating_add(1);
        Some(Line::physical(&self.text, start..start + end, self.id, self.number))
    }
}

/// Takes blanks and the comment off a physical line; `None` if nothing is left.
fn physical(line: Line, in_globals: bool, report: &mut Report) -> Option<Line> {
    let mut line = line.trimmed();
    if kinds(line.text()) & CUT == 0 {
        return (!line.text().is_empty()).then_some(line);
    }
    if let Some(nul) = line.text().bytes().position(|b| b == 0) {
        report.error(&line, "NUL character found - the rest of the line is ignored");
        line = line.into_part(0..nul).trimmed();
    }
    let escapes = in_globals || line.text().starts_with("global_defs");
    let line = uncomment(line, escapes, report);
    (!line.text().is_empty()).then_some(line)
}

/// Whether a line stands for itself, as most do: nothing in it asks for an expansion, and it has no brace.
fn is_plain(text: &str) -> bool {
    let brace = text == "}" || text == "{";
    brace || (!text.is_empty() && kinds(text) & EXPANDED == 0 && !text.starts_with("include"))
}

/// A byte after which something may have to be cut off, or said: quotes, comments, NUL.
const CUT: u8 = 1;
/// A byte that may ask for an expansion, or splits a line.
const EXPANDED: u8 = 2;

/// Of what kinds the bytes of a line are. All lines are looked through for this, so it is a table and no search.
fn kinds(text: &str) -> u8 {
    const KINDS: [u8; 256] = {
        let mut kinds = [0; 256];
        let mut b = 0;
        while b < kinds.len() {
            kinds[b] = match b as u8 {
                b'"' | b'#' | b'!' | 0 => CUT,
                b'\\' => CUT | EXPANDED,
                b'$' | b'{' | b'}' | b'@' | b'~' => EXPANDED,
                _ => 0,
            };
            b += 1;
        }
        kinds
    };
    text.bytes().fold(0, |kinds, b| kinds | KINDS[usize::from(b)])
}

/// A backslash at the end of a line belongs to its last word, whatever blanks are before it.
fn joined_backslash(line: Line) -> Line {
    let joined = line.text().strip_suffix('\\').map(|t| t.trim_end_matches(lines::is_blank));
    match joined {
        Some(word) if word.len() + 1 < line.text().len() => line.with_text(format!("{word}\\")),
        _ => line,
    }
}

/// Takes the comment off a line.
pub(crate) fn uncomment(line: Line, escapes: bool, report: &mut Report) -> Line {
    let text = line.text();
    let Stripped { end, escapes, open_quote } = lines::strip_comment(text, escapes);
    if let Some(at) = open_quote {
        report
            .error(&line.part(at..text.len()), "Unterminated quote")
            .hint("a quote ends on the line it begins on");
        report.is_cause();
    }
    if escapes.is_empty() {
        return line.into_part(0..end).trimmed();
    }
    let mut kept = String::with_capacity(end);
    let mut from = 0;
    for at in escapes.into_iter().filter(|at| *at < end).chain([end]) {
        kept.push_str(text.get(from..at).unwrap_or_default());
        from = at + 1;
    }
    line.with_text(kept).trimmed()
}
