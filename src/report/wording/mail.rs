//! Mail, in stock's words.

use std::net::SocketAddr;
use std::time::Duration;

use tracing::{debug, info, warn};

use crate::host::Error;

/// As stock writes an address and its port.
fn shown(server: SocketAddr) -> String {
    format!("[{}]:{}", server.ip(), server.port())
}

/// A connection stands.
pub fn connected(server: SocketAddr) {
    debug!(target: "vrrp", "Remote SMTP server {} connected.", shown(server));
}

/// A server has taken a mail.
pub fn sent() {
    debug!(target: "vrrp", "SMTP alert successfully sent.");
}

/// A server could not be reached, or the connection has failed.
pub fn failed(server: SocketAddr, error: &Error) {
    info!(target: "vrrp", cause = error.reason(), "SMTP connection ERROR to {}.", shown(server));
}

/// A server did not accept the connection in time.
pub fn connect_timeout(server: SocketAddr) {
    info!(target: "vrrp", "Timeout opening connection to remote SMTP server {}.", shown(server));
}

/// A server did not answer in time.
pub fn read_timeout(server: SocketAddr) {
    info!(target: "vrrp", "Timeout reading data to remote SMTP server {}.", shown(server));
}

/// A server has hung up.
pub fn closed(server: SocketAddr) {
    info!(target: "vrrp", "Remote SMTP server {} has closed the connection.", shown(server));
}

/// What answers is no mail server.
pub fn no_reply(server: SocketAddr) {
    info!(target: "vrrp", "Remote SMTP server {} does not speak SMTP.", shown(server));
}

/// A server does not want to go on.
pub fn refused(command: &str, server: SocketAddr, code: u16) {
    info!(
        target: "vrrp",
        "Error processing {command} cmd on SMTP server {}. SMTP status code = {code}",
        shown(server)
    );
}

/// A server does not take mail for one of the recipients.
pub fn recipient_refused(server: SocketAddr, code: u16, address: &str) {
    info!(
        target: "vrrp",
        cause = address,
        "Error processing RCPT cmd on SMTP server {}. SMTP status code = {code}",
        shown(server)
    );
}

/// The name of the server is not known.
pub fn unknown_server(name: &str) {
    warn!(target: "vrrp", "The address of SMTP server {name} cannot be looked up");
}

/// An attempt was in vain.
pub fn deferred(waiting: usize, pause: Duration) {
    debug!(target: "vrrp", "{waiting} SMTP alerts wait for {} s", pause.as_secs());
}

/// There was no room for a mail. Not each is told, since there may be many.
pub fn overflow(lost: u64) {
    if lost.is_power_of_two() {
        warn!(target: "vrrp", "Too many SMTP alerts wait - {lost} of the oldest are lost so far");
    }
}

/// Mails that nobody will get: there is no time left, or no server.
pub fn lost(count: usize, why: &str) {
    if count > 0 {
        warn!(target: "vrrp", cause = why, "{count} SMTP alerts were not sent");
    }
}
