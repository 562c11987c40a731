//! Loads any text as a configuration, on a machine in memory.
#![no_main]

use keepalived_rs::config::{self, Options};
use keepalived_rs::report::diagnostics;
use keepalived_rs::sim::loader::MemoryLoader;
use libfuzzer_sys::{Corpus, fuzz_target};

/// What `~SEQ` and definitions in definitions may ask for is bounded, but the bounds are a second's work, and other
/// tests prove them. Fuzzing is better spent on many small inputs.
fn grows(text: &[u8]) -> bool {
    let count = |pattern: &[u8]| text.windows(pattern.len()).filter(|w| *w == pattern).count();
    let long = text.windows(3).any(|w| w.iter().all(u8::is_ascii_hexdigit));
    let repeats = count(b"~SEQ") + count(b"~LST");
    repeats > 2 || (repeats > 0 && long) || count(b"$") > 24
}

fuzz_target!(|text: &[u8]| -> Corpus {
    if grows(text) {
        return Corpus::Reject;
    }
    let loader = MemoryLoader::with_main(text).file("/etc/keepalived/a", "global_defs {\n").program("/bin/check");
    let options = Options { main: MemoryLoader::MAIN.into(), config_id: None, all_files: false };
    let loaded = config::load(&loader, &options);
    // Rendering takes many times as long as loading.
    for diagnostic in loaded.diagnostics.iter().take(2) {
        assert!(!diagnostics::snippet(diagnostic, &loaded.sources, false).is_empty());
    }
    Corpus::Keep
});
