//! What is true of every text.

use proptest::prelude::*;

use super::*;

/// Loads anything and checks what must hold.
fn survives(text: &[u8]) {
    let loader =
        MemoryLoader::with_main(text).file("/etc/keepalived/a", "global_defs {\n").program("/bin/check");
    let loaded = load_from(&loader);
    for diagnostic in &loaded.diagnostics {
        let spans = diagnostic.span.iter().chain(diagnostic.trail.iter().map(|t| &t.0));
        for span in spans {
            let file = &loaded.sources.files[span.file.0 as usize];
            let line = file.text.split('\n').nth(span.line as usize - 1);
            let line = line.unwrap_or_else(|| panic!("no line {} in {:?}", span.line, file.text));
            let columns = span.columns.start as usize..span.columns.end as usize;
            assert!(line.get(columns.clone()).is_some(), "{columns:?} in {line:?}: {}", diagnostic.text);
        }
        assert!(!crate::report::diagnostics::snippet(diagnostic, &loaded.sources, false).is_empty());
    }
    // Each line, entry and word can be wrong in a few ways at most; repetition is bounded by the number of values.
    if !text.contains(&b'~') && !text.contains(&b'$') {
        assert!(loaded.diagnostics.len() <= 16 + 3 * text.len(), "{} diagnostics", loaded.diagnostics.len());
    }
}

/// Pieces that the language is made of.
fn piece() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "{",
        "}",
        "\n",
        "\"",
        "'",
        "#",
        "!",
        "\\",
        "\\#",
        " ",
        "\t",
        "\r\n",
        "\0",
        "$A=",
        "$A",
        "${A}",
        "${",
        "@node1 ",
        "@^x ",
        "~SEQ(A,1,3) ",
        "~LST(A,b,c) ",
        "~SEQ(",
        "include a\n",
        "includea *\n",
        "vrrp_instance A",
        "vrrp_script S",
        "global_defs",
        "interface eth0",
        "virtual_router_id 1",
        "virtual_ipaddress",
        "192.0.2.1/24",
        "fe80::1",
        "dev eth0",
        "brd +",
        "peer 192.0.2.2",
        "authentication",
        "auth_type PASS",
        "auth_pass 1234",
        "track_script",
        "S weight 5",
        "script \"/bin/check a\"",
        "script",
        "priority 255",
        "advert_int 0.5",
        "virtual_server 192.0.2.1 80",
        "real_server",
        "HTTP_GET",
        "state MASTER",
        "nopreempt",
        "version 3",
        "ü",
        "-1",
        "99999999999999999999",
        "0.0000000001",
    ];
    proptest::sample::select(WORDS).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        survives(&text);
    }

    #[test]
    fn any_pieces(pieces in proptest::collection::vec(piece(), 0..80), glue in "[ \n]?") {
        survives(pieces.join(&glue).as_bytes());
    }

    #[test]
    fn mutated_seeds(n in any::<prop::sample::Index>(), edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..8_usize, piece()), 1..6)) {
        let seeds = seeds();
        let mut text = n.get(&seeds).1.clone();
        for (at, length, new) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + length).min(text.len());
            text.splice(at..end, new.bytes());
        }
        survives(&text);
    }
}

#[test]
fn the_fuzzers_corpus() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/load");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        survives(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 20, "only {count} files in {folder}");
}
