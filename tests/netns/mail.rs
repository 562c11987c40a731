//! Mail: the same as stock's, and with servers that stock does not get on with.

mod server;

use std::time::Duration;

use nix::sys::signal::Signal;

use self::server::{Answer, Server, polite};
use crate::lab::{Daemon, Kind, Lan, Router, wait_until};
use crate::support::{config, holds, side_by_side};

/// Where [`Router::start`] puts the configuration.
const CONFIG: &str = "/etc/keepalived/keepalived.conf";

/// A router with a mail server on itself.
struct Site {
    router: Router,
    server: Server,
    // Last, as it must outlive the router.
    _lan: Lan,
}

impl Site {
    fn new() -> Self {
        let lan = Lan::new();
        let router = lan.router("eth0", "10.7.0.2/24");
        let server = Server::start(router.namespace().network(), 25);
        Self { router, server, _lan: lan }
    }

    fn start(&self, kind: Kind, text: &str) -> Daemon {
        self.router.start(kind, text)
    }

    #[track_caller]
    fn wait_mails(&self, count: usize) {
        wait_until(&format!("{count} mails have come: {:#?}", self.server.subjects()), || {
            self.server.mails().len() >= count
        });
    }
}

/// Globals: mail to `to` through `server`.
fn globals(server: &str, to: &str) -> String {
    format!(
        "global_defs {{\n router_id R1\n smtp_alert\n smtp_server {server}\n smtp_helo_name router.example\n \
         smtp_connect_timeout 1\n notification_email_from keepalived@router.example\n \
         notification_email {{\n {to}\n }}\n}}\n"
    )
}

/// One instance that mails to two recipients.
fn simple(server: &str) -> String {
    globals(server, "a@b.c\n root") + &config(3, 100, "")
}

const BACKUP: &str = "[R1] VRRP Instance VI_1 - Entering BACKUP state";
const MASTER: &str = "[R1] VRRP Instance VI_1 - Entering MASTER state";
const STOPPING: &str = "[R1] VRRP Instance VI_1 - Stopping";

/// A date without what differs from second to second; each of its parts keeps its form.
fn without_time(line: &str) -> String {
    let blank = |c: char| match c {
        '0'..='9' => '0',
        'a'..='z' | 'A'..='Z' => 'a',
        c => c,
    };
    match line.strip_prefix("Date: ") {
        Some(date) => format!("Date: {}", date.chars().map(blank).collect::<String>()),
        None => line.to_owned(),
    }
}

/// A story with all changes, and what was said to the mail server about it, up to the stop.
fn story(kind: Kind) -> Vec<Vec<String>> {
    let site = Site::new();
    site.router.write("/run/up", "0");
    let globals = globals("127.0.0.1", "a@b.c root\n lit@[192.0.2.1]\n other+tag@some.example");
    let tracked = "track_file {\n up weight 0\n }";
    let text = format!(
        "{globals}track_file up {{\n file /run/up\n weight 0\n}}\n\
         vrrp_sync_group G {{\n group {{\n VI_1\n }}\n}}\n{}",
        config(3, 100, tracked)
    );
    let daemon = site.start(kind, &text);
    site.wait_mails(4);
    wait_until("the router is master", || holds(&site.router));
    site.router.write("/run/up", "1");
    site.wait_mails(6);
    site.router.write("/run/up", "0");
    site.wait_mails(10);
    let more = config(3, 100, "notify_deleted").replace("VI_1", "VI_2").replace("id 51", "id 52");
    site.router.write(CONFIG, &(text.clone() + &more.replace("10.7.0.1", "10.7.1.1")));
    daemon.signal(Signal::SIGHUP);
    site.wait_mails(12);
    site.router.write(CONFIG, &text);
    daemon.signal(Signal::SIGHUP);
    site.wait_mails(13);
    let mails = site.server.mails();
    if kind == Kind::Ours {
        assert_eq!(site.server.sessions().len(), mails.len(), "one connection each");
        assert_eq!(daemon.stop().code(), Some(0));
        let subjects = site.server.subjects();
        let group = STOPPING.replace("Instance VI_1", "Group G");
        assert_eq!(subjects[mails.len()..], [STOPPING, &group], "stock loses these");
        assert!(site.server.mails()[mails.len()].contains(&"=> VRRP Instance stopping <=".to_owned()));
    }
    let mut mails: Vec<Vec<String>> =
        mails.iter().map(|mail| mail.iter().map(|line| without_time(line)).collect()).collect();
    // Stock has several connections at a time.
    mails.sort();
    mails
}

#[test]
fn mails_are_stocks_byte_by_byte() {
    let ours = std::thread::spawn(|| story(Kind::Ours));
    let stock = story(Kind::Stock);
    let ours = ours.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    assert!(stock.iter().all(|mail| mail.last().is_some_and(|line| line == "QUIT")), "{stock:#?}");
    assert_eq!(ours, stock);
}

/// Stock's whole mail has 1,024 bytes at most: here its end is missing, and no mail comes.
#[test]
fn a_long_list_of_recipients_is_told_in_full() {
    let all: Vec<String> = (0..60).map(|n| format!("recipient-{n}@department.example")).collect();
    let site = Site::new();
    let _daemon = site.start(Kind::Ours, &(globals("127.0.0.1", &all.join("\n")) + &config(3, 100, "")));
    site.wait_mails(1);
    let mail = site.server.mails().remove(0);
    for to in &all {
        assert!(mail.contains(&format!("RCPT TO:<{to}>")), "{mail:#?}");
    }
    let text = mail.join("\n").replace("\n ", " ");
    assert!(text.contains(&format!("\nTo: {}\n", all.join(", "))), "{text}");
    assert!(text.contains("\n\n=> VRRP Instance is no longer owning VRRP VIPs <=\n\n.\n"), "{text}");
}

/// Display names are for headers; 2.2.7 puts them into the envelope, newer ones do not.
#[test]
fn display_names_and_what_follows_from_the_name_of_the_machine() {
    let site = Site::new();
    let text = "global_defs {\n smtp_alert_vrrp\n smtp_server localhost 25\n notification_email {\n \
                \"Dr. X (day) <x@y.z>\"\n }\n}\n";
    let _daemon = site.start(Kind::Ours, &(text.to_owned() + &config(3, 100, "")));
    site.wait_mails(1);
    let mail = site.server.mails().remove(0);
    let name = site.router.run("hostname -f 2>/dev/null || hostname").trim().to_owned();
    for line in [
        format!("HELO {name}"),
        format!("MAIL FROM:<root@{name}>"),
        "RCPT TO:<x@y.z>".to_owned(),
        "To: \"Dr. X (day)\" <x@y.z>".to_owned(),
        format!("Subject: [{name}] VRRP Instance VI_1 - Entering BACKUP state"),
    ] {
        assert!(mail.contains(&line), "{line} is not in {mail:#?}");
    }
}

/// Servers of all kinds that stock works with, and one that knows no EHLO.
#[test]
fn servers_with_manners_of_their_own() {
    type Manner = fn(&str) -> Answer;
    let manners: Vec<(&str, Manner)> = vec![
        ("no EHLO", |line| match line {
            line if line.starts_with("EHLO") => Answer::Say(b"502 what?\r\n".to_vec()),
            line => polite(line),
        }),
        ("replies of many lines", |line| match (line, polite(line)) {
            ("DATA", Answer::Say(last)) => Answer::Say([b"250-no, wait\r\n".as_slice(), &last].concat()),
            (_, Answer::Say(last)) => {
                let code = last[..3].to_vec();
                Answer::Say([&code, b"-one\r\n".as_slice(), &code, b"-\r\n", &last].concat())
            }
            (_, other) => other,
        }),
        ("bare codes", |line| match polite(line) {
            Answer::Say(last) => Answer::Say([&last[..3], b"\r\n".as_slice()].concat()),
            other => other,
        }),
        ("Latin-1", |line| match polite(line) {
            Answer::Say(last) => Answer::Say([&last[..3], b" gr\xfc\xdf dich\r\n".as_slice()].concat()),
            other => other,
        }),
        ("slow", |line| match polite(line) {
            Answer::Say(last) => Answer::Late(Duration::from_millis(50), last),
            other => other,
        }),
    ];
    side_by_side(manners, |(name, manner)| {
        let site = Site::new();
        site.server.behave(manner);
        let daemon = site.start(Kind::Ours, &simple("127.0.0.1"));
        site.wait_mails(2);
        assert_eq!(site.server.subjects(), [BACKUP, MASTER], "{name}");
        assert_eq!(site.server.sessions().len(), 2, "{name}: at the first attempt");
        assert_eq!(daemon.stop().code(), Some(0));
        assert_eq!(site.server.subjects(), [BACKUP, MASTER, STOPPING], "{name}");
        assert_eq!(daemon.log().matches("SMTP alert successfully sent.").count(), 3);
    });
}

/// What does not work now works later, and the log says what is wrong in stock's words.
#[test]
fn mail_is_not_lost_when_a_server_has_troubles() {
    type Manner = fn(&str) -> Answer;
    let troubles: Vec<(Manner, &str)> = vec![
        (|_| Answer::Nothing, "Timeout reading data to remote SMTP server [127.0.0.1]:25."),
        (
            |line| if line.starts_with("MAIL") { Answer::HangUp } else { polite(line) },
            "Remote SMTP server [127.0.0.1]:25 has closed the connection.",
        ),
        (
            |line| match line {
                line if line.starts_with("RCPT") => Answer::Say(b"451-come\r\n451 later\r\n".to_vec()),
                line => polite(line),
            },
            "Error processing RCPT cmd on SMTP server [127.0.0.1]:25. SMTP status code = 451",
        ),
        (
            |line| if line == "." { Answer::Say(b"452 full\r\n".to_vec()) } else { polite(line) },
            "Error processing BODY cmd on SMTP server [127.0.0.1]:25. SMTP status code = 452",
        ),
        (
            |line| if line.is_empty() { Answer::Say(b"421 busy\r\n".to_vec()) } else { polite(line) },
            "Error processing (E)SMTP cmd on SMTP server [127.0.0.1]:25. SMTP status code = 421",
        ),
    ];
    side_by_side(troubles, |(trouble, text)| {
        let site = Site::new();
        site.server.behave(trouble);
        let daemon = site.start(Kind::Ours, &simple("127.0.0.1"));
        wait_until("the router is master", || holds(&site.router));
        daemon.wait_log(text);
        let before = site.server.mails().len();
        site.server.behave(polite);
        wait_until("both have come", || {
            let subjects = site.server.subjects();
            subjects.last().is_some_and(|s| s == MASTER) && subjects.len() >= before + 2
        });
        assert!(site.server.subjects().iter().any(|s| s == BACKUP));
        assert_eq!(daemon.stop().code(), Some(0));
    });
}

/// Nobody listens yet; then a reload names the port on which somebody does.
#[test]
fn another_server_gets_what_waits() {
    let site = Site::new();
    let daemon = site.start(Kind::Ours, &simple("127.0.0.1 26"));
    wait_until("the router is master", || holds(&site.router));
    daemon.wait_log("SMTP connection ERROR to [127.0.0.1]:26.");
    site.router.write(CONFIG, &simple("127.0.0.1"));
    daemon.signal(Signal::SIGHUP);
    site.wait_mails(2);
    assert_eq!(site.server.subjects(), [BACKUP, MASTER]);
}

/// A stop waits for a server that takes its time, and not for one that hangs.
#[test]
fn a_stop_has_its_mail_delivered_or_gives_up() {
    side_by_side(vec![true, false], |answers| {
        let site = Site::new();
        let daemon = site.start(Kind::Ours, &simple("127.0.0.1").replace("smtp_connect_timeout 1\n", ""));
        site.wait_mails(2);
        site.server.behave(move |line| match (answers, polite(line)) {
            (true, Answer::Say(text)) => Answer::Late(Duration::from_millis(200), text),
            _ => Answer::Nothing,
        });
        assert_eq!(daemon.stop().code(), Some(0));
        let expected: &[&str] = if answers { &[BACKUP, MASTER, STOPPING] } else { &[BACKUP, MASTER] };
        assert_eq!(site.server.subjects(), expected);
        assert_eq!(daemon.log().contains("1 SMTP alerts were not sent (stop)"), !answers, "{}", daemon.log());
    });
}
