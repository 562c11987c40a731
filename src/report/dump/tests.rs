//! Dumps.

use super::*;
use crate::config::{self, Options};
use crate::sim::loader::MemoryLoader;

#[test]
fn a_configuration_in_effect() {
    let text = "global_defs {\n router_id R\n enable_script_security\n script_user root\n}\nvrrp_script S {\n script \"/bin/check a\"\n \
                weight 5\n}\nvrrp_instance A {\n interface eth0\n virtual_router_id 7\n authentication {\n \
                auth_type PASS\n auth_pass secret\n }\n virtual_ipaddress {\n 192.0.2.1/24 brd + label eth0:1\n \
                }\n track_script {\n S\n }\n track_file {\n F\n }\n notify \"/bin/check b\"\n}\nstatic_ipaddress {\n 198.51.100.1/24 dev eth1\n}\ntrack_file F {\n \
                file /run/f\n}\nbfd_instance B {\n neighbor_ip 192.0.2.9\n}\nvirtual_server 192.0.2.1 80 {\n \
                lb_algo rr\n lb_kind DR\n real_server 192.0.2.7 80 {\n weight 3\n TCP_CHECK {\n }\n }\n}\n";
    let loader = MemoryLoader::with_main(text).program("/bin/check");
    let options = Options { main: MemoryLoader::MAIN.into(), config_id: None, all_files: false };
    let config = config::load(&loader, &options).config;
    let lines = lines(&config, &crate::plan::resolve(&config), "node");
    for line in [
        "------< Global definitions >------",
        " Router ID = R",
        "------< VRRP Topology >------",
        " VRRP Instance = A",
        "   Virtual Router ID = 7",
        "   Priority = 100",
        "   Advert interval = 1 sec",
        "   Gratuitous ARP delay = 5",
        "   Password = ********",
        "   Virtual IP (1):",
        "     192.0.2.1/24 brd 192.0.2.255 dev eth0 scope global label eth0:1",
        "   Tracked scripts :",
        "     S weight 5",
        "   Generic state transition script = '/bin/check' 'b', uid:gid 0:0",
        "------< VRRP Scripts >------",
        "   Interval = 1 sec",
        "------< Static Addresses >------",
        "     198.51.100.1/24 dev eth1 scope global",
        "------< VRRP Track files >------",
        " Track file = F",
        "   File = /run/f",
        "------< BFD Topology >------",
        "   Neighbor IP = 192.0.2.9",
        "   Desired idle TX interval = 1000000 us",
        "------< LVS Topology >------",
        "   VS VIP = 192.0.2.1, VPORT = 80",
        "   lvs_sched = rr",
        "   default forwarding method = DR",
        "   RIP = 192.0.2.7, RPORT = 80, WEIGHT = 3",
        "     Keepalive method = TCP_CHECK",
    ] {
        assert!(lines.iter().any(|l| l == line), "{line} is not in\n{}", lines.join("\n"));
    }
    assert!(!lines.iter().any(|l| l.contains("secret")), "a password is told");
}
