//! When the configuration is read again, and what is seen of that.

use crate::config::model::Config;

/// When the configuration is read again without being asked for, and what is seen of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReloadPlan {
    /// A file that names the time of the next one.
    pub time: Option<ReloadTime>,
    /// A file that is there while the configuration is read.
    pub mark: Option<String>,
    /// A configuration in which `-t` would find errors is refused, even if it is what runs already.
    pub check: bool,
}

/// `reload_time_file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadTime {
    /// The file.
    pub path: String,
    /// A time without a date counts each day.
    pub repeat: bool,
}

impl ReloadPlan {
    /// What is written. `mark`: where the file is of a `reload_file` that does not say.
    pub fn of(config: &Config, mark: &str) -> Self {
        let written = &config.globals.options.reload;
        let path = |path: &String| if path.is_empty() { mark.to_owned() } else { path.clone() };
        Self {
            time: written.time_file.clone().map(|path| ReloadTime { path, repeat: written.repeat }),
            mark: written.file.as_ref().map(path),
            check: written.check.is_some(),
        }
    }
}
