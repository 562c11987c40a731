//! The grammar of words and values, with nom. No function here fails on any input: they say what they found.

use std::net::IpAddr;
use std::ops::Range;

use nom::branch::alt;
use nom::bytes::complete::{take_while, take_while_m_n, take_while1};
use nom::character::complete::{anychar, char, digit1, one_of};
use nom::combinator::{all_consuming, map, map_opt, opt, recognize, rest, value};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use super::lines::{is_blank, number};

/// Words of a line, as byte ranges without the quotes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// The words.
    pub(crate) ranges: Vec<Range<u32>>,
    /// A quote was not closed: where. What follows it is not among the words.
    pub(crate) open_quote: Option<usize>,
}

/// Splits a line into words at blanks and double quotes.
pub(crate) fn words(line: &str) -> Words {
    let mut found = Words::default();
    let mut left = line.trim_start_matches(is_blank);
    while let Ok((after, word)) = word(left) {
        let start = line.len() - left.len();
        match word {
            Some(word) => {
                let quote = usize::from(left.starts_with('"'));
                let range = start + quote..start + quote + word.len();
                found.ranges.push(number(range.start)..number(range.end));
            }
            None => found.open_quote = Some(start),
        }
        left = after.trim_start_matches(is_blank);
    }
    found
}

/// One word; `None` for a quote that is not closed, which takes the rest of the line.
fn word(i: &str) -> IResult<&str, Option<&str>> {
    alt((
        map(delimited(char('"'), take_while(|c| c != '"'), char('"')), Some),
        map(take_while1(|c| !is_blank(c) && c != '"'), Some),
        value(None, preceded(char('"'), rest)),
    ))
    .parse(i)
}

/// A decimal integer and what stands behind it; `None` if there are no digits. Saturates.
pub(crate) fn integer(text: &str) -> (Option<i64>, &str) {
    let parsed: IResult<&str, (Option<char>, &str)> = (opt(one_of("+-")), digit1).parse(text);
    match parsed {
        Ok((tail, (sign, digits))) => {
            let n = digits.parse::<i64>().unwrap_or(i64::MAX);
            (Some(if sign == Some('-') { n.saturating_neg() } else { n }), tail)
        }
        Err(_) => (None, text),
    }
}

/// A decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    /// Its value in millionths, rounded half up to the step asked for; saturates.
    pub(crate) millionths: u64,
    /// It had to be rounded.
    pub(crate) rounded: bool,
    /// Text stands behind it: then only the whole part counts, and in millionths.
    pub(crate) trailing: bool,
}

/// Reads a decimal number; `None` if it is none or negative. `step` is in millionths, a power of ten up to a million.
pub(crate) fn decimal(text: &str, step: u64) -> Option<Decimal> {
    let parsed: IResult<&str, (&str, Option<&str>)> = preceded(
        opt(char('+')),
        (
            take_while(|c: char| c.is_ascii_digit()),
            opt(preceded(char('.'), take_while(|c: char| c.is_ascii_digit()))),
        ),
    )
    .parse(text);
    let (tail, (whole, fraction)) = parsed.ok()?;
    let fraction = fraction.unwrap_or_default();
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().unwrap_or(u64::MAX) };
    if !tail.is_empty() {
        return Some(Decimal { millionths: whole, rounded: false, trailing: true });
    }
    // One digit more than a millionth is enough to round by; further ones only tell whether it was exact.
    let digit = |i: usize| fraction.as_bytes().get(i).map_or(0, |b| u64::from(b - b'0'));
    let tenths = (0..7).fold(0, |n, i| n * 10 + digit(i));
    let step = step.max(1);
    let exact = tenths % (10 * step) == 0 && fraction.bytes().skip(7).all(|b| b == b'0');
    let part = (tenths + 5 * step) / (10 * step) * step;
    let millionths = whole.saturating_mul(1_000_000).saturating_add(part);
    Some(Decimal { millionths, rounded: !exact, trailing: false })
}

/// `on true yes off false no`.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "on" | "true" | "yes" => Some(true),
        "off" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// An address and the text behind a `/`, if there is one.
pub(crate) fn address(text: &str) -> Option<(IpAddr, Option<&str>)> {
    let parsed: IResult<&str, (IpAddr, Option<&str>)> = all_consuming((
        map_opt(take_while1(|c| c != '/'), |a: &str| a.parse().ok()),
        opt(preceded(char('/'), rest)),
    ))
    .parse(text);
    parsed.ok().map(|(_, found)| found)
}

/// A quote in a command that is not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenQuote;

/// First stage of the command tokeniser: splits a line at blanks. Double and single quotes both quote and are taken
/// away, adjacent pieces join, and escapes are processed, as up to 2.3.1: `"/bin/n.sh \"a b\""` has one argument.
pub(crate) fn command_words(line: &str) -> Result<Vec<String>, OpenQuote> {
    split(line, escape)
}

/// The same for what has no second stage, or one of its own: a backslash protects the next character and stays.
pub(crate) fn protected_words(line: &str) -> Result<Vec<String>, OpenQuote> {
    split(line, protected)
}

/// Second stage: splits a command into program and arguments, and processes its escapes.
pub(crate) fn command_argv(command: &str) -> Result<Vec<String>, OpenQuote> {
    split(command, escape)
}

/// What one backslash and what follows it stand for.
type Escape = fn(&str) -> IResult<&str, Vec<u8>>;

fn split(text: &str, escape: Escape) -> Result<Vec<String>, OpenQuote> {
    let mut words = Vec::new();
    let mut left = text.trim_start_matches(is_blank);
    while !left.is_empty() {
        let (after, word) = command_word(left, escape)?;
        words.push(String::from_utf8_lossy(&word).into_owned());
        left = after.trim_start_matches(is_blank);
    }
    Ok(words)
}

/// One word of a command, joined from quoted and bare pieces, and what stands behind it.
fn command_word(mut left: &str, escape: Escape) -> Result<(&str, Vec<u8>), OpenQuote> {
    let mut word = Vec::new();
    let mut quote = None;
    while let Some(c) = left.chars().next() {
        if let Ok((after, bytes)) = escape(left) {
            word.extend(bytes);
            left = after;
            continue;
        }
        match quote {
            Some(q) if q == c => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if is_blank(c) => break,
            _ => word.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
        left = left.get(c.len_utf8()..).unwrap_or_default();
    }
    if quote.is_some() { Err(OpenQuote) } else { Ok((left, word)) }
}

/// A backslash with the character it protects, both kept.
fn protected(i: &str) -> IResult<&str, Vec<u8>> {
    map(recognize((char('\\'), opt(anychar))), |both: &str| both.as_bytes().to_vec()).parse(i)
}

/// An escape sequence.
fn escape(i: &str) -> IResult<&str, Vec<u8>> {
    let octal = map(take_while_m_n(1, 3, |c: char| c.is_digit(8)), |d| radix(d, 8));
    let hex =
        map(preceded(char('x'), take_while_m_n(1, 2, |c: char| c.is_ascii_hexdigit())), |d| radix(d, 16));
    let control = map_opt(preceded(char('c'), anychar), |c| u8::try_from(c).ok().map(|b| vec![b & 0x1f]));
    let named = map_opt(anychar, |c| {
        Some(vec![match c {
            'a' => 0x07,
            'b' => 0x08,
            'E' => 0x1b,
            'f' => 0x0c,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 0x0b,
            _ => return None,
        }])
    });
    let itself = map(opt(anychar), |c| c.map_or_else(Vec::new, |c| c.to_string().into_bytes()));
    preceded(char('\\'), alt((octal, hex, control, named, itself))).parse(i)
}

/// The byte that at most three octal or two hexadecimal digits say; the highest bit of a ninth is lost, as in C.
fn radix(digits: &str, base: u32) -> Vec<u8> {
    vec![u32::from_str_radix(digits, base).map_or(0, |n| (n & 0xff) as u8)]
}

#[cfg(test)]
mod tests;
