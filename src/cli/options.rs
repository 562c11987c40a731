//! The options of the daemon, and what their arguments mean.

use std::path::PathBuf;

use clap::{ArgAction, Parser};

use super::DEFAULT_CONFIG;

/// A long option and whether it was given.
pub(super) type Given = (&'static str, fn(&Options) -> bool);

/// Options that are accepted and do nothing yet.
pub(super) const PENDING: &[Given] = &[
    ("dont-release-ipvs", |o| o.dont_release_ipvs),
    ("dont-respawn", |o| o.dont_respawn),
    ("snmp", |o| o.snmp),
    ("snmp-agent-socket", |o| o.snmp_agent_socket.is_some()),
    ("config-fd", |o| o.config_fd.is_some()),
];

/// The log file of `-g` without a name.
const DEFAULT_LOG_FILE: &str = "/var/log/keepalived.log";

/// All options. Those that [`Options::not_in_effect`] does not name are in effect.
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
#[command(no_binary_name = true, disable_help_flag = true, infer_long_args = true, args_override_self = true)]
pub struct Options {
    /// Configuration file
    #[arg(short = 'f', long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    #[arg(allow_hyphen_values = true)]
    pub use_file: String,

    /// Run VRRP without the health checkers
    #[arg(short = 'P', long = "vrrp")]
    pub without_checkers: bool,

    /// Run the health checkers without VRRP
    #[arg(short = 'C', long = "check")]
    pub without_vrrp: bool,

    /// Run without BFD
    #[arg(short = 'B', long = "no_bfd")]
    pub without_bfd: bool,

    /// Accepted: one process does the work, whatever is configured
    #[arg(long)]
    pub all: bool,

    /// Log to stderr as well (with -n)
    #[arg(short = 'l', long)]
    pub log_console: bool,

    /// Log details; twice for more of them
    #[arg(short = 'D', long, action = ArgAction::Count)]
    pub log_detail: u8,

    /// Syslog facility: 0-7, local0-local7, user or daemon (the default)
    #[arg(short = 'S', long, value_name = "FACILITY", allow_hyphen_values = true)]
    pub log_facility: Option<String>,

    /// Do not log to syslog
    #[arg(short = 'G', long)]
    pub no_syslog: bool,

    /// Mask for the mode of files that are made, in C notation (default 0177)
    #[arg(short = 'u', long, value_name = "MASK", allow_hyphen_values = true)]
    pub umask: Option<String>,

    /// Accepted: virtual addresses are always removed when mastership ends
    #[arg(short = 'X', long)]
    pub release_vips: bool,

    /// Leave virtual addresses, routes and rules in place when the daemon stops, and do not tell the peers
    #[arg(short = 'V', long)]
    pub dont_release_vrrp: bool,

    /// Hand masters over to the next start, without a gap, when the daemon is told to restart (SIGRTMIN+5)
    #[arg(long)]
    pub hand_over: bool,

    /// Leave IPVS as it is when the daemon stops
    #[arg(short = 'I', long)]
    pub dont_release_ipvs: bool,

    /// Stop when a part of the daemon fails, instead of restarting the part
    #[arg(short = 'R', long)]
    pub dont_respawn: bool,

    /// Stay in the foreground
    #[arg(short = 'n', long)]
    pub dont_fork: bool,

    /// Write the configuration in effect to the log of the router that starts; with -t: print it and exit
    #[arg(short = 'd', long)]
    pub dump_conf: bool,

    /// Pid file
    #[arg(short = 'p', long, value_name = "FILE", allow_hyphen_values = true)]
    pub pid: Option<String>,

    /// Pid file that says VRRP runs; holds the same pid
    #[arg(short = 'r', long = "vrrp_pid", value_name = "FILE", allow_hyphen_values = true)]
    pub vrrp_pid: Option<String>,

    /// Pid file that says the health checkers run
    #[arg(short = 'c', long = "checkers_pid", value_name = "FILE", allow_hyphen_values = true)]
    pub checkers_pid: Option<String>,

    /// Pid file that says BFD runs
    #[arg(short = 'b', long = "bfd_pid", value_name = "FILE", allow_hyphen_values = true)]
    pub bfd_pid: Option<String>,

    /// Be the genhash tool; must be the first option
    #[arg(short = 'T', long)]
    pub genhash: bool,

    /// Log every address that comes or goes
    #[arg(short = 'a', long)]
    pub address_monitoring: bool,

    /// Serve SNMP
    #[arg(short = 'x', long)]
    pub snmp: bool,

    /// Socket of the SNMP master agent
    #[arg(short = 'A', long, value_name = "SOCKET", allow_hyphen_values = true)]
    pub snmp_agent_socket: Option<String>,

    /// Run in this network namespace
    #[arg(short = 's', long, value_name = "NAME", allow_hyphen_values = true)]
    pub namespace: Option<String>,

    /// Allow core dumps
    #[arg(short = 'm', long)]
    pub core_dump: bool,

    /// Allow core dumps, and set the kernel's core_pattern, to `core` unless given, until the daemon stops
    #[arg(short = 'M', long, value_name = "PATTERN", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "core")]
    pub core_dump_pattern: Option<String>,

    /// A configuration file that is missing or unreadable is an error
    #[arg(short = 'e', long)]
    pub all_config: bool,

    /// Compare the id of `@id` lines with this, instead of the node name
    #[arg(short = 'i', long, value_name = "ID", allow_hyphen_values = true)]
    pub config_id: Option<String>,

    /// Print the number of a signal: STOP, RELOAD, DATA, STATS, STATS_CLEAR, JSON, HAND_OVER
    // The first one counts.
    #[arg(long, value_name = "FUNCTION", allow_hyphen_values = true, action = ArgAction::Append)]
    pub signum: Vec<String>,

    /// Do not stop on SIGINT
    #[arg(long)]
    pub ignore_sigint: bool,

    /// Stock's way to hand a configuration to itself
    #[arg(long, value_name = "NUMBER", hide = true, allow_hyphen_values = true)]
    pub config_fd: Option<String>,

    /// Log to FILE as well (default /var/log/keepalived.log), what VRRP says to a second one with _vrrp in its name
    #[arg(short = 'g', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = DEFAULT_LOG_FILE)]
    pub log_file: Option<String>,

    /// Accepted: a line is in the log file as soon as it is written
    #[arg(long)]
    pub flush_log_file: bool,

    /// Check the configuration and exit; append the findings to FILE instead of showing them on stderr
    #[arg(short = 't', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "")]
    pub config_test: Option<String>,

    /// How -t shows its findings: text, or json on stdout (see docs/JSON.md)
    #[arg(long, value_name = "FORMAT", allow_hyphen_values = true)]
    pub format: Option<String>,

    /// Show the version
    #[arg(short = 'v', long, action = ArgAction::Version)]
    version: Option<bool>,

    /// Show this help
    // Stock's only option with that letter.
    #[arg(short = 'h', long, alias = "h", action = ArgAction::Help)]
    help: Option<bool>,

    /// Arguments that are not options; stock notes and ignores them.
    #[arg(hide = true)]
    pub operands: Vec<String>,
}

impl Options {
    /// The syslog facility to log with, 0 to 23; `daemon` (3) if none or a bad one was given.
    pub fn facility(&self) -> u8 {
        self.log_facility.as_deref().and_then(facility).unwrap_or(3)
    }

    /// The mask for the mode of files that are made; 0177 if none, an empty or a bad one was given.
    pub fn umask(&self) -> u32 {
        self.umask.as_deref().and_then(mask).unwrap_or(0o177)
    }

    /// The file to log to, and that for what VRRP says: with `_vrrp` before the last dot of the name.
    pub fn log_files(&self) -> Option<[PathBuf; 2]> {
        let main = PathBuf::from(self.log_file.as_ref()?);
        let mut name = main.file_stem().unwrap_or_default().to_owned();
        name.push("_vrrp");
        if let Some(extension) = main.extension() {
            name.push(".");
            name.push(extension);
        }
        let vrrp = main.with_file_name(name);
        Some([main, vrrp])
    }

    /// The file that the findings of `-t` are appended to; `None`: they go to stderr.
    pub fn test_log(&self) -> Option<&str> {
        self.config_test.as_deref().filter(|file| !file.is_empty())
    }

    /// Whether findings are wanted as JSON.
    pub fn json(&self) -> bool {
        self.format.as_deref() == Some("json")
    }

    /// What stock says on stderr about bad arguments that it runs in spite of.
    pub fn complaints(&self) -> Vec<String> {
        let bad_facility = self.log_facility.as_ref().filter(|f| facility(f).is_none());
        let bad_mask = self.umask.as_ref().filter(|m| !m.is_empty() && mask(m).is_none());
        let why = bad_facility.map(|f| not_a_facility(f));
        (why.into_iter().chain(bad_facility.map(|f| format!("Invalid log facility '{f}'"))))
            .chain(bad_mask.map(|m| format!("Invalid --umask option {m}")))
            .collect()
    }

    /// Whether `-t` must fail because of the command line: stock fails it for a bad facility (not for a bad mask).
    pub fn fails_test(&self) -> bool {
        self.log_facility.as_ref().is_some_and(|f| facility(f).is_none())
    }

    /// The options given that do nothing yet, for a warning each.
    pub fn not_in_effect(&self) -> Vec<&'static str> {
        PENDING.iter().filter(|(_, given)| given(self)).map(|(name, _)| *name).collect()
    }
}

/// The number of a syslog facility (RFC 5424 table 1) by one of the names that stock takes.
pub(super) fn facility(name: &str) -> Option<u8> {
    match name {
        "user" => Some(1),
        "daemon" => Some(3),
        // As the number 0.
        "" => Some(16),
        _ => match name.strip_prefix("local").unwrap_or(name).as_bytes() {
            [digit @ b'0'..=b'7'] => Some(16 + digit - b'0'),
            _ => None,
        },
    }
}

/// Why a word is no number of a local facility.
fn not_a_facility(word: &str) -> String {
    let number = word.strip_prefix("local").unwrap_or(word);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match number.strip_prefix('-') {
        Some(digits) if is_number(digits) => format!("negative number '{number}'"),
        None if is_number(number) => format!("number '{number}' outside range [0, 7]"),
        _ => format!("invalid number '{word}'"),
    }
}

/// A file mode mask in C notation: `0x`, a leading `0` for octal, else decimal; at most 0777.
pub(super) fn mask(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (text.get(2..)?, 16),
        [b'0', _, ..] => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok().filter(|mask| *mask <= 0o777)
}
