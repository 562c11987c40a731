//! What comes of a reload, ours next to stock's: who is told what, which addresses come and go, what is advertised.
//!
//! There is one router, which is master of everything before the reload. `CLOCK` is an instance that no reload changes:
//! its adverts tell how long to look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use nix::sys::signal::Signal;

use crate::lab::{Capture, Kind, Lan, Packet, Router, wait_until};
use crate::support::{A, side_by_side, subject};

const CONFIG: &str = "/etc/keepalived/keepalived.conf";
const CLOCK: u8 = 250;
/// Rows that are tried at once.
const LANES: usize = 12;
/// Adverts of the clock, 0.3 s apart, from the reload on: three times what a new instance waits.
const LOOK: usize = 15;

/// What came of a reload. Each field is compared with stock's.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    /// Lines of the pipe.
    told: Vec<String>,
    /// Calls of notify scripts, in the order of their starts.
    calls: Vec<String>,
    /// Virtual addresses that came and went: `+` or `-`, the interface, the address.
    moves: Vec<String>,
    /// Addresses, routes and rules at the end.
    held: Vec<String>,
    /// The priorities that each virtual router advertised, repetitions left out, and the version.
    adverts: BTreeMap<u8, Vec<(u8, u8)>>,
}

/// A reload, and what of its outcome differs from stock's, with the reason.
struct Row {
    name: &'static str,
    before: String,
    after: String,
    differs: &'static [(&'static str, &'static str)],
}

fn row(name: &'static str, before: String, after: String) -> Row {
    Row { name, before, after, differs: &[] }
}

impl Row {
    fn differs(self, differs: &'static [(&'static str, &'static str)]) -> Self {
        Self { differs, ..self }
    }
}

/// An instance on `eth0` with the address `10.7.0.VRID`.
fn instance(name: &str, vrid: u8, more: &str) -> String {
    let interface = if more.starts_with("interface ") { "" } else { "interface eth0" };
    let version = if more.contains("version ") { "" } else { "version 3\n advert_int 0.3" };
    let priority = if more.contains("priority ") { "" } else { "priority 100" };
    let notify = if more.contains("notify ") { "" } else { "notify /etc/n.sh" };
    let addresses = if more.contains("virtual_ipaddress {") { String::new() } else { addresses(&[vrid]) };
    format!(
        "vrrp_instance {name} {{\n {interface}\n virtual_router_id {vrid}\n {version}\n {priority}\n {notify}\n \
         {addresses}\n {more}\n}}\n"
    )
}

/// A list of virtual addresses.
fn addresses(last: &[u8]) -> String {
    let list: String = last.iter().map(|n| format!(" 10.7.0.{n}/24\n")).collect();
    format!("virtual_ipaddress {{\n{list} }}")
}

fn group(name: &str, members: &str) -> String {
    format!("vrrp_sync_group {name} {{\n group {{\n {members}\n }}\n notify /etc/n.sh\n}}\n")
}

/// The instances A and B, of which B has `more`.
fn two(more: &str) -> String {
    instance("A", 51, "") + &instance("B", 52, more)
}

fn text(of: &str) -> String {
    let clock = instance("CLOCK", CLOCK, "notify /bin/true");
    format!(
        "global_defs {{\n script_user root\n vrrp_notify_fifo /run/fifo\n vrrp_notify_fifo_script /etc/read.sh\n}}\n\
         vrrp_script good {{\n script /bin/true\n interval 1\n}}\n\
         vrrp_script bad {{\n script /bin/false\n interval 1\n}}\n\
         vrrp_track_file file {{\n file /etc/number\n}}\n{clock}{of}"
    )
}

fn lines(router: &Router, file: &str) -> Vec<String> {
    router.read(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Lines that begin with the number of a process, in that order and without it.
fn in_order(mut lines: Vec<String>) -> Vec<String> {
    let number = |line: &String| line.split(' ').next().and_then(|n| n.parse::<u32>().ok());
    lines.sort_by_key(number);
    lines.iter().filter_map(|line| Some(line.split_once(' ')?.1.trim().to_owned())).collect()
}

/// `ip -o monitor address`, of virtual addresses alone.
fn moves(lines: &[String]) -> Vec<String> {
    let one = |line: &String| {
        let sign = if line.starts_with("Deleted") { '-' } else { '+' };
        let mut words = line.trim_start_matches("Deleted ").split_whitespace().skip(1);
        let dev = words.next()?;
        let address = words.nth(1)?;
        let is_own = address.ends_with(".0.2/24") || address.starts_with("10.7.0.250");
        (address.starts_with("10.") && !is_own).then(|| format!("{sign} {dev} {address}"))
    };
    lines.iter().filter_map(one).collect()
}

fn held(router: &Router) -> Vec<String> {
    let all = router.run(
        "ip -o -4 addr show | awk '{ print $2, $4 }' | grep ' 10'; ip route show table 77 2>/dev/null; \
         ip rule show | grep 77 || true",
    );
    let mut held: Vec<String> = all.lines().map(|line| line.trim().to_owned()).collect();
    held.sort();
    held
}

/// What was advertised since the marks. An advert that was on its way while the file was being written is left out.
fn adverts(captures: &[Capture; 2], marks: [usize; 2]) -> BTreeMap<u8, Vec<(u8, u8)>> {
    let mut adverts: BTreeMap<u8, Vec<(u8, u8)>> = BTreeMap::new();
    let mut before = BTreeMap::new();
    for (capture, mark) in captures.iter().zip(marks) {
        let packets = capture.packets().into_iter().enumerate();
        for (n, packet) in packets {
            let Packet::Advert(advert) = packet else { continue };
            let header = if advert.bytes[9] == 51 { 44 } else { 20 };
            let said = (advert.priority, advert.bytes[header] >> 4);
            if n < mark {
                before.insert(advert.vrid, said);
                continue;
            }
            let of = adverts.entry(advert.vrid).or_default();
            of.push(said);
            of.dedup();
        }
    }
    for (vrid, said) in &mut adverts {
        if said.len() > 1 && said.first() == before.get(vrid) {
            said.remove(0);
        }
    }
    adverts
}

/// Runs a daemon through a reload.
fn outcome(kind: Kind, row: &Row) -> Outcome {
    let (lan, other) = (Lan::new(), Lan::new());
    let captures = [lan.capture(), other.capture()];
    let router = lan.router("eth0", &format!("{A}/24"));
    router.attach(&other, "eth1", "10.8.0.2/24");
    router.write_script("/etc/n.sh", "echo \"$$ n $*\" >>/tmp/calls");
    router.write_script("/etc/m.sh", "echo \"$$ m $*\" >>/tmp/calls");
    router.write_script("/etc/read.sh", "exec cat \"$1\" >>/tmp/told");
    router.write("/etc/number", "1\n");
    let daemon = router.start(kind, &text(&row.before));
    let instances = row.before.matches("vrrp_instance").count() + 1;
    let masters = || {
        let told = lines(&router, "/tmp/told");
        told.iter().filter(|line| line.starts_with("INSTANCE") && line.contains("\" MASTER ")).count()
    };
    wait_until(&format!("{}: the router is master of all", row.name), || masters() == instances);
    let ticks = |mark: usize| captures[0].adverts_since(mark, A).iter().filter(|a| a.vrid == CLOCK).count();
    let wait = |count: usize| {
        let mark = captures[0].mark();
        wait_until("time passes", || ticks(mark) >= count);
    };
    router.run("ip -o -4 monitor address >/tmp/moves 2>/dev/null & sleep 0.2");
    wait(3);
    let marks = [captures[0].mark(), captures[1].mark()];
    let (told, calls) = (lines(&router, "/tmp/told").len(), lines(&router, "/tmp/calls").len());
    router.write(CONFIG, &text(&row.after));
    daemon.signal(Signal::SIGHUP);
    daemon.wait_log("Reload complete");
    wait(LOOK);
    let adverts = adverts(&captures, marks);
    let mut told = lines(&router, "/tmp/told").split_off(told);
    let mut calls = in_order(lines(&router, "/tmp/calls").split_off(calls));
    let mut moves = moves(&lines(&router, "/tmp/moves"));
    // Instances that have nothing to do with each other have no order.
    for list in [&mut told, &mut calls, &mut moves] {
        list.sort();
    }
    Outcome { told, calls, moves, held: held(&router), adverts }
}

/// The fields in which two outcomes differ, with both values.
fn differences(ours: &Outcome, stock: &Outcome) -> BTreeMap<&'static str, String> {
    let fields = [
        ("told", format!("{:?}", ours.told), format!("{:?}", stock.told)),
        ("calls", format!("{:?}", ours.calls), format!("{:?}", stock.calls)),
        ("moves", format!("{:?}", ours.moves), format!("{:?}", stock.moves)),
        ("held", format!("{:?}", ours.held), format!("{:?}", stock.held)),
        ("adverts", format!("{:?}", ours.adverts), format!("{:?}", stock.adverts)),
    ];
    let differ = fields.into_iter().filter(|(_, ours, stock)| ours != stock);
    differ.map(|(field, ours, stock)| (field, format!("\n      ours  {ours}\n      stock {stock}"))).collect()
}

fn rows() -> Vec<Row> {
    let routes = |via: &str| format!("virtual_routes {{\n 192.0.2.0/24 via {via} table 77\n }}");
    let rules = |from: &str| format!("virtual_rules {{\n from {from} table 77 priority 777\n }}");
    let v2 = |password: &str| {
        format!("version 2\n advert_int 1\n authentication {{\n auth_type PASS\n auth_pass {password}\n }}")
    };
    let peers = |list: &str| format!("unicast_src_ip {A}\n unicast_peer {{\n {list}\n }}");
    let three = |groups: &str| two("") + &instance("C", 53, "") + groups;
    vec![
        row("nothing changed", two(""), two("")),
        row("priority", two(""), two("priority 120")),
        row("new address", two(""), two(&addresses(&[52, 60]))),
        row("address removed", two(&addresses(&[52, 60])), two("")),
        row("new instance", instance("A", 51, ""), two("")),
        row("instance removed", two(""), instance("A", 51, "")),
        row("instance removed that wants it told", two("notify_deleted"), instance("A", 51, "")),
        row("new group", two(""), two("") + &group("G", "A\n B")),
        row("group removed", two("") + &group("G", "A\n B"), two("")),
        row(
            "member moves to another group",
            three(&(group("G", "A\n B") + &group("H", "C"))),
            three(&(group("G", "A") + &group("H", "B\n C"))),
        ),
        row("notify script", two(""), two("notify /etc/m.sh")),
        row("track script", two("track_script {\n good\n }"), two("track_script {\n bad\n }")),
        row("interface", two(""), two("interface eth1")),
        row("password", two(&v2("one")), two(&v2("two"))),
        row("advert_int", two(""), two("version 3\n advert_int 0.5")),
        row("version", two("version 3\n advert_int 1"), two("version 2\n advert_int 1")),
        row("state", two("state MASTER"), two("state BACKUP")),
        row(
            "address moves between instances",
            instance("A", 51, &addresses(&[51, 60])) + &instance("B", 52, ""),
            instance("A", 51, "") + &instance("B", 52, &addresses(&[52, 60])),
        )
        .differs(&[("moves", "one reload is enough, and nobody does without the address")]),
        row(
            "address moves back",
            instance("A", 51, "") + &instance("B", 52, &addresses(&[52, 60])),
            instance("A", 51, &addresses(&[51, 60])) + &instance("B", 52, ""),
        )
        .differs(&[
            ("held", "stock takes it away from the one after the other has it"),
            ("moves", "one reload is enough, and nobody does without the address"),
        ]),
        row("name", two(""), instance("A", 51, "") + &instance("Z", 52, "")),
        row("route", two(&routes("10.7.0.5")), two(&routes("10.7.0.6"))),
        row("rule", two(&rules("10.9.0.0/16")), two(&rules("10.8.0.0/16"))),
        row(
            "weight of a file",
            two("track_file {\n file weight 5\n }"),
            two("track_file {\n file weight 9\n }"),
        ),
        row("unicast peer", two(&peers("10.7.0.7")), two(&peers("10.7.0.7\n 10.7.0.8"))),
        row("unicast", two(""), two(&peers("10.7.0.7"))),
        row("two names change places", two(""), instance("B", 51, "") + &instance("A", 52, "")),
        row("excluded address", two(""), two("virtual_ipaddress_excluded {\n 10.7.0.60/24\n }")),
        row("nopreempt", two(""), two("nopreempt")),
        row(
            "priority that is told",
            two("notify_priority_changes"),
            two("notify_priority_changes\n priority 90"),
        )
        .differs(&[("told", "stock does not tell of a priority that a reload changes")]),
        row("tracked interface", two(""), two("track_interface {\n eth1 weight 5\n }")),
        row("no password", two(&v2("one")), two("version 2\n advert_int 1")),
        row(
            "group's script",
            two("") + &group("G", "A\n B"),
            two("") + &group("G", "A\n B").replace("/n.sh", "/m.sh"),
        ),
        row("new member", three(&group("G", "A\n B")), three(&group("G", "A\n B\n C"))),
        row("group renamed", two("") + &group("G", "A\n B"), two("") + &group("H", "A\n B")),
        row("both gone", two(""), String::new()),
        row("owner", two(""), two("priority 255")),
        row("VMAC of another name", two("use_vmac one"), two("use_vmac two")).differs(&[
            ("adverts", "to us it is another router, which listens first"),
            ("calls", "the same"),
            ("held", "stock stays master, without its address"),
            ("moves", "the same"),
            ("told", "the same"),
        ]),
        row("VMAC", two(""), two("use_vmac")),
        row("no VMAC", two("use_vmac"), two("")),
    ]
}

#[test]
fn reloads_end_as_they_do_with_stock() {
    let rows = rows();
    let wrong = Mutex::new(Vec::new());
    side_by_side((0..LANES).collect(), |lane| {
        for row in rows.iter().skip(lane).step_by(LANES) {
            let (ours, stock) = (outcome(subject(), row), outcome(Kind::Stock, row));
            let differ = differences(&ours, &stock);
            let expected: BTreeSet<&str> = row.differs.iter().map(|(field, _)| *field).collect();
            if differ.keys().copied().collect::<BTreeSet<_>>() != expected {
                let shown: String =
                    differ.iter().map(|(field, both)| format!("\n    {field}{both}")).collect();
                let mut wrong = wrong.lock().expect("no panic while locked");
                wrong.push(format!("{}: {expected:?} should differ, and this does:{shown}", row.name));
            }
        }
    });
    let wrong = wrong.into_inner().expect("no panic while locked");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
