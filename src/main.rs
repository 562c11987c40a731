//! The `keepalived-rs` daemon: from arguments to an exit status. The only file that names `linux`.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use keepalived_rs::cli::{self, Request};
use keepalived_rs::linux::startup;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    ExitCode::from(match cli::parse(args.iter().cloned()) {
        Ok(Request::Run(_)) => 0,
        Ok(Request::Help) => {
            let program = args.first().map(|a| a.to_string_lossy().into_owned());
            say_error(&cli::help(program.as_deref().unwrap_or("keepalived-rs")));
            0
        }
        Ok(Request::Version) => {
            say_error(&cli::version(&system()));
            0
        }
        Ok(Request::Signum(number)) => {
            say(&format!("{number}\n"));
            0
        }
        Err(refusal) => {
            say_error(&format!("{refusal}\n"));
            1
        }
    })
}

/// The machine, as the version text tells it.
fn system() -> cli::System {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    cli::System {
        kernel: startup::kernel(),
        distribution: name.unwrap_or_default().trim_matches('"').to_owned(),
    }
}

/// Prints to stdout. Nobody there to read is no reason to fail.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Prints to stderr, as stock does most.
fn say_error(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
