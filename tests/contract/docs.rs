//! What is written about the project is true.

use std::collections::BTreeSet;

use super::{project, text};

/// The rooms there are: folders of `src`, and files beside `lib.rs` and `main.rs`.
fn rooms() -> BTreeSet<String> {
    let entries = std::fs::read_dir(project("src")).expect("src can be read");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names.map(|name| name.trim_end_matches(".rs").to_owned()).filter(|n| n != "lib" && n != "main").collect()
}

/// What the first column of a table calls rooms: `` | `name` | `` or `` | [`name`] | ``, perhaps with a slash.
fn listed(text: &str) -> BTreeSet<String> {
    let cell = |line: &str| {
        let first = line.trim_start_matches("//!").trim().strip_prefix('|')?.split('|').next()?.trim();
        let name = first.trim_matches(['[', ']']).strip_prefix('`')?.strip_suffix('`')?;
        Some(name.trim_start_matches("src/").trim_end_matches(['/']).trim_end_matches(".rs").to_owned())
    };
    text.lines().filter_map(cell).collect()
}

/// The part of a Markdown text below the heading that begins with `heading`.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = text.find(&format!("\n## {heading}")).unwrap_or_else(|| panic!("no section {heading}"));
    let body = &text[start + 4..];
    body.find("\n## ").map_or(body, |end| &body[..end])
}

#[test]
fn the_guided_tour_lists_the_rooms_there_are() {
    assert_eq!(listed(&text("src/lib.rs")), rooms());
}

#[test]
fn the_architecture_lists_the_rooms_there_are() {
    let mut listed = listed(section(&text("docs/ARCHITECTURE.md"), "The rooms"));
    assert!(listed.remove("main"), "main.rs is missing");
    assert_eq!(listed, rooms());
}

#[test]
fn documents_point_to_files_that_exist() {
    for document in ["README.md", "CHANGELOG.md", "docs/ARCHITECTURE.md", "docs/COMPATIBILITY.md"] {
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        let text = text(document);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let local = !target.is_empty() && !target.contains("://");
            assert!(!local || project(folder).join(target).exists(), "{document}: {target} does not exist");
        }
    }
}

#[test]
fn commands_of_the_readme_exist() {
    let readme = text("README.md");
    for command in ["./examples/failover/run", "./tests/run"] {
        assert!(readme.contains(command), "the README does not say {command}");
        let file = std::fs::metadata(project(command)).unwrap_or_else(|e| panic!("{command}: {e}"));
        assert!(std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o111 != 0, "{command}");
    }
}

#[test]
fn options_not_in_effect_are_listed() {
    let listed = text("docs/COMPATIBILITY.md");
    let all = ["-x", "-d", "-R", "-I", "-V", "-a", "-m", "-M", "-A", "x"];
    let args = std::iter::once("keepalived").chain(all).map(Into::into);
    let request = keepalived_rs::cli::parse(args).expect("a good command line");
    let keepalived_rs::cli::Request::Run(options) = request else { panic!("{request:?}") };
    for name in options.not_in_effect() {
        assert!(
            listed.contains(&format!("`--{name}`")),
            "COMPATIBILITY.md does not say that --{name} does nothing"
        );
    }
}
