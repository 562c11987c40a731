//! The command line of `genhash`.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use super::{Refusal, Request};
use crate::wire::http::Protocol;

/// The page whose digest is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenhashOptions {
    /// What stock says on stderr about options that it does not look at.
    pub complaint: Option<String>,
    /// The server.
    pub server: SocketAddr,
    /// Path of the page, as it is put into the request.
    pub url: String,
    /// By TLS.
    pub ssl: bool,
    /// TLS asks for the virtual host (SNI).
    pub sni: bool,
    /// What `Host:` says, instead of address and port.
    pub virtual_host: Option<String>,
    /// What comes is shown, too.
    pub verbose: bool,
    /// The mark of what is sent (`SO_MARK`); 0: none.
    pub mark: u32,
    /// Which HTTP.
    pub protocol: Protocol,
    /// How long each step may take; none: as long as the system thinks fit.
    pub timeout: Option<Duration>,
}

/// Long and short name, whether it has an argument, and what it does.
type Row = (&'static str, char, bool, &'static str);

const OPTIONS: &[Row] = &[
    ("use-ssl", 'S', false, "Ask by TLS."),
    ("use-sni", 'I', false, "Name the virtual host in the TLS handshake (SNI); see -V."),
    ("server", 's', true, "Address of the server."),
    ("port", 'p', true, "Its port."),
    ("url", 'u', true, "Path of the page."),
    ("use-virtualhost", 'V', true, "Virtual host, for the Host header."),
    ("verbose", 'v', false, "Show header and body, and how long it took."),
    ("help", 'h', false, "Show this help."),
    ("fwmark", 'm', true, "Mark what is sent."),
    ("protocol", 'P', true, "HTTP: 1.0, 1.0c (1.0 with Connection: close) or 1.1."),
    ("timeout", 't', true, "Seconds that each step may take."),
];

/// What `args` ask for if they are for this tool, by the name of the program or by their first one.
pub(super) fn request(args: &[String], program: &Path) -> Option<Result<Request, Refusal>> {
    let called = program.file_name().unwrap_or_default();
    // Stock is this tool when it is called by that name; the other one stands beside stock's.
    if called == "genhash" || called == "genhash-rs" {
        let options = parse(args, &program.to_string_lossy());
        return Some(options.map(|options| Request::Genhash(Box::new(options))));
    }
    let is_option = args.first().is_some_and(|first| first.starts_with("-T") || is_option(first));
    is_option.then(|| by_option(args, program))
}

/// What `args` ask `genhash` for. Its option comes first, or what stands before it is ignored.
pub(super) fn by_option(args: &[String], program: &Path) -> Result<Request, Refusal> {
    let place = args.iter().position(|arg| arg.starts_with("-T") || is_option(arg));
    let Some((option, rest)) = place.and_then(|at| args.get(at..)?.split_first()) else {
        return Err(Refusal("Option --genhash must be the first one".to_owned()));
    };
    let complaint = (place != Some(0)).then(|| {
        let option = if is_option(option) { "genhash" } else { "-T" };
        format!("Warning -- `{option}` not used as first option, previous options ignored")
    });
    // What is bundled with it is the first of what follows.
    let bundled = option.strip_prefix("-T").filter(|more| !more.is_empty()).map(|more| format!("-{more}"));
    let args: Vec<String> = bundled.into_iter().chain(rest.iter().cloned()).collect();
    match parse(&args, &format!("{} --genhash", program.display())) {
        Ok(options) => Ok(Request::Genhash(Box::new(GenhashOptions { complaint, ..options }))),
        Err(refusal) => Err(match complaint {
            Some(complaint) => Refusal(format!("{complaint}\n{refusal}")),
            None => refusal,
        }),
    }
}

/// Whether `arg` is the long option that makes this `genhash`, perhaps abbreviated.
fn is_option(arg: &str) -> bool {
    arg.len() > "--g".len() && "--genhash".starts_with(arg)
}

/// Reads what stands behind the name of the program, which is `called` that. All that is wrong, and a wish for help, is
/// a refusal, as with stock: the help goes to stderr and the status is 1.
fn parse(args: &[String], called: &str) -> Result<GenhashOptions, Refusal> {
    let refuse = |why: &str| Refusal(format!("{why}{}", help(called)));
    // Stock does not say what is wrong with a single argument.
    if args.len() < 2 {
        return Err(refuse(""));
    }
    let mut draft = Draft::default();
    let mut complaints = String::new();
    let mut operands: Vec<&str> = Vec::new();
    let mut words = args.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if word == "--" {
            operands.extend(words.by_ref());
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, attached) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            match find(name) {
                Some(row) if row.2 => match attached.or_else(|| words.next()) {
                    Some(value) => draft.set(row.1, value).map_err(|why| refuse(&why))?,
                    None => _ = writeln!(complaints, "Missing parameter for option --{}", row.0),
                },
                Some(row) if attached.is_none() => draft.set(row.1, "").map_err(|why| refuse(&why))?,
                _ => _ = writeln!(complaints, "Unknown option {word}"),
            }
        } else if let Some(cluster) = word.strip_prefix('-').filter(|cluster| !cluster.is_empty()) {
            let mut letters = cluster.chars();
            while let Some(letter) = letters.next() {
                match OPTIONS.iter().find(|row| row.1 == letter) {
                    Some(row) if row.2 => {
                        let attached = Some(letters.as_str()).filter(|rest| !rest.is_empty());
                        match attached.or_else(|| words.next()) {
                            Some(value) => draft.set(letter, value).map_err(|why| refuse(&why))?,
                            None => _ = writeln!(complaints, "Missing parameter for option -{letter}"),
                        }
                        break;
                    }
                    Some(_) => draft.set(letter, "").map_err(|why| refuse(&why))?,
                    None => _ = writeln!(complaints, "Unknown option -{letter}"),
                }
            }
        } else {
            operands.push(word);
        }
    }
    // One kind of mistake at a time, as stock.
    if !operands.is_empty() && complaints.is_empty() {
        let _ = writeln!(complaints, "Unexpected argument(s): {}", operands.join(" "));
    }
    if !complaints.is_empty() {
        return Err(refuse(&complaints));
    }
    draft.finish().ok_or_else(|| refuse(""))
}

/// The option that is called `name`, or is the only one whose name begins with it.
fn find(name: &str) -> Option<&'static Row> {
    OPTIONS.iter().find(|row| row.0 == name).or_else(|| {
        let mut rows = OPTIONS.iter().filter(|row| row.0.starts_with(name));
        rows.next().filter(|_| rows.next().is_none())
    })
}

/// What the program says about itself, without a line end behind the last line.
fn help(called: &str) -> String {
    let mut text = format!(
        "Usage: {called} -s ADDRESS -p PORT -u PATH [OPTIONS]\n\
         Prints the MD5 digest of a web page, as HTTP_GET and SSL_GET compare it.\n\nOptions:\n"
    );
    for (long, short, _, about) in OPTIONS {
        let _ = writeln!(text, "   --{long:15} -{short}       {about}");
    }
    text.truncate(text.trim_end().len());
    text
}

/// What has been given so far.
#[derive(Debug, Default)]
struct Draft {
    server: Option<IpAddr>,
    port: Option<u16>,
    url: Option<String>,
    ssl: bool,
    sni: bool,
    virtual_host: Option<String>,
    verbose: bool,
    mark: u32,
    protocol: Protocol,
    timeout: Option<Duration>,
}

impl Draft {
    /// Takes the option `letter`; what is wrong with it is said in stock's words.
    fn set(&mut self, letter: char, value: &str) -> Result<(), String> {
        match letter {
            'S' => self.ssl = true,
            'I' => self.sni = true,
            's' => {
                let server = value.parse().map_err(|_| format!("server should be an IP, not {value}\n"))?;
                self.server = Some(server);
            }
            'p' => {
                let port = number(value).and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0);
                self.port = Some(port.ok_or_else(|| format!("invalid port number '{value}'\n"))?);
            }
            'u' => self.url = Some(value.to_owned()),
            'V' => self.virtual_host = Some(value.to_owned()),
            'v' => self.verbose = true,
            'm' => {
                let mark = number(value).and_then(|mark| u32::try_from(mark).ok());
                self.mark = mark.ok_or_else(|| format!("invalid fwmark '{value}'\n"))?;
            }
            'P' => {
                self.protocol =
                    value.parse().map_err(|_| format!("invalid HTTP protocol version '{value}'\n"))?;
            }
            't' => {
                // A longer time than a century ends no earlier than one.
                let seconds = number(value).ok_or_else(|| format!("invalid timeout '{value}'\n"))?;
                self.timeout = Some(Duration::from_secs(seconds.min(100 * 365 * 86_400)));
            }
            // Help.
            _ => return Err(String::new()),
        }
        Ok(())
    }

    /// `None`: something that is needed is missing.
    fn finish(self) -> Option<GenhashOptions> {
        Some(GenhashOptions {
            complaint: None,
            server: SocketAddr::new(self.server?, self.port?),
            url: self.url?,
            ssl: self.ssl,
            sni: self.sni,
            virtual_host: self.virtual_host,
            verbose: self.verbose,
            mark: self.mark,
            protocol: self.protocol,
            timeout: self.timeout,
        })
    }
}

/// A number as C reads it in base 10: blanks before it and a sign are let pass.
fn number(text: &str) -> Option<u64> {
    text.trim_start().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(args: &[&str]) -> Result<GenhashOptions, String> {
        let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
        parse(&args, "genhash").map_err(|refusal| refusal.0)
    }

    #[test]
    fn options_in_every_spelling() {
        let expected = GenhashOptions {
            complaint: None,
            server: "192.0.2.1:80".parse().unwrap(),
            url: "/".to_owned(),
            ssl: true,
            sni: false,
            virtual_host: Some("www".to_owned()),
            verbose: true,
            mark: 7,
            protocol: Protocol::V1_1,
            timeout: Some(Duration::from_secs(5)),
        };
        for args in [
            "-s 192.0.2.1 -p 80 -u / -S -V www -v -m 7 -P 1.1 -t 5",
            "-Svs192.0.2.1 -p80 -u/ -Vwww -m7 -P1.1 -t5 --",
            "--server=192.0.2.1 --port=80 --url=/ --use-ssl --use-virtualhost=www --verbose --fwmark=7 --protocol=1.1 --timeout=5",
            "--se 192.0.2.1 --po 80 --ur / --use-ss --use-v www --verb --fw 7 --pr 1.1 --ti 5",
            "-p 1 -p 80 -s 192.0.2.1 -u /x -u / -S -V www -v -m +7 -P 1.1 -t 05",
        ] {
            let args: Vec<_> = args.split(' ').collect();
            assert_eq!(ask(&args), Ok(expected.clone()), "{args:?}");
        }
        assert_eq!(
            ask(&["-s", "::1", "-p", " 80", "-u", ""]).map(|o| o.server),
            Ok("[::1]:80".parse().unwrap())
        );
    }

    #[test]
    fn mistakes_are_told_in_stocks_words_before_the_help() {
        let good = ["-s", "192.0.2.1", "-p", "80", "-u", "/"];
        for (args, why) in [
            (&["-h"][..], ""),
            (&["-V"], "Missing parameter for option -V\n"),
            (&["--fw"], "Missing parameter for option --fwmark\n"),
            (
                &["-x", "--wibble", "--verbose=1", "--use-s"],
                "Unknown option -x\nUnknown option --wibble\nUnknown option --verbose=1\nUnknown option --use-s\n",
            ),
            (&["-s", "localhost"], "server should be an IP, not localhost\n"),
            (&["-s", "127.1"], "server should be an IP, not 127.1\n"),
            (&["-p", "0"], "invalid port number '0'\n"),
            (&["-p", "65536"], "invalid port number '65536'\n"),
            (&["--port="], "invalid port number ''\n"),
            (&["-m", "abc", "-t", "abc"], "invalid fwmark 'abc'\n"),
            (&["-t", "1.5"], "invalid timeout '1.5'\n"),
            (&["-P", "2"], "invalid HTTP protocol version '2'\n"),
            (&["a", "b"], "Unexpected argument(s): a b\n"),
            (&["--", "-v"], "Unexpected argument(s): -v\n"),
        ] {
            let expected = format!("{why}{}", help("genhash"));
            assert_eq!(ask(&[&good, args].concat()), Err(expected), "{args:?}");
        }
        for args in [&[][..], &["-x"], &["-s", "192.0.2.1", "-p", "80"], &good[2..]] {
            assert_eq!(ask(args), Err(help("genhash")), "{args:?}");
        }
    }
}
