//! Random routers, LANs and faults, and what must hold whatever happens.
//!
//! A seed gives a [`setup::Setup`]: the routers and what they are configured with. Then phases follow each other: a
//! few random faults within some seconds, and a quiet period long enough for every election. [`check`] says what
//! must be true at the end of each, and [`schedule`] what must be true on the way.

mod check;
mod reload;
mod restart;
mod schedule;
mod setup;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use self::schedule::Run;
use self::setup::Setup;

/// Seeds in every run of the tests; `SIM_SEEDS` overrides.
const SEEDS: u64 = 2000;

/// What is done with a seed.
type Story = fn(&mut Run) -> Result<(), String>;

/// One seed. `Err` says what does not hold, and shows all that happened.
fn run(seed: u64, story: Story, everything: bool) -> Result<(), String> {
    let setup = Setup::random(seed);
    let mut run = Run::new(seed, setup.clone());
    if everything {
        run.cluster.world.set_log_level(tracing::Level::TRACE);
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| story(&mut run)));
    if everything && let Some(path) = std::env::var_os("SIM_PCAP") {
        run.cluster
            .world
            .write_pcap(run.cluster.lan, path.as_ref())
            .expect("the file of SIM_PCAP can be written");
    }
    let what = match outcome {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(what)) => what,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("panic").to_owned()
        }
    };
    let before: String = (0..setup.routers).map(|i| format!("--- router {i}\n{}", setup.text(i))).collect();
    let configs: String =
        run.cluster.configs.iter().enumerate().map(|(i, text)| format!("--- router {i}\n{text}")).collect();
    let configs = if before == configs { configs } else { format!("{before}--- then\n{configs}") };
    let trace = run.cluster.world.trace();
    Err(format!("{configs}{trace}seed {seed}: {what}"))
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")))
}

/// The same story with many seeds, or with the one that `SIM_SEED` names.
fn run_all(name: &str, story: Story) {
    if let Some(seed) = number("SIM_SEED") {
        let outcome = run(seed, story, true);
        println!("{}", outcome.as_ref().err().map_or("all is well", String::as_str));
        assert!(outcome.is_ok(), "seed {seed} fails");
        return;
    }
    let seeds = number("SIM_SEEDS").unwrap_or(SEEDS);
    let next = AtomicU64::new(0);
    let failures = Mutex::new(Vec::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return;
            }
            if let Err(what) = run(seed, story, false) {
                failures.lock().unwrap().push((seed, what));
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    if let Some((seed, what)) = failures.first() {
        println!("{what}");
        for (_, what) in failures.iter().skip(1).take(50) {
            println!("{}", what.lines().last().unwrap_or_default());
        }
        panic!(
            "{} of {seeds} seeds fail; SIM_SEED={seed} cargo test --test sim {name} repeats the first",
            failures.len()
        );
    }
}

#[test]
fn random_faults_never_break_the_rules() {
    run_all("random_faults", Run::all);
}

#[test]
fn random_reloads_end_like_a_start_with_the_new_configuration() {
    run_all("random_reloads", |run| {
        let next = run.setup.changed(&mut run.rng);
        run.reloads(next)
    });
}

#[test]
fn random_restarts_make_no_gap_and_no_second_master() {
    run_all("random_restarts", Run::restarts);
}

#[test]
fn a_seed_repeats_exactly() {
    for seed in 0..10 {
        let traces = [(); 2].map(|()| {
            let mut run = Run::new(seed, Setup::random(seed));
            run.all().map(|()| run.cluster.world.trace())
        });
        assert!(traces[0] == traces[1], "seed {seed} gave two different runs");
    }
}
