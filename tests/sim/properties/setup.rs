//! What a seed configures.

use keepalived_rs::sim::Rng;

use crate::harness::*;

/// One instance on one router.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) priority: u8,
    /// Seconds.
    pub(super) interval: f64,
    pub(super) nopreempt: bool,
    /// Seconds.
    pub(super) preempt_delay: u64,
    pub(super) state_master: bool,
    /// Weight of what is tracked, if anything is.
    pub(super) tracks: Option<i16>,
    /// What that is: all of them fail and recover together.
    by: Tracker,
}

/// What an instance may track.
#[derive(Clone, Copy, Debug)]
enum Tracker {
    Script,
    File,
    Process,
}

/// One virtual router.
#[derive(Clone, Debug)]
pub(super) struct Virtual {
    pub(super) vrid: u8,
    /// Whether the routers have lists of each other instead of a multicast group.
    unicast: bool,
    version: u8,
    authentication: Authentication,
    /// What it says of VMACs and of what it accepts.
    links: &'static str,
    down_timer_adverts: u8,
    /// By router.
    pub(super) members: Vec<Member>,
}

/// How routers authenticate each other.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Authentication {
    None,
    Password,
    Ah,
    Hmac,
}

impl Authentication {
    /// One that this version has; `auth_hmac` both have.
    fn any(version: u8, rng: &mut Rng) -> Self {
        use Authentication::{Ah, Hmac, None, Password};
        *if version == 2 {
            rng.one_of(&[None, Password, Ah, Hmac])
        } else {
            rng.one_of(&[None, None, None, Hmac])
        }
    }

    fn block(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Password => {
                Some("authentication {\n        auth_type PASS\n        auth_pass secret\n    }")
            }
            Self::Ah => Some("authentication {\n        auth_type AH\n        auth_pass secret\n    }"),
            Self::Hmac => Some(
                "auth_hmac {\n        key 1 0123456789abcdef0123456789abcdef\n        active_key 1\n    }",
            ),
        }
    }
}

/// All of it.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) virtuals: Vec<Virtual>,
    pub(super) routers: usize,
    /// The garp delay of all, in seconds.
    garp_delay: u64,
    /// All virtual routers of a router are in one sync group.
    grouped: bool,
    /// `vrrp_startup_delay` of all, in seconds; 0: none.
    startup_delay: u64,
}

/// A file that says 1 when trackers fail and 0 otherwise, and one that says the opposite.
pub(super) const FILES: [&str; 2] = ["/run/bad", "/run/good"];
/// A process that runs unless trackers fail.
pub(super) const PROCESS: &str = "httpd";

/// What an instance may say of VMACs and of what it accepts.
const LINKS: [&str; 6] =
    ["", "", "use_vmac", "use_vmac\n    vmac_xmit_base", "no_accept", "use_vmac\n    no_accept"];

impl Setup {
    pub(super) fn random(seed: u64) -> Self {
        let rng = &mut rng(seed);
        let routers = rng.pick(2..=4) as usize;
        let vrids = rng.pick(1..=3) as u8;
        let mut virtuals: Vec<_> = (1..=vrids).map(|vrid| Virtual::random(rng, vrid, routers)).collect();
        // Members of a group have to agree on who is best, or nobody is.
        let grouped = vrids > 1 && rng.chance(300_000);
        if grouped {
            let first = virtuals[0].clone();
            virtuals.iter_mut().for_each(|v| *v = Virtual { vrid: v.vrid, ..first.clone() });
        }
        let garp_delay = *rng.one_of(&[0, 1, 5]);
        // Last, so that the others do not depend on it.
        for v in &mut virtuals {
            v.links = *rng.one_of(&LINKS);
        }
        let startup_delay = *rng.one_of(&[0, 0, 2, 6]);
        Self { virtuals, routers, garp_delay, grouped, startup_delay }
    }

    /// The same routers, differently configured.
    pub(super) fn changed(&self, rng: &mut Rng) -> Self {
        let mut next = self.clone();
        for v in &mut next.virtuals {
            let other = Virtual::random(rng, 1, self.routers);
            match rng.pick(0..=7) {
                0 => v.members.clone_from(&other.members),
                1 if (v.vrid < FIRST_V6) == (other.vrid < FIRST_V6) => *v = Virtual { vrid: v.vrid, ..other },
                2 => v.authentication = Authentication::any(v.version, rng),
                3 => v.unicast = !v.unicast,
                4 => v.links = *rng.one_of(&LINKS),
                5 => v.members.iter_mut().zip(other.members).for_each(|(member, other)| {
                    (member.tracks, member.by) = (other.tracks, other.by);
                }),
                _ => {}
            }
            let interval = v.members[0].interval;
            if v.version == 2 {
                v.members.iter_mut().for_each(|m| m.interval = interval.round().max(1.0));
            }
        }
        if next.virtuals.len() > 1 && rng.chance(200_000) {
            next.virtuals.pop();
        }
        if rng.chance(200_000) {
            let vrid = (self.virtuals.iter().map(|v| v.vrid % FIRST_V6).max().unwrap_or(0)) + 1;
            let new = Virtual::random(rng, vrid, self.routers);
            if next.virtuals.iter().all(|v| v.vrid != new.vrid) {
                next.virtuals.push(new);
            }
        }
        next.garp_delay = *rng.one_of(&[0, 1, 5]);
        next.grouped = next.virtuals.len() > 1 && rng.chance(if self.grouped { 700_000 } else { 200_000 });
        if next.grouped {
            let first = next.virtuals[0].clone();
            next.virtuals.iter_mut().for_each(|v| *v = Virtual { vrid: v.vrid, ..first.clone() });
        }
        next
    }

    /// The configuration of router `i`.
    pub(super) fn text(&self, i: usize) -> String {
        let [bad, good] = FILES;
        let mut script = format!(
            "vrrp_script check {{\n    script {CHECK}\n    interval 1\n}}\ntrack_file bad {{\n    file {bad}\n}}\n\
             track_file good {{\n    file {good}\n}}\nvrrp_track_process check {{\n    process {PROCESS}\n}}\n"
        );
        if self.startup_delay > 0 {
            script += &format!("global_defs {{\n    vrrp_startup_delay {}\n}}\n", self.startup_delay);
        }
        if self.grouped {
            let members: String = self.virtuals.iter().map(|v| format!("VI_{}\n", v.vrid)).collect();
            script += &format!(
                "vrrp_sync_group G {{\n    group {{\n{members}    }}\n    sync_group_tracking_weight\n}}\n"
            );
        }
        let blocks = self.virtuals.iter().map(|v| v.instance(i, self.garp_delay).text());
        blocks.fold(script, |text, block| text + &block)
    }

    /// Seconds after which every election is over when nothing happens any more: the start-up delay, the time until the
    /// last master is given up, listening after a stall, a preemption with its delay, and some more. Scripts need to run
    /// first.
    pub(super) fn quiet(&self) -> f64 {
        let longest = self.virtuals.iter().map(|v| {
            let delay = v.members.iter().map(|m| m.preempt_delay).max().unwrap_or(0);
            3.0 * v.master_down() + delay as f64
        });
        longest.fold(0.0, f64::max) + self.startup_delay as f64 + 3.0
    }
}

/// Routes and a rule that move with the address; over IPv4 one of them needs it.
fn routes(vrid: u8) -> String {
    let source = if vrid < FIRST_V6 { format!("src {}", vip(vrid)) } else { String::new() };
    format!(
        "virtual_routes {{
        192.0.{vrid}.0/25 via 10.0.0.99 dev eth0
        192.0.{vrid}.128/25 dev eth0 {source}
    }}
    virtual_rules {{
        from 192.0.{vrid}.0/24 table {vrid} priority {vrid}
    }}"
    )
}

impl Virtual {
    fn random(rng: &mut Rng, vrid: u8, routers: usize) -> Self {
        let vrid = if rng.chance(300_000) { vrid - 1 + FIRST_V6 } else { vrid };
        let version = if vrid < FIRST_V6 { *rng.one_of(&[2, 3]) } else { 3 };
        let interval = match version {
            2 => *rng.one_of(&[1.0, 1.0, 2.0]),
            _ => *rng.one_of(&[0.05, 0.1, 0.25, 1.0]),
        };
        // Version 3 learns the master's interval; in version 2 all must be the same.
        let mixed = version == 3 && rng.chance(200_000);
        let nopreempt = rng.chance(300_000);
        let members = (0..routers)
            .map(|_| Member {
                priority: *rng.one_of(&[1, 50, 99, 100, 100, 101, 150, 200, 254]),
                interval: if mixed { *rng.one_of(&[0.1, 0.25, 1.0]) } else { interval },
                nopreempt: nopreempt && rng.chance(700_000),
                preempt_delay: if rng.chance(150_000) { rng.pick(1..=8) } else { 0 },
                state_master: rng.chance(300_000),
                tracks: rng.chance(300_000).then(|| *rng.one_of(&[0, 0, -60, 60])),
                by: *rng.one_of(&[Tracker::Script, Tracker::File, Tracker::Process]),
            })
            .collect();
        let mut all = Self {
            vrid,
            unicast: rng.chance(300_000),
            version,
            authentication: Authentication::any(version, rng),
            links: "",
            down_timer_adverts: *rng.one_of(&[3, 3, 3, 2, 5]),
            members,
        };
        if rng.chance(150_000) {
            let owner = rng.pick(0..=routers as u64 - 1) as usize;
            all.members[owner].priority = 255;
        }
        all
    }

    fn instance(&self, i: usize, garp_delay: u64) -> Instance {
        let member = &self.members[i];
        let mut instance = instance(self.vrid, member.priority)
            .with(&format!("state {}", if member.state_master { "MASTER" } else { "BACKUP" }))
            .with(&format!("version {}", self.version))
            .with(&format!("advert_int {}", member.interval))
            .with(&format!("down_timer_adverts {}", self.down_timer_adverts))
            .with(&format!("garp_master_delay {garp_delay}"))
            .with(self.links);
        if self.unicast {
            instance = instance.unicast(self.members.len());
        }
        if member.nopreempt {
            instance = instance.with("nopreempt");
        }
        instance = instance.with(&routes(self.vrid));
        if member.preempt_delay > 0 {
            instance = instance.with(&format!("preempt_delay {}", member.preempt_delay));
        }
        if let Some(block) = self.authentication.block() {
            instance = instance.with(block);
        }
        if let Some(weight) = member.tracks {
            let (list, name) = match member.by {
                Tracker::Script => ("track_script", "check"),
                Tracker::Process => ("track_process", "check"),
                Tracker::File if weight > 0 => ("track_file", "good"),
                Tracker::File => ("track_file", "bad"),
            };
            instance = instance.with(&format!("{list} {{\n        {name} weight {weight}\n    }}"));
        }
        instance
    }

    /// Whether router `i` is free to take over from a lower priority. `state MASTER` overrules `nopreempt`, but is
    /// itself not taken together with AH.
    pub(super) fn preempts(&self, i: usize) -> bool {
        let member = &self.members[i];
        let born_master = member.state_master && !matches!(self.authentication, Authentication::Ah);
        !member.nopreempt || born_master || member.priority == 255
    }

    /// Whether routers configured so and routers configured otherwise hear each other.
    pub(super) fn understands(&self, other: &Self) -> bool {
        let of = |v: &Self| {
            let interval = (v.version == 2).then(|| v.members[0].interval);
            (v.vrid, v.version, v.unicast, interval, v.authentication)
        };
        of(self) == of(other)
    }

    /// The longest interval anybody uses, in seconds.
    pub(super) fn longest_interval(&self) -> f64 {
        self.members.iter().map(|m| m.interval).fold(0.0, f64::max)
    }

    /// The shortest interval anybody uses, in seconds.
    pub(super) fn shortest_interval(&self) -> f64 {
        self.members.iter().map(|m| m.interval).fold(f64::INFINITY, f64::min)
    }

    /// The longest master-down time, in seconds.
    pub(super) fn master_down(&self) -> f64 {
        let interval = self.longest_interval();
        f64::from(self.down_timer_adverts) * interval + interval.max(1.0)
    }

    /// The shortest time after which a peer of router `i` gives it up, in seconds: without skew.
    pub(super) fn given_up_after(&self, i: usize) -> f64 {
        f64::from(self.down_timer_adverts) * self.members[i].interval
    }
}

impl Member {
    /// Its priority when the script fails or not; `None`: FAULT.
    pub(super) fn effective(&self, script_fails: bool) -> Option<u8> {
        if self.priority == 255 {
            return if script_fails && self.tracks == Some(0) { None } else { Some(255) };
        }
        let contribution = match (self.tracks, script_fails) {
            (Some(0), true) => return None,
            (Some(weight), true) => weight.min(0),
            (Some(weight), false) => weight.max(0),
            (None, _) => 0,
        };
        Some((i16::from(self.priority) + contribution).clamp(1, 254) as u8)
    }
}
