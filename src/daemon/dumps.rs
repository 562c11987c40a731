//! What signals ask for: dumps of what runs.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::tz::TimeZone;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::RESTART_PAUSE;
use super::fast::Order;
use crate::base::Instant;
use crate::config::model::Config;
use crate::host::{Error, Files, Pid, Plane, Signal};
use crate::kernel::Survey;
use crate::plan::{Plan, Subject};
use crate::report::dump::view::{Findings, View};
use crate::report::{dump, state_json, stats, wording};
use crate::track::listeners::Tally;
use crate::vrrp::instance::Control;
use crate::vrrp::observed::Ask;

/// How long instances may take to answer, all together.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many are asked at once: an advert never waits for more answers than these.
const AT_ONCE: usize = 16;
/// Permissions, less what the umask takes away.
const MODE: u32 = 0o666;

/// A signal, and what there was when it came.
pub(super) struct Request {
    /// What is asked for.
    pub(super) what: Signal,
    /// What runs.
    pub(super) plan: Rc<Plan>,
    /// What is known of things tracked.
    pub(super) tallies: BTreeMap<Subject, Tally>,
    /// When the next reload is, and whether that was given with its date.
    pub(super) scheduled: Option<(String, bool)>,
    /// [`Signal::Data`] goes here, instead of where signals write it.
    pub(super) to: Option<Target>,
}

/// A file for a dump.
pub(super) struct Target {
    path: PathBuf,
    /// Dropped when all is known that the dump will say.
    _gathered: oneshot::Sender<()>,
}

/// `config_save_dir`: what is in effect before and after each reload, for those who look for mistakes.
pub(super) struct Saves {
    process: Pid,
    /// Of the reloads so far.
    count: u32,
}

impl Saves {
    /// For the process of this number, which stands in the names.
    pub(super) fn new(process: Pid) -> Self {
        Self { process, count: 0 }
    }

    /// Another reload.
    pub(super) fn next(&mut self) {
        self.count += 1;
    }

    /// Has `request` written to the directory that its plan names, if it names one, as what was `pre` or `post` the reload,
    /// and waits until it is known what that was; not for the disk.
    pub(super) async fn save(&self, dumps: &UnboundedSender<Request>, when: &str, request: Request) {
        let Some(folder) = &request.plan.written.globals.options.files.config_save else { return };
        let name = format!("keepalived_vrrp.{}.{}.{when}", self.process.0, self.count);
        let (gathered, known) = oneshot::channel();
        let to = Some(Target { path: Path::new(folder).join(name), _gathered: gathered });
        let _ = dumps.send(Request { to, ..request });
        let _ = known.await;
    }
}

/// A text for a file.
struct Text {
    path: PathBuf,
    text: String,
    /// Whether the file's folder is made if it is not there.
    makes_folder: bool,
}

/// Makes dumps, one after the other.
pub(super) struct Dumper {
    slow: Plane,
    files: Rc<dyn Files>,
    /// To who writes them.
    texts: UnboundedSender<Text>,
    node: String,
    /// To the fast plane; weak, since that stops when nobody else can reach it.
    orders: WeakUnboundedSender<Order>,
}

impl Dumper {
    /// Starts it. It ends when nobody can ask it any more.
    pub(super) fn start(
        slow: Plane,
        files: Rc<dyn Files>,
        node: String,
        orders: WeakUnboundedSender<Order>,
    ) -> UnboundedSender<Request> {
        let (requests, mut inbox) = unbounded_channel();
        let (texts, to_write) = unbounded_channel();
        slow.tasks.spawn("dump files", Box::pin(write(Rc::clone(&files), to_write)));
        let dumper = Self { slow: slow.clone(), files, texts, node, orders };
        let task = async move {
            // What made it panic has been taken out of the inbox.
            while AssertUnwindSafe(dumper.run(&mut inbox)).catch_unwind().await.is_err() {
                wording::task_panicked("dumps", "goes on with what comes next");
                dumper.slow.sleep(RESTART_PAUSE).await;
            }
        };
        slow.tasks.spawn("dumps", Box::pin(task));
        requests
    }

    async fn run(&self, inbox: &mut UnboundedReceiver<Request>) {
        while let Some(first) = inbox.recv().await {
            // Who asks for the same again and again gets the latest once.
            let mut waiting = vec![first];
            while let Ok(next) = inbox.try_recv() {
                waiting.retain(|request| request.what != next.what || request.to.is_some());
                waiting.push(next);
            }
            for request in waiting {
                self.gather(&request).await;
            }
        }
    }

    async fn gather(&self, request: &Request) {
        let findings = self.findings(request).await;
        let written = &request.plan.written;
        let view = View::new(&request.plan, written, &findings, &self.node, TimeZone::system());
        let directory = self.files.temporary_directory();
        let runs = !request.plan.instances.is_empty();
        // Nobody waits any more when the daemon stops.
        let write = |path, text| _ = self.texts.send(Text { path, text, makes_folder: request.to.is_some() });
        match (request.what, &request.to) {
            (Signal::Data, Some(Target { path, .. })) => write(path.clone(), dump::data(&view)),
            (Signal::Data, None) => {
                let path = |part| data_path(written, &directory, part);
                write(path("_parent"), dump::parent(&view));
                if runs || !request.plan.statics.is_empty() {
                    write(path(""), dump::data(&view));
                }
            }
            (Signal::Stats | Signal::StatsClear, _) if runs => {
                write(directory.join("keepalived.stats"), stats::text(&view));
            }
            (Signal::Json, _) if runs => write(directory.join("keepalived.json"), state_json::text(&view)),
            _ => {}
        }
    }

    /// Asks the instances, a few at a time, and the fast plane as a whole.
    async fn findings(&self, request: &Request) -> Findings {
        let by = self.slow.now() + PATIENCE;
        let mut findings = Findings {
            tallies: request.tallies.clone(),
            scheduled: request.scheduled.clone(),
            ..Findings::default()
        };
        let (reply, mut answers) = unbounded_channel();
        let (history, clear) = (request.what == Signal::Data, request.what == Signal::StatsClear);
        let ask = Control::Ask(Ask { reply, history, clear });
        let (mut asked, mut silent) = (0_usize, 0_usize);
        let mut wanted = request.plan.instances.iter().peekable();
        while asked > findings.observed.len() || wanted.peek().is_some() {
            while asked < findings.observed.len() + AT_ONCE
                && let Some(instance) = wanted.next()
                && let Some(orders) = self.orders.upgrade()
                && orders.send(Order::Tell(instance.id, ask.clone())).is_ok()
            {
                asked += 1;
            }
            if asked == findings.observed.len() {
                // The daemon stops.
                break;
            }
            tokio::select! {
                biased;
                Some(observed) = answers.recv() => {
                    findings.observed.insert(observed.id, observed);
                }
                () = self.slow.sleep_until(by) => {
                    silent = asked - findings.observed.len() + wanted.count();
                    break;
                }
            }
        }
        if silent > 0 {
            wording::silent_instances(silent);
        }
        if matches!(request.what, Signal::Data | Signal::Json) {
            findings.survey = self.survey(by).await;
        }
        findings
    }

    async fn survey(&self, by: Instant) -> Option<Survey> {
        let (reply, survey) = oneshot::channel();
        self.orders.upgrade()?.send(Order::Survey(reply)).ok()?;
        tokio::select! {
            biased;
            survey = survey => survey.ok(),
            () = self.slow.sleep_until(by) => None,
        }
    }
}

/// Writes texts, one after the other. A disk that does not answer holds up nobody else: of what waits for it, the latest
/// text for each file counts.
async fn write(files: Rc<dyn Files>, mut texts: UnboundedReceiver<Text>) {
    let mut waiting: VecDeque<Text> = VecDeque::new();
    loop {
        let next = match waiting.pop_front() {
            Some(next) => Some(next),
            None => texts.recv().await,
        };
        let Some(next) = next else { return };
        let written = write_one(&*files, next);
        tokio::pin!(written);
        loop {
            tokio::select! {
                biased;
                result = &mut written => {
                    if let Err(error) = result {
                        wording::not_dumped(&error);
                    }
                    break;
                }
                Some(text) = texts.recv() => {
                    waiting.retain(|waiting| waiting.path != text.path);
                    waiting.push_back(text);
                }
            }
        }
    }
}

async fn write_one(files: &dyn Files, text: Text) -> Result<(), Error> {
    let Text { path, text, makes_folder } = text;
    let again = makes_folder.then(|| (path.clone(), text.clone()));
    match (files.replace(path, text.into_bytes(), MODE).await, again) {
        // Not made before: where it is there, a disk that does not answer would be asked by this thread.
        (Err(error), Some((path, text))) if error.source.kind() == io::ErrorKind::NotFound => {
            path.parent().map_or(Ok(()), |folder| files.make_folder(folder))?;
            files.replace(path, text.into_bytes(), MODE).await
        }
        (result, _) => result,
    }
}

/// Where `keepalived.data` goes, or with `part` its kin: `state_dump_file` names the file, or with a slash at its end the
/// directory; `data_use_instance` puts the names of namespace and instance before the extension.
fn data_path(config: &Config, directory: &Path, part: &str) -> PathBuf {
    let files = &config.globals.options.files;
    let (namespace, instance) = (config.top.net_namespace.as_deref(), config.top.instance.as_deref());
    let names: Vec<&str> = namespace.into_iter().chain(instance).collect();
    let named = files.use_instance.unwrap_or(false) && !names.is_empty();
    let suffix = if named { format!(".{}", names.join("_")) } else { String::new() };
    let wanted = files.state.as_deref().unwrap_or_default();
    let (folder, name) = wanted.rsplit_once('/').map_or(("", wanted), |(folder, name)| (folder, name));
    let (stem, extension) = match name {
        "" => ("keepalived", "data"),
        name => name.rsplit_once('.').unwrap_or((name, "data")),
    };
    let file = format!("{stem}{part}{suffix}.{extension}");
    match wanted.contains('/') {
        true => Path::new(&format!("{folder}/")).join(file),
        false => directory.join(file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_data_files() {
        let mut config = Config::default();
        let paths = |config: &Config| {
            ["", "_parent"].map(|part| data_path(config, Path::new("/d"), part).display().to_string())
        };
        assert_eq!(paths(&config), ["/d/keepalived.data", "/d/keepalived_parent.data"]);
        config.top.instance = Some("blue".to_owned());
        assert_eq!(paths(&config), ["/d/keepalived.data", "/d/keepalived_parent.data"]);
        config.globals.options.files.use_instance = Some(true);
        assert_eq!(paths(&config), ["/d/keepalived.blue.data", "/d/keepalived_parent.blue.data"]);
        config.top.net_namespace = Some("ns".to_owned());
        assert_eq!(paths(&config), ["/d/keepalived.ns_blue.data", "/d/keepalived_parent.ns_blue.data"]);
        config.globals.options.files.use_instance = None;
        for (state, expected) in [
            ("/run/k/", ["/run/k/keepalived.data", "/run/k/keepalived_parent.data"]),
            ("/run/k/state.txt", ["/run/k/state.txt", "/run/k/state_parent.txt"]),
            ("/state", ["/state.data", "/state_parent.data"]),
            ("state.txt", ["/d/state.txt", "/d/state_parent.txt"]),
        ] {
            config.globals.options.files.state = Some(state.to_owned());
            assert_eq!(paths(&config), expected, "{state}");
        }
    }
}
