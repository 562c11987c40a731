//! `genhash`: the digest of a web page, and what stock shows of how it came about.

use std::io::Write as _;
use std::rc::Rc;

use keepalived_rs::cli::GenhashOptions;
use keepalived_rs::host::{Network, Plane, Remote};
use keepalived_rs::linux;
use keepalived_rs::lvs::fetch::{Failure, Fetch, Tls};
use keepalived_rs::report::genhash::Account;
use keepalived_rs::wire::http;

use super::{FATAL, OK, say};

/// Fetches the page and prints its digest, or why there is none. Gives the exit status, which tells of neither, as with
/// stock.
pub(crate) fn genhash(options: &GenhashOptions) -> u8 {
    if let Some(complaint) = &options.complaint {
        say(std::io::stderr(), &format!("{complaint}\n"));
    }
    let host = options.virtual_host.clone().unwrap_or_else(|| options.server.to_string());
    let name = options.virtual_host.clone().filter(|_| options.sni);
    let fetch = Fetch {
        server: Remote { address: options.server, mark: options.mark },
        tls: options.ssl.then_some(Tls { name }),
        request: http::request(&options.url, &host, options.protocol),
        timeout: options.timeout,
    };
    let (verbose, url) = (options.verbose, options.url.clone());
    let status = linux::client(move |plane, network| Box::pin(tell(plane, network, fetch, verbose, url)));
    status.unwrap_or_else(|error| {
        say(std::io::stderr(), &format!("{error}\n"));
        FATAL
    })
}

async fn tell(plane: Plane, network: Rc<dyn Network>, fetch: Fetch, verbose: bool, url: String) -> u8 {
    let start = plane.now();
    let mut account = Account::new(verbose);
    // Shown as it comes: a page that does not end may be long.
    let done = fetch.run(&plane, &*network, |block| print(&account.block(block))).await;
    match done {
        Ok(()) => {
            let (text, complaint) = account.end();
            print(&text);
            say(std::io::stderr(), complaint);
        }
        Err(failure) => {
            print(format!("{failure}\n").as_bytes());
            explain(&failure);
        }
    }
    if verbose {
        let took = (plane.now() - start).as_micros();
        print(format!("\nGlobal response time for [{url}] = {took} usecs\n").as_bytes());
    }
    OK
}

/// Says what the system says about it, which stock keeps for itself.
fn explain(failure: &Failure) {
    if let Some(cause) = std::error::Error::source(failure) {
        say(std::io::stderr(), &format!("{cause}\n"));
    }
}

/// Prints on stdout at once. Nobody there to read is no reason to fail.
fn print(text: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text).and_then(|()| out.flush());
}
