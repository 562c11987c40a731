//! The configuration, read again: whether it can take the place of the one that runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use keepalived_rs::base::IfName;
use keepalived_rs::cli::Options;
use keepalived_rs::config::Loaded;
use keepalived_rs::config::diagnostic::{Class, Diagnostic, Effect, Severity};
use keepalived_rs::config::model::Config;
use keepalived_rs::daemon;
use keepalived_rs::linux::{self, startup};
use keepalived_rs::plan::Plan;
use keepalived_rs::report::diagnostics;
use tracing::{error, warn};

use super::pid::{PidFiles, PidNames};
use super::{load, log_files, log_findings, needs, plan_of, say};

/// What has to be known for that.
pub(crate) struct Reload {
    options: Options,
    names: PidNames,
    pid_files: PidFiles,
    start: Fixed,
    running: Mutex<Running>,
}

/// What cannot be changed while the daemon runs, as it was at the start.
#[derive(PartialEq, Eq)]
struct Fixed {
    net_namespace: Option<String>,
    instance: Option<String>,
    use_pid_dir: bool,
    nftables: Option<String>,
}

/// Of the configuration that runs.
struct Running {
    /// What is wrong with it, without names of instances, and how often.
    mistakes: BTreeMap<String, usize>,
    /// What is wrong with the next one goes to this file, and none of it is let pass.
    check: Option<String>,
    /// The VMACs and ipvlans that it has made.
    links: BTreeSet<IfName>,
}

impl Reload {
    /// `loaded`: what the daemon is started with; `links`: what it makes for that.
    pub(crate) fn new(
        options: &Options,
        names: &PidNames,
        loaded: Loaded,
        pid_files: PidFiles,
        links: BTreeSet<IfName>,
    ) -> Self {
        Self {
            options: options.clone(),
            names: names.clone(),
            pid_files,
            start: Fixed::of(&loaded.config),
            running: Mutex::new(Running::of(&loaded, links)),
        }
    }

    /// Reads it on a thread of its own, whenever the daemon asks for it.
    pub(crate) fn reread(self) -> daemon::Reread {
        let reload = Arc::new(self);
        Box::new(move || {
            let reload = Arc::clone(&reload);
            let read = linux::aside("reload", move || reload.read());
            Box::pin(async move {
                read.await.unwrap_or_else(|| Err("The configuration could not be read".to_owned()))
            })
        })
    }

    /// One that has mistakes which the running one does not have is of no use as a whole: half of it could be worse than
    /// none. Everything that may refuse it comes before what it changes.
    fn read(&self) -> Result<Plan, String> {
        let loaded = load(&self.options);
        log_files(&self.options, &loaded);
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &running.check {
            write_findings(file, &loaded);
        }
        log_findings(&loaded, |line| error!("{line}"));
        if let Some(what) = self.start.change(&Fixed::of(&loaded.config)) {
            return Err(format!("Cannot change {what} at a reload - please restart keepalived"));
        }
        running.judge(&loaded)?;
        let plan = plan_of(&self.options, &self.names, &loaded, running.links.clone());
        if !plan.instances.is_empty() {
            let missing = startup::missing_capabilities();
            if !missing.is_empty() {
                return Err(needs(&missing));
            }
            self.pid_files.add_vrrp().map_err(|error| error.to_string())?;
        }
        let mask = loaded.config.globals.options.umask.map_or(self.options.umask(), u32::from);
        startup::set_umask(mask);
        *running = Running::of(&loaded, plan.link_names());
        Ok(plan)
    }
}

impl Fixed {
    fn of(config: &Config) -> Self {
        Self {
            net_namespace: config.top.net_namespace.clone(),
            instance: config.top.instance.clone(),
            use_pid_dir: config.top.use_pid_dir,
            nftables: config.globals.options.firewall.nftables.clone(),
        }
    }

    /// What is another one now, in stock's words.
    fn change(&self, now: &Self) -> Option<&'static str> {
        let changes = [
            ("network namespace", self.net_namespace != now.net_namespace),
            ("instance name", self.instance != now.instance),
            ("use_pid_dir", self.use_pid_dir != now.use_pid_dir),
            ("nftables table name", self.nftables != now.nftables),
        ];
        changes.into_iter().find_map(|(what, differs)| differs.then_some(what))
    }
}

impl Running {
    fn of(loaded: &Loaded, links: BTreeSet<IfName>) -> Self {
        Self { links, mistakes: counted(loaded), check: loaded.config.globals.options.reload.check.clone() }
    }

    /// Whether `loaded` may take its place; if not, why not, with the place of the first mistake.
    fn judge(&self, loaded: &Loaded) -> Result<(), String> {
        let new: Vec<_> = match self.check {
            Some(_) => loaded.diagnostics.iter().filter(|d| d.class != Class::Log || is_mistake(d)).collect(),
            None => {
                let mut old = self.mistakes.clone();
                let is_old = |d: &&Diagnostic| match old.get_mut(nameless(&d.text)) {
                    Some(count @ 1..) => {
                        *count -= 1;
                        true
                    }
                    _ => false,
                };
                let (_, new): (Vec<_>, Vec<_>) = mistakes(loaded).partition(is_old);
                new
            }
        };
        let Some(first) = new.first() else { return Ok(()) };
        let first = diagnostics::one_line(first, &loaded.sources);
        let more = match new.len() {
            1 => String::new(),
            count => format!(", and {} more", count - 1),
        };
        let details = self.check.as_ref().map(|file| format!(", see {file} for details")).unwrap_or_default();
        Err(format!("New config failed validation{details}: {first}{more}"))
    }
}

/// What is wrong with the configuration itself, whatever may be wrong with the machine.
fn mistakes(loaded: &Loaded) -> impl Iterator<Item = &Diagnostic> {
    loaded.diagnostics.iter().filter(|d| is_mistake(d))
}

fn is_mistake(diagnostic: &Diagnostic) -> bool {
    let is_error = diagnostic.severity == Severity::Error;
    is_error && matches!(diagnostic.class, Class::Config | Class::Fatal) || diagnostic.effect != Effect::Runs
}

/// Appends what `-t` would show.
fn write_findings(file: &str, loaded: &Loaded) {
    let line = |d| format!("{}\n", diagnostics::one_line(d, &loaded.sources));
    let text: String = loaded.diagnostics.iter().filter(|d| d.shown_by_test()).map(line).collect();
    match startup::open_to_append(Path::new(file)) {
        Ok(file) => say(file, &text),
        Err(error) => warn!("{error}"),
    }
}

/// How often there is which mistake.
fn counted(loaded: &Loaded) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for mistake in mistakes(loaded) {
        *count.entry(nameless(&mistake.text).to_owned()).or_default() += 1;
    }
    count
}

/// A finding without the name of the instance it is about: it is no new mistake when that is called otherwise.
fn nameless(text: &str) -> &str {
    let named = text.strip_prefix('(').and_then(|text| text.split_once(") "));
    named.map_or(text, |(_, text)| text)
}
