//! `$NAME` and `${NAME}`.

use std::ops::Range;

use super::super::lines::{Line, is_blank};
use super::super::reader::{self, Reader};
use super::super::report::Report;
use super::{Definition, Expander, Step, is_name, is_name_char};

/// How many references one line may contain, those inside definitions included.
const REFERENCES: u32 = 10_000;
/// How deep definitions may refer to definitions.
const DEPTH: u32 = 64;
/// How long a line may become, in bytes.
const LENGTH: usize = 1 << 16;

/// Substitutes the parameters of a line.
pub(super) fn line(reader: &mut Reader<'_>, line: &Line, report: &mut Report) -> Step {
    if reader.expander.is_exhausted() {
        return Step::Gone;
    }
    if let Some(lines) = lines(reader, line, report) {
        return lines;
    }
    let (found, references) = expand(reader, line, None, report);
    let Ok(out) = found else {
        report.error(line, "Parameters refer to themselves or grow without end - line ignored");
        return Step::Gone;
    };
    if references == 0 {
        let mut same = line.clone();
        same.substituted = true;
        return Step::Line(same);
    }
    let balanced = line.text().matches('"').count().is_multiple_of(2);
    let mut new = line.with_text(out.as_str());
    new.substituted = true;
    new.trail = Reader::trail(line, reading(&out));
    // What was substituted may contain comments; an odd quote of the line itself has been reported.
    let mut silent = Report::default();
    let new = reader::uncomment(new, false, if balanced { report } else { &mut silent });
    if new.text().is_empty() { Step::Gone } else { Step::Line(new) }
}

/// What a line says once its parameters are substituted, not too much of it.
fn reading(text: &str) -> String {
    let short: String = text.chars().take(100).collect();
    format!("with its parameters substituted, it reads: {short}")
}

/// The lines that a line stands for which ends in the name of several.
fn lines(reader: &mut Reader<'_>, line: &Line, report: &mut Report) -> Option<Step> {
    let text = line.text();
    let start = text.rfind('$')?;
    let name = text.get(start + 1..)?;
    let name = name.strip_prefix('{').and_then(|n| n.strip_suffix('}')).unwrap_or(name);
    let Some(Definition::Lines(body)) = reader.expander.definitions.get(name) else { return None };
    let lengths: Vec<_> = body.iter().map(|l| l.text().len()).chain([start]).collect();
    let used = format!("${name} is used here");
    // Inside itself it would double at each level if it names itself twice.
    let trail = if line.is_from(&used) { None } else { Reader::trail(line, used) };
    let Some(trail) = trail else {
        report.error(line, format!("Definition of ${name} is inside itself, or too deep - ignored"));
        return Some(Step::Gone);
    };
    if !reader.expander.allow(lengths, line, report) {
        return Some(Step::Gone);
    }
    let Some(Definition::Lines(body)) = reader.expander.definitions.get(name) else { return None };
    let before = text.get(..start).unwrap_or_default();
    let made = body.iter().enumerate().map(|(n, stored)| {
        let mut new = stored.clone();
        if n == 0 && !before.is_empty() {
            new = line.with_text(format!("{before}{}", stored.text()));
        }
        new.trail = Some(trail.clone());
        new.substituted = false;
        new
    });
    Some(Step::Lines(made.collect()))
}

/// The text of a value with its parameters substituted, for the numbers of `~SEQ`.
pub(super) fn text(reader: &mut Reader<'_>, line: &Line, text: &str, report: &mut Report) -> String {
    match expand(reader, line, Some(text), report) {
        (Ok(out), _) => out,
        (Err(TooMuch), _) => text.to_owned(),
    }
}

/// The text of `line`, or some other text, with its references replaced, and how many there were.
fn expand(
    reader: &mut Reader<'_>,
    line: &Line,
    other: Option<&str>,
    report: &mut Report,
) -> (Result<String, TooMuch>, u32) {
    let mut expansion = Expansion {
        reader,
        line,
        references: 0,
        read: 0,
        out: String::new(),
        quoted: false,
        top: None,
        is_line: other.is_none(),
        complained: false,
        report,
    };
    let done = expansion.text(other.unwrap_or(line.text()), 0);
    let Expansion { references, read, out, .. } = expansion;
    if references == 0 {
        return (done.map(|()| out), 0);
    }
    let lengths = std::iter::repeat_n(0, references as usize).chain([read, out.len()]);
    let allowed = reader.expander.allow(lengths, line, report);
    (done.and(if allowed { Ok(out) } else { Err(TooMuch) }), references)
}

/// A limit was reached.
struct TooMuch;

struct Expansion<'a, 'b> {
    reader: &'a Reader<'b>,
    line: &'a Line,
    references: u32,
    /// How many bytes the values that were looked at had, in all.
    read: usize,
    out: String,
    /// What comes next is inside double quotes.
    quoted: bool,
    /// The reference of the line itself that is being replaced.
    top: Option<Range<usize>>,
    /// The text is that of the line.
    is_line: bool,
    /// A reference that cannot be replaced has been told.
    complained: bool,
    report: &'a mut Report,
}

/// What a reference stands for.
enum Value {
    /// This.
    Text(String),
    /// Nothing that is known; why, if it is no matter of a name, and what to do about it.
    Unknown(Option<(String, &'static str)>),
}

impl Expansion<'_, '_> {
    /// Appends `text` with its references replaced.
    fn text(&mut self, mut text: &str, depth: u32) -> Result<(), TooMuch> {
        let mut brace = text.contains('}');
        let whole = text;
        while let Some(start) = text.find('$') {
            let (before, reference) = text.split_at(start);
            self.push(before)?;
            let (name, arguments, after) = match split(reference, &mut brace) {
                Some(found) => found,
                None => {
                    self.push("$")?;
                    text = reference.get(1..).unwrap_or_default();
                    continue;
                }
            };
            if depth == 0 && self.is_line {
                let start = whole.len() - text.len() + start;
                self.top = Some(start..start + reference.len() - after.len());
            }
            let written = reference.get(..reference.len() - after.len()).unwrap_or_default();
            match self.value(name, arguments) {
                Value::Text(value) => {
                    if value.is_empty() {
                        self.empty(name, arguments);
                    }
                    self.references += 1;
                    self.read = self.read.saturating_add(value.len());
                    if depth >= DEPTH || self.references > REFERENCES {
                        return Err(TooMuch);
                    }
                    self.text(&value, depth + 1)?;
                }
                // It may be a parameter of a repetition that has not begun.
                Value::Unknown(_) if depth == 0 && repeats(whole, reference.len()) => self.push(written)?,
                Value::Unknown(why) => {
                    let splits = written.ends_with('}') && !self.quoted;
                    self.unknown(name, why, splits);
                    self.push(written)?;
                }
            }
            text = after;
        }
        self.push(text)
    }

    fn push(&mut self, text: &str) -> Result<(), TooMuch> {
        self.quoted ^= !text.matches('"').count().is_multiple_of(2);
        self.out.push_str(text);
        if self.out.len() > LENGTH { Err(TooMuch) } else { Ok(()) }
    }

    /// Says that a reference stays as it is. `splits`: its braces split the line, as in stock. They open and close blocks
    /// that nobody meant, and whatever comes of that is part of this mistake.
    fn unknown(&mut self, name: &str, why: Option<(String, &'static str)>, splits: bool) {
        if std::mem::replace(&mut self.complained, true) {
            return;
        }
        let (text, hint) = match why {
            Some((text, hint)) => (text, hint.to_owned()),
            None => {
                let near = self.reader.expander.similar(name);
                let hint = near.map(|near| format!("did you mean '${near}'?"));
                let define = || format!("define it on a line above, as ${name}=VALUE");
                (format!("parameter '{name}' is not defined"), hint.unwrap_or_else(define))
            }
        };
        if self.quoted {
            // A shell's own parameters stand in quotes.
            self.report.if_wrong(self.line, format!("{text}; {hint}"));
            return;
        }
        let place = self.top.clone().map_or_else(|| self.line.clone(), |top| self.line.part(top));
        // What stock does with such a name in an include is no error.
        let wrong = splits && !self.line.text().starts_with("include");
        let added = if wrong { self.report.error(&place, text) } else { self.report.warning(&place, text) };
        added.hint(hint);
        self.report.is_cause();
    }

    /// Notes that nothing came of a reference, should something turn out to be missing.
    fn empty(&mut self, name: &str, arguments: &str) {
        let text = match name {
            "_ENV" => format!("the environment has no variable '{arguments}', or it is empty"),
            _ => format!("the parameter '{name}' is defined as nothing"),
        };
        self.report.if_wrong(self.line, text);
    }

    /// What a name stands for.
    fn value(&mut self, name: &str, arguments: &str) -> Value {
        let expander: &Expander = &self.reader.expander;
        match expander.definitions.get(name) {
            Some(Definition::Text(text)) if arguments.is_empty() => return Value::Text(text.clone()),
            Some(Definition::Text(_)) => {
                let text = format!("parameter '{name}' takes nothing behind its name");
                return Value::Unknown(Some((text, "write its name alone between the braces")));
            }
            Some(Definition::Lines(_)) => {
                let text = format!("parameter '{name}' stands for several lines");
                return Value::Unknown(Some((text, "it can only be used at the end of a line")));
            }
            None => {}
        }
        Value::Text(match (name, arguments) {
            ("_PWD", "") => self.reader.dir().to_string_lossy().into_owned(),
            ("_INSTANCE", "") => self.reader.config_id.clone(),
            ("_HASH", "") => "#".to_owned(),
            ("_BANG", "") => "!".to_owned(),
            ("_ENV", "") => {
                let text = "${_ENV} needs the name of a variable".to_owned();
                return Value::Unknown(Some((text, "${_ENV NAME}")));
            }
            ("_ENV", variable) => self.reader.loader().variable(variable).unwrap_or_default(),
            ("_RANDOM", range) => return self.random(range),
            _ => return Value::Unknown(None),
        })
    }

    /// `${_RANDOM [MIN [MAX]]}`: a number from MIN, or 0, to MAX, or 32767, both included.
    fn random(&mut self, range: &str) -> Value {
        const MOST: u64 = 32_767;
        let bounds: Option<Vec<u64>> = range
            .split(is_blank)
            .filter(|w| !w.is_empty())
            .map(|w| w.bytes().all(|c| c.is_ascii_digit()).then(|| w.parse().ok()).flatten())
            .collect();
        let (min, max) = match bounds.as_deref() {
            Some([]) => (0, MOST),
            Some([min]) => (*min, MOST),
            Some([min, max]) => (*min, *max),
            _ => {
                let text = format!("${{_RANDOM {range}}} takes two numbers at most - not replaced");
                return Value::Unknown(Some((text, "${_RANDOM [MIN [MAX]]}")));
            }
        };
        if min > max {
            let text = format!("${{_RANDOM}}: {min} is greater than {max}; {min} used");
            self.report.error(self.line, text);
            return Value::Text(min.to_string());
        }
        let random = self.reader.loader().random();
        let offset = (max - min).checked_add(1).map_or(random, |count| random % count);
        Value::Text((min + offset).to_string())
    }
}

/// Whether a repetition stands in a line before the last `left` bytes of it.
fn repeats(line: &str, left: usize) -> bool {
    let before = line.get(..line.len() - left).unwrap_or_default();
    line.contains('~') && (before.contains("~SEQ") || before.contains("~LST"))
}

/// Splits a reference, which begins with `$`, into name, arguments and what is behind it. `brace`: there may be a `}`.
fn split<'a>(reference: &'a str, brace: &mut bool) -> Option<(&'a str, &'a str, &'a str)> {
    let body = reference.strip_prefix('$')?;
    if let Some(braced) = body.strip_prefix('{') {
        // The name first: a line full of `${` would otherwise be looked through at each of them.
        let end = braced.find(|c| !is_name_char(c)).filter(|_| *brace)?;
        let (name, rest) = braced.split_at(end);
        if !is_name(name) || !rest.starts_with(|c| is_blank(c) || c == '}') {
            return None;
        }
        let Some((arguments, after)) = rest.split_once('}') else {
            *brace = false;
            return None;
        };
        return Some((name, arguments.trim_matches(is_blank), after));
    }
    let end = body.find(|c| !is_name_char(c)).unwrap_or(body.len());
    let (name, after) = body.split_at(end);
    let ends = after.chars().next().is_none_or(|c| is_blank(c) || c == ',' || c == ')');
    (is_name(name) && ends).then_some((name, "", after))
}
