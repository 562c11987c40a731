//! The checkers of a real server.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::Script;
use super::lvs::Timing;
use crate::base::IfName;

/// One checker of a real server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checker {
    /// What it does.
    pub check: Check,
    /// `retry`, `delay_loop` and their kin. `retry` may be 0.
    pub timing: Timing,
    /// `alpha`.
    pub alpha: Option<bool>,
    /// `log_all_failures`.
    pub log_all_failures: Option<bool>,
    /// Where it connects to and from; `None`: nothing is written of it.
    pub connection: Option<Box<Connection>>,
}

/// Where a checker connects to and from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// `connect_ip`; `None`: the real server's.
    pub ip: Option<IpAddr>,
    /// `connect_port`, 1 to 65,535; `None`: the real server's.
    pub port: Option<u16>,
    /// `bindto`.
    pub bind_ip: Option<IpAddr>,
    /// `bind_port`, 1 to 65,535.
    pub bind_port: Option<u16>,
    /// `bind_if`.
    pub bind_if: Option<IfName>,
    /// `fwmark`; 0: none.
    pub mark: Option<u32>,
}

/// What a checker does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// `TCP_CHECK`: connects.
    Tcp,
    /// `PING_CHECK`: an ICMP echo.
    Ping,
    /// `UDP_CHECK`: sends, and may wait for an answer.
    Udp(Box<UdpCheck>),
    /// `SMTP_CHECK`: greets a mail server. What `host` blocks say has been taken as said of the checker.
    Smtp {
        /// `helo_name`.
        helo_name: Option<String>,
    },
    /// `HTTP_GET`, `SSL_GET`: requests pages.
    Http(Box<HttpCheck>),
    /// `DNS_CHECK`: asks for a name.
    Dns {
        /// `type`.
        record: Option<DnsType>,
        /// `name`; `None`: the root.
        name: Option<String>,
    },
    /// `MISC_CHECK`: runs a program.
    Misc(Box<MiscCheck>),
    /// `FILE_CHECK`: a number in a file.
    File {
        /// Name of the `track_file`.
        file: String,
        /// `weight`, if it differs from the file's own.
        weight: Option<i32>,
        /// `reverse` or `noreverse`, if written.
        reverse: Option<bool>,
    },
    /// `BFD_CHECK`: follows a BFD session.
    Bfd {
        /// Name of the `bfd_instance`.
        name: String,
    },
}

/// `UDP_CHECK`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UdpCheck {
    /// `payload`; `None`: random bytes.
    pub payload: Option<Vec<u8>>,
    /// `require_reply` was written.
    pub require_reply: bool,
    /// Its pattern: bytes and which of their bits count. Empty: any reply.
    pub reply: Vec<(u8, u8)>,
    /// `min_reply_length`, bytes.
    pub min_reply: Option<u16>,
    /// `max_reply_length`, bytes.
    pub max_reply: Option<u16>,
}

impl UdpCheck {
    /// `max_reply_length` if it is not written.
    pub const MAX_REPLY: u16 = 255;
}

/// `type` of `DNS_CHECK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsType {
    /// Address, IPv4.
    A,
    /// Name server.
    Ns,
    /// Canonical name.
    Cname,
    /// Start of authority.
    Soa,
    /// Mail exchange.
    Mx,
    /// Text.
    Txt,
    /// Address, IPv6.
    Aaaa,
    /// Signature.
    Rrsig,
    /// Key.
    Dnskey,
}

impl DnsType {
    /// All of them, in the order of the reference.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::A, "A"),
        (Self::Ns, "NS"),
        (Self::Cname, "CNAME"),
        (Self::Soa, "SOA"),
        (Self::Mx, "MX"),
        (Self::Txt, "TXT"),
        (Self::Aaaa, "AAAA"),
        (Self::Rrsig, "RRSIG"),
        (Self::Dnskey, "DNSKEY"),
    ];
}

/// `MISC_CHECK`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MiscCheck {
    /// `misc_path`.
    pub script: Script,
    /// `misc_timeout`, whole seconds, 0 to 4,294; 0: `delay_loop`.
    pub timeout: Option<Duration>,
    /// `misc_dynamic`: the exit status sets the weight.
    pub dynamic: bool,
}

/// `HTTP_GET`, `SSL_GET`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpCheck {
    /// It is `SSL_GET`.
    pub tls: bool,
    /// `virtualhost`.
    pub virtualhost: Option<String>,
    /// `http_protocol`.
    pub protocol: Option<HttpProtocol>,
    /// `enable_sni`, which `sni_name` implies.
    pub enable_sni: Option<bool>,
    /// `sni_name`; `None`: the `Host`.
    pub sni_name: Option<String>,
    /// `fast_recovery`.
    pub fast_recovery: Option<bool>,
    /// `tls_compliant`.
    pub tls_compliant: Option<bool>,
    /// `url` blocks, at least one.
    pub urls: Vec<Url>,
}

/// `http_protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpProtocol {
    /// `1.0`.
    V10,
    /// `1.0C`, `1.0c`: with `Connection: close`.
    V10Close,
    /// `1.1`.
    V11,
}

/// `url`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// `path`.
    pub path: String,
    /// `digest`: MD5 of the body.
    pub digest: Option<[u8; 16]>,
    /// `status_code`, 100 to 599 each; empty: 200 to 299.
    pub status: Vec<RangeInclusive<u16>>,
    /// `virtualhost`.
    pub virtualhost: Option<String>,
    /// `regex`.
    pub regex: Option<String>,
    /// `regex_no_match`: a match is a failure.
    pub no_match: bool,
    /// `regex_options`, by name.
    pub regex_options: Vec<&'static str>,
    /// `regex_min_offset`, bytes.
    pub min_offset: Option<u32>,
    /// `regex_max_offset`, bytes.
    pub max_offset: Option<u32>,
    /// `regex_stack`: bytes at the start and at most.
    pub regex_stack: Option<(u32, u32)>,
    /// `tls_compliant`.
    pub tls_compliant: Option<bool>,
}
