//! Collects diagnostics.

use super::diagnostic::{Class, Diagnostic, Effect, Severity, Span};
use super::lines::Line;

/// How many diagnostics are kept. Nobody reads more, and a small file can make millions of lines.
const LIMIT: usize = 10_000;

/// The diagnostics so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) list: Vec<Diagnostic>,
    /// Beyond the limit the last one is overwritten; this is what those before it amount to.
    rest: Option<(Severity, Class, Effect)>,
}

impl Report {
    /// Adds one that concerns `line`.
    pub(crate) fn at(
        &mut self,
        line: &Line,
        severity: Severity,
        class: Class,
        text: impl Into<String>,
    ) -> &mut Diagnostic {
        // What is not kept needs no history, which may be long.
        let trail = if self.is_full() { Vec::new() } else { line.trail() };
        let added = self.add(Some(line.span()), severity, class, text);
        added.trail = trail;
        added
    }

    /// Adds one.
    pub(crate) fn add(
        &mut self,
        span: Option<Span>,
        severity: Severity,
        class: Class,
        text: impl Into<String>,
    ) -> &mut Diagnostic {
        if self.list.len() > LIMIT
            && let Some(last) = self.list.pop()
        {
            let (severity, class, effect) = self.rest.unwrap_or((last.severity, last.class, last.effect));
            let effect = if effect == Effect::Runs { last.effect } else { effect };
            self.rest = Some((severity.max(last.severity), class.max(last.class), effect));
        }
        self.list.push(Diagnostic {
            span,
            severity,
            class,
            effect: Effect::Runs,
            not_in_effect: false,
            text: text.into(),
            hint: None,
            trail: Vec::new(),
        });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// Whether further diagnostics are not kept.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() > LIMIT
    }

    /// All diagnostics; those beyond the limit have become one.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        if self.list.len() > LIMIT {
            let text = format!("More than {LIMIT} diagnostics; the others are not shown");
            let (severity, class, effect) = self.rest.unwrap_or((Severity::Note, Class::Log, Effect::Runs));
            // Adding folds the last one into the rest.
            self.add(None, severity, class, text).effect = effect;
            if let (Some((severity, class, effect)), Some(last)) = (self.rest, self.list.last_mut()) {
                (last.severity, last.class, last.effect) = (severity, class, effect);
            }
        }
        self.list
    }

    /// An error that counts for the status of `-t`.
    pub(crate) fn error(&mut self, line: &Line, text: impl Into<String>) -> &mut Diagnostic {
        self.at(line, Severity::Error, Class::Config, text)
    }

    /// Something worth saying that does not count.
    pub(crate) fn warning(&mut self, line: &Line, text: impl Into<String>) -> &mut Diagnostic {
        self.at(line, Severity::Warning, Class::Log, text)
    }
}

impl Diagnostic {
    /// With advice.
    pub(crate) fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// It says that something is not in effect yet.
    pub(crate) fn not_in_effect(&mut self) -> &mut Self {
        self.not_in_effect = true;
        self
    }

    /// A daemon does not start with it.
    pub(crate) fn refuses(&mut self, status: u8) -> &mut Self {
        self.effect = Effect::Refuses(status);
        self
    }
}
