//! `vrrp_script`, and commands wherever they stand.

use std::sync::Arc;

use super::super::diagnostic::{Class, Severity};
use super::super::grammar;
use super::super::lines::Line;
use super::super::model::{Run, Script, Sought, User, VrrpScript};
use super::super::tree::Stmt;
use super::{Build, user};
use crate::host::loader::ProgramError;

/// A `vrrp_script` being read.
#[derive(Debug)]
pub(crate) struct Draft {
    script: VrrpScript,
    command: Option<(String, Line)>,
    user: Option<Result<User, ()>>,
}

pub(crate) fn block(b: &mut Build<'_>, stmt: &Stmt) {
    let name = stmt.word(1).unwrap_or_default().to_owned();
    let script = VrrpScript {
        name: name.clone(),
        script: Script::Open("".into()),
        interval: None,
        timeout: None,
        weight: None,
        reverse: false,
        rise: None,
        fall: None,
        init_fail: false,
    };
    b.script = Some(Draft { script, command: None, user: None });
    b.run("vrrp_script", &stmt.body);
    let Some(draft) = b.script.take() else { return };
    // References find the first block of a name; stock does not mind further ones.
    let first = !b.scripts.contains_key(&name);
    let usable = finish(b, stmt, draft);
    if first {
        b.scripts.insert(name, usable.is_some());
        b.config.scripts.extend(usable);
    } else {
        b.report.warning(
            &stmt.place(1),
            format!("vrrp_script '{name}' is there already; this one is never used"),
        );
    }
}

/// Makes a script of a draft, if it can be used.
fn finish(b: &mut Build<'_>, stmt: &Stmt, draft: Draft) -> Option<VrrpScript> {
    let name = &draft.script.name;
    let Some((command, line)) = draft.command else {
        b.report.lacks(&stmt.place(1), "script", format!("vrrp_script '{name}' has no script - removing"));
        return None;
    };
    let user = match draft.user {
        Some(Ok(user)) => user,
        Some(Err(())) => return None,
        None => match user::default(b) {
            Some(user) => user,
            None => {
                let text = format!("Unable to set default user for vrrp script {name} - removing");
                b.report
                    .error(&stmt.place(1), text)
                    .hint("add script_user to global_defs, or user to the script");
                return None;
            }
        },
    };
    let what = format!("track script {name}");
    let before = b.report.list.len();
    let script = usable(b, &command, user.clone(), &line, &what, Some(Class::Config));
    // Without instances stock does not look for scripts; whether there are some is not known yet.
    b.of_instances.extend(before..b.report.list.len());
    let script = script.or_else(|| failing(b, &draft.script, &command, user, &line))?;
    Some(VrrpScript { script, ..draft.script })
}

/// A track script whose failure is a fault, and whose program is missing or cannot be executed: it stays, and fails
/// until it can. Stock forgets it, and with it that the service is not checked. With a weight it is forgotten here too,
/// so that priorities agree with those of routers that run stock.
fn failing(b: &mut Build<'_>, script: &VrrpScript, command: &str, user: User, line: &Line) -> Option<Script> {
    let argv = grammar::command_argv(command).ok()?;
    let name = argv.first()?;
    let weighted = script.weight.is_some_and(|weight| weight != 0);
    let why = b.loader.program(name, user.uid, user.gid).err().filter(|_| !weighted)?;
    let text = format!(
        "{}; track script {} counts as failed until it can be executed",
        why.words(name, user.uid, user.gid),
        script.name
    );
    // One finding for one mistake: this is what becomes of it.
    match b.report.list.last_mut() {
        Some(why) => why.text = text,
        None => {
            b.report.warning(line, text);
        }
    }
    let globals = &b.config.globals;
    // The daemon will have another directory.
    let name = match name.contains('/') {
        true => b.loader.current_dir().join(name).to_string_lossy().into_owned(),
        false => name.clone(),
    };
    Some(Script::Sought(Arc::new(Sought {
        name,
        argv,
        user,
        safe_only: globals.script_security,
        keeps_links: globals.options.use_symlink_paths == Some(true),
    })))
}

fn draft(b: &mut Build<'_>, set: impl FnOnce(&mut Draft)) {
    if let Some(draft) = &mut b.script {
        set(draft);
    }
}

pub(crate) fn script(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(words) = command_words(b, stmt) {
        let command = words.into_iter().nth(1).unwrap_or_default();
        let line = stmt.place(1);
        draft(b, |d| d.command = Some((command, line)));
    }
}

pub(crate) fn interval(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(time) = b.seconds(stmt) {
        draft(b, |d| d.script.interval = Some(time));
    }
}

pub(crate) fn timeout(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(time) = b.seconds(stmt) {
        draft(b, |d| d.script.timeout = Some(time));
    }
}

pub(crate) fn weight(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(weight) = b.integer(stmt).and_then(|n| i16::try_from(n).ok()) {
        draft(b, |d| d.script.weight = Some(weight));
    }
    match stmt.word(2) {
        None => draft(b, |d| d.script.reverse = false),
        Some("reverse") => draft(b, |d| d.script.reverse = true),
        Some(word) => {
            b.report.error(&stmt.place(2), format!("Unknown word '{word}' after the weight"));
        }
    }
}

pub(crate) fn rise(b: &mut Build<'_>, stmt: &Stmt) {
    let n = b.integer(stmt).and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
    draft(b, |d| d.script.rise = Some(n));
}

pub(crate) fn fall(b: &mut Build<'_>, stmt: &Stmt) {
    let n = b.integer(stmt).and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
    draft(b, |d| d.script.fall = Some(n));
}

pub(crate) fn user(b: &mut Build<'_>, stmt: &Stmt) {
    let found = user::named(b, stmt, 1).map_err(|why| {
        // The group is wrong where the user is right.
        let wrong = if b.loader.user(stmt.word(1).unwrap_or_default()).is_some() { 2 } else { 1 };
        b.report.error(&stmt.place(wrong), format!("{why} - removing the script"));
    });
    draft(b, |d| d.user = Some(found));
}

pub(crate) fn init_fail(b: &mut Build<'_>, _stmt: &Stmt) {
    draft(b, |d| d.script.init_fail = true);
}

/// The words of a line with a command, in the command's own way.
pub(crate) fn command_words(b: &mut Build<'_>, stmt: &Stmt) -> Option<Vec<String>> {
    told(b, stmt, grammar::command_words(stmt.line.text()))
}

/// The words of a statement whose escapes are left alone; `None`: a quote is not closed, which is reported.
pub(crate) fn protected_words(b: &mut Build<'_>, stmt: &Stmt) -> Option<Vec<String>> {
    told(b, stmt, grammar::protected_words(stmt.line.text()))
}

fn told(
    b: &mut Build<'_>,
    stmt: &Stmt,
    words: Result<Vec<String>, grammar::OpenQuote>,
) -> Option<Vec<String>> {
    if words.is_err() && stmt.line.text().matches('"').count().is_multiple_of(2) {
        // An odd number of double quotes has been reported already.
        b.report.error(&stmt.line, "Unterminated quote in command - not set");
    }
    words.ok()
}

/// A command that has been read but not looked for.
#[derive(Debug)]
pub(crate) struct Command {
    /// Program and arguments, in one.
    pub(crate) text: String,
    /// Who runs it.
    pub(crate) user: User,
    /// Where it is written.
    pub(crate) line: Line,
    /// The keyword it belongs to.
    pub(crate) keyword: &'static str,
}

/// The command of a `notify` keyword, with the user it may name. What is wrong with it does not count for `-t`.
///
/// The outer `None`: to stock it is as if it had not been written; the inner one: it is dropped later.
pub(crate) fn notify(b: &mut Build<'_>, stmt: &Stmt) -> Option<Option<Script>> {
    let command = command(b, stmt)?;
    Some(find(b, &command))
}

/// The command of `startup_script` or `shutdown_script`, which counts whether or not there are instances.
pub(crate) fn stage(b: &mut Build<'_>, stmt: &Stmt) -> Option<Option<Script>> {
    let command = read(b, stmt, Class::Config)?;
    let others = std::mem::take(&mut b.security.insecure);
    let (found, seen) = find_apart(b, &command);
    b.security.stages |= seen;
    b.security.insecure_stages |= std::mem::replace(&mut b.security.insecure, others);
    Some(found)
}

/// The command of a `notify` keyword, with the user it may name, not looked for yet.
pub(crate) fn command(b: &mut Build<'_>, stmt: &Stmt) -> Option<Command> {
    read(b, stmt, Class::Log)
}

/// A command with the user it may name. `nobody`: how much it counts that there is no such user.
fn read(b: &mut Build<'_>, stmt: &Stmt, nobody: Class) -> Option<Command> {
    let words = command_words(b, stmt)?;
    let mut words = words.into_iter().skip(1);
    let text = words.next()?;
    let keyword = stmt.row.name;
    let user = match words.next() {
        Some(user) => match user::resolve(b, &user, words.next().as_deref()) {
            Ok(user) => user,
            Err(why) => {
                let hint = "a command with arguments must be quoted as a whole";
                let severity = if nobody == Class::Log { Severity::Warning } else { Severity::Error };
                let text = format!("Disabling {keyword} script: {why}");
                b.report.at(&stmt.line, severity, nobody, text).hint(hint);
                return None;
            }
        },
        None => default_user(b, keyword, &stmt.line)?,
    };
    Some(Command { text, user, line: stmt.place(1), keyword })
}

/// Who runs a command that does not say; tells when there is nobody.
pub(crate) fn default_user(b: &mut Build<'_>, keyword: &str, line: &Line) -> Option<User> {
    let user = user::default(b);
    if user.is_none() {
        let text = format!("Unable to set default user for {keyword} script - removing");
        b.report.error(line, text).hint("add script_user to global_defs");
    }
    user
}

/// Looks for a command of VRRP.
fn find(b: &mut Build<'_>, command: &Command) -> Option<Script> {
    let what = format!("{} script", command.keyword);
    usable(b, &command.text, command.user.clone(), &command.line, &what, None)
}

/// Looks for a command that is not one of VRRP: it counts without instances too.
pub(crate) fn find_other(b: &mut Build<'_>, command: &Command) -> Option<Script> {
    let (found, seen) = find_apart(b, command);
    b.security.others |= seen;
    found
}

/// Looks for the command that reads a FIFO of virtual servers.
pub(crate) fn find_reader(b: &mut Build<'_>, command: &Command) -> Option<Script> {
    let (found, seen) = find_apart(b, command);
    b.security.servers |= seen;
    found
}

/// Looks for a command, and tells whether it counts as one that would be run.
fn find_apart(b: &mut Build<'_>, command: &Command) -> (Option<Script>, bool) {
    let before = std::mem::take(&mut b.security.scripts);
    let found = find(b, command);
    (found, std::mem::replace(&mut b.security.scripts, before))
}

/// Finds the program of a command. `missing`: the class of not finding it; `None` if that is only logged.
fn usable(
    b: &mut Build<'_>,
    command: &str,
    user: User,
    line: &Line,
    what: &str,
    missing: Option<Class>,
) -> Option<Script> {
    if let Some(path) = command.strip_prefix('<') {
        return Some(Script::Open(path.trim_start().into()));
    }
    let Ok(argv) = grammar::command_argv(command) else {
        b.report.error(line, format!("Unterminated quote in {what} - disabling"));
        return None;
    };
    let name = argv.first().cloned().unwrap_or_default();
    let severity = if missing.is_some() { Severity::Error } else { Severity::Warning };
    let counts = missing.unwrap_or(Class::Log);
    let program = match b.loader.program(&name, user.uid, user.gid) {
        Ok(program) => program,
        Err(why @ (ProgramError::NotFound(_) | ProgramError::NotInPath)) => {
            let text = format!("Disabling {what} '{name}' since not found/accessible");
            let text = match why {
                ProgramError::NotFound(why) => format!("{text} ({why})"),
                _ => text,
            };
            let hint = shell_hint(&name);
            let added = b.report.at(line, severity, counts, text);
            if let Some(hint) = hint {
                added.hint(hint);
            }
            return None;
        }
        Err(ProgramError::NotFile) => {
            b.security.scripts = true;
            let text = format!("Disabling {what} '{name}': it is a directory or a device");
            // To stock its permissions are those of an insecure script.
            let (severity, counts) = match b.config.globals.script_security {
                true => (severity, counts),
                false => (Severity::Warning, Class::Log),
            };
            b.report.at(line, severity, counts, text).hint("name the program itself: this is no file");
            return None;
        }
        Err(ProgramError::NotExecutable) => {
            // Stock counts it as a script that would be run.
            b.security.scripts = true;
            let text = format!(
                "WARNING - {} - disabling.",
                ProgramError::NotExecutable.words(&name, user.uid, user.gid)
            );
            b.report.warning(line, text).hint("chmod +x it, or name the interpreter");
            return None;
        }
    };
    if let Some(component) = program.unsafe_for(user.uid, user.gid) {
        // Behind stock's words: which part of the path it is about.
        let component = component.display();
        let why = format!("(it runs as root, but others than root can change '{component}')");
        let hint =
            format!("chown root:root '{component}' && chmod go-w '{component}', or another script_user");
        if b.config.globals.script_security {
            let text = format!("Unsafe permissions found for script '{name}' - disabling. {why}");
            b.report.at(line, severity, counts, text).hint(hint);
            return None;
        }
        b.security.insecure = true;
        b.report.warning(line, format!("Unsafe permissions found for script '{name}'. {why}")).hint(hint);
    }
    b.security.scripts = true;
    let keeps_links = b.config.globals.options.use_symlink_paths == Some(true);
    let program = program.file(keeps_links).to_string_lossy().into_owned();
    if !name.contains('/') {
        let text = format!(
            "WARNING - script `{name}` resolved by path search to `{program}`. Please specify full path."
        );
        b.report.note(line, text);
    }
    Some(Script::Run(Arc::new(Run { program, argv, user })))
}

/// Advice for those who expect a shell.
fn shell_hint(program: &str) -> Option<String> {
    const BUILTINS: [&str; 22] = [
        "[[", "if", "for", "while", "case", "until", "!", "{", "(", ".", "source", "exit", "return", "set",
        "export", "eval", "exec", "cd", "test", "[", "trap", ":",
    ];
    let shell = BUILTINS.contains(&program) || program.contains(['|', ';', '&', '=', '(', '$']);
    shell.then(|| {
        format!(
            "'{program}' is for a shell, but no shell runs it: put it into a script, or use /bin/sh -c '...'"
        )
    })
}
