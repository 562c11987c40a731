//! Compares the configurations of a cluster's nodes: what would split it, make it flap, or surprise its owner.
//!
//! Each file may be right by itself and the cluster still be wrong, because routers that differ in what an advert
//! says do not hear each other, and then both are master. What is compared is what was written, found in the
//! statements, so that every finding has its places; defaults are those of the routers.

mod elsewhere;
mod pairing;
mod rules;
mod view;

use super::diagnostic::{Class, Diagnostic, Severity, Sources, Span};
use super::{Options, tree};
use crate::host::Loader;
use elsewhere::Elsewhere;
use view::View;

/// The rule of findings about one file, whatever is in the others.
pub const FILE: &str = "file";

/// One node of the cluster: its name in the findings, where its configuration is, and how it is loaded.
pub struct Node<'a> {
    /// Its name, such as the path of its file.
    pub name: String,
    /// Where its files are. Interfaces, users and programs are taken to be there: they are another machine's.
    pub loader: &'a dyn Loader,
    /// What to load.
    pub options: Options,
}

/// What the comparison gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// The nodes, in the order they were given.
    pub nodes: Vec<Text>,
    /// What was found: first what is wrong with each file by itself.
    pub findings: Vec<Finding>,
}

/// The files of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The node's name.
    pub name: String,
    /// How many findings of `-t` there are about it that are no errors, and therefore not among those of `lint`.
    pub further: usize,
    /// The text that the findings point into.
    pub sources: Sources,
}

/// Something about the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// [`Severity::Error`]: the cluster would split, two routers be master at once. [`Severity::Warning`]: it would
    /// flap, or do what its owner hardly expects.
    pub severity: Severity,
    /// The name of the rule, for tools: `interval`, `priority`, …
    pub rule: &'static str,
    /// What is the matter and what comes of it, in a sentence.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where it shows, node by node.
    pub places: Vec<Place>,
}

/// What one node has where a finding shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The node: an index into [`Lint::nodes`].
    pub node: usize,
    /// Where it was written, or the instance that does not have it.
    pub span: Option<Span>,
    /// What is there, in few words; never a password.
    pub value: String,
}

impl Lint {
    /// The exit status: 5 with errors, else 0.
    pub fn status(&self) -> u8 {
        if self.findings.iter().any(|f| f.severity == Severity::Error) { 5 } else { 0 }
    }
}

/// Loads and compares the configurations of `nodes`.
pub fn run(nodes: &[Node<'_>]) -> Lint {
    let mut findings = Vec::new();
    let mut texts = Vec::new();
    let mut view = View::default();
    for (number, node) in nodes.iter().enumerate() {
        let loader = Elsewhere(node.loader);
        let loaded = super::load(&loader, &node.options);
        let counts = |d: &&Diagnostic| d.class >= Class::Config && d.severity == Severity::Error;
        let wrong = loaded.diagnostics.iter().filter(counts);
        let further = loaded.diagnostics.iter().filter(|d| d.shown_by_test() && !counts(d)).count();
        findings.extend(wrong.map(|d| Finding {
            severity: d.severity,
            rule: FILE,
            text: d.text.clone(),
            hint: d.hint.clone(),
            places: vec![Place { node: number, span: d.span.clone(), value: String::new() }],
        }));
        texts.push(Text { name: node.name.clone(), further, sources: loaded.sources });
        let stmts: Vec<tree::Stmt> = super::statements(&loader, &node.options);
        view.add(number, &stmts);
    }
    let routers = pairing::virtual_routers(&view.routers);
    rules::check(&view, &routers, nodes.len(), &mut findings);
    Lint { nodes: texts, findings }
}

#[cfg(test)]
mod tests;
