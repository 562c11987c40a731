//! Which processes a `vrrp_track_process` means, and how many of them there are.

use std::collections::BTreeSet;

use crate::config::model::ArgumentMatch;
use crate::host::{Pid, ProcessFacts};

/// The longest name the kernel keeps of a process, in bytes.
const NAME: usize = 15;

/// What a process has to look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// This name, as `/proc/PID/stat` has it.
    Name(Vec<u8>),
    /// This command line: each argument with a NUL behind it.
    Command {
        /// The beginning, or all of it.
        line: Vec<u8>,
        /// Nothing may follow.
        whole: bool,
    },
}

impl Pattern {
    /// What `vrrp_track_process` says. The command line counts if it is asked for, or if arguments are.
    pub fn new(
        program: &str,
        arguments: &[String],
        matching: Option<ArgumentMatch>,
        full_command: bool,
    ) -> Self {
        if !full_command && arguments.is_empty() && matching.is_none() {
            let name = program.rsplit('/').next().unwrap_or(program).as_bytes();
            return Self::Name(name.get(..NAME).unwrap_or(name).to_vec());
        }
        let words = std::iter::once(program).chain(arguments.iter().map(String::as_str));
        let mut line: Vec<u8> = words.flat_map(|word| word.bytes().chain([0])).collect();
        if matching == Some(ArgumentMatch::Initial) {
            line.pop();
        }
        let any = matches!(matching, Some(ArgumentMatch::Initial | ArgumentMatch::Partial))
            || (matching.is_none() && arguments.is_empty());
        Self::Command { line, whole: !any }
    }

    /// Whether the command line has to be known.
    pub fn needs_command(&self) -> bool {
        matches!(self, Self::Command { .. })
    }

    /// Whether this process is meant.
    pub fn matches(&self, process: &ProcessFacts) -> bool {
        match self {
            Self::Name(name) => process.name == *name,
            Self::Command { line, whole: true } => process.command == *line,
            Self::Command { line, whole: false } => process.command.starts_with(line),
        }
    }
}

/// The processes that are there of one kind.
#[derive(Clone, Debug)]
pub struct Census {
    pattern: Pattern,
    there: BTreeSet<Pid>,
}

impl Census {
    /// None yet.
    pub fn new(pattern: Pattern) -> Self {
        Self { pattern, there: BTreeSet::new() }
    }

    /// Whether command lines have to be known.
    pub fn needs_command(&self) -> bool {
        self.pattern.needs_command()
    }

    /// Begins again with what there is.
    pub fn begin(&mut self, processes: &[(Pid, ProcessFacts)]) {
        let meant = processes.iter().filter(|(_, facts)| self.pattern.matches(facts));
        self.there = meant.map(|(pid, _)| *pid).collect();
    }

    /// A child is what its parent is, until it says otherwise.
    pub fn forked(&mut self, parent: Pid, child: Pid) {
        if self.there.contains(&parent) {
            self.there.insert(child);
        }
    }

    /// A process has another name or program now; `None`: it is gone already.
    pub fn changed(&mut self, pid: Pid, process: Option<&ProcessFacts>) {
        if process.is_some_and(|facts| self.pattern.matches(facts)) {
            self.there.insert(pid);
        } else {
            self.there.remove(&pid);
        }
    }

    /// A process has ended.
    pub fn ended(&mut self, pid: Pid) {
        self.there.remove(&pid);
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.there.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(name: &str, command: &str) -> ProcessFacts {
        let command = command.split(' ').flat_map(|word| word.bytes().chain([0])).collect();
        ProcessFacts { name: name.into(), command }
    }

    fn pattern(words: &str, matching: Option<ArgumentMatch>, full: bool) -> Pattern {
        let mut words = words.split(' ').map(str::to_owned);
        let program = words.next().unwrap();
        Pattern::new(&program, &words.collect::<Vec<_>>(), matching, full)
    }

    #[test]
    fn names_are_cut_as_the_kernel_cuts_them() {
        let long = pattern("/usr/sbin/a-very-long-program", None, false);
        assert!(long.matches(&facts("a-very-long-pro", "x")));
        assert!(!long.matches(&facts("a-very-long-prog", "x")));
        assert!(!pattern("ssh", None, false).matches(&facts("sshd", "/usr/sbin/sshd")));
    }

    #[test]
    fn command_lines() {
        use ArgumentMatch::{Exact, Initial, Partial};
        let process = facts("httpd", "/bin/httpd -k start");
        for (words, matching, full, expected) in [
            ("/bin/httpd", None, true, true),
            ("httpd", None, true, false),
            ("/bin/httpd -k start", None, false, true),
            ("/bin/httpd -k", None, false, false),
            ("/bin/httpd -k", Some(Partial), false, true),
            ("/bin/httpd -k st", Some(Partial), false, false),
            ("/bin/httpd -k st", Some(Initial), false, true),
            ("/bin/httpd start", Some(Initial), false, false),
            ("/bin/httpd", Some(Exact), false, false),
            ("/bin/httpd -k start", Some(Exact), false, true),
        ] {
            assert_eq!(pattern(words, matching, full).matches(&process), expected, "{words} {matching:?}");
        }
        assert!(pattern("/bin/httpd", Some(Exact), false).matches(&facts("httpd", "/bin/httpd")));
    }

    #[test]
    fn processes_are_counted() {
        let mut census = Census::new(pattern("httpd", None, false));
        let (httpd, shell) = (facts("httpd", "httpd"), facts("sh", "sh"));
        census.begin(&[(Pid(1), shell.clone()), (Pid(2), httpd.clone())]);
        assert_eq!(census.count(), 1);
        census.forked(Pid(2), Pid(3));
        census.forked(Pid(1), Pid(4));
        assert_eq!(census.count(), 2, "a child is what its parent is");
        census.changed(Pid(4), Some(&httpd));
        census.changed(Pid(3), Some(&shell));
        census.changed(Pid(5), None);
        census.ended(Pid(2));
        census.ended(Pid(9));
        assert_eq!(census.count(), 1);
    }
}
