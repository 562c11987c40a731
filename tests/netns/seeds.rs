//! Configurations that people run: each starts on routers that have what it names, says what of it is not in
//! effect yet, and its addresses move between the routers as its instances say.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use crate::lab::{Daemon, Kind, Lan, Router, wait_longer};
use crate::support::each_pair;

/// The slowest of these advertises each 5 seconds, so its master-down time is 15.6 seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// A cluster and what to expect of it.
#[derive(Debug, Default)]
struct Cluster {
    /// The configuration of each router, in `tests/fixtures/seeds`. For the second router of those that come
    /// alone see [`Cluster::backup`].
    files: &'static [&'static str],
    /// Replacements that make the second router's configuration of the first's.
    backup: &'static [(&'static str, &'static str)],
    /// Replacements without which stock does not start here.
    for_stock: &'static [(&'static str, &'static str)],
    /// Interfaces, and the address of the first router on each; the others' are the next ones unless the
    /// configuration says its own.
    interfaces: &'static [(&'static str, &'static str)],
    /// Addresses of the routers on the first interface, where the configurations name them.
    own: &'static [&'static str],
    /// Virtual addresses, each list with the routers that should have it, best first.
    addresses: &'static [(&'static [&'static str], &'static [usize])],
    /// Whether a router that returns leaves the addresses where they are.
    nopreempt: bool,
    /// Scripts the configuration names.
    scripts: &'static [&'static str],
    /// Keywords that ours must report as not in effect.
    not_in_effect: &'static [&'static str],
}

const ENO: &[(&str, &str)] = &[("eno16777736", "172.16.1.201/16")];
const BOND: &[(&str, &str)] = &[("bond0", "192.168.99.1/24")];
const ETH: &[(&str, &str)] = &[("eth0", "192.168.122.11/24")];
const LOWER: &[(&str, &str)] = &[("priority 244", "priority 200"), ("state MASTER", "state BACKUP")];

#[test]
fn simple_pair() {
    Cluster {
        files: &["simple-pair.one", "simple-pair.two"],
        interfaces: ENO,
        addresses: &[(&["172.16.1.11"], &[0, 1])],
        ..Cluster::default()
    }
    .moves();
}

#[test]
fn dual_master() {
    Cluster {
        files: &["dual-master.one", "dual-master.two"],
        interfaces: ENO,
        addresses: &[(&["172.16.1.11"], &[0, 1]), (&["172.16.1.22"], &[1, 0])],
        ..Cluster::default()
    }
    .moves();
}

#[test]
fn dual_master_dr() {
    Cluster {
        files: &["dual-master-dr.node1", "dual-master-dr.node2"],
        interfaces: &[("eno16777736", "172.18.200.201/16")],
        // The script's program is `[[`, which is not one, so its weights of 5 and -5 never count.
        addresses: &[(&["172.18.200.6"], &[0, 1]), (&["172.18.200.5"], &[1, 0])],
        scripts: &["/etc/keepalived/notify.sh"],
        not_in_effect: &["virtual_server"],
        ..Cluster::default()
    }
    .moves();
}

#[test]
fn dr_sorry() {
    Cluster {
        files: &["dr-sorry.one", "dr-sorry.two"],
        interfaces: ENO,
        addresses: &[(&["172.16.1.44"], &[0, 1])],
        not_in_effect: &["virtual_server"],
        ..Cluster::default()
    }
    .moves();
}

#[test]
fn lvs_dr_tcp() {
    Cluster {
        files: &["lvs-dr-tcp.one", "lvs-dr-tcp.two"],
        interfaces: &[("bond0", "1.1.1.2/24")],
        addresses: &[(&["1.1.1.1"], &[0, 1])],
        not_in_effect: &["virtual_server"],
        ..Cluster::default()
    }
    .moves();
}

#[test]
fn nginx_nopreempt() {
    Cluster {
        files: &["nginx-nopreempt"],
        backup: &[("priority 100", "priority 90")],
        interfaces: BOND,
        addresses: &[(&["192.168.99.99"], &[0, 1])],
        nopreempt: true,
        scripts: &["/etc/keepalived/check_nginx.sh", "/etc/keepalived/clean_arp.sh"],
        ..Cluster::default()
    }
    .moves();
}

#[test]
fn script_httpd_nopreempt() {
    Cluster {
        files: &["script-httpd-nopreempt.one"],
        backup: &[("priority 100", "priority 98"), ("router_id one", "router_id two")],
        interfaces: ENO,
        addresses: &[(&["172.16.1.66"], &[0, 1])],
        nopreempt: true,
        scripts: &["/etc/keepalived/notify.sh"],
        ..Cluster::default()
    }
    .moves();
}

#[test]
fn script_weight() {
    Cluster {
        files: &["script-weight.one", "script-weight.two"],
        interfaces: ENO,
        addresses: &[(&["172.16.1.66"], &[0, 1])],
        ..Cluster::default()
    }
    .moves();
}

#[test]
fn three_nodes() {
    Cluster {
        files: &["three-nodes.master", "three-nodes.backup0", "three-nodes.backup1"],
        interfaces: &[("enp1s0", "10.43.0.29/22")],
        own: &["10.43.0.29/22", "10.43.0.58/22", "10.43.0.31/22"],
        addresses: &[(&["10.43.1.25"], &[0, 1, 2])],
        scripts: &["/usr/local/keepalived/etc/keepalived/check_nginx.sh"],
        ..Cluster::default()
    }
    .moves();
}

#[test]
fn notify() {
    Cluster {
        files: &["notify"],
        backup: LOWER,
        interfaces: ETH,
        addresses: &[(&["192.168.122.200"], &[0, 1])],
        scripts: &["/usr/local/bin/keepalived_check.sh", "/usr/local/bin/keepalived_notify.sh"],
        ..Cluster::default()
    }
    .moves();
}

#[test]
fn track_script() {
    Cluster {
        files: &["track-script"],
        backup: LOWER,
        interfaces: ETH,
        addresses: &[(&["192.168.122.200"], &[0, 1])],
        scripts: &["/usr/local/bin/keepalived_check.sh"],
        ..Cluster::default()
    }
    .moves();
}

#[test]
fn track_file() {
    Cluster {
        files: &["track-file"],
        backup: LOWER,
        interfaces: ETH,
        addresses: &[(&["192.168.122.200"], &[0, 1])],
        ..Cluster::default()
    }
    .moves();
}

#[test]
fn track_interface() {
    Cluster {
        files: &["track-interface"],
        backup: LOWER,
        interfaces: &[("eth0", "192.168.122.11/24"), ("ens9", "192.168.123.11/24")],
        addresses: &[(&["192.168.122.200"], &[0, 1])],
        ..Cluster::default()
    }
    .moves();
}

#[test]
fn track_process() {
    Cluster {
        files: &["track-process"],
        backup: LOWER,
        interfaces: ETH,
        addresses: &[(&["192.168.122.200"], &[0, 1])],
        ..Cluster::default()
    }
    .moves();
}

#[test]
fn reference_blocks() {
    Cluster {
        files: &["reference-blocks"],
        backup: &[("priority 100", "priority 90"), ("10.210.214.163", "10.210.214.164")],
        // Debian's build does not know `debug`, and this kernel need not have IPVS.
        for_stock: &[("    debug\n", ""), ("    lvs_sync_daemon_interface eth1\n", "")],
        interfaces: &[("eth0", "10.210.214.163/24"), ("eth1", "192.168.1.163/24")],
        own: &["10.210.214.163/24", "10.210.214.164/24"],
        addresses: &[
            (&["10.210.214.253", "192.168.1.11"], &[0, 1]),
            (&["192.168.1.12", "192.168.1.13"], &[0, 1]),
        ],
        nopreempt: true,
        scripts: &["/path/to_master.sh", "/path/to_backup.sh", "/path/fault.sh", "/path/notify.sh"],
        not_in_effect: &["virtual_server"],
    }
    .moves();
}

/// No configuration is left out.
#[test]
fn all_are_here() {
    let here = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file!())).unwrap();
    for entry in std::fs::read_dir(seeds()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.strip_suffix(".conf").expect("a fixture is a .conf");
        assert!(here.contains(&format!("\"{name}\"")), "{name} is not tested");
    }
}

impl Cluster {
    /// Runs the cluster for each pair of daemons: all start, the best router stops and returns, the next one is
    /// killed and returns.
    fn moves(&self) {
        each_pair(|a, b| {
            let kinds = [a, b, a];
            Running::start(self, &kinds).run();
        });
    }

    /// The configurations of all routers.
    fn configs(&self) -> Vec<String> {
        let read = |name: &&str| std::fs::read_to_string(seeds().join(format!("{name}.conf"))).unwrap();
        let mut configs: Vec<String> = self.files.iter().map(read).collect();
        if !self.backup.is_empty() {
            configs.push(replaced(&configs[0], self.backup));
        }
        configs
    }
}

/// A cluster on its LANs.
#[derive(Debug)]
struct Running<'a> {
    cluster: &'a Cluster,
    kinds: &'a [Kind],
    configs: Vec<String>,
    routers: Vec<Router>,
    /// One for each interface. Last, as they must outlive the routers.
    _lans: Vec<Lan>,
}

impl<'a> Running<'a> {
    fn start(cluster: &'a Cluster, kinds: &'a [Kind]) -> Self {
        let configs = cluster.configs();
        let lans: Vec<_> = cluster.interfaces.iter().map(|_| Lan::new()).collect();
        let routers: Vec<_> = (0..configs.len()).map(|_| Router::new()).collect();
        for (n, router) in routers.iter().enumerate() {
            for ((interface, address), lan) in cluster.interfaces.iter().zip(&lans) {
                let own = cluster.own.get(n).filter(|_| *interface == cluster.interfaces[0].0);
                router.attach(lan, interface, &own.map_or_else(|| next(address, n), |own| (*own).to_owned()));
            }
            for script in cluster.scripts {
                router.write_script(script, "exit 0");
            }
            // For `killall -0 httpd`, which says whether there is such a process.
            assert!(Path::new("/usr/bin/killall").exists(), "killall is missing: apt-get install psmisc");
            router.run("cp /bin/sleep /usr/local/bin/httpd && (httpd infinity >/dev/null 2>&1 &)");
        }
        Self { cluster, kinds, configs, routers, _lans: lans }
    }

    fn run(&self) {
        let first = self.daemon(0);
        if self.cluster.nopreempt {
            self.settles(&[0], "the first router is alone");
        }
        let mut daemons = vec![first];
        daemons.extend((1..self.routers.len()).map(|n| self.daemon(n)));
        let all: Vec<usize> = (0..self.routers.len()).collect();
        self.settles(&all, "all have started");
        for (daemon, kind) in daemons.iter().zip(self.kinds) {
            if *kind == Kind::Ours {
                self.says_what_is_not_in_effect(daemon);
            }
        }
        let status = daemons[0].stop();
        assert_eq!(status.code(), Some(0), "{status}");
        assert!(self.held(0).is_empty(), "a stopped daemon leaves no address");
        self.settles(&all[1..], "the first router has stopped");
        daemons[0] = self.daemon(0);
        if self.cluster.nopreempt {
            daemons[0].wait_log("Entering BACKUP STATE");
            self.settles(&all[1..], "the first router has returned and does not preempt");
            daemons[1].crash();
            self.has_all(0, "the second router is killed");
        } else {
            self.settles(&all, "the first router has returned");
            daemons[0].crash();
            self.has_all(1, "the first router is killed");
            daemons[0] = self.daemon(0);
            self.settles(&all, "the first router has returned from a crash");
        }
        for daemon in &daemons {
            if daemon.exited().is_none() {
                daemon.stop();
            }
        }
    }

    fn daemon(&self, n: usize) -> Daemon {
        match self.kinds[n] {
            Kind::Ours => self.routers[n].start(Kind::Ours, &self.configs[n]),
            // Where the kernel has no IPVS stock ends if there are virtual servers, unless told not to mind them.
            Kind::Stock => {
                let config = replaced(&self.configs[n], self.cluster.for_stock);
                self.routers[n].start_with(Kind::Stock, &config, &["-P"])
            }
        }
    }

    /// Waits until each address is on the best of the routers that are `alive`, and nowhere else.
    #[track_caller]
    fn settles(&self, alive: &[usize], when: &str) {
        let lists = self.cluster.addresses;
        wait_longer(LIMIT, &format!("the addresses are where they belong when {when}"), || {
            let held: Vec<_> = (0..self.routers.len()).map(|n| self.held(n)).collect();
            let placed = lists.iter().all(|(addresses, order)| {
                let best = order.iter().find(|n| alive.contains(n));
                addresses.iter().all(|address| {
                    let address: Ipv4Addr = address.parse().unwrap();
                    held.iter().enumerate().all(|(n, held)| held.contains(&address) == (Some(&n) == best))
                })
            });
            placed.then_some(())
        });
    }

    /// Waits until a router has all addresses, wherever else they are: those of a killed daemon stay.
    #[track_caller]
    fn has_all(&self, router: usize, when: &str) {
        let count: usize = self.cluster.addresses.iter().map(|(addresses, _)| addresses.len()).sum();
        wait_longer(LIMIT, &format!("router {router} has all addresses when {when}"), || {
            (self.held(router).len() == count).then_some(())
        });
    }

    /// The virtual addresses that a router has.
    fn held(&self, n: usize) -> Vec<Ipv4Addr> {
        let virtual_address = |ip: &Ipv4Addr| {
            self.cluster.addresses.iter().any(|(addresses, _)| addresses.contains(&ip.to_string().as_str()))
        };
        self.routers[n].addresses().into_iter().map(|a| a.ip).filter(virtual_address).collect()
    }

    #[track_caller]
    fn says_what_is_not_in_effect(&self, daemon: &Daemon) {
        // The log has a thread of its own, which may lag behind on a busy machine.
        let complete = |log: &str| self.cluster.not_in_effect.iter().all(|k| log.contains(k));
        for _ in 0..100 {
            if complete(&daemon.log()) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let log = daemon.log();
        let reports: Vec<_> = log.lines().filter(|line| line.contains("not in effect")).collect();
        for keyword in self.cluster.not_in_effect {
            let count = reports.iter().filter(|line| line.contains(keyword)).count();
            assert!(count > 0, "it does not say that {keyword} is not in effect");
        }
        if self.cluster.not_in_effect.is_empty() {
            let about_instances: Vec<_> = reports.iter().filter(|line| line.contains("VI_")).collect();
            assert!(about_instances.is_empty(), "it should be in effect: {about_instances:?}");
        }
    }
}

fn replaced(text: &str, replacements: &[(&str, &str)]) -> String {
    replacements.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the replacement of `{from}` does nothing");
        text.replace(from, to)
    })
}

/// `address` with `n` added.
fn next(address: &str, n: usize) -> String {
    let (ip, prefix) = address.split_once('/').unwrap();
    let ip: Ipv4Addr = ip.parse().unwrap();
    format!("{}/{prefix}", Ipv4Addr::from(u32::from(ip) + u32::try_from(n).unwrap()))
}

fn seeds() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/seeds")
}
