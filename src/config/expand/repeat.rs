//! `~SEQ` and `~LST`.

use std::collections::VecDeque;
use std::rc::Rc;

use nom::branch::alt;
use nom::bytes::complete::take_while;
use nom::character::complete::{char, multispace0};
use nom::combinator::map;
use nom::multi::separated_list1;
use nom::sequence::delimited;
use nom::{IResult, Parser};

use super::super::lines::{Line, Trail, is_blank};
use super::super::reader::Reader;
use super::super::report::{REPEATED, Report};
use super::{Step, is_name, substitute};

/// A line that is to be repeated with different values of its parameters.
pub(crate) struct Repeat {
    line: Line,
    /// Where it is repeated.
    trail: Rc<Trail>,
    names: Vec<String>,
    values: Values,
}

enum Values {
    Numbers { next: Option<i64>, step: i64, end: i64, hex: bool },
    Sets(VecDeque<Vec<String>>),
}

impl Repeat {
    /// The line once more, and what its parameters are this time.
    pub(super) fn next(&mut self) -> Option<(Line, Vec<(String, String)>)> {
        let values = match &mut self.values {
            Values::Sets(sets) => sets.pop_front()?,
            Values::Numbers { next, step, end, hex } => {
                let number = next.take()?;
                *next = number.checked_add(*step).filter(|n| if *step > 0 { *n <= *end } else { *n >= *end });
                vec![if *hex { format!("{number:x}") } else { number.to_string() }]
            }
        };
        let mut values = values.into_iter();
        let pairs: Vec<_> =
            self.names.iter().map(|n| (n.clone(), values.next().unwrap_or_default())).collect();
        let mut line = self.line.clone();
        let Trail { at, outer, depth, .. } = &*self.trail;
        let what =
            if pairs.is_empty() { REPEATED.to_owned() } else { format!("{REPEATED} with {}", told(&pairs)) };
        line.trail = Some(Rc::new(Trail { at: at.clone(), what, outer: outer.clone(), depth: *depth }));
        Some((line, pairs))
    }
}

/// What parameters are this time, not too much of it.
fn told(pairs: &[(String, String)]) -> String {
    let one = |(name, value): &(String, String)| {
        let short: String = value.chars().take(40).collect();
        format!("${name}={short}")
    };
    pairs.iter().take(3).map(one).collect::<Vec<_>>().join(" ")
}

/// Reads a line that begins with `~SEQ` or `~LST`.
pub(super) fn parse(reader: &mut Reader<'_>, line: &Line, report: &mut Report) -> Step {
    let Some(trail) = Reader::trail(line, REPEATED.to_owned()) else {
        report.error(line, "Repetition inside repetition is too deep - line ignored");
        return Step::Gone;
    };
    let text = line.text();
    let found = if text.starts_with("~LST") {
        list(text)
    } else {
        sequence(text, |numbers| {
            if numbers.contains('$') {
                substitute::text(reader, line, numbers, report)
            } else {
                numbers.to_owned()
            }
        })
    };
    match found {
        Ok((names, values, after)) => {
            let mut line = line.part(text.len() - after.len()..text.len()).trimmed();
            if line.text().is_empty() {
                return Step::Gone;
            }
            line.substituted = false;
            Step::Repeat(Repeat { line, trail, names, values })
        }
        Err(why) => {
            report.error(line, format!("{why} - line ignored"));
            Step::Gone
        }
    }
}

/// Names, values, and what is to be repeated.
type Found<'a> = Result<(Vec<String>, Values, &'a str), &'static str>;

/// `~SEQ(V,E)`, `~SEQ(V,S,E)`, `~SEQ(V,S,STEP,E)`, or the same with `~SEQx`.
fn sequence(text: &str, substitute: impl FnOnce(&str) -> String) -> Found<'_> {
    let after = text.strip_prefix("~SEQ").unwrap_or_default();
    let (hex, after) = match after.strip_prefix('x') {
        Some(after) => (true, after),
        None => (false, after),
    };
    let open = after.trim_start_matches(is_blank).strip_prefix('(').ok_or("~SEQ must be followed by '('")?;
    let (inside, after) = open.split_once(')').ok_or("~SEQ lacks its ')'")?;
    let inside = inside.trim_start_matches(is_blank);
    let end = inside.find(|c| is_blank(c) || c == ',').ok_or("~SEQ needs a name and a number")?;
    let (name, numbers) = inside.split_at(end);
    let numbers = behind_name(numbers).ok_or("~SEQ needs a number")?;
    let name = name.trim_start_matches('$');
    if !is_name(name) {
        return Err("~SEQ needs the name of a parameter first");
    }
    let numbers = substitute(numbers);
    let numbers = numbers.trim_end_matches(|c| is_blank(c) || c == ',');
    let numbers: Option<Vec<i64>> = numbers.split(',').map(|n| c_number(n.trim_matches(is_blank))).collect();
    let (start, step, end) = match numbers.as_deref() {
        Some([end]) if *end < 0 => (-1, -1, *end),
        Some([end]) => (1, if *end >= 1 { 1 } else { -1 }, *end),
        Some([start, end]) => (*start, if end >= start { 1 } else { -1 }, *end),
        Some([start, step, end]) => (*start, *step, *end),
        _ => return Err("~SEQ takes one to three numbers"),
    };
    if step == 0 || (step > 0 && end < start) || (step < 0 && end > start) {
        return Err("the step of ~SEQ does not lead to its end");
    }
    if hex && (start < 0 || end < 0) {
        return Err("~SEQx does not take negative numbers");
    }
    Ok((vec![name.to_owned()], Values::Numbers { next: Some(start), step, end, hex }, after))
}

/// The numbers behind the name and what ends it. Where that is a blank and not a comma, stock skips the word behind it.
fn behind_name(text: &str) -> Option<&str> {
    let after = text.trim_start_matches(is_blank);
    if let Some(numbers) = after.strip_prefix(',') {
        return Some(numbers);
    }
    let numbers = after.trim_start_matches(|c| !is_blank(c) && c != ',');
    (!after.is_empty()).then_some(numbers)
}

/// A number as C writes it, with a sign; nothing is 0.
fn c_number(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, radix) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    // A second sign is none of C's.
    let number = i64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with(['-', '+']))?;
    Some(if negative { -number } else { number })
}

/// `~LST(V,a,b)` or `~LST({V,W},{a,1},{b,2})`.
fn list(text: &str) -> Found<'_> {
    let after = text.strip_prefix("~LST").unwrap_or_default().trim_start_matches(is_blank);
    let parsed: IResult<&str, Vec<Vec<&str>>> =
        delimited(char('('), separated_list1(char(','), item), char(')')).parse(after);
    let (after, items) =
        parsed.map_err(|_| "~LST must look like (NAME,VALUE...) or ({NAME...},{VALUE...}...)")?;
    let mut items = items.into_iter().map(|set| set.into_iter().map(str::to_owned).collect::<Vec<String>>());
    let names = items.next().unwrap_or_default();
    let names: Vec<String> = names.into_iter().map(|n| n.trim_start_matches('$').to_owned()).collect();
    // Without a name the line is repeated all the same.
    let nameless = names.iter().all(String::is_empty);
    if !nameless && !names.iter().all(|n| is_name(n)) {
        return Err("~LST needs names of parameters first");
    }
    let sets: VecDeque<_> = items.collect();
    if sets.is_empty() {
        return Err("~LST has no values");
    }
    if nameless {
        return Ok((Vec::new(), Values::Sets(sets), after));
    }
    if sets.iter().any(|set| set.len() > names.len()) {
        return Err("~LST has more values than names in a set");
    }
    Ok((names, Values::Sets(sets), after))
}

/// One value, or a set of values in braces.
fn item(i: &str) -> IResult<&str, Vec<&str>> {
    alt((
        delimited((multispace0, char('{')), separated_list1(char(','), word), (char('}'), multispace0)),
        map(word, |w| vec![w]),
    ))
    .parse(i)
}

fn word(i: &str) -> IResult<&str, &str> {
    let plain = take_while(|c: char| !is_blank(c) && !matches!(c, ',' | '{' | '}' | ')'));
    delimited(multispace0, plain, multispace0).parse(i)
}
