use clap::ArgAction;

use super::options::{PENDING, facility, mask};
use super::*;

fn ask(args: &[&str]) -> Result<Request, Refusal> {
    parse(["keepalived"].iter().chain(args).map(OsString::from))
}

fn options(args: &[&str]) -> Options {
    match ask(args) {
        Ok(Request::Run(options)) => *options,
        other => panic!("{args:?} gave {other:?}"),
    }
}

fn refused(args: &[&str]) -> String {
    ask(args).expect_err("must be refused").0
}

#[test]
fn nothing_given_means_stocks_defaults() {
    let o = options(&[]);
    assert_eq!(o.use_file, DEFAULT_CONFIG);
    assert_eq!((o.facility(), o.umask(), o.log_detail), (3, 0o177, 0));
    assert_eq!(o.config_test, None);
    assert_eq!(o.not_in_effect(), Vec::<&str>::new());
}

#[test]
fn options_are_read_the_gnu_way() {
    // Debian's unit, abbreviated, bundled, mixed with operands, repeated: the last one counts.
    let o =
        options(&["--dont-fork", "-lDD", "--use=a", "one", "-f", "b", "--pid", "/run/p", "two", "--", "-x"]);
    assert!(o.dont_fork && o.log_console && !o.snmp);
    assert_eq!((o.log_detail, o.use_file.as_str(), o.pid.as_deref()), (2, "b", Some("/run/p")));
    assert_eq!(o.operands, ["one", "two", "-x"]);
    // A whole name counts as itself even when it begins another one.
    assert!(options(&["--vrrp"]).without_checkers);
    assert!(options(&["--all"]).all);
    // A bundle may end in an option with its argument, attached or not; the argument may begin with a dash.
    assert_eq!(options(&["-Df", "-t"]).use_file, "-t");
    assert_eq!(options(&["-Dfx"]).use_file, "x");
    assert_eq!(options(&["--use-f", "-tfoo"]).use_file, "-tfoo");
    assert_eq!(options(&["-i", ""]).config_id.as_deref(), Some(""));
    assert_eq!(options(&["-"]).operands, ["-"]);
}

#[test]
fn the_argument_of_config_test_is_attached_or_absent() {
    for (args, file) in [
        (&["-t"][..], None),
        (&["-t", "extra"], None),
        (&["--config-test"], None),
        (&["--config-t=/x"], Some("/x")),
        (&["--config-test="], None),
        (&["-t/x"], Some("/x")),
        (&["-Dnt/x"], Some("/x")),
        // What follows the letter is the file, down to an equals sign and to other letters of options.
        (&["-t=/x"], Some("=/x")),
        (&["-tf", "extra"], Some("f")),
    ] {
        let o = options(args);
        assert!(o.config_test.is_some(), "{args:?}");
        assert_eq!(o.test_log(), file, "{args:?}");
    }
    assert_eq!(options(&["-M"]).core_dump_pattern.as_deref(), Some("core"));
    assert_eq!(options(&["-mMp"]).core_dump_pattern.as_deref(), Some("p"));
    assert_eq!(options(&["--", "-t/x"]).operands, ["-t/x"]);
}

#[test]
fn mistakes_are_refused_in_stocks_words() {
    for (args, text) in [
        (&["--wibble"][..], "Unknown option --wibble"),
        (&["--wibble=3"], "Unknown option --wibble=3"),
        (&["--log"], "Unknown option --log"),
        (&["--vrrp=3"], "Unknown option --vrrp=3"),
        (&["-Z"], "Unknown option -Z"),
        (&["-DZ"], "Unknown option -Z"),
        (&["-f"], "Missing parameter for option -f"),
        (&["-Df"], "Missing parameter for option -f"),
        (&["--use-file"], "Missing parameter for option --use-file"),
        (&["--use-f"], "Missing parameter for option --use-file"),
        (&["--use-file="], "Missing parameter for option --use-file"),
        (&["--signum"], "Missing parameter for option --signum"),
        (&["--pid", ""], "Missing parameter for option --pid"),
        (&["--config-i", ""], "Missing parameter for option --config-id"),
        (&["--signum="], "Missing parameter for option --signum"),
        (&["--signum=TDATA", "--signum=STOP"], "Unknown sigfunc TDATA"),
        (&["--signum=TDATA"], "Unknown sigfunc TDATA"),
        (&["--signum=stop"], "Unknown sigfunc stop"),
    ] {
        assert_eq!(refused(args), text, "{args:?}");
    }
}

#[test]
fn genhash_by_name_and_by_option() {
    let page = ["-s", "192.0.2.1", "-p", "80", "-u", "/"];
    let asked = |before: &[&str]| {
        let args = before.iter().chain(&page).map(OsString::from);
        match parse(args) {
            Ok(Request::Genhash(options)) => (options.server.to_string(), options.complaint),
            other => panic!("{before:?}: {other:?}"),
        }
    };
    let plain = ("192.0.2.1:80".to_owned(), None);
    for before in [
        &["/usr/bin/genhash"][..],
        &["genhash-rs"],
        &["keepalived-rs", "-T"],
        &["keepalived-rs", "--genhash"],
        &["keepalived-rs", "--gen"],
        &["keepalived-rs", "-Tv"],
    ] {
        assert_eq!(asked(before), plain, "{before:?}");
    }
    let late = asked(&["keepalived-rs", "-n", "-T"]).1.unwrap_or_default();
    assert_eq!(late, "Warning -- `-T` not used as first option, previous options ignored");
    assert!(refused(&["-T", "-s"]).contains("Usage: keepalived --genhash "));
    assert!(refused(&["-t", "--genhash"]).starts_with("Warning -- `genhash` not used as first option"));
    assert_eq!(refused(&["-nT"]), "Option --genhash must be the first one");
    assert_eq!(options(&["-f", "-T", "--", "-T"]).use_file, "-T", "an argument, and an operand");
}

#[test]
fn what_vrrp_says_has_a_log_file_of_its_own() {
    let files = |args: &[&str]| {
        options(args).log_files().map(|files| files.map(|file| file.to_string_lossy().into_owned()))
    };
    let expected = |main: &str, vrrp: &str| Some([main.to_owned(), vrrp.to_owned()]);
    assert_eq!(files(&[]), None);
    assert_eq!(files(&["-g"]), expected("/var/log/keepalived.log", "/var/log/keepalived_vrrp.log"));
    assert_eq!(files(&["-g/a.b/c"]), expected("/a.b/c", "/a.b/c_vrrp"));
    assert_eq!(files(&["--log-file=x.y.log", "--flush-log-file"]), expected("x.y.log", "x.y_vrrp.log"));
}

#[test]
fn version_and_help_count_before_later_mistakes() {
    assert_eq!(ask(&["-v", "--wibble"]), Ok(Request::Version));
    assert_eq!(ask(&["-vh"]), Ok(Request::Version));
    assert_eq!(ask(&["--he"]), Ok(Request::Help));
    assert_eq!(ask(&["--h"]), Ok(Request::Help), "as if there was no --hand-over");
    assert_eq!(ask(&["--vers"]), Ok(Request::Version));
}

#[test]
fn signal_numbers_are_stocks() {
    let numbers = [
        ("STOP", 15),
        ("RELOAD", 1),
        ("DATA", 10),
        ("STATS", 12),
        ("STATS_CLEAR", 63),
        ("JSON", 36),
        ("HAND_OVER", 39),
    ];
    for (name, number) in numbers {
        assert_eq!(ask(&["--sign", name]), Ok(Request::Signum(number)));
        assert_eq!(
            ask(&["--sign", name, "--signum=NONE"]),
            Ok(Request::Signum(number)),
            "the first one counts"
        );
    }
}

/// Stock minds empty arguments of long options alone.
#[test]
fn short_options_take_empty_arguments() {
    let o = options(&["-f", "", "-p", "", "-r", "", "-S", "", "-s", "", "-u", "", "-i", "", "-t", "-M"]);
    assert_eq!((o.use_file.as_str(), o.pid.as_deref(), o.namespace.as_deref()), ("", Some(""), Some("")));
    assert_eq!((o.facility(), o.umask(), o.complaints().len()), (16, 0o177, 0));
    assert_eq!(options(&["--config-test=", "--core-dump-pattern="]).core_dump_pattern.as_deref(), Some(""));
}

#[test]
fn bad_facility_and_mask_are_complained_about() {
    let o = options(&["-S", "9", "-u", "9999"]);
    let said = ["number '9' outside range [0, 7]", "Invalid log facility '9'", "Invalid --umask option 9999"];
    assert_eq!(o.complaints(), said);
    for (word, why) in [
        ("-1", "negative number '-1'"),
        ("foo", "invalid number 'foo'"),
        ("local8", "number '8' outside range [0, 7]"),
    ] {
        assert_eq!(options(&["-S", word]).complaints().first().map(String::as_str), Some(why));
    }
    assert_eq!((o.facility(), o.umask(), o.fails_test()), (3, 0o177, true));
    assert!(!options(&["-u", "0x"]).fails_test());
    for (text, value) in [
        ("022", Some(0o22)),
        ("0x12", Some(18)),
        ("18", Some(18)),
        ("0", Some(0)),
        ("0x", None),
        ("+1", None),
        ("08", None),
    ] {
        assert_eq!(mask(text), value, "{text}");
    }
    for (text, value) in [
        ("0", Some(16)),
        ("local7", Some(23)),
        ("", Some(16)),
        ("user", Some(1)),
        ("daemon", Some(3)),
        ("8", None),
        ("localx", None),
    ] {
        assert_eq!(facility(text), value, "{text}");
    }
}

#[test]
fn what_has_no_effect_is_said() {
    let o = options(&["-xdIRV", "-A", "tcp:localhost:705", "-mM", "-a"]);
    assert_eq!(o.not_in_effect().len(), 4);
    // The list names options by their long names: each must be one.
    let command = Options::command();
    for name in PENDING.iter().map(|(name, _)| name) {
        assert!(command.get_arguments().any(|a| a.get_long() == Some(name)), "{name}");
    }
}

#[test]
fn the_first_line_of_the_version_can_be_parsed() {
    let text = version(&System { kernel: "6.1 #1 SMP".to_owned(), distribution: "Debian".to_owned() });
    let first = text.lines().next().unwrap_or_default();
    let number = first.strip_prefix("Keepalived v").and_then(|r| r.split(' ').next());
    assert_eq!(number, Some("2.2.7"));
    assert!(first.contains(concat!("keepalived-rs ", env!("CARGO_PKG_VERSION"))));
    assert!(text.lines().any(|l| l.starts_with("Config options:  ") && l.contains(" VRRP ")));
}

#[test]
fn help_has_a_line_for_every_option() {
    let text = help("/sbin/k");
    assert!(text.starts_with("Usage: /sbin/k [OPTION...]\n  -f, --use-file=FILE "));
    for arg in Options::command().get_arguments().filter(|a| !a.is_hide_set()) {
        let long = arg.get_long().unwrap_or_default();
        assert!(text.contains(&format!("--{long}")), "{long}");
        assert!(arg.get_help().is_some(), "{long} has no help");
    }
    assert!(text.contains("  -t, --config-test[=FILE] "));
}

#[test]
fn clap_finds_the_table_sound() {
    Options::command().disable_version_flag(true).version("").debug_assert();
}

/// `UPDATE=1 cargo test --lib completions` writes them anew.
#[test]
fn the_completions_for_shells_are_current() {
    use clap_complete::{Shell, generate};
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/completions");
    for (shell, file) in [
        (Shell::Bash, "keepalived-rs.bash"),
        (Shell::Zsh, "_keepalived-rs"),
        (Shell::Fish, "keepalived-rs.fish"),
    ] {
        let mut command = Options::command().mut_arg("version", |arg| arg.action(ArgAction::SetTrue));
        let mut made = Vec::new();
        generate(shell, &mut command, "keepalived-rs", &mut made);
        let path = folder.join(file);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(&path, &made).expect("write");
        }
        let written = std::fs::read(&path).unwrap_or_default();
        assert!(made == written, "write {file} anew: UPDATE=1 cargo test --lib completions");
    }
}
