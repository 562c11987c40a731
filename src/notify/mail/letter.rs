//! A mail as it is handed to a server.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lettre::message::header::{HeaderName, HeaderValue, Headers};

use super::queue::Mail;
use crate::plan::MailPlan;

/// Who is told what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    /// The name of who hands it over.
    pub(super) helo: String,
    /// Who sends it, without a display name.
    pub(super) from: String,
    /// Recipients: as they were configured, and without display names.
    pub(super) to: Vec<(String, String)>,
    /// Header, empty line, body.
    pub(super) text: String,
}

impl Letter {
    /// Writes `mail`. Whatever is not configured is made of `own_name`, the name of this machine.
    pub(super) fn new(mail: &Mail, plan: &MailPlan, own_name: &str, zone: &TimeZone) -> Self {
        let from = plan.from.clone().unwrap_or_else(|| format!("root@{own_name}"));
        let to = mail.left.as_ref().unwrap_or(&plan.to);
        let router = plan.router.as_deref().unwrap_or(own_name);
        let listed: Vec<_> = plan.to.iter().map(|to| in_header(to)).collect();
        // The order is stock's. Long lines are folded, and what is not ASCII is encoded (RFC 2047).
        let mut headers = Headers::new();
        let mut add = |name, value| {
            headers.insert_raw(HeaderValue::new(HeaderName::new_from_ascii_str(name), value));
        };
        add("Date", date(mail.at, zone));
        add("From", in_header(&from));
        add("Subject", format!("[{router}] {}", mail.alert.subject));
        add("X-Mailer", "Keepalived".to_owned());
        add("To", listed.join(", "));
        Self {
            helo: one_line(plan.helo.as_deref().unwrap_or(own_name)),
            from: mailbox(&from).1,
            to: to.iter().map(|to| (to.clone(), mailbox(to).1)).collect(),
            text: format!("{headers}\r\n{}\r\n\r\n", mail.alert.body),
        }
    }
}

/// The date as RFC 5322 section 3.3 has it: `Sat, 21 Nov 2026 20:31:26 +0000`.
fn date(unix_time: Duration, zone: &TimeZone) -> String {
    let time = i64::try_from(unix_time.as_secs()).ok().and_then(|secs| Timestamp::from_second(secs).ok());
    time.unwrap_or_default().to_zoned(zone.clone()).strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
}

/// What stands before an address in `<…>`, and the address, which is all there is if nothing is in `<…>`.
fn mailbox(text: &str) -> (&str, String) {
    let bracketed = text.split_once('<').and_then(|_| {
        let (name, rest) = text.rsplit_once('<')?;
        Some((name.trim(), rest.split('>').next().unwrap_or(rest)))
    });
    let (name, address) = bracketed.unwrap_or(("", text));
    (name, one_line(address.trim()))
}

/// Text for a command: a line break would begin another one.
fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// An address as it stands in a header: a display name that needs quotes and has none gets them.
fn in_header(text: &str) -> String {
    /// Characters that a name must not have unless it is quoted (RFC 5322 section 3.2.3).
    const SPECIALS: &str = "()<>[]:;@\\,.\"";
    let (name, address) = mailbox(text);
    let quoted = name.len() > 1 && name.starts_with('"') && name.ends_with('"');
    if quoted || !name.contains(|c| SPECIALS.contains(c)) {
        return text.to_owned();
    }
    let name = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{name}\" <{address}>")
}

#[cfg(test)]
mod tests {
    use super::super::words::Alert;
    use super::*;
    use crate::config::model::{MailHost, MailServer};

    fn plan(to: &[&str]) -> MailPlan {
        MailPlan {
            server: MailServer { host: MailHost::Name("mail".to_owned()), port: 25 },
            timeout: Duration::from_secs(1),
            helo: None,
            from: Some("k@a.d".to_owned()),
            to: to.iter().map(|to| (*to).to_owned()).collect(),
            router: None,
            faults: true,
        }
    }

    fn letter(plan: &MailPlan) -> Letter {
        let alert = Alert { subject: "VRRP Instance A - Deleted".to_owned(), body: "=> gone <=".to_owned() };
        let mail = Mail::new(alert, Duration::from_secs(1_795_293_086));
        Letter::new(&mail, plan, "node.example", &TimeZone::fixed(jiff::tz::offset(-3)))
    }

    #[test]
    fn all_of_it() {
        let letter = letter(&plan(&["a@b.c", "root"]));
        let expected = "Date: Sat, 21 Nov 2026 17:31:26 -0300\r\nFrom: k@a.d\r\n\
                        Subject: [node.example] VRRP Instance A - Deleted\r\nX-Mailer: Keepalived\r\n\
                        To: a@b.c, root\r\n\r\n=> gone <=\r\n\r\n";
        assert_eq!(letter.text, expected);
        assert_eq!((letter.helo.as_str(), letter.from.as_str()), ("node.example", "k@a.d"));
        let unnamed = MailPlan {
            helo: Some("h\r\ni".to_owned()),
            from: None,
            router: Some("R".to_owned()),
            ..plan(&["x"])
        };
        let letter = self::letter(&unnamed);
        assert_eq!((letter.helo.as_str(), letter.from.as_str()), ("hi", "root@node.example"));
        assert!(letter.text.contains("\r\nFrom: root@node.example\r\nSubject: [R] VRRP "), "{}", letter.text);
    }

    #[test]
    fn addresses_of_all_kinds() {
        for (written, header, envelope) in [
            ("a@b.c", "a@b.c", "a@b.c"),
            ("root", "root", "root"),
            ("lit@[192.0.2.1]", "lit@[192.0.2.1]", "lit@[192.0.2.1]"),
            ("<ang@le.br>", "<ang@le.br>", "ang@le.br"),
            ("Display Name <d@e.f>", "Display Name <d@e.f>", "d@e.f"),
            ("Dr. X, (y) <g@h.i>", "\"Dr. X, (y)\" <g@h.i>", "g@h.i"),
            ("\"Q. N\" <q@q.q>", "\"Q. N\" <q@q.q>", "q@q.q"),
            ("a \"b\" \\c <q@q.q>", "\"a \\\"b\\\" \\\\c\" <q@q.q>", "q@q.q"),
            ("open <q@q.q", "open <q@q.q", "q@q.q"),
            ("a@b\r\nDATA", "a@b\r\nDATA", "a@bDATA"),
        ] {
            assert_eq!(in_header(written), header, "{written:?}");
            assert_eq!(mailbox(written).1, envelope, "{written:?}");
        }
    }

    #[test]
    fn long_lists_are_folded_and_nothing_of_them_is_lost() {
        let all: Vec<String> = (0..100).map(|n| format!("recipient-{n}@some.example")).collect();
        let text = letter(&plan(&all.iter().map(String::as_str).collect::<Vec<_>>())).text;
        assert!(text.split("\r\n").all(|line| line.len() <= 78), "{text}");
        assert!(text.replace("\r\n ", " ").contains(&format!("\r\nTo: {}\r\n", all.join(", "))), "{text}");
    }

    #[test]
    fn nothing_but_ascii_and_no_line_that_was_not_meant() {
        let plan = MailPlan { router: Some("Zürich\r\nBcc: x@y".to_owned()), ..plan(&["Jürg <j@k.l>"]) };
        let text = letter(&plan).text;
        assert!(text.is_ascii(), "{text}");
        assert!(!text.contains("\nBcc"), "{text}");
        assert!(text.contains("<j@k.l>"), "{text}");
    }
}
