//! Virtual servers, section 10.3: one function per rule, in stock's order.

mod groups;
mod scripts;
mod servers;
mod service;

use super::super::apply::Build;
use super::super::apply::lvs::Server;
use super::super::model::lvs::{Protocol, Service};

/// Checks all virtual servers and moves what can be used into the model.
pub(super) fn run(b: &mut Build<'_>) {
    let groups = groups::Groups::new(std::mem::take(&mut b.config.lvs.groups));
    let drafts = std::mem::take(&mut b.lvs.servers);
    for mut draft in drafts {
        let Some(group) = groups::link(b, &groups, &mut draft) else { continue };
        if servers::none(b, &draft) {
            continue;
        }
        service::suspend(b, &mut draft, group);
        service::protocol(b, &mut draft, group);
        service::single_packets(b, &mut draft);
        service::port_zero(b, &mut draft, group);
        service::scheduler(b, &mut draft);
        servers::method(b, &mut draft);
        servers::twice(b, &mut draft);
        servers::like_sorry(b, &mut draft);
        servers::quorum(b, &mut draft);
        servers::hysteresis(b, &mut draft);
        servers::sorry_port(b, &mut draft, group);
        servers::ports(b, &mut draft, group);
        scripts::find(b, &mut draft);
        draft.server.real_servers = draft.reals.into_iter().map(|r| r.real).collect();
        b.config.lvs.servers.push(draft.server);
    }
    b.config.lvs.groups = groups.into_inner();
}

/// A virtual server as stock names it: `[192.0.2.1]:tcp:80`, `FWM 3`, `[GROUP]:0`.
fn name(draft: &Server) -> String {
    match &draft.server.service {
        Service::Address { ip, port } => format!("[{ip}]:{}:{port}", protocol_name(draft)),
        Service::Mark(mark) => format!("FWM {mark}"),
        Service::Group(name) => format!("[{name}]:0"),
    }
}

/// A real server of it as stock names it.
fn real_name(draft: &Server, n: usize) -> String {
    let protocol = protocol_name(draft);
    draft.reals.get(n).map_or_else(String::new, |r| format!("[{}]:{protocol}:{}", r.real.ip, r.real.port))
}

fn protocol_name(draft: &Server) -> &'static str {
    match draft.server.protocol {
        None => "none",
        Some(Protocol::Tcp) => "tcp",
        Some(Protocol::Udp) => "udp",
        Some(Protocol::Sctp) => "sctp",
    }
}
