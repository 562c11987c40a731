//! The command line of `keepalived-rs lint`.

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser};

use super::{Refusal, Request, unknown_format};

/// What `lint` is to do.
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
#[command(name = "lint", no_binary_name = true, disable_help_flag = true)]
pub struct LintOptions {
    /// How the findings are shown: text or json (see docs/JSON.md)
    #[arg(long, value_name = "FORMAT", default_value = "text", allow_hyphen_values = true)]
    format: String,

    /// Show this help
    #[arg(short = 'h', long)]
    help: bool,

    /// The configuration of each node; ID=FILE sets what its `@id` lines are compared with
    #[arg(value_name = "[ID=]FILE")]
    files: Vec<String>,
}

impl LintOptions {
    /// Whether the findings are wanted as JSON.
    pub fn json(&self) -> bool {
        self.format == "json"
    }

    /// Each node's file, and the id for its `@id` lines, if one was given: what stands before the first `=` is one
    /// unless it has a `/`.
    pub fn nodes(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        self.files.iter().map(|file| match file.split_once('=') {
            Some((id, file)) if !id.is_empty() && !id.contains('/') => (Some(id), file),
            _ => (None, file.as_str()),
        })
    }
}

/// Reads what stands behind the word `lint`.
pub(super) fn parse(args: &[String]) -> Result<Request, Refusal> {
    let parsed = LintOptions::command().try_get_matches_from(args);
    let parsed = parsed.and_then(|matches| LintOptions::from_arg_matches(&matches));
    let options = parsed.map_err(|e| match e.kind() {
        ErrorKind::UnknownArgument => super::refusal(&e, args),
        _ => Refusal(e.to_string().lines().next().unwrap_or_default().to_owned()),
    })?;
    if options.help {
        return Ok(Request::LintHelp);
    }
    if !matches!(options.format.as_str(), "text" | "json") {
        return Err(unknown_format(&options.format));
    }
    if options.files.len() < 2 {
        return Err(Refusal("lint compares the configurations of two nodes or more".to_owned()));
    }
    Ok(Request::Lint(options))
}
