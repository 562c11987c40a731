//! `docs/JSON.md` describes the documents: each member of them, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;

/// The rows of a table of the description: what is in the second and third column, by name of the member.
type Rows = BTreeMap<&'static str, (&'static str, &'static str)>;

/// The tables, in order: the test, a diagnostic, the comparison, a finding.
fn tables() -> Vec<Rows> {
    let mut tables = Vec::new();
    for line in include_str!("../../../../docs/JSON.md").lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        match &cells[..] {
            ["", "member", ..] => tables.push(Rows::new()),
            ["", names, kind, meaning, ""] if names.starts_with('`') => {
                let table = tables.last_mut().expect("a heading before the rows");
                table.extend(words(names).map(|name| (name, (*kind, *meaning))));
            }
            _ => {}
        }
    }
    tables
}

/// What is between backticks.
fn words(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split('`').skip(1).step_by(2)
}

/// Checks an object against its table, and notes which members it has.
fn check(object: &Value, rows: &Rows, seen: &mut BTreeSet<&'static str>) {
    for (name, value) in object.as_object().unwrap_or_else(|| panic!("no object: {object}")) {
        let Some((name, (kind, meaning))) = rows.get_key_value(name.as_str()) else {
            panic!("{name} is not described: {object}");
        };
        seen.insert(name);
        let fits = match value {
            Value::Null => kind.contains("null"),
            Value::Bool(_) => kind.contains("boolean"),
            // A place has no types in the table.
            Value::Number(_) => kind.contains("number") || kind.is_empty(),
            Value::Array(_) => kind.contains("array") || *name == "places",
            Value::String(text) if kind.starts_with('`') => words(kind).any(|w| w == text),
            Value::String(text) if *name == "rule" => words(meaning).any(|w| w == text),
            Value::String(_) => kind.contains("string") || kind.is_empty(),
            Value::Object(_) => false,
        };
        assert!(fits, "{name} is {value}, but described as {kind}");
    }
}

/// Panics if members are described that no document has.
fn all_seen(rows: &Rows, seen: &BTreeSet<&'static str>) {
    let missing: Vec<_> = rows.keys().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "described, but in no document: {missing:?}");
}

#[test]
fn documents_are_as_described() {
    let tables = tables();
    let [test, diagnostic, comparison, finding] = &tables[..] else { panic!("{} tables", tables.len()) };
    let mut seen = [const { BTreeSet::new() }; 4];
    // Something with a trail, something without a place, and every class.
    let texts = [
        "$A=\\\n wibble\n$A\nglobal_defs {\n router_id\n}\nvrrp_instance A {\n interface none\n virtual_router_id 1\n}\n",
        "vrrp_script s {\n script /bin/check\n}\nvrrp_instance A {\n interface e\n virtual_router_id 1\n track_script { s }\n}\n",
        "include nowhere\nvirtual_server 192.0.2.1 80 {\n}\n",
    ];
    let machines = texts.map(|text| {
        let mut machine = MemoryLoader::with_main(text).program("/bin/check");
        machine.interfaces = Some(["e".to_owned()].into());
        machine
    });
    for machine in machines.iter().chain([&MemoryLoader::default()]) {
        let loaded = config::load(machine, &options());
        let document = parsed(&super::test(&loaded, loaded.test_status()));
        check(&document, test, &mut seen[0]);
        for found in document["diagnostics"].as_array().unwrap() {
            check(found, diagnostic, &mut seen[1]);
        }
    }
    let node = |loader, name: &str| lint::Node { name: name.into(), loader, options: options() };
    let instance = |vrid, more: &str| {
        let text = format!(
            "vrrp_instance A {{\n interface e\n virtual_router_id {vrid}\n {more}\n virtual_ipaddress {{ 192.0.2.1 }}\n}}\n"
        );
        MemoryLoader::with_main(text)
    };
    let nodes = [instance(1, ""), instance(1, "advert_int 3\n wibble"), instance(2, "priority 7")];
    let found = lint::run(&[node(&nodes[0], "a"), node(&nodes[1], "b"), node(&nodes[2], "c")]);
    let document = parsed(&super::super::lint(&found));
    check(&document, comparison, &mut seen[2]);
    for found in document["findings"].as_array().unwrap() {
        check(found, finding, &mut seen[3]);
    }
    for (rows, seen) in tables.iter().zip(&seen) {
        all_seen(rows, seen);
    }
}
