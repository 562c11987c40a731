//! The mailer and mail servers of all kinds, on a machine in memory.

use std::net::{IpAddr, Ipv4Addr};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::*;
use crate::config::model::{self, MailHost};
use crate::sim::{MailServer, NodeId, World};

const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 25));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 26));

/// A mailer, and the world it runs in.
struct Bench {
    world: World,
    node: NodeId,
    posts: UnboundedSender<Post>,
}

fn plan(host: MailHost, to: &[&str]) -> Arc<MailPlan> {
    Arc::new(MailPlan {
        server: model::MailServer { host, port: 25 },
        timeout: Duration::from_secs(30),
        helo: None,
        from: None,
        to: to.iter().map(|to| (*to).to_owned()).collect(),
        router: None,
        faults: true,
    })
}

fn at(server: IpAddr) -> Arc<MailPlan> {
    plan(MailHost::Address(server), &["One <a@b.c>", "root"])
}

impl Bench {
    fn new(server: MailServer) -> Self {
        Self::with(server, at(SERVER), |_, _| {})
    }

    fn with(server: MailServer, plan: Arc<MailPlan>, prepare: impl FnOnce(&mut World, NodeId)) -> Self {
        let mut world = World::new(1);
        let node = world.node("node");
        world.set_log_level(tracing::Level::DEBUG);
        world.set_mail_server(node, SERVER, server);
        prepare(&mut world, node);
        let (posts, mut inbox) = unbounded_channel();
        world.start(node, move |host| {
            let mut mailer = Mailer::new(host.slow, host.network, Some(plan), TimeZone::UTC, host.name);
            Box::pin(async move {
                mailer.run(&mut inbox).await;
                0
            })
        });
        Self { world, node, posts }
    }

    fn mail(&self, what: &str) {
        let alert = Alert { subject: what.to_owned(), body: "=> x <=".to_owned() };
        self.tell(Post::Alert(alert, Duration::from_secs(1_800_000_000)));
    }

    fn tell(&self, post: Post) {
        self.posts.send(post).expect("it listens");
    }

    fn run(&mut self, secs: f64) {
        self.world.run_for(Duration::from_secs_f64(secs));
    }

    fn server(&mut self, behaviour: MailServer) {
        self.world.set_mail_server(self.node, SERVER, behaviour);
    }

    /// What was mailed, without the name of the router.
    fn subjects(&self) -> Vec<String> {
        let mails = self.world.mails(self.node);
        mails.iter().map(|(_, mail)| mail.subject().trim_start_matches("[node] ").to_owned()).collect()
    }

    fn recipients(&self) -> Vec<Vec<String>> {
        self.world.mails(self.node).into_iter().map(|(_, mail)| mail.to).collect()
    }

    #[track_caller]
    fn assert_logged(&self, text: &str) {
        let log = self.world.log(self.node);
        assert!(log.iter().any(|line| line.contains(text)), "{text:?} is not in {log:#?}");
    }

    /// How long a stop takes, in seconds.
    fn stop(&mut self) -> f64 {
        let start = self.world.now();
        self.tell(Post::Stop);
        while self.world.is_running(self.node) {
            self.run(0.01);
            assert!(self.world.now() - start < Duration::from_secs(60), "it does not end");
        }
        (self.world.now() - start).as_secs_f64()
    }
}

#[test]
fn one_mail_one_connection() {
    let mut bench = Bench::new(MailServer::Works);
    bench.mail("a");
    bench.mail("b");
    bench.run(0.1);
    assert_eq!(bench.subjects(), ["a", "b"]);
    let (_, mail) = bench.world.mails(bench.node).remove(0);
    assert_eq!((mail.from.as_str(), mail.to), ("root@node", vec!["a@b.c".to_owned(), "root".to_owned()]));
    let expected = "Date: Fri, 15 Jan 2027 08:00:00 +0000\nFrom: root@node\nSubject: [node] a\n\
                    X-Mailer: Keepalived\nTo: One <a@b.c>, root\n\n=> x <=\n\n";
    assert_eq!(mail.text, expected);
    bench.assert_logged("Remote SMTP server [10.0.0.25]:25 connected.");
    bench.assert_logged("SMTP alert successfully sent.");
    assert_eq!(bench.world.open_connections(bench.node), 0);
}

#[test]
fn a_server_that_is_not_there_is_tried_again_and_again() {
    for (outage, text) in [
        (MailServer::Refuses, "SMTP connection ERROR to [10.0.0.25]:25."),
        (MailServer::Unreachable, "Timeout opening connection to remote SMTP server [10.0.0.25]:25."),
        (MailServer::Silent, "Timeout reading data to remote SMTP server [10.0.0.25]:25."),
        (MailServer::Ignores("."), "Timeout reading data to remote SMTP server [10.0.0.25]:25."),
        (MailServer::HangsUp("RCPT"), "Remote SMTP server [10.0.0.25]:25 has closed the connection."),
        (
            MailServer::Answers("", 421),
            "Error processing (E)SMTP cmd on SMTP server [10.0.0.25]:25. SMTP status code = 421",
        ),
        (MailServer::Answers("HELO", 451), "Error processing HELO cmd on"),
        (MailServer::Answers("MAIL", 451), "Error processing MAIL cmd on"),
        (MailServer::Answers("RCPT", 451), "Error processing RCPT cmd on"),
        (MailServer::Answers("DATA", 451), "Error processing DATA cmd on"),
        (MailServer::Answers(".", 452), "Error processing BODY cmd on"),
    ] {
        let mut bench = Bench::new(outage);
        let all: Vec<String> = (0..5).map(|n| n.to_string()).collect();
        all.iter().for_each(|n| bench.mail(n));
        for _ in 0..100 {
            bench.run(10.0);
            assert!(bench.world.open_connections(bench.node) <= 1, "{outage:?}");
        }
        assert_eq!(bench.subjects(), Vec::<String>::new(), "{outage:?}");
        bench.assert_logged(text);
        let attempts = bench.world.log(bench.node).iter().filter(|l| l.contains(text)).count();
        assert!((7..=25).contains(&attempts), "{attempts} attempts: {outage:?}");
        bench.server(MailServer::Works);
        bench.run(301.0);
        assert_eq!(bench.subjects(), all, "{outage:?}");
    }
}

#[test]
fn what_is_refused_for_good_is_not_tried_again() {
    for command in ["", "HELO", "MAIL", "RCPT", "DATA", "."] {
        let mut bench = Bench::new(MailServer::Answers(command, 554));
        bench.mail("a");
        bench.run(1.0);
        bench.server(MailServer::Works);
        bench.mail("b");
        bench.run(1.0);
        assert_eq!(bench.subjects(), ["b"], "{command:?}");
        bench.assert_logged("SMTP status code = 554");
    }
}

#[test]
fn one_bad_recipient_does_not_cost_the_others_their_mail() {
    let mut bench = Bench::new(MailServer::Answers("a@b.c", 550));
    bench.mail("a");
    bench.run(10.0);
    assert_eq!(bench.recipients(), [["root"]]);
    bench.assert_logged(
        "Error processing RCPT cmd on SMTP server [10.0.0.25]:25. SMTP status code = 550 cause=a@b.c",
    );

    let mut bench = Bench::new(MailServer::Answers("a@b.c", 451));
    bench.mail("a");
    bench.mail("b");
    bench.run(0.5);
    assert_eq!(bench.recipients(), [["root"], ["root"]], "nobody waits for those who are late");
    bench.server(MailServer::Works);
    bench.run(1.0);
    assert_eq!(bench.recipients()[2..], [["a@b.c"], ["a@b.c"]]);
    assert_eq!(bench.subjects(), ["a", "b", "a", "b"]);
}

#[test]
fn a_mailbox_that_stays_full_is_given_up() {
    let mut bench = Bench::new(MailServer::Answers("a@b.c", 452));
    bench.mail("a");
    bench.run(10_000.0);
    assert_eq!(bench.recipients(), [["root"]]);
    bench.assert_logged("1 SMTP alerts were not sent cause=some recipients are refused again and again");
    assert!(bench.stop() < 0.1, "nothing is left to be done");
}

#[test]
fn nobody_waits_for_names_if_there_is_no_mail() {
    let named = plan(MailHost::Name("mail.example".to_owned()), &["a@b.c"]);
    let mut bench = Bench::with(MailServer::Works, named, |world, node| world.set_resolver(node, false));
    bench.run(1.0);
    assert!(bench.stop() < 0.1);
}

#[test]
fn another_server_takes_what_waits() {
    let mut bench = Bench::new(MailServer::Refuses);
    bench.mail("a");
    bench.run(200.0);
    bench.mail("b");
    bench.tell(Post::Settings(Some(at(SERVER))));
    bench.run(0.1);
    assert_eq!(bench.subjects(), Vec::<String>::new(), "nothing has changed");
    bench.tell(Post::Settings(Some(at(OTHER))));
    bench.run(0.1);
    assert_eq!(bench.subjects(), ["a", "b"]);
    assert!(bench.world.mails(bench.node).iter().all(|(_, mail)| mail.server.ip() == OTHER));
}

#[test]
fn a_mail_under_way_is_not_sent_twice_when_the_server_changes() {
    let mut bench = Bench::new(MailServer::Slow(Duration::from_secs(1)));
    bench.mail("a");
    bench.run(2.5);
    bench.tell(Post::Settings(Some(at(OTHER))));
    bench.mail("b");
    bench.run(20.0);
    let servers: Vec<_> = bench.world.mails(bench.node).iter().map(|(_, mail)| mail.server.ip()).collect();
    assert_eq!((bench.subjects().join(" ").as_str(), servers), ("a b", vec![SERVER, OTHER]));
}

#[test]
fn without_a_server_nothing_waits() {
    let mut bench = Bench::new(MailServer::Refuses);
    bench.mail("a");
    bench.run(1.5);
    bench.tell(Post::Settings(None));
    bench.run(0.1);
    bench.assert_logged("1 SMTP alerts were not sent cause=no server or no recipients any more");
    bench.mail("b");
    bench.tell(Post::Settings(Some(at(OTHER))));
    bench.mail("c");
    bench.run(1.0);
    assert_eq!(bench.subjects(), ["c"]);
}

#[test]
fn names_are_looked_up_before_they_are_needed_and_again_when_they_are() {
    let named = || plan(MailHost::Name("mail.example".to_owned()), &["a@b.c"]);
    // The first address does not answer: the second one does.
    let mut bench = Bench::with(MailServer::Refuses, named(), |world, node| {
        world.set_addresses(node, "mail.example", &[SERVER, OTHER]);
    });
    bench.run(1.0);
    bench.world.set_addresses(bench.node, "mail.example", &[]);
    bench.mail("a");
    bench.run(0.1);
    assert_eq!(bench.subjects(), ["a"]);

    let mut bench = Bench::with(MailServer::Works, named(), |_, _| {});
    bench.run(1.0);
    bench.assert_logged("The address of SMTP server mail.example cannot be looked up");
    bench.mail("a");
    bench.run(1.0);
    bench.world.set_addresses(bench.node, "mail.example", &[SERVER]);
    bench.run(5.0);
    assert_eq!(bench.subjects(), ["a"]);
    // It has moved.
    bench.server(MailServer::Refuses);
    bench.world.set_addresses(bench.node, "mail.example", &[OTHER]);
    bench.mail("b");
    bench.run(5.0);
    assert_eq!(bench.subjects(), ["a", "b"]);
}

#[test]
fn a_stop_waits_for_a_server_that_is_slow() {
    let mut bench = Bench::new(MailServer::Slow(Duration::from_millis(200)));
    bench.mail("a");
    bench.mail("b");
    let time = bench.stop();
    assert_eq!(bench.subjects(), ["a", "b"]);
    assert!((2.8..4.0).contains(&time), "{time} s");
}

#[test]
fn a_stop_does_not_wait_for_a_server_that_hangs_or_is_not_there() {
    for (behaviour, limits) in [
        (MailServer::Silent, 4.9..5.1),
        (MailServer::Unreachable, 4.9..5.1),
        (MailServer::Refuses, 0.0..0.1),
        (MailServer::Answers("MAIL", 451), 0.0..0.1),
    ] {
        let mut bench = Bench::new(behaviour);
        (0..3).for_each(|n| bench.mail(&n.to_string()));
        bench.run(0.5);
        let time = bench.stop();
        assert!(limits.contains(&time), "{time} s: {behaviour:?}");
        let log = bench.world.log(bench.node);
        let lost =
            log.iter().filter_map(|l| l.split_once(" SMTP alerts were not sent")?.0.parse::<u32>().ok());
        assert_eq!(lost.sum::<u32>(), 3, "{behaviour:?}: {log:#?}");
    }
}

#[test]
fn a_server_that_does_not_say_goodbye_has_taken_the_mail() {
    let mut bench = Bench::new(MailServer::Ignores("QUIT"));
    bench.mail("a");
    bench.mail("b");
    bench.run(1.1);
    assert_eq!(bench.subjects(), ["a", "b"], "it is not waited for long");
    bench.mail("c");
    let time = bench.stop();
    assert_eq!(bench.subjects(), ["a", "b", "c"]);
    assert!(time < 2.5, "{time} s");
    assert!(!bench.world.log(bench.node).iter().any(|line| line.contains("not sent")));
}

#[test]
fn a_stop_tries_what_waits_once_more() {
    let mut bench = Bench::new(MailServer::Refuses);
    bench.mail("a");
    bench.mail("b");
    bench.run(1_000.0);
    bench.server(MailServer::Works);
    let time = bench.stop();
    assert_eq!(bench.subjects(), ["a", "b"]);
    assert!(time < 0.1, "{time} s");
}

#[test]
fn too_many_mails_do_not_pile_up() {
    let mut bench = Bench::new(MailServer::Refuses);
    (0..queue::MOST + 50).for_each(|n| bench.mail(&n.to_string()));
    bench.run(0.1);
    bench.assert_logged("Too many SMTP alerts wait - 32 of the oldest are lost so far");
    bench.server(MailServer::Works);
    bench.run(10.0);
    let subjects = bench.subjects();
    assert!((queue::MOST..=queue::MOST + 1).contains(&subjects.len()), "{}", subjects.len());
    let last = (queue::MOST + 49).to_string();
    assert_eq!(subjects.last(), Some(&last));
}
