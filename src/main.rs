//! The `keepalived-rs` daemon: from arguments to an exit status. The only file that names `linux`.

#[path = "main/genhash.rs"]
mod genhash;
#[path = "main/pid.rs"]
mod pid;
#[path = "main/reload.rs"]
mod reload;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use keepalived_rs::base::IfName;
use keepalived_rs::cli::{self, LintOptions, Options, Request};
use keepalived_rs::config::diagnostic::{Effect, Severity};
use keepalived_rs::config::{self, Loaded, lint};
use keepalived_rs::host::Loader as _;
use keepalived_rs::linux::journal::{self, Journal};
use keepalived_rs::linux::{self, daemonize::daemonize, loader::SystemLoader, log_file::LogFile};
use keepalived_rs::linux::{namespace, startup, syslog};
use keepalived_rs::plan::{self, Plan, Present};
use keepalived_rs::report::{self, diagnostics, json, log};
use keepalived_rs::{daemon, host};
use tracing::{debug, error, info, warn};

use self::pid::{PidFiles, PidNames};
use self::reload::Reload;

/// Exit status: a normal stop; also: the daemon runs already.
const OK: u8 = 0;
/// Exit status: something failed.
const FATAL: u8 = 1;
/// Exit status: the system does not permit it.
const NO_PERMISSION: u8 = 4;
/// Exit status of `-t`: the configuration has errors.
const TEST_FAILED: u8 = 5;

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
        Ok(Request::Genhash(options)) => genhash::genhash(&options),
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
        let text = format!("Unable to open config-test log file {file} {number} - {}\n", error.reason());
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
    let sinks = match sinks(options) {
        Ok(sinks) => sinks,
        Err(error) => {
            say(std::io::stderr(), &format!("{error}\n"));
            return FATAL;
        }
    };
    let Ok(mut log) = log::init(options.log_detail, jiff::Timestamp::now, sinks) else {
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
    debug!("{}", startup::cpu_usage());
    info!("Stopped {banner}");
    log.finish();
    status
}

/// Where the log goes. The console is for the foreground only: a daemon has none.
fn sinks(options: &Options) -> Result<Vec<Box<dyn log::Sink>>, host::Error> {
    let mut sinks: Vec<Box<dyn log::Sink>> = Vec::new();
    if has_console(options) {
        sinks.push(Box::new(log::Console::stderr()));
    }
    if let Some([main, vrrp]) = options.log_files() {
        let mut main = log::Console::new(LogFile::open(&main)?);
        let mut vrrp = log::Console::new(LogFile::open(&vrrp)?);
        sinks.push(Box::new(move |line: &log::Line| match line.ident {
            log::VRRP => log::Sink::write(&mut vrrp, line),
            _ => log::Sink::write(&mut main, line),
        }));
    }
    if !options.no_syslog {
        let facility = syslog::Facility::new(options.facility()).unwrap_or(syslog::Facility::DAEMON);
        sinks.push(match Journal::open(Path::new(journal::DEFAULT_PATH), facility) {
            Some(journal) => Box::new(ToJournal { journal, suffix: String::new() }),
            None => Box::new(ToSyslog {
                syslog: syslog::Syslog::new(Path::new(syslog::DEFAULT_PATH), facility),
                suffix: String::new(),
            }),
        });
    }
    Ok(sinks)
}

struct ToSyslog {
    syslog: syslog::Syslog,
    /// Follows the ident.
    suffix: String,
}

impl log::Sink for ToSyslog {
    fn write(&mut self, line: &log::Line) {
        let severity = match line.severity {
            0..=3 => syslog::Severity::Error,
            4 => syslog::Severity::Warning,
            5 | 6 => syslog::Severity::Info,
            _ => syslog::Severity::Debug,
        };
        self.syslog.write(severity, &format!("{}{}", line.ident, self.suffix), &line.text);
    }

    fn rename(&mut self, suffix: &str) {
        suffix.clone_into(&mut self.suffix);
    }
}

/// The journal takes what a line says apart from its text, too: `VRRP_INSTANCE`, `VRRP_STATE`, …
struct ToJournal {
    journal: Journal,
    /// Follows the ident.
    suffix: String,
}

impl log::Sink for ToJournal {
    fn write(&mut self, line: &log::Line) {
        let names = ["VRRP_INSTANCE", "VRRP_INTERFACE", "VRRP_STATE", "VRRP_PRIORITY", "VRRP_CAUSE"];
        let fields = line.fields.iter().filter_map(|(field, value)| {
            let place = log::FIELDS.iter().position(|name| name == field)?;
            Some((*names.get(place)?, value.as_str()))
        });
        let ident = format!("{}{}", line.ident, self.suffix);
        self.journal.write(line.severity, &ident, &line.text, fields);
    }

    fn rename(&mut self, suffix: &str) {
        suffix.clone_into(&mut self.suffix);
    }

    fn wants_fields(&self) -> bool {
        true
    }
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
    log_files(options, &loaded);
    let namespace = options.namespace.clone().or_else(|| loaded.config.top.net_namespace.clone());
    rename_log(log, namespace.as_deref(), loaded.config.top.instance.as_deref());
    // Goes when all run files have gone.
    let mut _folder = None;
    if let Some(name) = namespace.as_ref().filter(|_| loaded.refusal().is_none()) {
        _folder = match namespace::enter(name) {
            Ok(folder) => Some(folder),
            Err(error) => {
                return refuse(options, FATAL, &format!("Unable to set network namespace {name}: {error}"));
            }
        };
        // Interfaces and addresses are others there.
        loaded = load(options);
    }
    log_findings(&loaded, |line| {
        refuse(options, FATAL, line);
    });
    if let Some(status) = loaded.refusal() {
        return match loaded.lacks_interface {
            // What it refuses is called a warning.
            true => refuse(options, status, "Non-existent interface specified in configuration"),
            false => status,
        };
    }
    if let Some(mask) = loaded.config.globals.options.umask {
        startup::set_umask(mask.into());
    }
    let names = PidNames::new(&loaded.config.top, namespace.is_some());
    let plan = plan_of(options, &names, &loaded, BTreeSet::new());
    if options.dump_conf {
        for line in report::dump::lines(&loaded.config, &plan, &node_name()) {
            info!("{line}");
        }
    }
    let missing = startup::missing_capabilities();
    if !plan.instances.is_empty() && !missing.is_empty() {
        return refuse(options, NO_PERMISSION, &needs(&missing));
    }
    // Whoever finds our number in a pid file may send signals at once.
    startup::ignore_signals();
    let pid_files = match PidFiles::lock(options, &names, !plan.instances.is_empty()) {
        Ok(pid_files) => pid_files,
        Err(error) => return refuse(options, error.status(), &error.to_string()),
    };
    let background = if options.dont_fork { Ok(()) } else { daemonize() };
    if let Err(error) = background.and_then(|()| pid_files.write()) {
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
        notes: Some(pid_files.notes()),
    };
    let reread = Reload::new(options, &names, loaded, pid_files.clone(), plan.link_names()).reread();
    let status = linux::run(machine, |host| Box::pin(daemon::run(host, plan, reread))).unwrap_or_else(
        |error: host::Error| {
            error!("{error}");
            FATAL
        },
    );
    pid_files.remove();
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

/// The plan; `ours`: the links that the plan which is in force has made.
fn plan_of(options: &Options, names: &PidNames, loaded: &Loaded, ours: BTreeSet<IfName>) -> Plan {
    let reload = plan::ReloadPlan::of(&loaded.config, &names.reload);
    if options.without_vrrp {
        let stages = plan::StagePlans::of(&loaded.config);
        return Plan { reload, stages, ..Plan::default() };
    }
    let links = if plan::makes_links(&loaded.config) { SystemLoader.links() } else { Vec::new() };
    let mut plan = Plan { reload, ..plan::resolve_among(&loaded.config, &Present { links, ours }) };
    plan.address_monitoring = options.address_monitoring;
    for instance in &mut plan.instances {
        Arc::make_mut(instance).params_mut().stays = options.dont_release_vrrp;
    }
    plan.set_hand_over(&names.hand_over(options), options.hand_over);
    plan
}

/// What VRRP lacks.
fn needs(capabilities: &[&str]) -> String {
    format!("VRRP needs root, or {}", capabilities.join(" and "))
}

/// Daemons in a namespace, and with a name, have syslog idents of their own.
fn rename_log(log: &mut log::Log, namespace: Option<&str>, instance: Option<&str>) {
    let suffix: String = [namespace, instance].into_iter().flatten().map(|name| format!("_{name}")).collect();
    if !suffix.is_empty() {
        info!("Changing syslog ident to Keepalived{suffix}");
        log.rename(&suffix);
    }
}

/// Logs which files were read.
fn log_files(options: &Options, loaded: &Loaded) {
    for file in &loaded.sources.files {
        debug!("Opening file '{}'.", file.name);
    }
    info!("Configuration file {}", options.use_file);
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
