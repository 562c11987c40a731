//! What a dump is made of, and the words all its parts share.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Write as _};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::base::{Cidr, IfIndex, IfName, InstanceId};
use crate::config::model::{Config, Script, VrrpInstance};
use crate::host::Link;
use crate::host::loader::LinkKind;
use crate::kernel::Survey;
use crate::plan::{Plan, Subject};
use crate::track::listeners::Tally;
use crate::vrrp::observed::Observed;

/// What was found out about a daemon that runs; of one that does not run, nothing.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What instances answered. Those that did not answer in time are not there.
    pub observed: BTreeMap<InstanceId, Observed>,
    /// What is known of things tracked.
    pub tallies: BTreeMap<Subject, Tally>,
    /// When the next reload is, and whether that was given with its date.
    pub scheduled: Option<(String, bool)>,
    /// Links and addresses, if the fast plane answered.
    pub survey: Option<Survey>,
}

/// A daemon as it is to be shown.
pub struct View<'a> {
    /// What runs.
    pub plan: &'a Plan,
    /// What was written.
    pub config: &'a Config,
    /// What was found out.
    pub findings: &'a Findings,
    /// The name of the machine.
    pub node: &'a str,
    /// For dates.
    zone: TimeZone,
    written: BTreeMap<&'a str, &'a VrrpInstance>,
    links: BTreeMap<&'a IfName, IfIndex>,
    present: BTreeSet<(IfIndex, Cidr)>,
}

impl<'a> View<'a> {
    /// Shows `plan`, and what it was made of, with dates in `zone`.
    pub fn new(
        plan: &'a Plan,
        config: &'a Config,
        findings: &'a Findings,
        node: &'a str,
        zone: TimeZone,
    ) -> Self {
        let survey = findings.survey.iter();
        Self {
            plan,
            config,
            findings,
            node,
            zone,
            written: config.instances.iter().map(|i| (i.name.as_str(), i)).collect(),
            links: survey.clone().flat_map(|s| &s.links).map(|l| (&l.name, l.index)).collect(),
            present: survey.flat_map(|s| s.addresses.iter().copied()).collect(),
        }
    }

    /// An instance as it was written.
    pub fn written(&self, name: &str) -> Option<&'a VrrpInstance> {
        self.written.get(name).copied()
    }

    /// Whether the interface has this address.
    pub(super) fn is_set(&self, dev: &IfName, cidr: Cidr) -> bool {
        self.links.get(dev).is_some_and(|link| self.present.contains(&(*link, cidr)))
    }

    /// What a VMAC or ipvlan stands on; nothing of other interfaces.
    pub fn base(&self, dev: &IfName) -> Option<&'a IfName> {
        let owner = self.plan.instances.iter().find(|i| i.vmac.name.as_ref() == Some(dev));
        let base = owner.and_then(|i| i.interface.as_ref());
        base.or_else(|| {
            let links = &self.findings.survey.as_ref()?.links;
            let link = links.iter().find(|link| link.name == *dev && is_virtual(link))?;
            links.iter().find(|base| Some(base.index) == link.stacking.base).map(|base| &base.name)
        })
    }

    /// An interface.
    pub(super) fn link(&self, dev: &IfName) -> Option<&'a Link> {
        self.findings.survey.as_ref()?.links.iter().find(|link| link.name == *dev)
    }

    /// Whether there is an interface of this name.
    pub(super) fn is_there(&self, dev: &str) -> bool {
        self.links.keys().any(|name| name.as_str() == dev)
    }

    /// The index of an interface.
    pub(super) fn index(&self, dev: &IfName) -> Option<IfIndex> {
        self.links.get(dev).copied()
    }

    /// What is known of something tracked.
    pub fn tally(&self, what: &Subject) -> Option<Tally> {
        self.findings.tallies.get(what).copied()
    }

    /// `1795284186.959010 (Sat Nov 21 18:03:06.959010 2026)`.
    pub(super) fn moment(&self, since_1970: Duration) -> String {
        self.dated(since_1970, "%a %b %e %H:%M:%S%.6f %Y")
    }

    /// `0.000000 (Thu Jan  1 00:00:00.000000)`.
    pub(super) fn moment_without_year(&self, since_1970: Duration) -> String {
        self.dated(since_1970, "%a %b %e %H:%M:%S%.6f")
    }

    fn dated(&self, since_1970: Duration, format: &str) -> String {
        let (secs, micros) = (since_1970.as_secs(), since_1970.subsec_micros());
        let stamp = i64::try_from(secs).ok().and_then(|s| Timestamp::new(s, micros as i32 * 1000).ok());
        let date = stamp.unwrap_or_default().to_zoned(self.zone.clone()).strftime(format).to_string();
        format!("{secs}.{micros:06} ({date})")
    }
}

/// Whether it is a macvlan or an ipvlan.
pub(super) fn is_virtual(link: &Link) -> bool {
    matches!(link.stacking.kind, LinkKind::Macvlan { .. } | LinkKind::Ipvlan { .. })
}

/// Lines of text.
#[derive(Debug, Default)]
pub(super) struct Lines(pub Vec<String>);

impl Lines {
    /// A section.
    pub(super) fn section(&mut self, title: &str) {
        self.0.push(format!("------< {title} >------"));
    }

    /// A line as it is.
    pub(super) fn add(&mut self, line: impl fmt::Display) {
        self.0.push(line.to_string());
    }

    /// An attribute of an object.
    pub(super) fn put(&mut self, key: &str, value: impl Display) {
        self.0.push(format!("   {key} = {value}"));
    }

    /// A list that belongs to an object, unless it is empty.
    pub(super) fn list<T>(&mut self, title: &str, items: &[T], each: impl Fn(&T) -> String) {
        if !items.is_empty() {
            self.0.push(format!("   {title} :"));
            self.0.extend(items.iter().map(|item| format!("     {}", each(item))));
        }
    }
}

/// `yes` or `no`.
pub(super) const fn yes(on: bool) -> &'static str {
    if on { "yes" } else { "no" }
}

/// `true` or `false`.
pub(super) const fn truth(on: bool) -> &'static str {
    if on { "true" } else { "false" }
}

/// `enabled` or `disabled`.
pub(super) const fn enabled(on: bool) -> &'static str {
    if on { "enabled" } else { "disabled" }
}

/// Seconds with as many decimals as they need.
pub(super) fn seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}

/// Seconds with six decimals.
pub(super) fn seconds_6(time: Duration) -> String {
    format!("{}.{:06}", time.as_secs(), time.subsec_micros())
}

/// Each word of a command in quotes.
pub fn quoted(script: &Script) -> String {
    let argv = match script {
        Script::Run(run) => &run.argv,
        Script::Sought(sought) => &sought.argv,
        Script::Open(path) => return format!("'<{path}'"),
    };
    let mut text = String::new();
    for word in argv {
        let blank = if text.is_empty() { "" } else { " " };
        // A String takes everything.
        let _ = write!(text, "{blank}'{word}'");
    }
    text
}

/// A command and who it runs as.
pub(super) fn command(script: &Script) -> String {
    match script.user() {
        Some(user) => format!("{}, uid:gid {}:{}", quoted(script), user.uid, user.gid),
        None => quoted(script),
    }
}
