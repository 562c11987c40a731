//! What must hold for any configuration whatever. The fuzz target and the test that replays the corpus both call it.

use keepalived_rs::config::{self, Options};
use keepalived_rs::report::diagnostics::Texts;
use keepalived_rs::sim::loader::MemoryLoader;

/// How many bytes may come of definitions and repetition. The bound that people get is a second's work, and other
/// tests prove it; this one is small, so that many inputs can be tried.
const GROWTH: usize = 1 << 15;

/// Loads `text` as the main file of a machine in memory, and looks at all that comes of it.
///
/// # Panics
/// If something does not hold.
pub(crate) fn check(text: &[u8]) {
    let loader = MemoryLoader::with_main(text)
        .file("/etc/keepalived/a", "global_defs {\n")
        .file("/etc/keepalived/b", "include c\n$B=\\\n b\\\n b\n")
        .file("/etc/keepalived/c", "include b\nvrrp_script c {\n script /bin/check\n}\n")
        .program("/bin/check");
    let options = Options { main: MemoryLoader::MAIN.into(), config_id: None, all_files: false };
    let loaded = config::load_within(&loader, &options, GROWTH);
    let texts = Texts::new(&loaded.sources);
    for (n, diagnostic) in loaded.diagnostics.iter().enumerate() {
        for span in diagnostic.span.iter().chain(diagnostic.trail.iter().map(|(span, _)| span)) {
            let columns = span.columns.start as usize..span.columns.end as usize;
            assert!(texts.line(span).get(columns).is_some() || span.columns.is_empty(), "{span:?}");
        }
        // Rendering takes many times as long as loading.
        assert!(n > 1 || !texts.snippet(diagnostic, false).is_empty());
    }
    // Each line, entry and word can be wrong in a few ways at most.
    if !text.contains(&b'~') && !text.contains(&b'$') && !text.windows(7).any(|w| w == b"include") {
        assert!(loaded.diagnostics.len() <= 16 + 3 * text.len(), "{} diagnostics", loaded.diagnostics.len());
    }
    assert!([0, 2, 4, 5, 6].contains(&loaded.test_status()));
}
