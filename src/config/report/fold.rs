//! One finding for one mistake: follow-ups are folded into what they come from, what repetition made many becomes one,
//! and what is left is sorted. A follow-up still counts: the finding takes over its severity, class and effect.

use std::collections::BTreeMap;

use super::{Place, Report};
use crate::config::diagnostic::{Diagnostic, Effect, Severity, Span};

/// What the trail of a repeated line says, before its values.
pub(crate) const REPEATED: &str = "repeated by this line";

/// The line of a diagnostic.
pub(super) fn place(diagnostic: &Diagnostic) -> Option<Place> {
    diagnostic.span.as_ref().map(|s| (s.file, s.line))
}

/// What is to be shown of all that was found.
pub(super) fn fold(report: Report) -> Vec<Diagnostic> {
    let Report { list, roots, causes, hints, .. } = report;
    let root = |n: usize, diagnostic: &Diagnostic| -> usize {
        let by_line = || place(diagnostic).and_then(|p| causes.get(&p)).copied();
        roots.get(&n).copied().or_else(by_line).unwrap_or(n)
    };
    let next: Vec<usize> =
        list.iter().enumerate().map(|(n, d)| if d.not_in_effect { n } else { root(n, d) }).collect();
    let mut kept: BTreeMap<usize, Diagnostic> = BTreeMap::new();
    let mut folded = Vec::new();
    for (n, diagnostic) in list.into_iter().enumerate() {
        let root = end(&next, n);
        if root == n {
            kept.insert(n, diagnostic);
        } else {
            folded.push((root, diagnostic));
        }
    }
    for (root, diagnostic) in folded {
        if let Some(into) = kept.get_mut(&root) {
            absorb(into, &diagnostic);
        }
    }
    let mut list: Vec<Diagnostic> = kept.into_values().collect();
    for diagnostic in list.iter_mut().filter(|d| d.severity > Severity::Note && !d.not_in_effect) {
        if let Some(hint) = place(diagnostic).and_then(|p| hints.get(&p)) {
            diagnostic.hint = Some(hint.clone());
        }
    }
    list = repetitions(list);
    list.sort_by_key(order);
    list
}

/// Where the way from number `n` ends; what leads in a circle ends where it began.
fn end(next: &[usize], n: usize) -> usize {
    let mut at = n;
    for _ in 0..next.len().min(64) {
        match next.get(at) {
            Some(&further) if further != at => at = further,
            _ => return at,
        }
    }
    n
}

/// Makes a finding count for another one.
fn absorb(into: &mut Diagnostic, other: &Diagnostic) {
    into.severity = into.severity.max(other.severity);
    if let (Effect::Runs, effect) | (effect @ Effect::Refuses(_), Effect::Runs) = (into.effect, other.effect)
    {
        into.effect = effect;
    } else if other.class > into.class {
        into.effect = other.effect;
    }
    into.class = into.class.max(other.class);
}

/// By file, line and column; what concerns no line comes last.
fn order(diagnostic: &Diagnostic) -> (bool, u32, u32, u32) {
    match &diagnostic.span {
        Some(Span { file, line, columns }) => (false, file.0, *line, columns.start),
        None => (true, 0, 0, 0),
    }
}

/// Makes one of the findings that differ only in the values of `~SEQ` or `~LST`.
fn repetitions(list: Vec<Diagnostic>) -> Vec<Diagnostic> {
    /// How many values are told.
    const SHOWN: usize = 3;
    let mut first: BTreeMap<(Place, String), usize> = BTreeMap::new();
    let mut values: BTreeMap<usize, (Vec<String>, usize)> = BTreeMap::new();
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(list.len());
    for diagnostic in list {
        let step = diagnostic.trail.iter().find_map(|(_, what)| what.strip_prefix(REPEATED));
        let (Some(step), Some(place)) = (step, place(&diagnostic)) else {
            kept.push(diagnostic);
            continue;
        };
        let step = step.trim_start_matches(" with ").to_owned();
        match first.get(&(place, shape(&diagnostic.text))) {
            None => {
                first.insert((place, shape(&diagnostic.text)), kept.len());
                values.insert(kept.len(), (vec![step], 1));
                kept.push(diagnostic);
            }
            Some(n) => {
                if let Some((shown, count)) = values.get_mut(n)
                    && shown.last() != Some(&step)
                {
                    *count += 1;
                    if shown.len() < SHOWN {
                        shown.push(step);
                    }
                }
                if let Some(into) = kept.get_mut(*n) {
                    absorb(into, &diagnostic);
                }
            }
        }
    }
    for (n, (shown, count)) in values.into_iter().filter(|(_, (_, count))| *count > 1) {
        if let Some(diagnostic) = kept.get_mut(n) {
            let more = if count > shown.len() { ", …" } else { "" };
            let what = format!("the same for {count} values: {}{more}", shown.join(", "));
            diagnostic.hint =
                Some(diagnostic.hint.take().map_or(what.clone(), |hint| format!("{hint}; {what}")));
        }
    }
    kept
}

/// A text without what is quoted in it and without its numbers.
fn shape(text: &str) -> String {
    let mut out = String::new();
    let unquoted = text.split(['\'', '`']).step_by(2);
    for piece in unquoted {
        out.extend(
            piece.chars().map(|c| if c.is_ascii_hexdigit() || matches!(c, '.' | ':') { '0' } else { c }),
        );
        out.push('\'');
    }
    // Numbers of any length.
    while out.contains("00") {
        out = out.replace("00", "0");
    }
    out
}

#[cfg(test)]
mod tests;
