//! Loads any text as a configuration, on a machine in memory.
#![no_main]

use keepalived_rs::config::{self, Options};
use keepalived_rs::report::diagnostics;
use keepalived_rs::sim::loader::MemoryLoader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let loader = MemoryLoader::with_main(text).file("/etc/keepalived/a", "global_defs {\n").program("/bin/check");
    let options = Options { main: MemoryLoader::MAIN.into(), config_id: None, all_files: false };
    let loaded = config::load(&loader, &options);
    // Rendering takes many times as long as loading.
    for diagnostic in loaded.diagnostics.iter().take(2) {
        assert!(!diagnostics::snippet(diagnostic, &loaded.sources, false).is_empty());
    }
});
