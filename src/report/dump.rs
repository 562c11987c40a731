//! The configuration in effect, in the shape of stock's dumps: sections in `------< >------`, objects indented by one
//! blank, attributes by three, entries by five.
//!
//! Instances, groups and scripts are shown as planned, with every default applied; the rest as it was read. Labels are
//! those of stock's dump, because tools look for them.

mod parsed;
mod planned;

use std::fmt::Display;
use std::time::Duration;

use crate::base::Family;
use crate::config::model::{Config, Script, Version};
use crate::kernel::AddressClaim;
use crate::plan::{InstancePlan, Plan, ScriptPlan};
use crate::vrrp::auth::Authentication;
use crate::vrrp::params::Delivery;

/// The lines of the dump.
pub fn lines(config: &Config, plan: &Plan) -> Vec<String> {
    let mut out = Vec::new();
    globals(config, &mut out);
    planned::globals(plan, &mut out);
    parsed::before(config, &mut out);
    planned::statics(plan, &mut out);
    if !plan.instances.is_empty() {
        out.push("------< VRRP Topology >------".to_owned());
        plan.instances.iter().for_each(|instance| vrrp(instance, &mut out));
    }
    if !plan.groups.is_empty() {
        out.push("------< VRRP Sync groups >------".to_owned());
        for group in &plan.groups {
            out.push(format!(" VRRP Sync Group = {}", group.name));
            let members = group.members.iter().filter_map(|id| plan.instances.get(id.0 as usize));
            out.extend(members.map(|member| format!("     {}", member.name)));
        }
    }
    if !plan.scripts.is_empty() {
        out.push("------< VRRP Scripts >------".to_owned());
        plan.scripts.iter().for_each(|s| script(s, &mut out));
    }
    parsed::after(config, &mut out);
    out
}

/// An attribute.
fn put(out: &mut Vec<String>, key: &str, value: impl Display) {
    out.push(format!("   {key} = {value}"));
}

fn globals(config: &Config, out: &mut Vec<String>) {
    let globals = &config.globals;
    out.push("------< Global definitions >------".to_owned());
    if let Some(id) = &globals.router_id {
        out.push(format!(" Router ID = {id}"));
    }
    if let Some(user) = &globals.script_user {
        out.push(format!(" Default script uid:gid {}:{}", user.uid, user.gid));
    }
    let on = |on| if on { "true" } else { "false" };
    out.push(format!(" Dynamic interfaces = {}", on(globals.dynamic_interfaces)));
    out.push(format!(" Script security = {}", if globals.script_security { "enabled" } else { "disabled" }));
    out.push(format!(" Log unknown VRIDs = {}", on(globals.log_unknown_vrids)));
}

fn vrrp(plan: &InstancePlan, out: &mut Vec<String>) {
    let params = &plan.params;
    out.push(format!(" VRRP Instance = {}", plan.name));
    let mut put = |key: &str, value: String| out.push(format!("   {key} = {value}"));
    put("VRRP Version", number(params.version).to_owned());
    if let Some(interface) = &plan.interface {
        put("Interface", interface.to_string());
    }
    if let Some(source) = plan.source {
        put("Using src_ip", source.to_string());
    }
    if let Delivery::Multicast(group) = params.delivery {
        put("Multicast address", group.to_string());
    }
    let garp = &params.garp;
    put("Gratuitous ARP delay", seconds(garp.delay));
    put("Gratuitous ARP repeat", garp.repeat.to_string());
    put("Gratuitous ARP refresh", seconds(garp.refresh));
    put("Gratuitous ARP refresh repeat", garp.refresh_repeat.to_string());
    put("Gratuitous ARP lower priority delay", seconds(garp.lower_prio_delay));
    put("Gratuitous ARP lower priority repeat", garp.lower_prio_repeat.to_string());
    put("Down timer adverts", params.down_timer_adverts.to_string());
    put("Send advert after receive lower priority advert", (!params.lower_prio_no_advert).to_string());
    put("Virtual Router ID", params.vrid.to_string());
    put("Priority", params.priority.to_string());
    put(
        "Advert interval",
        match params.version {
            Version::V2 => format!("{} sec", params.advert_int.as_secs()),
            Version::V3 => format!("{} milli-sec", params.advert_int.as_millis()),
        },
    );
    put("Preempt", if params.preempt { "enabled" } else { "disabled" }.to_owned());
    if !params.preempt_delay.is_zero() {
        put("Preempt delay", seconds(params.preempt_delay));
    }
    match &params.authentication {
        Authentication::Password(_) => {
            put("Authentication type", "SIMPLE_PASSWORD".to_owned());
            put("Password", "********".to_owned());
        }
        Authentication::Ah(_) => {
            put("Authentication type", "IPSEC_AH".to_owned());
            put("Password", "********".to_owned());
        }
        Authentication::Hmac(hmac) => {
            put("Authentication type", "HMAC".to_owned());
            planned::hmac(hmac).into_iter().for_each(|(key, value)| put(key, value));
        }
        Authentication::None => put("Authentication type", "none".to_owned()),
    }
    if let Delivery::Unicast(unicast) = &params.delivery {
        put("Check unicast src", if unicast.check_source { "yes" } else { "no" }.to_owned());
        put("Unicast TTL", unicast.ttl.to_string());
        put("Unicast Peer", String::new());
        out.extend(unicast.peers.iter().map(|peer| format!("     {}", peer.address)));
    }
    let (advertised, excluded) = plan.addresses.split_at(plan.advertised.min(plan.addresses.len()));
    out.push(format!("   Virtual IP ({}):", advertised.len()));
    out.extend(advertised.iter().map(address));
    if !excluded.is_empty() {
        out.push(format!("   Virtual IP Excluded ({}):", excluded.len()));
        out.extend(excluded.iter().map(address));
    }
    planned::instance(plan, out);
    if !plan.tracks.is_empty() {
        out.push(format!("   Tracked ({}):", plan.tracks.len()));
        out.extend(plan.tracks.iter().map(|track| {
            let reverse = if track.reverse { " reverse" } else { "" };
            format!("     {} weight {}{reverse}", track.what, track.weight)
        }));
    }
    let notify = &plan.notify;
    for (name, script) in [
        ("Master state transition", &notify.master),
        ("Backup state transition", &notify.backup),
        ("Fault state transition", &notify.fault),
        ("Stop state transition", &notify.stop),
        ("Generic state transition", &notify.any),
        ("Master rx lower pri", &notify.master_rx_lower_pri),
    ] {
        if let Some(script) = script {
            out.push(format!("   {name} script = {}", command(script)));
        }
    }
}

fn script(plan: &ScriptPlan, out: &mut Vec<String>) {
    out.push(format!(" VRRP Script = {}", plan.name));
    let mut put = |key: &str, value: String| out.push(format!("   {key} = {value}"));
    put("Command", command(&plan.script));
    put("Interval", format!("{} sec", seconds(plan.interval)));
    put("Timeout", format!("{} sec", seconds(plan.timeout)));
    put("Rise", plan.rise.to_string());
    put("Fall", plan.fall.to_string());
}

const fn number(version: Version) -> &'static str {
    match version {
        Version::V2 => "2",
        Version::V3 => "3",
    }
}

/// Seconds with as many decimals as they need.
fn seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}

fn command(script: &Script) -> String {
    match script {
        Script::Run { argv, user, .. } => format!("{}, uid:gid {}:{}", argv.join(" "), user.uid, user.gid),
        Script::Open(path) => format!("<{path}"),
    }
}

/// `     10.0.0.1/24 brd 10.0.0.255 dev eth0 scope global label eth0:1`.
fn address(claim: &AddressClaim) -> String {
    let mut text = format!("     {}", claim.cidr);
    if let Some(broadcast) = claim.broadcast {
        text.push_str(&format!(" brd {broadcast}"));
    }
    text.push_str(&format!(" dev {}", claim.dev));
    if Family::of(claim.cidr.ip) == Family::V4 {
        text.push_str(&match claim.scope {
            0 => " scope global".to_owned(),
            200 => " scope site".to_owned(),
            253 => " scope link".to_owned(),
            254 => " scope host".to_owned(),
            255 => " scope nowhere".to_owned(),
            n => format!(" scope {n}"),
        });
    }
    if let Some(label) = &claim.label {
        text.push_str(&format!(" label {label}"));
    }
    if let Some(peer) = claim.peer {
        text.push_str(&format!(" peer {peer}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Options};
    use crate::sim::loader::MemoryLoader;

    #[test]
    fn all_of_the_plan_is_shown() {
        let text = "global_defs {\n enable_script_security\n script_user root\n vrrp_garp_interval 0.5\n vrrp_startup_delay 7\n \
                    notify_fifo /run/f\n notify_fifo_script /bin/check\n}\ngarp_group {\n garp_interval 0.25\n interface eth0\n}\n\
                    interface_up_down_delays {\n eth0 2 3\n}\nlinkbeat_interfaces {\n eth1 ETHTOOL\n}\n\
                    static_routes {\n 198.51.100.0/24 via 192.0.2.9 dev eth0\n}\nstatic_rules {\n from 198.51.100.0/24 table 9 preference 100\n}\n\
                    vrrp_instance A {\n interface eth0\n virtual_router_id 7\n version 3\n virtual_ipaddress {\n 192.0.2.1\n }\n \
                    auth_hmac {\n key 3 0123456789012345678901234567890123456789\n active_key 3\n time_window 40\n mode permissive\n }\n \
                    virtual_routes {\n 203.0.113.0/24 dev eth0 no_track\n }\n virtual_rules {\n to 203.0.113.0/24 table 8 preference 101\n }\n}\n";
        let loader = MemoryLoader::with_main(text).program("/bin/check");
        let options = Options { main: MemoryLoader::MAIN.into(), config_id: None, all_files: false };
        let loaded = config::load(&loader, &options);
        assert_eq!(loaded.test_status(), 0, "{:?}", loaded.diagnostics);
        let lines = lines(&loaded.config, &crate::plan::resolve(&loaded.config)).join("\n");
        for part in [
            "VRRP startup delay = 7",
            "Gratuitous ARP interval = 0.5",
            "notify fifo = /run/f",
            "notify fifo script = /bin/check",
            "eth0 garp_interval 0.25",
            "eth0 down 2 up 3",
            "eth1 ETHTOOL",
            "     198.51.100.0/24 via 192.0.2.9 dev eth0",
            "from 198.51.100.0/24",
            "203.0.113.0/24 dev eth0",
            "to 203.0.113.0/24",
            "Mode = permissive",
            "Time window = 40 sec",
        ] {
            assert!(lines.contains(part), "{part} is not in\n{lines}");
        }
        assert!(!lines.contains("0123456789"), "a key is told");
    }

    #[test]
    fn a_configuration_in_effect() {
        let text = "global_defs {\n router_id R\n enable_script_security\n script_user root\n}\nvrrp_script S {\n script \"/bin/check a\"\n \
                    weight 5\n}\nvrrp_instance A {\n interface eth0\n virtual_router_id 7\n authentication {\n \
                    auth_type PASS\n auth_pass secret\n }\n virtual_ipaddress {\n 192.0.2.1/24 brd + label eth0:1\n \
                    }\n track_script {\n S\n }\n notify \"/bin/check b\"\n}\nstatic_ipaddress {\n 198.51.100.1/24 dev eth1\n}\ntrack_file F {\n \
                    file /run/f\n}\nbfd_instance B {\n neighbor_ip 192.0.2.9\n}\nvirtual_server 192.0.2.1 80 {\n \
                    lb_algo rr\n lb_kind DR\n real_server 192.0.2.7 80 {\n weight 3\n TCP_CHECK {\n }\n }\n}\n";
        let loader = MemoryLoader::with_main(text).program("/bin/check");
        let options = Options { main: MemoryLoader::MAIN.into(), config_id: None, all_files: false };
        let config = config::load(&loader, &options).config;
        let lines = lines(&config, &crate::plan::resolve(&config));
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
            "   Tracked (1):",
            "     script S weight 5",
            "   Generic state transition script = /bin/check b, uid:gid 0:0",
            "------< VRRP Scripts >------",
            "   Interval = 1 sec",
            "------< Static Addresses >------",
            "     198.51.100.1/24 dev eth1",
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
}
