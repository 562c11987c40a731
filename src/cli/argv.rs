//! Attached optional arguments, told to clap in the one form it understands.

use clap::{Arg, Command};

/// Arguments as clap takes them.
pub(super) struct Normalised {
    pub(super) args: Vec<String>,
    /// The long option that was given an empty argument where it must have one. Stock minds it of long options alone.
    pub(super) empty: Option<String>,
}

/// Rewrites `-DtFILE` as `-D`, `--config-test=FILE`, for each short option whose argument is optional. Everything
/// else stays as it is, the arguments of options and what stands behind `--` included.
pub(super) fn normalise(command: &Command, args: &[String]) -> Normalised {
    let mut out = Vec::with_capacity(args.len() + 1);
    let mut empty = None;
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let wants_next = if arg == "--" {
            out.push(arg.clone());
            out.extend(rest.by_ref().cloned());
            false
        } else if let Some(long) = arg.strip_prefix("--") {
            out.push(arg.clone());
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            let option = wanting_argument(command, name);
            let value = value.or_else(|| rest.as_slice().first().map(String::as_str));
            if let (Some(option), Some("")) = (option, value) {
                empty.get_or_insert_with(|| option.get_long().unwrap_or(name).to_owned());
            }
            !long.contains('=') && option.is_some()
        } else if let Some(bundle) = arg.strip_prefix('-').filter(|b| !b.is_empty()) {
            shorts(command, bundle, &mut out)
        } else {
            out.push(arg.clone());
            false
        };
        if wants_next {
            out.extend(rest.next().cloned());
        }
    }
    Normalised { args: out, empty }
}

/// Rewrites one bundle of short options, and says whether the last of them takes the next argument.
fn shorts(command: &Command, bundle: &str, out: &mut Vec<String>) -> bool {
    for (at, c) in bundle.char_indices() {
        let (before, here) = bundle.split_at(at);
        let value = here.get(c.len_utf8()..).unwrap_or_default();
        let Some(arg) = command.get_arguments().find(|a| a.get_short() == Some(c)) else { continue };
        if !arg.get_action().takes_values() {
            continue;
        }
        if arg.is_require_equals_set() && !value.is_empty() {
            if !before.is_empty() {
                out.push(format!("-{before}"));
            }
            out.push(format!("--{}={value}", arg.get_long().unwrap_or_default()));
            return false;
        }
        out.push(format!("-{bundle}"));
        return value.is_empty() && !arg.is_require_equals_set();
    }
    out.push(format!("-{bundle}"));
    false
}

/// The long option meant by `name`, perhaps abbreviated, if it must have an argument.
fn wanting_argument<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    let long = |arg: &&Arg| arg.get_long().is_some_and(|long| long.starts_with(name));
    let exact = command.get_arguments().find(|a| a.get_long() == Some(name));
    let mut candidates = command.get_arguments().filter(long);
    let found = exact.or_else(|| match (candidates.next(), candidates.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    });
    found.filter(|arg| arg.get_action().takes_values() && !arg.is_require_equals_set())
}
