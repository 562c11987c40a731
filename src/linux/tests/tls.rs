//! TLS, with servers in this process.

use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::ssl::{NameType, SslAcceptor, SslMethod};
use openssl::x509::X509;
use socket2::SockRef;

use super::in_a_namespace;
use crate::host::{Error, Network as _};
use crate::linux::network::Internet;

const REQUEST: &[u8] = b"page?";

/// How a server lets a client down, or does not.
#[derive(Clone, Copy, Debug)]
enum Server {
    /// It hangs up before anything is agreed on.
    Leaves,
    /// It speaks something else.
    SpeaksMail,
    /// It says the page, and goodbye.
    SaysGoodbye,
    /// It says the page and hangs up.
    HangsUp,
    /// It says the page, and then something that is no TLS.
    Babbles,
    /// The connection breaks.
    Breaks,
}

fn acceptor() -> Result<SslAcceptor, ErrorStack> {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let key = PKey::from_ec_key(EcKey::generate(&curve)?)?;
    let mut certificate = X509::builder()?;
    certificate.set_pubkey(&key)?;
    // Nobody verifies that.
    certificate.set_not_before(&*Asn1Time::from_unix(0)?)?;
    certificate.set_not_after(&*Asn1Time::from_unix(1)?)?;
    certificate.sign(&key, MessageDigest::sha256())?;
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    acceptor.set_private_key(&key)?;
    acceptor.set_certificate(&certificate.build())?;
    Ok(acceptor.build())
}

/// Serves one client.
fn serve(mut client: TcpStream, how: Server) {
    match how {
        Server::Leaves => {
            assert!(client.read(&mut [0; 4096]).unwrap() > 0);
            return;
        }
        Server::SpeaksMail => {
            assert!(client.read(&mut [0; 4096]).unwrap() > 0);
            return client.write_all(b"220 mail.example.com ESMTP\r\n").unwrap();
        }
        _ => {}
    }
    let mut client = acceptor().unwrap().accept(client).unwrap();
    client.read_exact(&mut [0; REQUEST.len()]).unwrap();
    let asked = client.ssl().servername(NameType::HOST_NAME).unwrap_or("nobody").to_owned();
    client.write_all(format!("page of {asked}").as_bytes()).unwrap();
    match how {
        Server::SaysGoodbye => drop(client.shutdown().unwrap()),
        Server::Babbles => client.get_mut().write_all(b"by the way, this is no record").unwrap(),
        // What is left to do when it closes is to say that it is broken.
        Server::Breaks => SockRef::from(client.get_ref()).set_linger(Some(Duration::ZERO)).unwrap(),
        _ => {}
    }
}

/// What a client of that server, which asks for the name, reads to the end.
async fn ask(how: Server, name: Option<&str>) -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server: JoinHandle<()> = std::thread::spawn(move || serve(listener.accept().unwrap().0, how));
    let page = async {
        let stream = Internet.connect(address.into()).await?;
        let mut stream = Internet.secure(stream, name).await?;
        let written = poll_fn(|cx| stream.poll_write(cx, REQUEST)).await?;
        assert_eq!(written, REQUEST.len());
        let mut page = Vec::new();
        let mut piece = [0; 5];
        loop {
            match poll_fn(|cx| stream.poll_read(cx, &mut piece)).await? {
                0 => return Ok::<_, Error>(String::from_utf8(page).unwrap()),
                len => page.extend_from_slice(&piece[..len]),
            }
        }
    };
    let page = page.await.map_err(|error| error.to_string());
    server.join().unwrap();
    page
}

#[test]
fn a_page_ends_with_or_without_a_goodbye() {
    in_a_namespace(|_| async {
        for how in [Server::SaysGoodbye, Server::HangsUp] {
            let page = |name| ask(how, name);
            assert_eq!(page(None).await, Ok("page of nobody".to_owned()), "{how:?}");
            assert_eq!(page(Some("")).await, Ok("page of nobody".to_owned()), "{how:?}");
            assert_eq!(page(Some("www.example.com")).await, Ok("page of www.example.com".to_owned()));
        }
    });
}

#[test]
fn what_breaks_or_is_no_tls_is_an_error_that_says_so() {
    in_a_namespace(|_| async {
        for (how, expected) in [
            (Server::Leaves, "cannot speak TLS: unexpected end of file"),
            (Server::SpeaksMail, "cannot speak TLS: error:0A"),
            (Server::Babbles, "cannot speak TLS: error:0A"),
            (Server::Breaks, "cannot read from 127.0.0.1:"),
        ] {
            let error = ask(how, None).await.expect_err("a failure");
            assert!(error.starts_with(expected), "{how:?}: {error}");
        }
    });
}
