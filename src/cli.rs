//! The command line, with stock's options and habits.
//!
//! Pure: arguments come in, a [`Request`] goes out. The struct [`Options`] is the one table of options; parser and
//! help both come from it.
//!
//! Stock reads its arguments the GNU way: long options may be abbreviated, short ones bundled, options and operands
//! mixed; an optional argument must be attached. clap does all but the last, which `argv` prepares for it.

mod argv;
mod genhash;
mod lint;
mod options;
mod text;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches};

pub use genhash::GenhashOptions;
pub use lint::LintOptions;
pub use options::Options;
pub use text::{System, banner, help, lint_help, version};

/// The configuration file that is read unless `-f` names another.
pub const DEFAULT_CONFIG: &str = "/etc/keepalived/keepalived.conf";

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Run, or test the configuration.
    Run(Box<Options>),
    /// Print the help (`-h`).
    Help,
    /// Print the version (`-v`).
    Version,
    /// Print this signal number (`--signum`).
    Signum(u8),
    /// Compare the configurations of a cluster's nodes (`lint`).
    Lint(LintOptions),
    /// Print the help of `lint`.
    LintHelp,
    /// Print the digest of a web page (`genhash`).
    Genhash(Box<GenhashOptions>),
}

/// A command line that cannot be obeyed: print this to stderr and exit with status 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// Reads a command line, program name first.
///
/// # Errors
/// With what stock says about an unknown option or a missing argument.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Request, Refusal> {
    let mut args = args.into_iter();
    let program = args.next().unwrap_or_default();
    let args = args
        .map(|a| a.into_string().map_err(|a| Refusal(format!("Argument {a:?} is not valid UTF-8"))))
        .collect::<Result<Vec<String>, Refusal>>()?;

    // Stock has no subcommands: only as the very first argument is this one.
    if args.first().is_some_and(|a| a == "lint") {
        return lint::parse(args.get(1..).unwrap_or_default());
    }
    let program = Path::new(&program);
    if let Some(request) = genhash::request(&args, program) {
        return request;
    }
    let mut command = Options::command().disable_version_flag(true).version("");
    command.build();
    let argv::Normalised { args: normal, empty } = argv::normalise(&command, &args);
    let matches = match command.clone().try_get_matches_from(normal) {
        Ok(matches) => matches,
        Err(e) if e.kind() == ErrorKind::DisplayHelp => return Ok(Request::Help),
        Err(e) if e.kind() == ErrorKind::DisplayVersion => return Ok(Request::Version),
        Err(e) => return Err(refusal(&e, &args)),
    };
    let options = Options::from_arg_matches(&matches).map_err(|e| refusal(&e, &args))?;

    if let Some(option) = empty {
        return Err(Refusal(format!("Missing parameter for option --{option}")));
    }
    if let Some(function) = options.signum.first() {
        return signum(function).map(Request::Signum);
    }
    if options.json() && options.dump_conf {
        return Err(Refusal(
            "--format=json and --dump-conf both print on stdout: use one of them".to_owned(),
        ));
    }
    match options.format.as_deref() {
        Some("text" | "json") if options.config_test.is_some() => {}
        Some("text" | "json") => {
            return Err(Refusal("Option --format is for --config-test and lint".to_owned()));
        }
        Some(format) => return Err(unknown_format(format)),
        None => {}
    }
    if options.genhash {
        return genhash::by_option(&args, program);
    }
    Ok(Request::Run(Box::new(options)))
}

fn unknown_format(format: &str) -> Refusal {
    Refusal(format!("Unknown format '{format}': text and json are known"))
}

/// What stock says about the mistake that clap found in `args`.
fn refusal(error: &clap::Error, args: &[String]) -> Refusal {
    let argument = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument.as_str(),
        _ => return Refusal(error.to_string().trim_end().to_owned()),
    };
    // clap names an option by its whole usage, `--use-file <FILE>`.
    let option = argument.split([' ', '=']).next().unwrap_or(argument);
    let last = args.last().map_or("", String::as_str);
    Refusal(match error.kind() {
        // Only the very last argument can lack its parameter; stock calls it what the user called it.
        ErrorKind::InvalidValue if last.starts_with('-') && !last.starts_with("--") => {
            format!("Missing parameter for option -{}", last.chars().next_back().unwrap_or('-'))
        }
        ErrorKind::InvalidValue => format!("Missing parameter for option {option}"),
        // An argument that an option does not take makes the whole unknown to stock.
        _ => {
            let with_value = |a: &&String| a.strip_prefix(option).is_some_and(|rest| rest.starts_with('='));
            format!("Unknown option {}", args.iter().find(with_value).map_or(option, String::as_str))
        }
    })
}

/// The number of the signal for stock's name of its function. Real-time signals are counted as glibc counts
/// them: `SIGRTMIN` is 34, `SIGRTMAX` 64.
fn signum(function: &str) -> Result<u8, Refusal> {
    Ok(match function {
        "STOP" => 15,
        "RELOAD" => 1,
        "DATA" => 10,
        "STATS" => 12,
        "STATS_CLEAR" => 63,
        "JSON" => 36,
        "HAND_OVER" => 39,
        _ => return Err(Refusal(format!("Unknown sigfunc {function}"))),
    })
}
