//! SIGHUP.

use nix::sys::signal::Signal;

use crate::lab::wait_until;
use crate::support::{A, B, Two, config, each_pair, holds, subject};

/// Where [`Router::start`](crate::lab::Router::start) puts the configuration.
const CONFIG: &str = "/etc/keepalived/keepalived.conf";

/// Adverts go on, nobody takes over, and the addresses stay, whatever is changed about the rest.
#[test]
fn a_reload_changes_what_has_changed() {
    each_pair(|a, b| {
        let two = Two::new();
        let (first, _second) = two.started((a, b), &config(3, 150, ""), &config(3, 100, ""));
        let mark = two.capture.mark();
        two.a.write(CONFIG, &config(3, 140, "virtual_ipaddress_excluded {\n10.9.8.7/32\n}"));
        first.signal(Signal::SIGHUP);
        wait_until("the new address", || two.a.has("10.9.8.7".parse().unwrap()));
        let adverts = two.wait_adverts(mark, A, 5);
        assert!(adverts.iter().all(|advert| advert.priority > 0), "{adverts:?}");
        wait_until("the new priority", || {
            two.capture.adverts_since(mark, A).iter().any(|advert| advert.priority == 140)
        });
        assert!(holds(&two.a));
        two.a.write(CONFIG, &config(3, 140, ""));
        first.signal(Signal::SIGHUP);
        wait_until("the address goes", || !two.a.has("10.9.8.7".parse().unwrap()));
        assert!(holds(&two.a));
        assert_eq!(two.capture.adverts_since(mark, B).len(), 0, "the backup noticed nothing");
        assert_eq!(first.stop().code(), Some(0));
    });
}

/// Stock takes what it understands of a broken file. We take nothing of it.
#[test]
fn a_broken_file_is_refused_as_a_whole() {
    let two = Two::new();
    let ours = subject();
    let (first, _second) = two.started((ours, ours), &config(3, 150, ""), &config(3, 100, ""));
    let mark = two.capture.mark();
    two.a.write(CONFIG, &config(3, 20, "virtual_ipadress {\n10.9.8.7/32\n}"));
    first.signal(Signal::SIGHUP);
    first.wait_log("Unknown keyword 'virtual_ipadress'");
    first.wait_log("the configuration stays as it was");
    let adverts = two.wait_adverts(mark, A, 20);
    assert!(adverts.iter().all(|advert| advert.priority == 150), "{adverts:?}");
    assert!(holds(&two.a));
}

/// A file that is not there any more is named, and what was read before goes on.
#[test]
fn a_file_that_is_gone_is_named() {
    let two = Two::new();
    let first = two.a.start(subject(), &config(3, 150, ""));
    wait_until("A is master", || holds(&two.a));
    two.a.run(&format!("mv {CONFIG} /run/kept"));
    first.signal(Signal::SIGHUP);
    first.wait_log(&format!("Config files missing '{CONFIG}'."));
    first.wait_log("the configuration stays as it was");
    two.a.run(&format!("echo 'include /run/gone.conf' > {CONFIG}; cat /run/kept >> {CONFIG}"));
    first.signal(Signal::SIGHUP);
    first.wait_log("/run/gone.conf");
    let mark = two.capture.mark();
    two.wait_adverts(mark, A, 3);
    assert!(holds(&two.a));
}
