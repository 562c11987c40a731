//! Help and version.

use std::fmt::Write as _;

use clap::{Arg, CommandFactory};

use super::options::PENDING;
use super::{LintOptions, Options};

/// The version of stock whose behaviour is taken for granted: scripts choose keywords by it.
const COMPATIBLE_WITH: &str = "2.2.7";

/// What is in effect of what stock's `-v` calls config options; neither LVS, nor BFD, SNMP and D-Bus yet, nor `REGEX`, which
/// is a checker's.
const CONFIG_OPTIONS: &str =
    "NFTABLES VRRP VRRP_AUTH VRRP_VMAC JSON OLD_CHKSUM_COMPAT INIT=systemd SYSTEMD_NOTIFY";

/// What can be used of what stock's `-v` calls system options. Those that no keyword depends on are missing.
const SYSTEM_OPTIONS: &str = "RTA_ENCAP RTA_EXPIRES RTA_PREF FRA_SUPPRESS_PREFIXLEN FRA_SUPPRESS_IFGROUP FRA_TUN_ID \
    RTAX_CC_ALGO RTAX_QUICKACK FRA_L3MDEV FRA_UID_RANGE RTAX_FASTOPEN_NO_COOKIE RTA_VIA FRA_PROTOCOL FRA_IP_PROTO \
    FRA_SPORT_RANGE FRA_DPORT_RANGE RTA_TTL_PROPAGATE IFA_FLAGS LWTUNNEL_ENCAP_MPLS LWTUNNEL_ENCAP_ILA VRRP_IPVLAN \
    GLOB_BRACE INET6_ADDR_GEN_MODE VRF SO_MARK";

/// What only the machine can tell for the version text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// Kernel release and version, as `uname -r` and `uname -v` have them.
    pub kernel: String,
    /// Name of the distribution (`PRETTY_NAME` of os-release); empty if unknown.
    pub distribution: String,
}

/// Name and version: `Keepalived v2.2.7 (keepalived-rs 0.1.0)`.
///
/// The first number is the version of stock we are compatible with, because that is what scripts look for
/// behind `Keepalived v`, here and in the log; the second is our own.
pub fn banner() -> String {
    format!("Keepalived v{COMPATIBLE_WITH} (keepalived-rs {})", env!("CARGO_PKG_VERSION"))
}

/// What `-v` prints. Has stock's first line, and its `Config options:` and `System options:` with what is in effect.
pub fn version(system: &System) -> String {
    let mut text = format!(
        "{}\n\nAn independent implementation in Rust, compatible with Keepalived {COMPATIBLE_WITH}\n\n",
        banner()
    );
    let _ = writeln!(text, "Running on Linux {}", system.kernel);
    if !system.distribution.is_empty() {
        let _ = writeln!(text, "Distro: {}", system.distribution);
    }
    let _ = write!(text, "\nConfig options:  {CONFIG_OPTIONS}\n\nSystem options:  {SYSTEM_OPTIONS}\n");
    text
}

/// What `-h` prints, for the program called `program`: one line for each option.
pub fn help(program: &str) -> String {
    let head = format!("Usage: {program} [OPTION...]\n");
    let text = options(&Options::command(), head);
    format!(
        "{text}\n{program} lint FILE...   compares the configurations of a cluster's nodes; see lint --help\n"
    )
}

/// What `lint --help` prints, for the program called `program`.
pub fn lint_help(program: &str) -> String {
    let head = format!(
        "Usage: {program} lint [OPTION...] [ID=]FILE [ID=]FILE...\n\
         Compares the configurations of a cluster's nodes. Status 5 if routers would not hear each other, else 0.\n\
         With ID=FILE, ID is what the @id lines of that node are compared with.\n"
    );
    options(&LintOptions::command(), head)
}

/// `text` and one line for each option.
fn options(command: &clap::Command, mut text: String) -> String {
    for arg in command.get_arguments().filter(|a| !a.is_hide_set() && a.get_long().is_some()) {
        let option = usage(arg);
        let mut about = arg.get_help().map(ToString::to_string).unwrap_or_default();
        if PENDING.iter().any(|(name, _)| arg.get_long() == Some(name)) {
            about.push_str(" (not in effect yet)");
        }
        // An option too long for its column gets a line of its own.
        if option.len() > 30 {
            let _ = writeln!(text, "{option}\n{:30} {about}", "");
        } else {
            let _ = writeln!(text, "{option:30} {about}");
        }
    }
    text
}

/// `  -f, --use-file=FILE`.
fn usage(arg: &Arg) -> String {
    let short = arg.get_short().map_or_else(|| "    ".to_owned(), |c| format!("-{c}, "));
    let value = match arg.get_value_names() {
        Some([name, ..]) if arg.is_require_equals_set() => format!("[={name}]"),
        Some([name, ..]) if arg.get_action().takes_values() => format!("={name}"),
        _ => String::new(),
    };
    format!("  {short}--{}{value}", arg.get_long().unwrap_or_default())
}
