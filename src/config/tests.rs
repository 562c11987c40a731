use super::*;
use crate::sim::loader::MemoryLoader;

pub(crate) fn load_from(loader: &MemoryLoader) -> Loaded {
    let options = Options { main: MemoryLoader::MAIN.into(), config_id: None, all_files: false };
    load(loader, &options)
}

#[test]
fn seeds_load() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/seeds");
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let loaded = load_from(&MemoryLoader::with_main(std::fs::read(&path).unwrap()));
        println!("== {} {}", path.display(), loaded.test_status());
        for d in &loaded.diagnostics {
            println!("{}", crate::report::diagnostics::one_line(d, &loaded.sources));
        }
        println!("{:?}", loaded.config);
    }
}
