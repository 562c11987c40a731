use super::*;

/// 2026-11-01 08:32:24 UTC.
fn clock() -> Timestamp {
    Timestamp::constant(1_793_521_944, 0)
}

/// What `f` logs with that many `-D`.
fn logged(detail: u8, f: impl FnOnce()) -> Vec<Line> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let lines = lines.clone();
        move |line: &Line| lines.lock().expect("no panic while locked").push(line.clone())
    };
    let (subscriber, log) = subscriber(detail, clock, vec![Box::new(sink)]);
    tracing::subscriber::with_default(subscriber, f);
    log.finish();
    Arc::try_unwrap(lines).expect("the log is gone").into_inner().expect("no panic while locked")
}

fn texts(detail: u8, f: impl FnOnce()) -> Vec<String> {
    logged(detail, f).into_iter().map(|line| line.text).collect()
}

#[test]
fn detail_decides_what_is_shown() {
    let speak = || {
        tracing::error!("e");
        tracing::warn!("w");
        tracing::info!("i");
        tracing::debug!("d");
        tracing::trace!("t");
    };
    assert_eq!(texts(0, speak), ["e", "w", "i"]);
    assert_eq!(texts(1, speak), ["e", "w", "i", "d"]);
    assert_eq!(texts(2, speak), ["e", "w", "i", "d", "t"]);
    assert_eq!(logged(9, speak).iter().map(|l| l.severity).collect::<Vec<_>>(), [3, 4, 6, 6, 7]);
}

#[test]
fn a_line_is_the_message_and_its_cause() {
    let speak = || {
        tracing::info!(vrid = 7, "({}) Entering MASTER STATE", "VI_1");
        tracing::info!(cause = %io::Error::from_raw_os_error(1), vrid = 7, "cannot send");
        tracing::info!(cause = "word", "text");
    };
    assert_eq!(
        texts(0, speak),
        ["(VI_1) Entering MASTER STATE", "cannot send (Operation not permitted (os error 1))", "text (word)"]
    );
    assert_eq!(texts(2, speak).first().map(String::as_str), Some("(VI_1) Entering MASTER STATE vrid=7"));
}

#[test]
fn fields_are_for_those_who_want_them() {
    struct Journal(Arc<Mutex<Vec<Line>>>);
    impl Sink for Journal {
        fn write(&mut self, line: &Line) {
            self.0.lock().expect("no panic while locked").push(line.clone());
        }
        fn wants_fields(&self) -> bool {
            true
        }
    }
    let speak = || tracing::info!(instance = "VI_1", state = "MASTER", cause = "a\nb", vrid = 7, "text");
    let lines = Arc::new(Mutex::new(Vec::new()));
    let (subscriber, log) = subscriber(2, clock, vec![Box::new(Journal(lines.clone()))]);
    tracing::subscriber::with_default(subscriber, speak);
    log.finish();
    let line = lines.lock().expect("no panic while locked").remove(0);
    assert_eq!(line.text, r"text (a\nb) vrid=7");
    let fields = [("instance", "VI_1"), ("state", "MASTER"), ("cause", r"a\nb")];
    assert_eq!(line.fields, fields.map(|(name, value)| (name, value.to_owned())));
    assert_eq!(logged(2, speak)[0].fields, []);
}

#[test]
fn a_line_stays_a_line() {
    let text = texts(2, || tracing::info!(cause = "a\nb", name = "\x1b[2J", "x\ty\0é"));
    assert_eq!(text, [r"x\ty\u{0}é (a\nb) name=\u{1b}[2J"]);
}

#[test]
fn idents_are_those_of_stocks_processes() {
    let idents = logged(0, || {
        tracing::info!(target: "vrrp", "v");
        tracing::info!(target: "keepalived_rs::vrrp::instance", "v");
        tracing::info!(target: "keepalived_rs::daemon", "d");
        tracing::info!("here");
    });
    let idents: Vec<_> = idents.iter().map(|l| l.ident).collect();
    assert_eq!(idents, ["Keepalived_vrrp", "Keepalived_vrrp", "Keepalived", "Keepalived"]);
}

#[test]
fn a_log_that_is_renamed_tells_its_sinks_until_it_is_detached() {
    struct Named(Arc<Mutex<Vec<String>>>);
    impl Sink for Named {
        fn write(&mut self, _: &Line) {}
        fn rename(&mut self, suffix: &str) {
            self.0.lock().expect("no panic while locked").push(suffix.to_owned());
        }
    }
    let names = Arc::new(Mutex::new(Vec::new()));
    let (_subscriber, mut log) = subscriber(0, clock, vec![Box::new(Named(names.clone()))]);
    log.rename("_blue_one");
    log.detach().expect("a thread");
    log.rename("_late");
    log.finish();
    assert_eq!(*names.lock().expect("no panic while locked"), ["_blue_one"]);
}

#[test]
fn the_console_has_stocks_form() {
    let mut console = Console { out: Vec::new(), zone: TimeZone::UTC };
    let text = "Stopping".to_owned();
    console.write(&Line { time: clock(), severity: 6, ident: "Keepalived", text, fields: Vec::new() });
    assert_eq!(String::from_utf8_lossy(&console.out), "Sun Nov  1 08:32:24 2026: Stopping\n");
}

#[test]
fn a_closed_console_is_no_reason_to_fail() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    let console = Console { out: Closed, zone: TimeZone::UTC };
    let (subscriber, mut log) = subscriber(0, clock, vec![Box::new(console)]);
    log.detach().expect("a thread");
    tracing::subscriber::with_default(subscriber, || tracing::info!("into the void"));
    log.finish();
}

#[test]
fn whoever_logs_does_not_wait_for_whoever_reads() {
    const LINES: usize = QUEUE + 500;
    let (release, wait) = sync_channel::<()>(0);
    let written = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let written = written.clone();
        move |line: &Line| {
            // Stuck until the other end is dropped.
            let _ = wait.recv();
            written.lock().expect("no panic while locked").push(line.text.clone());
        }
    };
    let (subscriber, mut log) = subscriber(0, clock, vec![Box::new(sink)]);
    log.detach().expect("a thread");
    tracing::subscriber::with_default(subscriber, || {
        // Were the writer waited for, this would never end.
        for n in 0..LINES {
            tracing::info!("line {n}");
        }
        drop(release);
    });
    log.finish();
    let written = written.lock().expect("no panic while locked");
    let lost: usize = (written.iter())
        .filter_map(|text| text.strip_suffix(" log lines lost: they came faster than they could be written"))
        .map(|count| count.parse::<usize>().expect("a count"))
        .sum();
    let kept = written.iter().filter(|text| text.starts_with("line ")).count();
    assert!(lost > 0, "nothing was lost of {LINES}");
    assert_eq!(kept + lost, LINES);
}
