//! Collects diagnostics.

use super::diagnostic::{Class, Diagnostic, Effect, Severity, Span};
use super::lines::Line;

/// The diagnostics so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) list: Vec<Diagnostic>,
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
        let trail = line.trail();
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
