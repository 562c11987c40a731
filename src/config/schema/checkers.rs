//! The checkers of a real server.

use super::{Arg, Table, block, boolean, decimal, flag, int, loose, table, value};

/// `SSL`.
pub(crate) static SSL: Table = table(
    "SSL",
    &[
        value("password", Arg::Text).required(),
        value("ca", Arg::Text).required(),
        value("certificate", Arg::Text).required(),
        value("key", Arg::Text).required(),
    ],
);

/// `virtual_server/real_server/MISC_CHECK`.
pub(crate) static MISC_CHECK: Table = table(
    "MISC_CHECK",
    &[
        value("retry", loose(0, 4_294_967_295)).fatal(),
        value("delay_before_retry", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("warmup", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("delay_loop", decimal(1, 4_294_967_295_000_000, 1)).fatal(),
        boolean("alpha"),
        boolean("log_all_failures"),
        value("misc_path", Arg::Command).required(),
        value("misc_timeout", loose(0, 4_294)).fatal(),
        flag("misc_dynamic"),
        value("user", Arg::Text).required(),
    ],
);

/// What `TCP_CHECK`, `PING_CHECK` and `SMTP_CHECK { host }` have in common.
pub(crate) static CONNECTION: Table = table(
    "host",
    &[
        value("connect_ip", Arg::Address).fatal(),
        value("connect_port", loose(1, 65_535)).fatal(),
        value("bindto", Arg::Address).fatal(),
        value("bind_port", loose(1, 65_535)).fatal(),
        value("bind_if", Arg::Interface).fatal(),
        value("connect_timeout", decimal(1, 4_294_967_295, 1)).fatal(),
        value("fwmark", loose(0, 4_294_967_295)).fatal(),
        value("retry", loose(0, 4_294_967_295)).fatal(),
        value("delay_before_retry", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("warmup", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("delay_loop", decimal(1, 4_294_967_295_000_000, 1)).fatal(),
        boolean("alpha"),
        boolean("log_all_failures"),
    ],
);

/// `virtual_server/real_server/SMTP_CHECK`.
pub(crate) static SMTP_CHECK: Table = table(
    "SMTP_CHECK",
    &[
        value("connect_ip", Arg::Address).fatal(),
        value("connect_port", loose(1, 65_535)).fatal(),
        value("bindto", Arg::Address).fatal(),
        value("bind_port", loose(1, 65_535)).fatal(),
        value("bind_if", Arg::Interface).fatal(),
        value("connect_timeout", decimal(1, 4_294_967_295, 1)).fatal(),
        value("fwmark", loose(0, 4_294_967_295)).fatal(),
        value("retry", loose(0, 4_294_967_295)).fatal(),
        value("delay_before_retry", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("warmup", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("delay_loop", decimal(1, 4_294_967_295_000_000, 1)).fatal(),
        boolean("alpha"),
        boolean("log_all_failures"),
        value("helo_name", Arg::Text).required(),
        block("host", &CONNECTION),
    ],
);

/// `virtual_server/real_server/UDP_CHECK`.
pub(crate) static UDP_CHECK: Table = table(
    "UDP_CHECK",
    &[
        value("connect_ip", Arg::Address).fatal(),
        value("connect_port", loose(1, 65_535)).fatal(),
        value("bindto", Arg::Address).fatal(),
        value("bind_port", loose(1, 65_535)).fatal(),
        value("bind_if", Arg::Interface).fatal(),
        value("connect_timeout", decimal(1, 4_294_967_295, 1)).fatal(),
        value("fwmark", loose(0, 4_294_967_295)).fatal(),
        value("retry", loose(0, 4_294_967_295)).fatal(),
        value("delay_before_retry", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("warmup", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("delay_loop", decimal(1, 4_294_967_295_000_000, 1)).fatal(),
        boolean("alpha"),
        boolean("log_all_failures"),
        value("payload", Arg::Text).required(),
        value("require_reply", Arg::Text),
        value("min_reply_length", int(0, 65_535)).fatal(),
        value("max_reply_length", int(0, 65_535)).fatal(),
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
pub(crate) static HTTP_GET_URL: Table = table(
    "url",
    &[
        value("path", Arg::Text).fatal(),
        value("digest", Arg::Text).fatal(),
        value("status_code", Arg::Text),
        value("virtualhost", Arg::Text),
        value("regex", Arg::Text).required(),
        flag("regex_no_match"),
        value("regex_options", Arg::Text).words(&HTTP_GET_URL_REGEX_OPTIONS),
        value("regex_min_offset", int(0, 4_294_967_295)),
        value("regex_max_offset", int(0, 4_294_967_295)),
        value("regex_stack", Arg::Text),
    ],
);

/// `virtual_server/real_server/HTTP_GET`.
pub(crate) static HTTP_GET: Table = table(
    "HTTP_GET",
    &[
        value("connect_ip", Arg::Address).fatal(),
        value("connect_port", loose(1, 65_535)).fatal(),
        value("bindto", Arg::Address).fatal(),
        value("bind_port", loose(1, 65_535)).fatal(),
        value("bind_if", Arg::Interface).fatal(),
        value("connect_timeout", decimal(1, 4_294_967_295, 1)).fatal(),
        value("fwmark", loose(0, 4_294_967_295)).fatal(),
        value("retry", loose(0, 4_294_967_295)).fatal(),
        value("delay_before_retry", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("warmup", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("delay_loop", decimal(1, 4_294_967_295_000_000, 1)).fatal(),
        boolean("alpha"),
        boolean("log_all_failures"),
        value("nb_get_retry", loose(0, 4_294_967_295)).fatal().deprecated("please use 'retry'"),
        value("virtualhost", Arg::Text).required(),
        value("http_protocol", Arg::Text),
        boolean("enable_sni"),
        value("sni_name", Arg::Text),
        boolean("fast_recovery"),
        block("url", &HTTP_GET_URL),
    ],
);

/// `virtual_server/real_server/SSL_GET/url`.
pub(crate) static SSL_GET_URL: Table = table(
    "url",
    &[
        value("path", Arg::Text).fatal(),
        value("digest", Arg::Text).fatal(),
        value("status_code", Arg::Text),
        value("virtualhost", Arg::Text),
        value("regex", Arg::Text).required(),
        flag("regex_no_match"),
        value("regex_options", Arg::Text).words(&HTTP_GET_URL_REGEX_OPTIONS),
        value("regex_min_offset", int(0, 4_294_967_295)),
        value("regex_max_offset", int(0, 4_294_967_295)),
        value("regex_stack", Arg::Text),
        boolean("tls_compliant"),
    ],
);

/// `virtual_server/real_server/SSL_GET`.
pub(crate) static SSL_GET: Table = table(
    "SSL_GET",
    &[
        value("connect_ip", Arg::Address).fatal(),
        value("connect_port", loose(1, 65_535)).fatal(),
        value("bindto", Arg::Address).fatal(),
        value("bind_port", loose(1, 65_535)).fatal(),
        value("bind_if", Arg::Interface).fatal(),
        value("connect_timeout", decimal(1, 4_294_967_295, 1)).fatal(),
        value("fwmark", loose(0, 4_294_967_295)).fatal(),
        value("retry", loose(0, 4_294_967_295)).fatal(),
        value("delay_before_retry", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("warmup", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("delay_loop", decimal(1, 4_294_967_295_000_000, 1)).fatal(),
        boolean("alpha"),
        boolean("log_all_failures"),
        value("nb_get_retry", loose(0, 4_294_967_295)).fatal().deprecated("please use 'retry'"),
        value("virtualhost", Arg::Text).required(),
        value("http_protocol", Arg::Text),
        boolean("enable_sni"),
        value("sni_name", Arg::Text),
        boolean("fast_recovery"),
        boolean("tls_compliant"),
        block("url", &SSL_GET_URL),
    ],
);

/// `virtual_server/real_server/DNS_CHECK`.
pub(crate) static DNS_CHECK: Table = table(
    "DNS_CHECK",
    &[
        value("connect_ip", Arg::Address).fatal(),
        value("connect_port", loose(1, 65_535)).fatal(),
        value("bindto", Arg::Address).fatal(),
        value("bind_port", loose(1, 65_535)).fatal(),
        value("bind_if", Arg::Interface).fatal(),
        value("connect_timeout", decimal(1, 4_294_967_295, 1)).fatal(),
        value("fwmark", loose(0, 4_294_967_295)).fatal(),
        value("retry", loose(0, 4_294_967_295)).fatal(),
        value("delay_before_retry", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("warmup", decimal(0, 4_294_967_295_000_000, 1)).fatal(),
        value("delay_loop", decimal(1, 4_294_967_295_000_000, 1)).fatal(),
        boolean("alpha"),
        boolean("log_all_failures"),
        value("type", Arg::Text).fatal(),
        value("name", Arg::Text).fatal(),
    ],
);

/// `virtual_server/real_server/FILE_CHECK/weight`.
pub(crate) static FILE_CHECK_WEIGHT: Table = table("weight", &[flag("reverse"), flag("noreverse")]);

/// `virtual_server/real_server/FILE_CHECK`.
pub(crate) static FILE_CHECK: Table = table(
    "FILE_CHECK",
    &[
        value("track_file", Arg::Text).fatal(),
        value("weight", loose(-2_147_483_647, 2_147_483_647)).words(&FILE_CHECK_WEIGHT).required(),
    ],
);

/// `virtual_server/real_server/BFD_CHECK`.
pub(crate) static BFD_CHECK: Table =
    table("BFD_CHECK", &[value("name", Arg::Text).required(), boolean("alpha")]);
