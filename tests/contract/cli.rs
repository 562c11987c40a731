//! The command line of the binary itself: what goes where, and exit statuses.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::files;

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keepalived-rs"));
    command.args(args).stdin(Stdio::null()).output().expect("the binary runs")
}

/// Exit status, stdout, stderr.
fn outcome(args: &[&str]) -> (Option<i32>, String, String) {
    let output = run(args);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A folder with three configurations, and their paths: good, with a mistake, missing.
fn configs() -> (tempfile::TempDir, [String; 3]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let paths = [path("good.conf"), path("bad.conf"), path("missing.conf")];
    std::fs::write(&paths[0], "global_defs {\n    router_id R\n}\n").expect("write");
    std::fs::write(&paths[1], "global_defs {\n    wibble 1\n}\n").expect("write");
    (folder, paths)
}

#[test]
fn version_and_help_go_to_stderr() {
    let (status, out, err) = outcome(&["-v"]);
    assert_eq!((status, out.as_str()), (Some(0), ""));
    assert!(err.starts_with("Keepalived v2.2.7 (keepalived-rs "), "{err}");
    assert!(err.contains("\nRunning on Linux ") && err.contains("\nConfig options:  "), "{err}");
    let (status, out, err) = outcome(&["--help"]);
    assert_eq!((status, out.as_str()), (Some(0), ""));
    assert!(err.starts_with("Usage: ") && err.contains("--use-file=FILE"), "{err}");
}

#[test]
fn mistakes_exit_with_1() {
    for (args, text) in [
        (&["--wibble"][..], "Unknown option --wibble\n"),
        (&["-Z"], "Unknown option -Z\n"),
        (&["--use-file"], "Missing parameter for option --use-file\n"),
        (&["--signum=NONE"], "Unknown sigfunc NONE\n"),
        (&["--namespace="], "Missing parameter for option --namespace\n"),
    ] {
        assert_eq!(outcome(args), (Some(1), String::new(), text.to_owned()), "{args:?}");
    }
}

#[test]
fn signal_numbers_go_to_stdout() {
    assert_eq!(outcome(&["--signum=JSON"]), (Some(0), "36\n".to_owned(), String::new()));
    assert_eq!(outcome(&["--sig", "STOP"]), (Some(0), "15\n".to_owned(), String::new()));
    assert_eq!(outcome(&["--signum=STOP", "--signum=JSON"]), (Some(0), "15\n".to_owned(), String::new()));
}

#[test]
fn a_test_says_by_its_status_what_it_found() {
    let (_folder, [good, bad, missing]) = configs();
    assert_eq!(outcome(&["-t", "-f", &good]), (Some(0), String::new(), String::new()));

    // Not on a terminal: stock's form, one line.
    let (status, out, err) = outcome(&["--config-te", "--use-f", &bad]);
    assert_eq!((status, out.as_str()), (Some(5), ""));
    assert!(err.contains(&format!("({bad}: Line 2) Unknown keyword 'wibble'")), "{err}");

    // Stock's status is 0 here, which let broken deployments pass.
    let (status, _, err) = outcome(&["-t", "-f", &missing]);
    assert!(status.is_some_and(|s| s != 0), "{status:?}");
    assert!(err.contains(&missing), "{err}");
}

#[test]
fn operands_are_noted_and_ignored() {
    let (_folder, [good, ..]) = configs();
    let (status, out, _) = outcome(&["one", "-t", "-f", &good, "two"]);
    assert_eq!((status, out.as_str()), (Some(0), "Unexpected argument(s): one two \n"));
}

#[test]
fn a_bad_facility_fails_a_test_and_nothing_else() {
    let (_folder, [good, ..]) = configs();
    let (status, _, err) = outcome(&["-S", "9", "-t", "-f", &good]);
    assert_eq!(
        (status, err.as_str()),
        (Some(5), "number '9' outside range [0, 7]\nInvalid log facility '9'\n")
    );
    let (status, _, err) = outcome(&["-u", "0x", "-t", "-f", &good]);
    assert_eq!((status, err.as_str()), (Some(0), "Invalid --umask option 0x\n"));
}

#[test]
fn findings_can_go_to_a_file() {
    let (folder, [_, bad, _]) = configs();
    let log = folder.path().join("log");
    let arg = format!("-t{}", log.display());
    for _ in 0..2 {
        assert_eq!(outcome(&[&arg, "-f", &bad]), (Some(5), String::new(), String::new()));
    }
    let text = std::fs::read_to_string(&log).expect("the log is there");
    assert_eq!(text.matches("Unknown keyword 'wibble'").count(), 2, "{text}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&log.metadata().expect("metadata").permissions());
    assert_eq!(mode & 0o777, 0o600);

    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&log, &link).expect("a link");
    let (status, _, err) = outcome(&[&format!("--config-test={}", link.display()), "-f", &bad]);
    assert_eq!(status, Some(1));
    assert!(err.starts_with(&format!("Unable to open config-test log file {} ", link.display())), "{err}");
}

#[test]
fn a_missing_configuration_refuses_the_start_with_6() {
    let (_folder, [_, _, missing]) = configs();
    // Refused before anything is touched, also by a daemon that would go into the background.
    let (status, out, err) = outcome(&["-n", "-l", "-G", "-f", &missing]);
    assert_eq!((status, out.as_str()), (Some(6), ""));
    assert!(err.contains(": Starting Keepalived v2.2.7 (keepalived-rs "), "{err}");
    assert!(err.contains(": Stopped Keepalived v2.2.7 (keepalived-rs "), "{err}");
    assert_eq!(outcome(&["-G", "-f", &missing]).0, Some(6));
}

#[test]
fn the_systemd_unit_uses_options_that_exist() {
    for unit in files("systemd", ".service") {
        let text = std::fs::read_to_string(&unit).expect("readable");
        let start = text.lines().find_map(|l| l.strip_prefix("ExecStart=")).expect("an ExecStart");
        let mut words = start.split(' ');
        let program = words.next().map(Path::new).and_then(Path::file_name).map(PathBuf::from);
        assert_eq!(program, Some(PathBuf::from("keepalived-rs")), "{start}");
        for option in words.filter(|w| w.starts_with('-')) {
            assert_eq!(outcome(&[option, "--signum=STOP"]).1, "15\n", "{option}");
        }
    }
}

#[test]
fn findings_can_be_json_on_stdout() {
    let (folder, [good, bad, _]) = configs();
    let (status, out, err) = outcome(&["-t", "--format=json", "-f", &good]);
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert!(out.starts_with(r#"{"version":1,"status":0,"#) && out.ends_with("}\n"), "{out}");
    let (status, out, _) = outcome(&["-t", "--format", "json", "-f", &bad]);
    assert_eq!(status, Some(5));
    assert!(out.contains(r#""text":"Unknown keyword 'wibble'""#), "{out}");
    // A line each in a file.
    let log = folder.path().join("log");
    for _ in 0..2 {
        let arg = format!("-t{}", log.display());
        assert_eq!(outcome(&[&arg, "--format=json", "-f", &bad]), (Some(5), String::new(), String::new()));
    }
    assert_eq!(std::fs::read_to_string(&log).expect("the log is there").lines().count(), 2);
    assert_eq!(outcome(&["-t", "--format=xml", "-f", &good]).0, Some(1));
    assert_eq!(outcome(&["--format=json", "-f", &good]).0, Some(1));
}

#[test]
fn a_test_can_print_what_is_in_effect() {
    let (_folder, [good, bad, _]) = configs();
    let (status, out, err) = outcome(&["-t", "-d", "-f", &good]);
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert!(out.starts_with("------< Global definitions >------\n"), "{out}");
    let (status, out, err) = outcome(&["-t", "--dump-conf", "-f", &bad]);
    assert_eq!(status, Some(5));
    assert!(err.contains("Unknown keyword") && out.starts_with("------<"), "{out}{err}");
    assert_eq!(outcome(&["-t", "-d", "--format=json", "-f", &good]).0, Some(1));
    let help = outcome(&["--help"]).2;
    assert!(help.contains("with -t: print it and exit"), "{help}");
}

#[test]
fn the_nodes_of_a_cluster_are_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, vrid: u8, priority: u8| {
        let path = folder.path().join(name).to_string_lossy().into_owned();
        let text = format!(
            "@x virtual\nvrrp_instance A {{\n interface e\n virtual_router_id {vrid}\n priority {priority}\n \
             virtual_ipaddress {{ 192.0.2.1 }}\n}}\n"
        );
        std::fs::write(&path, text).expect("write");
        path
    };
    let [a, b, c] = [write("a.conf", 1, 150), write("b.conf", 1, 100), write("c.conf", 2, 90)];
    assert_eq!(outcome(&["lint", &a, &b]), (Some(0), String::new(), String::new()));
    let (status, out, err) = outcome(&["lint", &a, &c]);
    assert_eq!((status, err.as_str()), (Some(5), ""));
    assert!(out.starts_with("error: 192.0.2.1 is in more than one virtual router"), "{out}");
    assert!(out.contains(&format!("  {c}:6: A (VRID 2)\n")), "{out}");
    let (status, out, _) = outcome(&["lint", "--format=json", &a, &format!("x={b}")]);
    assert_eq!(status, Some(5));
    assert!(out.contains(r#""node":"x""#) && out.contains("Unknown keyword 'virtual'"), "{out}");
    assert_eq!(outcome(&["lint", &a]).0, Some(1));
    assert_eq!(outcome(&["lint", "--wibble"]).2, "Unknown option --wibble\n");
    assert_eq!(outcome(&["lint", "--help"]).0, Some(0));
    // Only as the first argument; elsewhere it is an operand, as for stock.
    assert_eq!(outcome(&["-t", "-f", &b, "lint"]).1, "Unexpected argument(s): lint \n");
}
