//! `genhash` next to stock's: the same pages of the same servers.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use tempfile::TempDir;

use crate::lab::{Holder, Kind, Namespace};

/// Where the web server listens, that which speaks TLS, and nobody.
const HTTP: u16 = 8080;
const TLS: u16 = 8443;
const NOBODY: u16 = 1;

/// A network with servers in it, and both programs under the name `genhash`.
struct Site {
    network: Namespace,
    folder: TempDir,
    /// What was asked, in the order in which it came.
    requests: Arc<Mutex<Vec<String>>>,
    tls: Child,
}

/// What a program has said, and its status.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    stdout: String,
    stderr: String,
    status: Option<i32>,
}

impl Site {
    fn new() -> Self {
        let network = Namespace::new(&Holder::Network);
        network.run("ip link set lo up");
        let folder = tempfile::tempdir().expect("make a folder");
        let requests = Arc::default();
        serve(network.network(), Arc::clone(&requests));
        let tls = serve_tls(&network, folder.path());
        Self { network, folder, requests, tls }
    }

    /// `genhash` of this kind, by that name.
    fn program(&self, kind: Kind) -> PathBuf {
        let folder = self.folder.path().join(format!("{kind:?}"));
        let name = folder.join("genhash");
        if !name.is_symlink() {
            std::fs::create_dir(&folder).expect("make a folder");
            let program = kind.program_on_host().unwrap_or_else(|| kind.program().to_owned());
            assert!(Path::new(&program).exists(), "{program} is missing: apt-get install keepalived");
            symlink(program, &name).expect("make a link");
        }
        name
    }

    fn ask(&self, kind: Kind, args: &[&str]) -> Said {
        let program = self.program(kind);
        let output =
            self.network.command(&program.to_string_lossy()).args(args).output().expect("run nsenter");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        // How long it took is another matter each time.
        let stdout = match stdout.rsplit_once(" = ") {
            Some((before, took)) if took.ends_with(" usecs\n") => before.to_owned(),
            _ => stdout,
        };
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Said { stdout, stderr, status: output.status.code() }
    }

    /// Asks both, and gives what they agree on. The help is each one's own; ours says more about what went wrong.
    #[track_caller]
    fn same(&self, args: &[&str]) -> Said {
        let without_help = |mut said: Said| {
            said.stderr.truncate(said.stderr.find("Usage: ").map_or(said.stderr.len(), |at| at + 7));
            said
        };
        let stock = without_help(self.ask(Kind::Stock, args));
        let mut ours = without_help(self.ask(Kind::Ours, args));
        if stock.stderr.is_empty() {
            assert!(ours.stderr.is_empty() || ours.stderr.starts_with("cannot "), "{args:?}: {ours:?}");
            ours.stderr.clear();
        }
        assert_eq!(ours, stock, "{args:?}");
        ours
    }

    /// The same for a page of the web server.
    #[track_caller]
    fn page(&self, path: &str, more: &[&str]) -> Said {
        let port = HTTP.to_string();
        self.same(&[&["-s", "127.0.0.1", "-p", &port, "-u", path], more].concat())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.tls.kill();
        let _ = self.tls.wait();
    }
}

/// What the server says when it is asked for `path`, with pauses in between.
fn answer(path: &str) -> Vec<Vec<u8>> {
    let pieces: &[&str] = match path {
        "/" => &["HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello world\n"],
        "/no-length" => &["HTTP/1.0 200 OK\r\n\r\nhello world\n"],
        "/short" => &["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello world\n"],
        "/long" => &["HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello world\n"],
        "/lower" => &["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello world\n"],
        "/no-number" => &["HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello world\n"],
        "/no-digits" => &["HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello world\n"],
        "/plus" => &["HTTP/1.1 200 OK\r\nX-Content-Length:\t+5\r\n\r\nhello world\n"],
        "/empty" => &["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
        "/404" => &["HTTP/1.0 404 Not Found\r\n\r\nsorry"],
        "/garbage" => &["garbage\r\n\r\nhello"],
        "/chunked" => &["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"],
        "/no-end" => &["HTTP/1.0 200 OK\r\nServer: x\r\n"],
        "/lf" => &["HTTP/1.0 200 OK\n\nhello"],
        "/split" => &["HTTP/1.0 200 OK\r\nA: b\r", "\n\r", "\nhel", "lo world\n"],
        "/body-later" => &["HTTP/1.0 200 OK\r\n\r\n", "hel", "lo"],
        "/nothing" => &[],
        _ => {
            let mut bytes = b"HTTP/1.0 200 OK\r\n\r\n".to_vec();
            bytes.extend((0..100_000_u32).map(|at| (at * 7 + at / 251) as u8));
            return vec![bytes];
        }
    };
    pieces.iter().map(|piece| piece.as_bytes().to_vec()).collect()
}

/// Serves in that network as long as the test runs.
fn serve(network: File, requests: Arc<Mutex<Vec<String>>>) {
    let (ready, is_ready) = mpsc::channel();
    std::thread::spawn(move || {
        // Only this thread changes its network namespace.
        setns(network, CloneFlags::CLONE_NEWNET).expect("enter a network namespace");
        let listener = TcpListener::bind(("::", HTTP)).expect("listen");
        ready.send(()).expect("tell that the server listens");
        for stream in listener.incoming() {
            let requests = Arc::clone(&requests);
            let stream = stream.expect("accept");
            // That the client is gone is no failure.
            std::thread::spawn(move || serve_one(&stream, &requests).ok());
        }
    });
    is_ready.recv().expect("the web server listens");
}

fn serve_one(mut stream: &TcpStream, requests: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut request = String::new();
    let mut lines = BufReader::new(stream);
    while !request.ends_with("\r\n\r\n") {
        if lines.read_line(&mut request)? == 0 {
            return Ok(());
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    requests.lock().unwrap().push(request);
    if path == "/silent" || path == "/half" {
        stream.write_all(if path == "/half" { b"HTTP/1.0 200 OK\r\n\r\nhal" } else { b"" })?;
        // Until the client has had enough.
        return stream.read(&mut [0]).map(drop);
    }
    for piece in answer(&path) {
        stream.write_all(&piece)?;
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Serves the files of `folder` by TLS, to those who ask for `www.example.com` or for no name.
fn serve_tls(network: &Namespace, folder: &Path) -> Child {
    let sh = |script: &str| {
        let status = std::process::Command::new("sh").current_dir(folder).args(["-c", script]).status();
        assert!(status.expect("run sh").success(), "`{script}`: is openssl missing? apt-get install openssl");
    };
    sh("openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=test 2>/dev/null");
    sh("printf 'HTTP/1.0 200 OK\\r\\n\\r\\nby TLS' >page");
    let port = TLS.to_string();
    let mut server = network
        .command("openssl")
        .current_dir(folder)
        .args([
            "s_server", "-accept", &port, "-cert", "cert", "-key", "key", "-cert2", "cert", "-key2", "key",
        ])
        .args(["-servername", "www.example.com", "-servername_fatal", "-HTTP"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("run nsenter");
    let mut lines = BufReader::new(server.stdout.take().expect("it is piped")).lines();
    let listens = lines.by_ref().map_while(Result::ok).any(|line| line == "ACCEPT");
    assert!(listens, "openssl s_server ended");
    // It must not wait for somebody who reads.
    std::thread::spawn(move || lines.count());
    server
}

#[test]
fn pages_have_the_same_digests() {
    let site = Site::new();
    for path in [
        "/",
        "/no-length",
        "/short",
        "/long",
        "/lower",
        "/no-number",
        "/no-digits",
        "/plus",
        "/empty",
        "/404",
        "/garbage",
        "/chunked",
        "/no-end",
        "/lf",
        "/split",
        "/nothing",
        "/great",
    ] {
        let said = site.page(path, &[]);
        assert_eq!(said.status, Some(0), "{path}");
        let has_none = ["/no-end", "/lf", "/nothing"].contains(&path);
        assert_eq!(said.stdout.len(), if has_none { 0 } else { 33 }, "{path}: {said:?}");
    }
    assert_eq!(site.page("/", &[]).stdout, "6f5902ac237024bdd0c176cb93063dc4\n");
    assert_eq!(site.same(&["-s", "::1", "-p", "8080", "-u", "/"]).status, Some(0));
}

#[test]
fn what_is_shown_on_request_is_the_same() {
    let site = Site::new();
    for path in ["/", "/short", "/empty", "/404", "/chunked", "/split", "/body-later", "/no-end", "/nothing"]
    {
        site.page(path, &["-v"]);
    }
    let nobody = NOBODY.to_string();
    site.same(&["-s", "127.0.0.1", "-p", &nobody, "-u", "/", "-v"]);
}

#[test]
fn requests_are_the_same() {
    let site = Site::new();
    for more in [
        &[][..],
        &["-P", "1.0c"],
        &["-P", "1.0C"],
        &["-P", "1.1"],
        &["-V", "www.example.com:81"],
        &["-I", "-V", "x"],
        &["-V", ""],
        &["-m", "7"],
    ] {
        site.page("/a b", more);
    }
    site.same(&["--server=::1", "--po", "8080", "--url="]);
    let requests = site.requests.lock().unwrap();
    assert_eq!(requests.len(), 18);
    for pair in requests.chunks(2) {
        assert_eq!(pair[0], pair[1]);
    }
}

#[test]
fn failures_are_told_in_the_same_words() {
    let site = Site::new();
    let nobody = NOBODY.to_string();
    for (said, expected) in [
        (site.page("/silent", &["-t", "1"]), "Timeout WEB read\n"),
        (site.page("/half", &["-t", "1"]), "Timeout HTTP read\n"),
        (site.same(&["-s", "127.0.0.1", "-p", &nobody, "-u", "/"]), "Connection failed\n"),
        (site.same(&["-s", "203.0.113.1", "-p", "80", "-u", "/"]), "HTTP_CHECK - network unreachable\n"),
    ] {
        assert_eq!((said.stdout.as_str(), said.status), (expected, Some(0)));
    }
}

#[test]
fn mistakes_in_the_command_line_are_told_in_the_same_words() {
    let site = Site::new();
    for more in [
        &["-h"][..],
        &["-P", "2"],
        &["-m", "abc"],
        &["-t", "1.5"],
        &["-V"],
        &["-r", "-x"],
        &["--use-s"],
        &["--verbose=1"],
        &["extra"],
    ] {
        assert_eq!(site.page("/", more).status, Some(1), "{more:?}");
    }
    for args in [
        &[][..],
        &["-x"],
        &["-s", "localhost", "-p", "80", "-u", "/"],
        &["-s", "127.0.0.1", "-p", "0", "-u", "/"],
        &["-s", "127.0.0.1", "-p", "80"],
    ] {
        assert_eq!(site.same(args).status, Some(1), "{args:?}");
    }
}

#[test]
fn tls_asks_for_a_name_when_it_is_told_to() {
    let site = Site::new();
    let port = TLS.to_string();
    let page = |more: &[&str]| {
        site.same(&[&["-S", "-s", "127.0.0.1", "-p", &port, "-u", "/page"], more].concat()).stdout
    };
    let digest = page(&[]);
    assert_eq!(digest.len(), 33, "{digest}");
    assert_eq!(page(&["-I", "-V", "www.example.com"]), digest);
    assert_eq!(page(&["-V", "other.example.com"]), digest, "not asked for");
    let refused = page(&["-I", "-V", "other.example.com"]);
    assert_eq!(refused, "SSL handshake/communication error connecting to\n");
    assert!(page(&["-v"]).contains("HTML hash resulting"));
    // The same by the option of the daemon.
    let program = Kind::Ours.program_on_host().expect("a program");
    let mut command = site.network.command(&program);
    command.args(["-T", "-S", "-s", "127.0.0.1", "-p", &port, "-u", "/page"]);
    assert_eq!(command.output().expect("run nsenter").stdout, digest.as_bytes());
}
