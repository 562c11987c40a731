//! Verdicts of `-t`: ours against those of stock 2.2.7, over the seed configurations and the cases in `cases/`.
//!
//! A case is a line `==== NAME` and the configuration below it. Where the verdicts are meant to differ the line goes
//! on with `| stock STATUS, ours STATUS: REASON`; a difference that no longer occurs fails like one that is not listed.
//!
//! In the text, U+2400 stands for a NUL and U+240D for a carriage return.
//!
//! All runs happen in network and mount namespaces of their own, with the interfaces that the configurations name.

mod generated;
mod skeleton;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use generated::{Generated, Sort};

/// Interfaces that exist where the configurations are tested; what the cases miss on purpose is not among them.
const INTERFACES: &str = "eth0 eth1 ens9 bond0 eno16777736 enp1s0";

/// The seed configurations about which verdicts are meant to differ: file, stock's status, ours, why.
const SEED_DIFFERENCES: [(&str, i32, i32, &str); 1] = [(
    "reference-blocks.conf",
    2,
    5,
    "'debug' without its number does not end the check of all that follows",
)];

/// The files of cases about the structure of configurations, all written by hand.
const STRUCTURAL: [&str; 6] = ["structure", "braces", "words", "definitions", "expansion", "order"];

/// One configuration to be judged.
#[derive(Debug)]
struct Case {
    /// Where it is written down, and its name.
    name: String,
    text: Vec<u8>,
    /// Stock's status and ours, if they are meant to differ, and why.
    differs: Option<(i32, i32, String)>,
}

#[test]
fn verdicts_are_stocks() {
    let mut cases = seeds();
    cases.extend(written_cases());
    let by_hand = |c: &&Case| STRUCTURAL.iter().any(|file| c.name.starts_with(&format!("{file}: ")));
    let structural = cases.iter().filter(by_hand).count();
    assert!(structural >= 150, "only {structural} cases about structure were found");
    assert!(cases.len() >= 3_000, "only {} cases were found", cases.len());
    let verdicts = verdicts(&cases);
    let wrong: Vec<String> =
        cases.iter().enumerate().filter_map(|(n, case)| judge(case, verdicts.get(&n).copied())).collect();
    assert!(wrong.is_empty(), "{} of {} verdicts:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// The options that `-v` lists have the names that stock has for them.
#[test]
fn options_of_the_version_are_stocks() {
    let listed = |program: &str, kind: &str| -> Vec<String> {
        let output = Command::new(program).arg("-v").output().expect("it is installed (package keepalived)");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix(kind)).expect("a line of options");
        line.split_whitespace().map(str::to_owned).collect()
    };
    for (kind, least) in [("Config options:", 8), ("System options:", 20)] {
        let (ours, stocks) = (listed(env!("CARGO_BIN_EXE_keepalived-rs"), kind), listed("keepalived", kind));
        assert!(ours.len() >= least, "{ours:?}");
        // In stock's order.
        let common: Vec<_> = stocks.into_iter().filter(|option| ours.contains(option)).collect();
        assert_eq!(ours, common, "{kind}");
    }
}

/// Every keyword of the tables in a good, a bad and an odd case.
#[test]
fn verdicts_of_every_keyword() {
    let mut listed = differences();
    let generated = generated::cases();
    let case = |g: &Generated| Case {
        name: g.name(),
        text: g.text.clone().into_bytes(),
        differs: listed.remove(&g.name()),
    };
    let cases: Vec<Case> = generated.iter().map(case).collect();
    let verdicts = verdicts(&cases);
    let mut wrong = Vec::new();
    for (n, (made, case)) in generated.iter().zip(&cases).enumerate() {
        let verdict = verdicts.get(&n).copied();
        let Some((stock, ours)) = verdict else {
            wrong.push(format!("{}: was not run", case.name));
            continue;
        };
        // A keyword that stock does not know has no verdict to compare with: only that it does not know it.
        let problem = match made.later {
            true => {
                let knows = stock == 0 && made.sort == Sort::Good;
                knows.then(|| format!("{}: stock knows it", case.name))
            }
            false => judge(case, verdict),
        };
        let right = match made.sort {
            Sort::Good => ours == if made.deprecated { 5 } else { 0 },
            // Stock takes any word for an option of a pattern, and logs that at run time.
            Sort::Bad => ours != 0 || made.path.ends_with("regex_options"),
            Sort::Odd => true,
        };
        let unexpected = (!right && case.differs.is_none())
            .then(|| format!("{}: meant to be {}, ours {ours}", case.name, made.sort.name()));
        if let Some(problem) = problem.or(unexpected) {
            wrong.push(format!("{problem}\n{}", indented(&made.text)));
        }
    }
    wrong.extend(listed.keys().map(|name| format!("{name}: listed as different, but there is no such case")));
    if let Some(path) = std::env::var_os("GENERATED") {
        fs::write(path, wrong.join("\n")).expect("write what is wrong");
    }
    assert!(wrong.is_empty(), "{} of {} verdicts:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn indented(text: &str) -> String {
    text.lines().map(|l| format!("    {l}\n")).collect()
}

/// The generated cases about which verdicts are meant to differ, in the form of the head of a case.
fn differences() -> BTreeMap<String, (i32, i32, String)> {
    let lines = include_str!("generated.differences").lines().filter(|l| !l.starts_with('#'));
    let line = |l: &str| {
        let (name, listed) = l.split_once(" | ").unwrap_or_else(|| panic!("not `NAME | …`: {l}"));
        (name.to_owned(), difference(listed))
    };
    lines.map(line).collect()
}

/// Stock's status and ours by number.
fn verdicts(cases: &[Case]) -> BTreeMap<usize, (i32, i32)> {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (n, case) in cases.iter().enumerate() {
        fs::write(folder.path().join(format!("{n:04}.conf")), &case.text).expect("write a case");
    }
    run(folder.path())
}

/// What is wrong with the statuses of stock and of ours, if anything is.
fn judge(case: &Case, verdict: Option<(i32, i32)>) -> Option<String> {
    let name = &case.name;
    match (verdict, &case.differs) {
        (None, _) => Some(format!("{name}: was not run")),
        (Some((stock, ours)), None) if stock == ours => None,
        (Some((stock, ours)), None) => Some(format!("{name}: stock {stock}, ours {ours}")),
        (Some((stock, ours)), Some((s, o, _))) if (stock, ours) == (*s, *o) && stock != ours => None,
        (Some((stock, ours)), Some((s, o, why))) => {
            Some(format!("{name}: stock {stock}, ours {ours}, but listed is stock {s}, ours {o}: {why}"))
        }
    }
}

#[test]
fn a_listed_difference_must_occur() {
    let case = |differs| Case { name: "x".into(), text: Vec::new(), differs };
    assert_eq!(judge(&case(None), Some((5, 5))), None);
    assert!(judge(&case(None), Some((5, 0))).is_some());
    assert!(judge(&case(None), None).is_some());
    let listed = Some((5, 0, "why".to_owned()));
    assert_eq!(judge(&case(listed.clone()), Some((5, 0))), None);
    assert!(judge(&case(listed.clone()), Some((0, 0))).is_some());
    assert!(judge(&case(listed), Some((5, 6))).is_some());
}

/// Runs both on each file of `folder`: stock's status and ours by number.
fn run(folder: &Path) -> BTreeMap<usize, (i32, i32)> {
    needs();
    let script = r#"
        set -e
        mount -t tmpfs none /run
        mkdir -p /run/keepalived
        for i in $INTERFACES; do ip link add "$i" type bridge; ip link set "$i" up; done
        ip addr add 192.0.2.254/24 dev eth1
        ip link add small type bridge; ip link set small mtu 402 up
        ip link add silent type bridge; ip link set silent multicast off up
        ip link add vlan link eth0 type macvlan mode private
        ip link set vlan up
        ls "$FOLDER" | xargs -P "$JOBS" -n 40 sh -c '
            for f in "$@"; do
                n=${f%.conf}
                # In a process group of its own, for it signals its group when it ends early.
                timeout 10 keepalived -t -f "$FOLDER/$f" >"$FOLDER/$n.stock" 2>&1; stock=$?
                timeout 20 "$OURS" -t -f "$FOLDER/$f" >"$FOLDER/$n.ours" 2>&1; ours=$?
                echo "$n $stock $ours"
            done
        ' verdicts
    "#;
    let jobs = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let output = Command::new("unshare")
        .args(["--net", "--mount", "sh", "-c", script])
        .env("INTERFACES", INTERFACES)
        .env("FOLDER", folder)
        .env("JOBS", jobs.to_string())
        .env("OURS", env!("CARGO_BIN_EXE_keepalived-rs"))
        .output()
        .expect("unshare of the Debian package util-linux");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "namespaces with interfaces (needs root): {errors}");
    let mut verdicts = BTreeMap::new();
    for line in text.lines() {
        let numbers: Vec<i32> = line.split(' ').map(|w| w.parse().expect("a number")).collect();
        let [n, stock, ours] = numbers[..] else { panic!("not three numbers: {line}") };
        verdicts.insert(usize::try_from(n).expect("a case's number"), (stock, ours));
    }
    verdicts
}

/// Fails with the name of a package if something is not there.
fn needs() {
    for (program, package) in [("ip", "iproute2"), ("timeout", "coreutils"), ("mount", "mount")] {
        let found = Command::new("sh").args(["-c", "command -v \"$0\"", program]).output();
        assert!(found.is_ok_and(|o| o.status.success()), "{program} is needed: apt-get install {package}");
    }
    let version = Command::new("keepalived").arg("--version").output();
    let version = version.expect("stock keepalived is needed: apt-get install keepalived");
    let text = String::from_utf8_lossy(&version.stderr).into_owned();
    assert!(text.contains("Keepalived v2.2.7"), "stock 2.2.7 is needed, as Debian 12 has it; this is {text}");
}

/// The seed configurations.
fn seeds() -> Vec<Case> {
    let mut paths = list("tests/fixtures/seeds");
    paths.retain(|p| p.extension().is_some_and(|e| e == "conf"));
    let cases = paths.iter().map(|path| {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let differs = SEED_DIFFERENCES.iter().find(|d| d.0 == name).map(|d| (d.1, d.2, d.3.to_owned()));
        Case { name, text: fs::read(path).expect("a seed"), differs }
    });
    cases.collect()
}

/// The cases of `cases/`.
fn written_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in list("tests/stock/cases") {
        let file = path.file_stem().expect("a file").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("cases");
        let text = format!("\n{text}");
        for case in text.split("\n==== ").skip(1) {
            let (head, text) = case.split_once('\n').unwrap_or((case, ""));
            let (name, differs) = match head.split_once('|') {
                Some((name, listed)) => (name, Some(difference(listed))),
                None => (head, None),
            };
            let name = format!("{file}: {}", name.trim());
            // The line feed before the next case is the last one of this text. Two characters have stand-ins.
            let text = text.replace('\u{2400}', "\0").replace('\u{240d}', "\r");
            cases.push(Case { name, text: format!("{text}\n").into_bytes(), differs });
        }
    }
    cases
}

/// `stock STATUS, ours STATUS: REASON`.
fn difference(text: &str) -> (i32, i32, String) {
    let parsed = || {
        let (statuses, reason) = text.trim().split_once(':')?;
        let (stock, ours) = statuses.split_once(',')?;
        let stock = stock.trim().strip_prefix("stock ")?.parse().ok()?;
        let ours = ours.trim().strip_prefix("ours ")?.parse().ok()?;
        let reason = reason.trim();
        (!reason.is_empty()).then(|| (stock, ours, reason.to_owned()))
    };
    parsed().unwrap_or_else(|| panic!("not `stock STATUS, ours STATUS: REASON`: {text}"))
}

/// The files of a folder of the project, sorted.
fn list(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("a directory entry").path()).collect();
    paths.sort();
    paths
}
