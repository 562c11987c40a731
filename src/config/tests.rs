mod lvs;
mod lvs_checkers;
mod machine;
mod mistakes;
mod models;
mod one_finding;
mod properties;
mod vrrp;

use super::diagnostic::Severity;
use super::*;
use crate::report::diagnostics::one_line;
use crate::sim::loader::MemoryLoader;

/// Loads the main file of a machine. What is for the log alone is left out.
fn load_from(loader: &MemoryLoader) -> Loaded {
    let mut loaded = load_with_notes(loader);
    loaded.diagnostics.retain(|d| d.severity != Severity::Note);
    loaded
}

/// Loads the main file of a machine.
fn load_with_notes(loader: &MemoryLoader) -> Loaded {
    let options = Options { main: MemoryLoader::MAIN.into(), config_id: None, all_files: false };
    load(loader, &options)
}

/// A machine with a few programs and users, and this configuration.
fn machine(text: &str) -> MemoryLoader {
    let mut loader = MemoryLoader::with_main(text).program("/bin/check").program("/bin/notify.sh");
    loader.users.insert("nobody".into(), (65_534, 65_534));
    loader.groups.insert("nogroup".into(), 65_534);
    loader.interfaces = Some(["eth0", "eth1"].map(str::to_owned).into());
    loader
}

fn load_text(text: &str) -> Loaded {
    load_from(&machine(text))
}

/// An instance that has what it must have, and this.
fn instance(text: &str) -> String {
    format!(
        "global_defs {{\n enable_script_security\n script_user root\n}}\nvrrp_script S {{\n script /bin/check\n}}\n\
         vrrp_instance A {{\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {{ 192.0.2.1 }}\n{text}\n}}\n"
    )
}

/// The diagnostics as stock would print them, without the name of the file.
fn lines(loaded: &Loaded) -> Vec<String> {
    let all = loaded.diagnostics.iter().map(|d| one_line(d, &loaded.sources));
    all.map(|l| l.replace(MemoryLoader::MAIN, "x")).collect()
}

/// The seed configurations, by name.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/seeds");
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut seeds: Vec<_> = entries
        .map(|p| (p.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&p).unwrap()))
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 20);
    seeds
}
