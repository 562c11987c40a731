//! The checkers of a real server.

use super::lvs::{connect_timeout, time};
use super::{Arg, Row, Table, block, boolean, flag, int, join, loose, table, value};
use crate::config::apply::lvs::{checker, http, probe, ssl, timing};

/// What all checkers have in common that ask again after a failure.
const TIMING: [Row; 6] = [
    value("retry", loose(0, 4_294_967_295)).fatal().does(timing),
    time("delay_before_retry", 0),
    time("warmup", 0),
    time("delay_loop", 1),
    boolean("alpha").does(checker::boolean),
    boolean("log_all_failures").does(checker::boolean),
];

/// What checkers have in common that connect to something.
const CONNECT: [Row; 13] = join(
    [
        value("connect_ip", Arg::Address).fatal().does(checker::connect_ip),
        value("connect_port", loose(1, 65_535)).fatal().does(checker::numbers),
        value("bindto", Arg::Address).fatal().does(checker::bindto),
        value("bind_port", loose(1, 65_535)).fatal().does(checker::numbers),
        value("bind_if", Arg::Interface).fatal().does(checker::bind_if),
        connect_timeout(),
        value("fwmark", loose(0, 4_294_967_295)).fatal().does(checker::numbers),
    ],
    TIMING,
);

/// `SSL`.
pub(crate) static SSL: Table = table(
    "SSL",
    &[
        value("password", Arg::Text).required().does(ssl::value),
        value("ca", Arg::Text).required().does(ssl::value),
        value("certificate", Arg::Text).required().does(ssl::value),
        value("key", Arg::Text).required().does(ssl::value),
    ],
);

/// `virtual_server/real_server/MISC_CHECK`.
pub(crate) static MISC_CHECK: Table = table("MISC_CHECK", &MISC_CHECK_ROWS);

const MISC_CHECK_ROWS: [Row; 10] = join(
    TIMING,
    [
        value("misc_path", Arg::Command).required().does(probe::misc_path),
        value("misc_timeout", loose(0, 4_294)).fatal().does(probe::misc_timeout),
        flag("misc_dynamic").does(probe::misc_dynamic),
        value("user", Arg::Text).required().does(probe::misc_user),
    ],
);

/// What `TCP_CHECK`, `PING_CHECK` and `SMTP_CHECK { host }` have in common.
pub(crate) static CONNECTION: Table = table("host", &CONNECT);

/// `virtual_server/real_server/SMTP_CHECK`.
pub(crate) static SMTP_CHECK: Table = table("SMTP_CHECK", &SMTP_CHECK_ROWS);

const SMTP_CHECK_ROWS: [Row; 15] = join(
    CONNECT,
    [
        value("helo_name", Arg::Text).required().does(probe::helo_name),
        block("host", &CONNECTION).does(checker::host),
    ],
);

/// `virtual_server/real_server/UDP_CHECK`.
pub(crate) static UDP_CHECK: Table = table("UDP_CHECK", &UDP_CHECK_ROWS);

const UDP_CHECK_ROWS: [Row; 17] = join(
    CONNECT,
    [
        value("payload", Arg::Text).required().does(probe::payload),
        value("require_reply", Arg::Text).does(probe::require_reply),
        value("min_reply_length", int(0, 65_535)).fatal().does(probe::reply_length),
        value("max_reply_length", int(0, 65_535)).fatal().does(probe::reply_length),
    ],
);

/// `virtual_server/real_server/HTTP_GET/url/regex_options`.
pub(crate) static HTTP_GET_URL_REGEX_OPTIONS: Table = table(
    "regex_options",
    &[
        flag("allow_empty_class"),
        flag("alt_bsux"),
        flag("auto_callout"),
        flag("caseless"),
        flag("dollar_endonly"),
        flag("dotall"),
        flag("dupnames"),
        flag("extended"),
        flag("firstline"),
        flag("match_unset_backref"),
        flag("multiline"),
        flag("never_ucp"),
        flag("never_utf"),
        flag("no_auto_capture"),
        flag("no_auto_possess"),
        flag("no_dotstar_anchor"),
        flag("no_start_optimize"),
        flag("ucp"),
        flag("ungreedy"),
        flag("utf"),
        flag("never_backslash_c"),
        flag("alt_circumflex"),
        flag("alt_verbnames"),
        flag("use_offset_limit"),
    ],
);

/// `virtual_server/real_server/HTTP_GET/url`.
pub(crate) static HTTP_GET_URL: Table = table("url", &HTTP_GET_URL_ROWS);

const HTTP_GET_URL_ROWS: [Row; 10] = [
    value("path", Arg::Text).fatal().does(http::path),
    value("digest", Arg::Text).fatal().does(http::digest),
    value("status_code", Arg::Text).does(http::status_code),
    value("virtualhost", Arg::Text).required().does(http::url_virtualhost),
    value("regex", Arg::Text).does(http::regex),
    flag("regex_no_match").does(http::regex_no_match),
    value("regex_options", Arg::Text).words(&HTTP_GET_URL_REGEX_OPTIONS).does(http::regex_options),
    value("regex_min_offset", int(0, 4_294_967_295)).does(http::regex_offset),
    value("regex_max_offset", int(0, 4_294_967_295)).does(http::regex_offset),
    value("regex_stack", Arg::Text).does(http::regex_stack),
];

/// `virtual_server/real_server/HTTP_GET`.
pub(crate) static HTTP_GET: Table = table("HTTP_GET", &HTTP_GET_ROWS);

/// What both have in common.
const GET: [Row; 19] = join(
    CONNECT,
    [
        value("nb_get_retry", loose(0, 4_294_967_295)).fatal().deprecated("please use 'retry'").does(timing),
        value("virtualhost", Arg::Text).required().does(http::virtualhost),
        value("http_protocol", Arg::Text).does(http::http_protocol),
        boolean("enable_sni").does(http::boolean),
        value("sni_name", Arg::Text).does(http::sni_name),
        boolean("fast_recovery").does(http::boolean),
    ],
);

const HTTP_GET_ROWS: [Row; 20] = join(GET, [block("url", &HTTP_GET_URL).does(http::url_block)]);

/// `virtual_server/real_server/SSL_GET/url`.
pub(crate) static SSL_GET_URL: Table = table("url", &SSL_GET_URL_ROWS);

const SSL_GET_URL_ROWS: [Row; 11] = join(HTTP_GET_URL_ROWS, [boolean("tls_compliant").does(http::url_tls)]);

/// `virtual_server/real_server/SSL_GET`.
pub(crate) static SSL_GET: Table = table("SSL_GET", &SSL_GET_ROWS);

const SSL_GET_ROWS: [Row; 21] = join(
    GET,
    [boolean("tls_compliant").does(http::boolean), block("url", &SSL_GET_URL).does(http::url_block)],
);

/// `virtual_server/real_server/DNS_CHECK`.
pub(crate) static DNS_CHECK: Table = table("DNS_CHECK", &DNS_CHECK_ROWS);

const DNS_CHECK_ROWS: [Row; 15] = join(
    CONNECT,
    [
        value("type", Arg::Text).fatal().does(probe::dns_type),
        value("name", Arg::Text).fatal().does(probe::dns_name),
    ],
);

/// `virtual_server/real_server/FILE_CHECK/weight`.
pub(crate) static FILE_CHECK_WEIGHT: Table = table("weight", &[flag("reverse"), flag("noreverse")]);

/// `virtual_server/real_server/FILE_CHECK`.
pub(crate) static FILE_CHECK: Table = table(
    "FILE_CHECK",
    &[
        value("track_file", Arg::Text).fatal().does(probe::track_file),
        value("weight", loose(-2_147_483_647, 2_147_483_647))
            .words(&FILE_CHECK_WEIGHT)
            .required()
            .does(probe::file_weight),
    ],
);

/// `virtual_server/real_server/BFD_CHECK`.
pub(crate) static BFD_CHECK: Table = table(
    "BFD_CHECK",
    &[value("name", Arg::Text).does(probe::bfd_name), boolean("alpha").does(checker::boolean)],
);
