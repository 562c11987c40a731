use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::host::{Exit, Kill, Signal};

mod kernel;
mod net;

/// What the parts of a test noted, in order.
#[derive(Clone, Default)]
struct Notes(Rc<RefCell<Vec<String>>>);

impl Notes {
    fn add(&self, text: impl Into<String>) {
        self.0.borrow_mut().push(text.into());
    }

    fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

const MS: Duration = Duration::from_millis(1);

/// A world with one LAN and the nodes a, b, c … on it, with the addresses 10.0.0.1, 10.0.0.2 …
fn world<const N: usize>(seed: u64) -> (World, LanId, [NodeId; N]) {
    let mut world = World::new(seed);
    let lan = world.lan(LanOptions::default());
    let nodes = std::array::from_fn(|i| {
        let node = world.node(&char::from(b'a' + i as u8).to_string());
        world.attach(node, lan, "eth0", cidr(&format!("10.0.0.{}/24", i + 1)));
        node
    });
    (world, lan, nodes)
}

/// A daemon whose slow plane waits for ever, and whose fast plane runs `main`.
fn start_fast(
    world: &mut World,
    node: NodeId,
    main: impl FnOnce(Fast) -> LocalBoxFuture<()> + Send + 'static,
) {
    world.start(node, |host| {
        let fast = (host.start_fast)(Box::new(main)).unwrap();
        Box::pin(async move {
            fast.await;
            0
        })
    });
}

#[test]
fn timers_fire_in_order_and_exactly() {
    let (mut world, _, [a]) = world(1);
    let notes = Notes::default();
    let (start, seen) = (world.now(), notes.clone());
    world.start(a, |host| {
        for (name, delay) in [("late", 3), ("early", 1), ("also late", 3), ("now", 0)] {
            let (plane, notes) = (host.slow.clone(), seen.clone());
            host.slow.tasks.spawn(
                name,
                Box::pin(async move {
                    plane.sleep(delay * MS).await;
                    notes.add(format!("{name} {}", (plane.now() - start).as_micros()));
                }),
            );
        }
        Box::pin(async move {
            let mut timer = host.slow.timers.timer();
            timer.set(Some(start + MS));
            timer.set(Some(start + 2 * MS));
            timer.fired().await;
            seen.add(format!("reset {}", (host.slow.now() - start).as_micros()));
            timer.set(Some(start + 4 * MS));
            timer.set(None);
            timer.fired().await;
            unreachable!("an unset timer does not fire");
        })
    });
    world.run_for(1000 * MS);
    assert_eq!(notes.take(), ["now 0", "early 1000", "reset 2000", "late 3000", "also late 3000"]);
    assert!(world.is_running(a));
}

#[test]
fn a_frozen_process_finds_its_timers_late_and_a_dead_one_leaves_none() {
    let (mut world, _, [a]) = world(1);
    let notes = Notes::default();
    let (start, seen) = (world.now(), notes.clone());
    world.start(a, |host| {
        Box::pin(async move {
            host.slow.sleep_until(start + 10 * MS).await;
            seen.add(format!("woke {}", (host.slow.now() - start).as_micros()));
            host.slow.sleep(1000 * MS).await;
            unreachable!("killed before");
        })
    });
    world.run_for(5 * MS);
    world.freeze(a);
    assert!(world.is_running(a) && !world.is_alive(a));
    world.run_for(45 * MS);
    assert!(notes.take().is_empty());
    world.thaw(a);
    world.run_for(MS);
    assert_eq!(notes.take(), ["woke 50000"]);
    assert_eq!(world.state.borrow().schedule.len(), 1);
    world.crash(a);
    assert_eq!(world.state.borrow().schedule.len(), 0);
    assert_eq!(world.exit_status(a), None);
    world.run_for(2000 * MS);
}

#[test]
fn the_exit_status_is_that_of_main_and_all_tasks_end_with_it() {
    let (mut world, _, [a]) = world(1);
    let notes = Notes::default();
    let seen = notes.clone();
    world.start(a, |mut host| {
        struct Loud(Notes);
        impl Drop for Loud {
            fn drop(&mut self) {
                self.0.add("dropped");
            }
        }
        let loud = Loud(seen.clone());
        host.slow.tasks.spawn(
            "waits",
            Box::pin(async move {
                poll_fn(|_| {
                    let _ = &loud;
                    std::task::Poll::Pending
                })
                .await
            }),
        );
        Box::pin(async move {
            let signal = poll_fn(|cx| host.signals.poll_signal(cx)).await;
            seen.add(format!("{signal:?}"));
            3
        })
    });
    world.run_for(MS);
    assert_eq!(world.exit_status(a), None);
    world.signal(a, Signal::Stop);
    world.run_for(MS);
    assert_eq!(notes.take(), ["Stop", "dropped"]);
    assert_eq!(world.exit_status(a), Some(3));
    assert!(!world.is_running(a));
}

#[test]
fn the_fast_plane_ends_with_its_main_task_and_is_waited_for() {
    let (mut world, _, [a]) = world(1);
    let start = world.now();
    start_fast(&mut world, a, move |fast| {
        let plane = fast.plane.clone();
        fast.plane.tasks.spawn(
            "ticks",
            Box::pin(async move {
                plane.sleep(10 * MS).await;
                unreachable!("the plane has ended");
            }),
        );
        Box::pin(async move { fast.plane.sleep_until(start + 5 * MS).await })
    });
    world.run_for(4 * MS);
    assert!(world.is_running(a));
    world.run_for(20 * MS);
    assert_eq!(world.exit_status(a), Some(0));
}

#[test]
fn programs_end_hang_resist_or_cannot_run() {
    let (mut world, _, [a]) = world(1);
    world.set_program(a, "/fail", Behaviour::Ends { after: 7 * MS, exit: Exit::Status(1) });
    world.set_program(a, "/hang", Behaviour::Hangs);
    world.set_program(a, "/stubborn", Behaviour::Stubborn);
    world.set_program(a, "/missing", Behaviour::CannotExecute);
    let notes = Notes::default();
    let (start, seen) = (world.now(), notes.clone());
    world.start(a, |host| {
        Box::pin(async move {
            for path in ["/unknown", "/fail", "/hang", "/stubborn", "/missing"] {
                let command = crate::host::Command {
                    program: path.to_owned(),
                    argv: vec![path.to_owned(), "x".to_owned()],
                    credentials: None,
                };
                let Ok(mut child) = host.processes.spawn(&command) else {
                    seen.add(format!("{path} cannot"));
                    continue;
                };
                if path.starts_with("/hang") || path.starts_with("/stub") {
                    host.slow.sleep(MS).await;
                    child.kill(Kill::Terminate);
                    if path == "/stubborn" {
                        host.slow.sleep(MS).await;
                        child.kill(Kill::Kill);
                    }
                }
                let exit = poll_fn(|cx| child.poll_exit(cx)).await;
                seen.add(format!("{path} {exit:?} {}", (host.slow.now() - start).as_millis()));
            }
            0
        })
    });
    world.run_for(100 * MS);
    let expected = [
        "/unknown Status(0) 1",
        "/fail Status(1) 8",
        "/hang Signal(15) 9",
        "/stubborn Signal(9) 11",
        "/missing cannot",
    ];
    assert_eq!(notes.take(), expected);
    let ran: Vec<String> = world.programs(a).into_iter().map(|(_, c)| c.argv.join(" ")).collect();
    assert_eq!(ran, ["/unknown x", "/fail x", "/hang x", "/stubborn x"]);
    assert_eq!(world.running_programs(a), 0);
}

#[test]
fn log_lines_are_recorded_for_the_node_that_speaks() {
    let (mut world, _, [a, b]) = world(1);
    for (node, answer) in [(a, 42), (b, 43)] {
        world.start(node, |_| {
            Box::pin(async move {
                tracing::info!(answer, "hello");
                tracing::debug!("not recorded");
                if answer == 43 {
                    tracing::error!("bad");
                }
                0
            })
        });
    }
    tracing::error!("said by nobody");
    world.run_for(MS);
    assert_eq!(world.log(a), ["hello answer=42"]);
    assert_eq!(world.log(b), ["hello answer=43", "bad"]);
    assert_eq!(world.errors(), ["1000.000000 b    ERROR bad"]);
}

#[test]
fn scripted_actions_happen_in_time_and_can_do_everything() {
    let (mut world, _, [a]) = world(1);
    let start = world.now();
    world.at(start + 2 * MS, move |world| {
        world.start(a, |_| Box::pin(std::future::ready(1)));
        let next = world.now() + MS;
        world.at(next, move |world| world.start(a, |_| Box::pin(std::future::ready(2))));
    });
    world.run_for(2 * MS);
    assert_eq!(world.exit_status(a), Some(1));
    world.run_for(MS);
    assert_eq!(world.exit_status(a), Some(2));
}

#[test]
#[should_panic(expected = "never comes to rest")]
fn a_task_that_never_rests_is_found() {
    let (mut world, _, [a]) = world(1);
    world.start(a, |_| {
        Box::pin(poll_fn(|cx| {
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        }))
    });
    world.run_for(MS);
}
