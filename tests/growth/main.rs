//! Loading takes time that grows with the length of the configuration, not with its square: four times the lines take
//! four times the instructions, whatever the lines are.
//!
//! Instructions of `-t` are counted by valgrind's callgrind, which gives the same number each time, however busy the
//! machine is. What a configuration makes grow by definitions and repetition is bounded, which unit tests prove.

mod shapes;

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use shapes::{SHAPES, Shape};

/// How often the repeated part is there the first time; the second time four times as often.
const COUNT: usize = 400;

/// How many times as many instructions four times the lines may take. Looking things up in a tree takes a little more
/// than four times; a loop over all lines for each of them takes up to sixteen times.
const LIMIT: f64 = 4.5;

/// How many instructions `-t` of this text takes.
fn instructions(folder: &Path, name: &str, text: &str) -> f64 {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env!("CARGO_BIN_EXE_keepalived-rs"))
        .args(["-t", "-f"])
        .arg(&file)
        .output()
        .expect("valgrind, of the Debian package valgrind");
    let errors = String::from_utf8_lossy(&output.stderr);
    let count = errors.lines().rev().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    count.unwrap_or_else(|| panic!("{name}: no count of instructions in\n{errors}"))
}

/// The growth of a shape, beyond what an empty file takes.
fn growth(folder: &Path, shape: &Shape, empty: f64) -> f64 {
    let count = |n| instructions(folder, shape.name, &shape.text(n)) - empty;
    count(4 * COUNT) / count(COUNT)
}

#[test]
fn four_times_the_lines_take_four_times_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let empty = instructions(folder.path(), "empty", "\n");
    let (left, wrong) = (Mutex::new(SHAPES.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some(shape) = left.lock().unwrap().next() else { break };
                    let growth = growth(folder.path(), shape, empty);
                    println!("{:24} {growth:.2}", shape.name);
                    if growth.is_nan() || growth > LIMIT {
                        wrong.lock().unwrap().push(format!("{}: {growth:.2}", shape.name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "more than {LIMIT} times the work: {wrong:#?}");
}
