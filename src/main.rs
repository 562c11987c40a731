//! The `keepalived-rs` daemon: from arguments to an exit status. The only file that names `linux`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use keepalived_rs::base::IfName;
use keepalived_rs::cli::{self, LintOptions, Options, Request};
use keepalived_rs::config::diagnostic::{Class, Diagnostic, Effect, Severity};
use keepalived_rs::config::model::TopLevel;
use keepalived_rs::config::{self, Loaded, lint};
use keepalived_rs::host::Loader as _;
use keepalived_rs::linux::{
    self, daemonize::daemonize, loader::SystemLoader, namespace, pidfile, startup, syslog,
};
use keepalived_rs::plan::{self, Plan, Present};
use keepalived_rs::report::{self, diagnostics, json, log};
use keepalived_rs::{daemon, host};
use tracing::{error, info, warn};

/// Exit status: a normal stop; also: the daemon runs already.
const OK: u8 = 0;
/// Exit status: something failed.
const FATAL: u8 = 1;
/// Exit status: the system does not permit it.
const NO_PERMISSION: u8 = 4;
/// Exit status of `-t`: the configuration has errors.
const TEST_FAILED: u8 = 5;

/// Pid file of the daemon unless `-p` names another.
const PID_FILE: &str = "/run/keepalived.pid";
/// Pid file of stock's VRRP process unless `-r` names another; ours holds the same number as the first.
const VRRP_PID_FILE: &str = "/run/vrrp.pid";

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    ExitCode::from(match cli::parse(args.iter().cloned()) {
        Ok(Request::Run(options)) => run(&options, &args),
        Ok(Request::Help) => {
            say(std::io::stderr(), &cli::help(&program(&args)));
            OK
        }
        Ok(Request::LintHelp) => {
            say(std::io::stderr(), &cli::lint_help(&program(&args)));
            OK
        }
        Ok(Request::Lint(options)) => compare(&options),
        Ok(Request::Version) => {
            say(std::io::stderr(), &cli::version(&system()));
            OK
        }
        Ok(Request::Signum(number)) => {
            say(std::io::stdout(), &format!("{number}\n"));
            OK
        }
        Err(refusal) => {
            say(std::io::stderr(), &format!("{refusal}\n"));
            FATAL
        }
    })
}

/// What the program was called.
fn program(args: &[OsString]) -> Cow<'_, str> {
    args.first().map_or("keepalived-rs".into(), |a| a.to_string_lossy())
}

/// `lint`: says on stdout what the nodes of a cluster differ in.
fn compare(options: &LintOptions) -> u8 {
    let nodes: Vec<_> = (options.nodes())
        .map(|(id, file)| lint::Node {
            name: id.unwrap_or(file).to_owned(),
            loader: &SystemLoader,
            options: config::Options {
                main: file.to_owned(),
                config_id: id.map(str::to_owned),
                all_files: false,
            },
        })
        .collect();
    let found = lint::run(&nodes);
    let text = if options.json() { json::lint(&found) + "\n" } else { report::lint::text(&found) };
    say(std::io::stdout(), &text);
    found.status()
}

fn run(options: &Options, args: &[OsString]) -> u8 {
    for complaint in options.complaints() {
        say(std::io::stderr(), &format!("{complaint}\n"));
    }
    if !options.operands.is_empty() {
        say(std::io::stdout(), &format!("Unexpected argument(s): {} \n", options.operands.join(" ")));
    }
    startup::set_umask(options.umask());
    match &options.config_test {
        Some(_) => test(options),
        None => log_and_serve(options, args),
    }
}

/// `-t`: says what is wrong with the configuration, with the offending lines if a person looks on.
fn test(options: &Options) -> u8 {
    let log = options.test_log().map(|file| (file, startup::open_to_append(Path::new(file))));
    if let Some((file, Err(error))) = &log {
        // Stock's words: the number, then what it means.
        let number = error.source.raw_os_error().unwrap_or_default();
        let text = format!("Unable to open config-test log file {file} {number} - {}\n", error.source);
        say(std::io::stderr(), &text);
        return FATAL;
    }
    let loaded = load(options);
    let status = match loaded.test_status() {
        OK if options.fails_test() => TEST_FAILED,
        status => status,
    };
    let text = if options.json() {
        json::test(&loaded, status) + "\n"
    } else {
        findings(&loaded, log.is_none() && std::io::stderr().is_terminal())
    };
    match log {
        Some((_, Ok(file))) => say(file, &text),
        _ if options.json() => say(std::io::stdout(), &text),
        _ => say(std::io::stderr(), &text),
    }
    if options.dump_conf {
        let plan = plan::resolve(&loaded.config);
        let lines = report::dump::lines(&loaded.config, &plan, &node_name());
        say(std::io::stdout(), &lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    }
    status
}

/// What `-t` shows, `with_lines` of the configuration or as stock does.
fn findings(loaded: &Loaded, with_lines: bool) -> String {
    let texts = diagnostics::Texts::new(&loaded.sources);
    let colours = std::env::var_os("NO_COLOR").is_none();
    let render = |d| match with_lines {
        true => format!("{}\n\n", texts.snippet(d, colours)),
        false => format!("{}\n", diagnostics::one_line(d, &loaded.sources)),
    };
    loaded.diagnostics.iter().filter(|d| d.shown_by_test()).map(render).collect()
}

fn load(options: &Options) -> Loaded {
    let files = config::Options {
        main: options.use_file.clone(),
        config_id: options.config_id.clone(),
        all_files: options.all_config,
    };
    let mut loaded = config::load(&SystemLoader, &files);
    let mask = &mut loaded.config.globals.options.umask;
    // What the command line says counts.
    if options.umask.is_some() {
        *mask = u16::try_from(options.umask()).ok();
    }
    loaded
}

/// The daemon, between the first and the last line of its log.
fn log_and_serve(options: &Options, args: &[OsString]) -> u8 {
    let Ok(mut log) = log::init(options.log_detail, jiff::Timestamp::now, sinks(options)) else {
        return FATAL;
    };
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        error!("Panic at {place}: {}", panic.payload_as_str().unwrap_or("no message"));
    }));
    let banner = cli::banner();
    info!("Starting {banner}");
    info!("Running on Linux {}", startup::kernel());
    let quoted: Vec<_> = args.iter().map(|a| format!("'{}'", a.to_string_lossy())).collect();
    info!("Command line: {}", quoted.join(" "));
    let status = serve(options, &mut log);
    info!("Stopped {banner}");
    log.finish();
    status
}

/// Where the log goes. The console is for the foreground only: a daemon has none.
fn sinks(options: &Options) -> Vec<Box<dyn log::Sink>> {
    let mut sinks: Vec<Box<dyn log::Sink>> = Vec::new();
    if has_console(options) {
        sinks.push(Box::new(log::Console::stderr()));
    }
    if !options.no_syslog {
        let facility = syslog::Facility::new(options.facility()).unwrap_or(syslog::Facility::DAEMON);
        let syslog = syslog::Syslog::new(Path::new(syslog::DEFAULT_PATH), facility);
        let write = move |line: &log::Line| {
            let severity = match line.severity {
                0..=3 => syslog::Severity::Error,
                4 => syslog::Severity::Warning,
                5 | 6 => syslog::Severity::Info,
                _ => syslog::Severity::Debug,
            };
            syslog.write(severity, line.ident, &line.text);
        };
        sinks.push(Box::new(write));
    }
    sinks
}

fn has_console(options: &Options) -> bool {
    options.log_console && options.dont_fork
}

/// Everything that may refuse a start comes before the background, so that the caller sees the status.
fn serve(options: &Options, log: &mut log::Log) -> u8 {
    let original = startup::Original::read();
    for name in options.not_in_effect() {
        warn!("Option --{name} is not in effect yet");
    }
    let mut loaded = load(options);
    info!("Configuration file {}", options.use_file);
    let namespace = options.namespace.clone().or_else(|| loaded.config.top.net_namespace.clone());
    if let Some(name) = namespace.as_ref().filter(|_| loaded.refusal().is_none()) {
        if let Err(error) = namespace::enter(name) {
            return refuse(options, FATAL, &format!("Unable to set network namespace {name}: {error}"));
        }
        // Interfaces and addresses are others there.
        loaded = load(options);
    }
    log_findings(&loaded, |line| {
        refuse(options, FATAL, line);
    });
    if let Some(status) = loaded.refusal() {
        return status;
    }
    if let Some(mask) = loaded.config.globals.options.umask {
        startup::set_umask(mask.into());
    }
    let plan = plan_of(options, &loaded, BTreeSet::new());
    if options.dump_conf {
        for line in report::dump::lines(&loaded.config, &plan, &node_name()) {
            info!("{line}");
        }
    }
    let known = Known { mistakes: mistakes(&loaded), links: plan.link_names() };
    let top = loaded.config.top.clone();
    drop(loaded);

    let missing = startup::missing_capabilities();
    if !plan.instances.is_empty() && !missing.is_empty() {
        return refuse(options, NO_PERMISSION, &format!("VRRP needs root, or {}", missing.join(" and ")));
    }
    // Whoever finds our number in a pid file may send signals at once.
    startup::ignore_early_signals();
    let names = match PidNames::new(&top, namespace.is_some()) {
        Ok(names) => names,
        Err(error) => return refuse(options, FATAL, &error.to_string()),
    };
    let mut pid_files = match lock_pid_files(options, &names, !plan.instances.is_empty()) {
        Ok(pid_files) => pid_files,
        Err(status) => return status,
    };
    let background = if options.dont_fork { Ok(()) } else { daemonize() };
    let ready = background.and_then(|()| pid_files.iter_mut().try_for_each(pidfile::PidFile::write));
    if let Err(error) = ready {
        return refuse(options, FATAL, &error.to_string());
    }
    if let Err(error) = log.detach() {
        warn!(cause = %error, "The log has no thread of its own: who reads it slowly slows the daemon");
    }
    startup::raise_file_limit();
    let _pattern = core_dumps(options);
    let machine = linux::Options {
        ignore_sigint: options.ignore_sigint,
        original: Some(original),
        notes: pid_files.first().map(|file| file.path().with_extension("settings")),
    };
    let reread = reread(options.clone(), known, top);
    let status = linux::run(machine, |host| Box::pin(daemon::run(host, plan, reread))).unwrap_or_else(
        |error: host::Error| {
            error!("{error}");
            FATAL
        },
    );
    drop(pid_files);
    if names.own_folder {
        namespace::remove_folder(Path::new(namespace::RUN_DIR));
    }
    status
}

/// Allows core dumps if that is asked for. What it gives keeps the kernel's pattern for them as it is asked for.
fn core_dumps(options: &Options) -> Option<startup::CorePattern> {
    let pattern = options.core_dump_pattern.as_deref();
    if options.core_dump || pattern.is_some() {
        startup::allow_core_dumps().unwrap_or_else(|error| warn!("{error}"));
    }
    startup::CorePattern::set(pattern?).map_err(|error| warn!("{error}")).ok()
}

/// Pid files unless options name others.
struct PidNames {
    main: String,
    vrrp: String,
    /// They are in a folder of their own.
    own_folder: bool,
}

impl PidNames {
    fn new(top: &TopLevel, in_namespace: bool) -> Result<Self, host::Error> {
        if !(in_namespace || top.use_pid_dir || top.instance.is_some()) {
            return Ok(Self { main: PID_FILE.to_owned(), vrrp: VRRP_PID_FILE.to_owned(), own_folder: false });
        }
        namespace::make_folder(Path::new(namespace::RUN_DIR))?;
        let of = top.instance.as_ref().map(|name| format!("_{name}")).unwrap_or_default();
        let path = |name| format!("{}/{name}{of}.pid", namespace::RUN_DIR);
        Ok(Self { main: path("keepalived"), vrrp: path("vrrp"), own_folder: true })
    }
}

/// The plan; `ours`: the links that the plan which is in force has made.
fn plan_of(options: &Options, loaded: &Loaded, ours: BTreeSet<IfName>) -> Plan {
    if options.without_vrrp {
        return Plan::default();
    }
    let links = if plan::makes_links(&loaded.config) { SystemLoader.links() } else { Vec::new() };
    let mut plan = plan::resolve_among(&loaded.config, &Present { links, ours });
    plan.address_monitoring = options.address_monitoring;
    for instance in &mut plan.instances {
        Arc::make_mut(instance).params.stays = options.dont_release_vrrp;
    }
    plan
}

/// What is wrong with the configuration itself, whatever may be wrong with the machine.
fn mistakes(loaded: &Loaded) -> BTreeSet<String> {
    let wrong = |d: &&Diagnostic| matches!(d.class, Class::Config | Class::Fatal) || d.effect != Effect::Runs;
    loaded.diagnostics.iter().filter(wrong).map(|d| d.text.clone()).collect()
}

/// What is known of the configuration that is in force.
struct Known {
    mistakes: BTreeSet<String>,
    links: BTreeSet<IfName>,
}

/// Reads the configuration again, on a thread of its own. One that has mistakes which the running one does not have is
/// of no use as a whole: half of it could be worse than none.
fn reread(options: Options, known: Known, start: TopLevel) -> daemon::Reread {
    let known = Arc::new(Mutex::new(known));
    Box::new(move || {
        let (options, known, start) = (options.clone(), Arc::clone(&known), start.clone());
        let read = linux::aside("reload", move || {
            let loaded = load(&options);
            log_findings(&loaded, |_| {});
            if let Some(what) = fixed(&start, &loaded.config.top) {
                error!("Cannot change {what} at a reload - please restart keepalived");
                return None;
            }
            let mistakes = mistakes(&loaded);
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            let new = mistakes.difference(&known.mistakes).count();
            if new > 0 {
                error!("New config failed validation: {new} new errors - the configuration stays as it was");
                return None;
            }
            let plan = plan_of(&options, &loaded, std::mem::take(&mut known.links));
            *known = Known { mistakes, links: plan.link_names() };
            Some(plan)
        });
        Box::pin(async move { read.await.flatten() })
    })
}

/// What has changed that cannot be changed while the daemon runs.
fn fixed(start: &TopLevel, now: &TopLevel) -> Option<&'static str> {
    let fixed = [
        ("network namespace", start.net_namespace != now.net_namespace),
        ("instance name", start.instance != now.instance),
        ("use_pid_dir", start.use_pid_dir != now.use_pid_dir),
    ];
    fixed.into_iter().find_map(|(what, differs)| differs.then_some(what))
}

/// Logs what is wrong with the configuration; `refuses` is told of what refuses a start.
fn log_findings(loaded: &Loaded, refuses: impl Fn(&str)) {
    for diagnostic in &loaded.diagnostics {
        let line = diagnostics::one_line(diagnostic, &loaded.sources);
        match diagnostic.severity {
            _ if diagnostic.effect != Effect::Runs => refuses(&line),
            Severity::Note => info!("{line}"),
            Severity::Warning => warn!("{line}"),
            Severity::Error => error!("{line}"),
        }
    }
}

/// Locks the pid files of what will run, or gives the exit status.
fn lock_pid_files(options: &Options, names: &PidNames, vrrp: bool) -> Result<Vec<pidfile::PidFile>, u8> {
    let main = options.pid.as_deref().unwrap_or(&names.main);
    let vrrp = vrrp.then(|| options.vrrp_pid.as_deref().unwrap_or(&names.vrrp));
    let lock = |path: &str| {
        pidfile::PidFile::lock(Path::new(path)).map_err(|error| match error {
            pidfile::Error::Locked(path) => {
                info!("Another process has pid file {} locked", path.display());
                refuse(options, OK, "daemon is already running")
            }
            pidfile::Error::Failed(error) => match error.source.kind() {
                std::io::ErrorKind::PermissionDenied => refuse(options, NO_PERMISSION, &error.to_string()),
                _ => refuse(options, FATAL, &error.to_string()),
            },
        })
    };
    // One file may serve as both.
    std::iter::once(main).chain(vrrp.filter(|vrrp| *vrrp != main)).map(lock).collect()
}

/// Logs why there will be no daemon, and tells it whoever started it. Gives `status`.
fn refuse(options: &Options, status: u8, why: &str) -> u8 {
    error!("{why}");
    if !has_console(options) {
        say(std::io::stderr(), &format!("{why}\n"));
    }
    status
}

/// The machine's name.
fn node_name() -> String {
    host::Loader::node_name(&SystemLoader)
}

/// The machine, as the version text tells it.
fn system() -> cli::System {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    cli::System {
        kernel: startup::kernel(),
        distribution: name.unwrap_or_default().trim_matches('"').to_owned(),
    }
}

/// Prints. Nobody there to read is no reason to fail.
fn say(mut out: impl std::io::Write, text: &str) {
    let _ = out.write_all(text.as_bytes());
}
