//! How long `-t` takes and how much memory, ours against stock's, in one run and in turns.
//!
//! ```text
//! cargo bench --bench load
//! ```
//!
//! Two configurations of the size of the largest that people run: 2,277 virtual servers with 36,432 real servers, and
//! 4,000 virtual routers. Wall time and the largest resident set are medians. Then ours alone over growing files up to
//! a million lines: nanoseconds a line, which must not grow. Fails if a limit of issue 3 is not kept: a third of
//! stock's time, stock's memory, and twice the time a line from the smallest to the largest file.
//!
//! Environment: `ROUNDS` (9); `KEEPALIVED_RS`, a binary to measure instead of this build's. Needs root, `unshare` and
//! `ip`, and stock keepalived: everything runs in namespaces of its own.

// Measuring is its purpose.
#![allow(clippy::disallowed_methods)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

/// Set in the namespaces.
const INSIDE: &str = "KEEPALIVED_RS_BENCH_LOAD_INSIDE";

/// Set to the program to run once, in a process of its own: the kernel tells the memory of all children together.
const ONCE: &str = "KEEPALIVED_RS_BENCH_LOAD_ONCE";

/// One run of `-t`.
#[derive(Clone, Copy, Debug)]
struct Sample {
    seconds: f64,
    /// Largest resident set, in KiB.
    memory: f64,
}

fn main() -> ExitCode {
    if std::env::var_os(INSIDE).is_none() {
        let this = std::env::current_exe().expect("the path of this program");
        let status = Command::new("unshare")
            .args(["--net", "--mount", "sh", "-ec"])
            .arg(
                "mount -t tmpfs none /run; mkdir /run/keepalived\n\
                  for i in $(seq 0 15); do ip link add eth$i type bridge; done\nexec \"$0\"",
            )
            .arg(this)
            .env(INSIDE, "1")
            .status()
            .expect("unshare of the Debian package util-linux");
        return ExitCode::from(status.code().map_or(1, |c| c.clamp(0, 255) as u8));
    }
    if let Ok(program) = std::env::var(ONCE) {
        let file = std::env::args_os().next_back().expect("a file");
        let Sample { seconds, memory } = once(&program, Path::new(&file));
        println!("{seconds} {memory}");
        return ExitCode::SUCCESS;
    }
    let ours = std::env::var("KEEPALIVED_RS").unwrap_or(env!("CARGO_BIN_EXE_keepalived-rs").to_owned());
    let rounds = std::env::var("ROUNDS").ok().and_then(|r| r.parse().ok()).unwrap_or(9);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut good = true;
    println!("{:28} {:>18} {:>18} {:>8}", "-t, medians", "ours", "stock", "ours/st.");
    for (name, text) in [("2,277 virtual servers", servers(2277)), ("4,000 virtual routers", routers(4000))] {
        let file = write(folder.path(), "big.conf", &text);
        let mut samples = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (program, samples) in [ours.as_str(), "keepalived"].iter().zip(&mut samples) {
                samples.push(test(program, &file));
            }
        }
        let [ours, stock] = samples.map(|s| (median(&s, |s| s.seconds), median(&s, |s| s.memory)));
        println!("{name:28} {:>15.0} ms {:>15.0} ms {:>8.2}", ours.0 * 1e3, stock.0 * 1e3, ours.0 / stock.0);
        println!(
            "{:28} {:>14.1} MiB {:>14.1} MiB {:>8.2}",
            "",
            ours.1 / 1024.0,
            stock.1 / 1024.0,
            ours.1 / stock.1
        );
        good &= ours.0 <= stock.0 / 3.0 && ours.1 <= stock.1;
    }
    println!("\n{:28} {:>18} {:>18}", "ours, lines", "ns a line", "bytes a line");
    let mut first = None;
    for count in [607, 2427, 9709] {
        let text = servers(count);
        let lines = text.lines().count() as f64;
        let file = write(folder.path(), "lines.conf", &text);
        let samples: Vec<_> = (0..rounds).map(|_| test(&ours, &file)).collect();
        let time = median(&samples, |s| s.seconds) * 1e9 / lines;
        println!("{lines:28.0} {time:18.0} {:18.0}", median(&samples, |s| s.memory) * 1024.0 / lines);
        good &= time <= 2.0 * *first.get_or_insert(time);
    }
    if good {
        ExitCode::SUCCESS
    } else {
        println!("a limit is not kept");
        ExitCode::FAILURE
    }
}

/// Runs `-t` in a process that has no other child.
fn test(program: &str, file: &Path) -> Sample {
    let this = std::env::current_exe().expect("the path of this program");
    let output = Command::new(this).arg(file).env(ONCE, program).output().expect("this program again");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("numbers");
    let mut numbers = text.split_whitespace().map(|n| n.parse().expect("a number"));
    let (Some(seconds), Some(memory)) = (numbers.next(), numbers.next()) else {
        panic!("two numbers: {text}")
    };
    Sample { seconds, memory }
}

/// Runs `-t`, the only child that this process ever has.
fn once(program: &str, file: &Path) -> Sample {
    let start = Instant::now();
    let status = Command::new(program)
        .args(["-t", "-f"])
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap_or_else(|e| panic!("{program}: {e}; stock is in the Debian package keepalived"));
    let seconds = start.elapsed().as_secs_f64();
    assert!(status.code().is_some(), "{program} ended with {status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("getrusage");
    Sample { seconds, memory: usage.max_rss() as f64 }
}

fn median(samples: &[Sample], value: impl Fn(&Sample) -> f64) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("write a configuration");
    path
}

/// Virtual servers with 16 real servers each, 103 lines each.
fn servers(count: u32) -> String {
    let mut text = "global_defs {\n    router_id bench\n}\n".to_owned();
    for v in 0..count {
        let _ = write!(
            text,
            "\nvirtual_server 10.{}.{}.1 80 {{\n    delay_loop 6\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n",
            v >> 8,
            v & 255
        );
        for r in 1..=16 {
            let _ = write!(
                text,
                "    real_server 192.168.{}.{r} {} {{\n        weight 1\n        TCP_CHECK {{\n            \
                 connect_timeout 3\n        }}\n    }}\n",
                v & 255,
                8000 + r
            );
        }
        text.push_str("}\n");
    }
    text
}

/// Virtual routers on sixteen interfaces.
fn routers(count: u32) -> String {
    let mut text = "global_defs {\n    router_id bench\n}\n".to_owned();
    for i in 0..count {
        let _ = write!(
            text,
            "\nvrrp_instance VI_{i} {{\n    interface eth{}\n    virtual_router_id {}\n    priority 100\n    \
             advert_int 1\n    virtual_ipaddress {{\n        10.{}.{}.1/32\n    }}\n}}\n",
            i / 250,
            i % 250 + 1,
            i >> 8,
            i & 255
        );
    }
    text
}
