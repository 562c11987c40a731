mod documented;

use serde_json::{Value, json};

use super::*;
use crate::config::{self, Options, lint};
use crate::sim::loader::MemoryLoader;

fn options() -> Options {
    Options { main: MemoryLoader::MAIN.into(), config_id: None, all_files: false }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn a_test_in_full() {
    let loader = MemoryLoader::with_main("$A=\\\n f\u{fc} x\n$A\nglobal_defs {\n \"\u{fc}\" wibble\n}\n");
    let document = parsed(&test(&config::load(&loader, &options()), 5));
    assert_eq!(
        (&document["version"], &document["status"], &document["refuses"]),
        (&json!(1), &json!(5), &json!(null))
    );
    assert_eq!(document["files"], json!([MemoryLoader::MAIN]));
    let [first, second] = &document["diagnostics"].as_array().unwrap()[..] else { panic!("{document}") };
    assert_eq!(
        *first,
        json!({
            "file": MemoryLoader::MAIN, "line": 2, "column": 2, "end_column": 4, "severity": "error",
            "class": "config", "refuses": null, "not_in_effect": false, "text": "Unknown keyword 'f\u{fc}'",
            "hint": first["hint"],
            "trail": [{
                "file": MemoryLoader::MAIN, "line": 3, "column": 1, "end_column": 3, "text": "$A is used here",
            }],
        })
    );
    // Columns count characters, not bytes.
    assert_eq!((&second["column"], &second["end_column"]), (&json!(3), &json!(4)));
}

#[test]
fn what_has_no_place_has_no_file() {
    let document = parsed(&test(&config::load(&MemoryLoader::default(), &options()), 6));
    let found = &document["diagnostics"][0];
    assert_eq!((&found["class"], &found["refuses"]), (&json!("security"), &json!(6)));
    assert!(found.get("file").is_none() && found.get("line").is_none(), "{found}");
}

#[test]
fn a_comparison() {
    let text = |n: u8| {
        format!(
            "vrrp_instance A {{\n interface e\n virtual_router_id {n}\n virtual_ipaddress {{ 192.0.2.1 }}\n}}\n"
        )
    };
    let loaders = [1, 2].map(|n| MemoryLoader::with_main(text(n)));
    let node = |loader| lint::Node { name: "n".into(), loader, options: options() };
    let found = lint::run(&[node(&loaders[0]), node(&loaders[1])]);
    let document = parsed(&super::lint(&found));
    assert_eq!(document["status"], json!(5));
    let finding = &document["findings"][0];
    assert_eq!((&finding["rule"], &finding["severity"]), (&json!("vrid"), &json!("error")));
    assert_eq!(finding["places"][1]["line"], json!(4));
    assert!(
        crate::report::lint::text(&found).contains("\n  n: /etc/keepalived/keepalived.conf:4: A (VRID 2)\n")
    );
}
