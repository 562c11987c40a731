//! A mail server that does what a test wants, and writes down what it is told.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};

/// What a server does when it is told something.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It says this, as it is.
    Say(Vec<u8>),
    /// It says this later.
    Late(Duration, Vec<u8>),
    /// Nothing, for ever.
    Nothing,
    /// It hangs up.
    HangUp,
}

/// Answers what a client says: nothing yet, a command, or `.` behind a text.
type Manner = Arc<dyn Fn(&str) -> Answer + Send + Sync>;

/// What a client has said in one connection, line by line.
type Session = Arc<Mutex<Vec<String>>>;

/// A server on port `port` of the loopback address 127.0.0.1. It ends when it is dropped.
pub struct Server {
    sessions: Arc<Mutex<Vec<Session>>>,
    manner: Arc<Mutex<Manner>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// How a server answers that takes everything.
pub fn polite(line: &str) -> Answer {
    let code = match line.split([' ', ':']).next() {
        Some("") => "220",
        Some("DATA") => "354",
        Some("QUIT") => "221",
        _ => "250",
    };
    Answer::Say(format!("{code} ok\r\n").into_bytes())
}

impl Server {
    /// Listens in that network namespace when this returns.
    pub fn start(network: File, port: u16) -> Self {
        let (sessions, stop) = (Arc::<Mutex<Vec<Session>>>::default(), Arc::new(AtomicBool::new(false)));
        let manner: Arc<Mutex<Manner>> = Arc::new(Mutex::new(Arc::new(polite)));
        let (ready, is_ready) = mpsc::channel();
        let (to, until, manners) = (Arc::clone(&sessions), Arc::clone(&stop), Arc::clone(&manner));
        let thread = std::thread::spawn(move || {
            // Only this thread changes its network namespace, and it ends here.
            setns(network, CloneFlags::CLONE_NEWNET).expect("enter a network namespace");
            let listener = TcpListener::bind(("127.0.0.1", port)).expect("listen");
            listener.set_nonblocking(true).expect("O_NONBLOCK");
            ready.send(()).expect("tell that the server listens");
            while !until.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let session = Session::default();
                        to.lock().unwrap().push(Arc::clone(&session));
                        let manners = Arc::clone(&manners);
                        // It ends with its connection. That the client is gone is no failure.
                        std::thread::spawn(move || serve(&stream, &session, &manners).ok());
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    Err(error) => panic!("accept: {error}"),
                }
            }
        });
        is_ready.recv().expect("the mail server listens");
        Self { sessions, manner, stop, thread: Some(thread) }
    }

    /// From now on it answers like this.
    pub fn behave(&self, manner: impl Fn(&str) -> Answer + Send + Sync + 'static) {
        *self.manner.lock().unwrap() = Arc::new(manner);
    }

    /// What was said in each connection so far.
    pub fn sessions(&self) -> Vec<Vec<String>> {
        self.sessions.lock().unwrap().iter().map(|session| session.lock().unwrap().clone()).collect()
    }

    /// The connections in which a mail was handed over, taken or not, and which have come to their end.
    pub fn mails(&self) -> Vec<Vec<String>> {
        let is_whole = |s: &Vec<String>| s.contains(&".".to_owned()) && s.last().is_some_and(|l| l == "QUIT");
        self.sessions().into_iter().filter(is_whole).collect()
    }

    /// Their subjects.
    pub fn subjects(&self) -> Vec<String> {
        let subject =
            |mail: &Vec<String>| mail.iter().find_map(|l| Some(l.strip_prefix("Subject: ")?.to_owned()));
        self.mails().iter().filter_map(subject).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut stream: &TcpStream, session: &Session, manner: &Mutex<Manner>) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    let mut lines = BufReader::new(stream);
    let (mut line, mut in_text) = (String::new(), false);
    loop {
        if !in_text {
            let manner = Arc::clone(&manner.lock().unwrap());
            match manner(&line) {
                Answer::Say(text) => stream.write_all(&text)?,
                Answer::Late(pause, text) => {
                    std::thread::sleep(pause);
                    stream.write_all(&text)?;
                }
                Answer::Nothing => {}
                Answer::HangUp => return Ok(()),
            }
            in_text = line == "DATA";
        }
        let mut raw = String::new();
        if lines.read_line(&mut raw)? == 0 {
            return Ok(());
        }
        // A line that ends otherwise would be seen.
        line = raw.strip_suffix("\r\n").unwrap_or(&raw).to_owned();
        session.lock().unwrap().push(line.clone());
        in_text &= line != ".";
    }
}
