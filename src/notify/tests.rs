//! Scripts that take their time, on a machine in memory.

use std::time::Duration;

use crate::sim::{Behaviour, Record, What, World};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::*;
use crate::base::Priority;
use crate::config;
use crate::plan;
use crate::sim::loader::MemoryLoader;

const ID: InstanceId = InstanceId(0);

/// A notifier, and the world it runs in.
struct Bench {
    world: World,
    node: crate::sim::NodeId,
    messages: Option<UnboundedSender<Message>>,
    /// What the mailer is told.
    posts: UnboundedReceiver<Post>,
}

impl Bench {
    fn new(global: &str, more: &str) -> Self {
        let text = format!(
            "global_defs {{\n{global}\n}}\nvrrp_instance V {{\n interface eth0\n virtual_router_id 1\n \
             virtual_ipaddress {{\n 10.0.0.9\n }}\n{more}\n}}\n"
        );
        let loader = ["/n/master", "/n/backup", "/n/any", "/n/gone"]
            .iter()
            .fold(MemoryLoader::with_main(text), |loader, path| loader.program(path));
        let main = MemoryLoader::MAIN.to_owned();
        let loaded = config::load(&loader, &config::Options { main, config_id: None, all_files: false });
        let scripts = Scripts::of(&plan::resolve(&loaded.config));
        let mut world = World::new(1);
        let node = world.node("a");
        let (messages, mut inbox) = unbounded_channel();
        let (posts, posted) = unbounded_channel();
        world.start(node, move |host| {
            let mut notifier = Notifier::new(host.slow, host.processes, host.files, posts, scripts);
            Box::pin(async move {
                notifier.run(&mut inbox).await;
                0
            })
        });
        Self { world, node, messages: Some(messages), posts: posted }
    }

    fn state(&mut self, state: State) {
        self.tell(Message::Instance(ID, Notice::State(state, Priority::DEFAULT)));
    }

    fn tell(&mut self, message: Message) {
        self.messages.as_ref().expect("not closed").send(message).expect("it listens");
        self.world.run_for(Duration::from_millis(1));
    }

    fn run(&mut self, millis: u64) {
        self.world.run_for(Duration::from_millis(millis));
    }

    /// What the mailer was told, since this was asked last.
    fn posted(&mut self) -> Vec<String> {
        let mut posted = Vec::new();
        while let Ok(post) = self.posts.try_recv() {
            posted.push(match post {
                Post::Alert(alert, _) => format!("{}: {}", alert.subject, alert.body),
                other => format!("{other:?}"),
            });
        }
        posted
    }

    /// What was run and written since `from`.
    fn done(&self) -> Vec<String> {
        let of = |record: &Record| match &record.what {
            What::Program(command) => Some(command.argv.join(" ")),
            What::Piped { text, .. } => Some(text.clone()),
            _ => None,
        };
        self.world.records_since(crate::base::Instant::ZERO, of)
    }
}

#[test]
fn a_transition_waits_for_the_scripts_of_the_one_before() {
    let mut bench = Bench::new("", "notify_master /n/master\n notify_backup /n/backup");
    let slow =
        |millis| Behaviour::Ends { after: Duration::from_millis(millis), exit: crate::host::Exit::Status(0) };
    bench.world.set_program(bench.node, "/n/master", slow(3_000));
    bench.state(State::Master);
    bench.state(State::Backup);
    bench.run(2_900);
    assert_eq!(bench.done(), ["/n/master"]);
    bench.run(200);
    assert_eq!(bench.done(), ["/n/master", "/n/backup"]);
}

#[test]
fn nobody_waits_for_ever() {
    let mut bench = Bench::new("", "notify_master /n/master\n notify_backup /n/backup\n notify /n/any");
    bench.world.set_program(bench.node, "/n/master", Behaviour::Hangs);
    bench.state(State::Master);
    bench.run(500);
    assert_eq!(bench.done(), ["/n/master"]);
    bench.run(600);
    assert_eq!(bench.done().len(), 2, "the script for all states of the same transition");
    bench.state(State::Backup);
    bench.run(11_000);
    assert_eq!(bench.done()[2..], ["/n/backup", "/n/any INSTANCE V BACKUP 100"]);
}

#[test]
fn scripts_that_hang_do_not_pile_up() {
    let mut bench = Bench::new("", "notify /n/any");
    bench.world.set_program(bench.node, "/n/any", Behaviour::Hangs);
    for _ in 0..20 {
        bench.state(State::Master);
        bench.run(10_100);
    }
    assert_eq!(bench.done().len(), 20, "each was started");
    assert!(bench.world.running_programs(bench.node) <= 8);
}

#[test]
fn what_waits_is_not_lost_at_the_stop() {
    let mut bench = Bench::new("", "notify_master /n/master\n notify_backup /n/backup\n notify_stop /n/any");
    bench.world.set_program(bench.node, "/n/master", Behaviour::Hangs);
    bench.state(State::Master);
    bench.state(State::Backup);
    bench.state(State::Stopped);
    bench.messages = None;
    bench.run(2_000);
    assert_eq!(bench.done(), ["/n/master"], "it may still end");
    bench.run(2_000);
    assert_eq!(bench.done(), ["/n/master", "/n/backup", "/n/any"]);
    assert!(!bench.world.is_running(bench.node), "and it ends");
}

#[test]
fn what_runs_at_the_stop_has_a_moment_to_end() {
    let mut bench = Bench::new("", "notify_master /n/master\n notify_backup /n/backup\n notify_stop /n/any");
    let after = Duration::from_millis(3_300);
    let slow = Behaviour::Ends { after, exit: crate::host::Exit::Status(0) };
    bench.world.set_program(bench.node, "/n/master", slow);
    bench.world.set_program(bench.node, "/n/backup", Behaviour::Hangs);
    bench.state(State::Master);
    bench.state(State::Backup);
    bench.messages = None;
    bench.run(3_400);
    assert_eq!(bench.world.running_programs(bench.node), 1, "it has ended by itself");
    assert!(bench.world.is_running(bench.node));
    bench.run(400);
    assert!(!bench.world.is_running(bench.node), "the other one was ended");
    assert_eq!(bench.world.running_programs(bench.node), 0);
}

#[test]
fn a_long_queue_at_the_stop_keeps_what_is_newest() {
    let mut bench = Bench::new("", "notify_master /n/master\n notify_backup /n/backup\n notify_stop /n/any");
    bench.world.set_program(bench.node, "/n/master", Behaviour::Hangs);
    bench.state(State::Master);
    for _ in 0..20 {
        bench.state(State::Backup);
    }
    bench.state(State::Stopped);
    bench.messages = None;
    bench.run(2_600);
    let done = bench.done();
    assert_eq!(
        done.iter().filter(|run| *run == "/n/backup").count(),
        6,
        "8 with the first and the last: {done:?}"
    );
    assert_eq!(done.last().map(String::as_str), Some("/n/any"));
}

#[test]
fn scripts_end_in_order_at_the_stop() {
    let mut bench = Bench::new("", "notify_master /n/master\n notify_stop /n/any");
    let after = Duration::from_millis(800);
    let slow = Behaviour::Ends { after, exit: crate::host::Exit::Status(0) };
    bench.world.set_program(bench.node, "/n/master", slow);
    bench.state(State::Master);
    bench.state(State::Stopped);
    bench.messages = None;
    bench.run(700);
    assert_eq!(bench.done(), ["/n/master"]);
    bench.run(200);
    assert_eq!(bench.done(), ["/n/master", "/n/any"]);
    assert!(!bench.world.is_running(bench.node), "nothing is left to wait for");
}

#[test]
fn pipes_are_told_at_once_and_in_words() {
    let global = "notify_fifo /run/all\n vrrp_notify_fifo /run/vrrp\n vrrp_notify_fifo_script /n/any";
    let mut bench = Bench::new(global, "notify_priority_changes\n notify_deleted");
    bench.state(State::Master);
    let priority = Priority::new(50).expect("a priority");
    bench.tell(Message::Instance(ID, Notice::MasterRxLowerPri(Priority::DEFAULT)));
    bench.tell(Message::Instance(ID, Notice::Priority { master: true, priority }));
    bench.tell(Message::Instance(ID, Notice::Priority { master: false, priority }));
    bench.tell(Message::Instance(ID, Notice::Deleted(priority)));
    let expected = [
        "INSTANCE \"V\" MASTER 100\n",
        "INSTANCE \"V\" MASTER_RX_LOWER_PRI 100\n",
        "INSTANCE \"V\" MASTER_PRIORITY 50\n",
        "INSTANCE \"V\" BACKUP_PRIORITY 50\n",
        "INSTANCE \"V\" DELETED 50\n",
    ];
    let mut done = bench.done();
    assert_eq!(done.remove(0), "/n/any /run/vrrp", "its reader is started with the pipe");
    assert_eq!(done, expected.iter().flat_map(|line| [*line, *line]).collect::<Vec<_>>());
}

const MAIL: &str = "smtp_server 10.0.0.25\n notification_email {\n a@b.c\n }\n";

#[test]
fn what_is_mailed_of_an_instance() {
    let mut bench = Bench::new(MAIL, "smtp_alert\n notify_deleted");
    for state in [State::Init, State::Backup, State::Backup, State::Master, State::Fault, State::Stopped] {
        bench.state(state);
    }
    bench.tell(Message::Instance(ID, Notice::MasterRxLowerPri(Priority::DEFAULT)));
    bench.tell(Message::Instance(ID, Notice::Priority { master: true, priority: Priority::DEFAULT }));
    bench.tell(Message::Instance(ID, Notice::Deleted(Priority::DEFAULT)));
    let expected = [
        "VRRP Instance V - Entering BACKUP state: => VRRP Instance is no longer owning VRRP VIPs <=",
        "VRRP Instance V - Entering MASTER state: => VRRP Instance is now owning VRRP VIPs <=",
        "VRRP Instance V - Entering FAULT state: => VRRP Instance is no longer owning VRRP VIPs <=",
        "VRRP Instance V - Stopping: => VRRP Instance stopping <=",
        "VRRP Instance V - Deleted: => VRRP Deleted at reload <=",
    ];
    assert_eq!(bench.posted(), expected);
}

#[test]
fn mail_of_others_is_passed_on_if_there_is_a_server() {
    let alert = mail::Alert { subject: "Realserver x - DOWN".to_owned(), body: "=> why <=".to_owned() };
    for (global, expected) in [(MAIL, &["Realserver x - DOWN: => why <="][..]), ("smtp_alert", &[])] {
        let mut bench = Bench::new(global, "");
        bench.tell(Message::Mail(alert.clone()));
        bench.state(State::Master);
        assert_eq!(bench.posted().iter().map(String::as_str).take(1).collect::<Vec<_>>(), expected);
        assert_eq!(bench.done(), [""; 0], "neither scripts nor pipes");
    }
}
