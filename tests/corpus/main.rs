//! What the fuzz targets found or started from must hold with every build. No nightly compiler is needed.

#[path = "../../fuzz/src/advert.rs"]
mod advert;
#[path = "../../fuzz/src/load.rs"]
mod load;

use std::fs;
use std::path::PathBuf;

/// Calls `check` with every file of a target's corpus.
fn replay(target: &str, check: impl Fn(&[u8])) {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files: Vec<_> = fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty(), "{} is empty", corpus.display());
    for file in files {
        println!("{}", file.display());
        check(&fs::read(file).unwrap());
    }
}

#[test]
fn configurations() {
    replay("load", load::check);
}

#[test]
fn adverts() {
    replay("advert", advert::check);
}
