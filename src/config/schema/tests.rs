mod facts;
mod manual;

use super::top::TOP;
use super::*;

/// All tables below this one.
fn each(table: &'static Table, visit: &mut impl FnMut(&'static Table)) {
    visit(table);
    for inner in table.rows.iter().flat_map(|r| r.inside().into_iter().chain(r.words)) {
        each(inner, visit);
    }
}

#[test]
fn no_table_has_a_keyword_twice() {
    each(&TOP, &mut |table| {
        let mut names: Vec<_> = table.rows.iter().map(|r| r.name).collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|w| w[0] == w[1]);
        assert_eq!(twice, None, "{}", table.name);
    });
}

#[test]
fn keywords_of_blocks_go_into_the_model() {
    let check = |table: &'static Table| {
        let keywords = table.rows.iter().filter(|r| !matches!(r.kind, Kind::Position));
        let lost: Vec<_> = keywords.filter(|r| r.apply.is_none()).map(|r| r.name).collect();
        assert_eq!(lost, [""; 0], "nothing puts these of '{}' into the model", table.name);
    };
    check(&TOP);
    each(&TOP, &mut |table| {
        for row in table.rows {
            if let Kind::Block(inside) = row.kind {
                check(inside);
            }
        }
    });
}

#[test]
fn ranges_are_ranges() {
    each(&TOP, &mut |table| {
        for row in table.rows {
            match row.kind {
                Kind::Value(Arg::Integer { min, max, .. }) => assert!(min < max, "{}", row.name),
                Kind::Value(Arg::Decimal { min, max, step }) => {
                    assert!(min < max && 1_000_000 % step == 0, "{}", row.name);
                }
                _ => {}
            }
        }
    });
}
