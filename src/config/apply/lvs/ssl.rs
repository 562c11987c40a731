//! `SSL`.

use super::super::Build;
use super::text;
use crate::config::model::lvs::Ssl;
use crate::config::tree::Stmt;

pub(crate) fn block(b: &mut Build<'_>, stmt: &Stmt) {
    if b.config.lvs.ssl.is_some() {
        b.report.error(&stmt.line, "SSL is there already; this one replaces it");
    }
    b.config.lvs.ssl = Some(Ssl::default());
    b.run("SSL", &stmt.body);
}

/// One of its keywords.
pub(crate) fn value(b: &mut Build<'_>, stmt: &Stmt) {
    let ssl = b.config.lvs.ssl.get_or_insert_default();
    let value = match stmt.row.name {
        "password" => &mut ssl.password,
        "ca" => &mut ssl.ca,
        "certificate" => &mut ssl.certificate,
        _ => &mut ssl.key,
    };
    if value.is_some() {
        let text = format!("SSL {} is there already; this one replaces it", stmt.row.name);
        b.report.error(&stmt.line, text);
    }
    *value = text(stmt);
}
