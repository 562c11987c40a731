use super::*;

fn split_words(line: &str) -> Vec<&str> {
    words(line).ranges.into_iter().map(|r| &line[r.start as usize..r.end as usize]).collect()
}

#[test]
fn words_end_at_blanks_and_quotes() {
    assert_eq!(split_words(" a\tb  c "), ["a", "b", "c"]);
    assert_eq!(split_words("3\"4\"5"), ["3", "4", "5"]);
    assert_eq!(split_words("x \"\" 'a b'"), ["x", "", "'a", "b'"]);
    assert_eq!(split_words("\"router_id\" x"), ["router_id", "x"]);
}

#[test]
fn an_open_quote_drops_the_rest() {
    let found = words("router_id \"a b");
    assert_eq!((found.ranges.len(), found.open_quote), (1, Some(10)));
    assert_eq!(found.ranges.first(), Some(&(0..9)));
}

#[test]
fn integers() {
    for (text, number, tail) in [
        ("5", Some(5), ""),
        ("+5", Some(5), ""),
        ("-254x", Some(-254), "x"),
        ("0x10", Some(0), "x10"),
        ("abc", None, "abc"),
        ("", None, ""),
        ("99999999999999999999", Some(i64::MAX), ""),
    ] {
        assert_eq!(integer(text), (number, tail), "{text}");
    }
}

#[test]
fn decimals() {
    let exact = |millionths| Some(Decimal { millionths, rounded: false, trailing: false });
    assert_eq!(decimal("1", 1), exact(1_000_000));
    assert_eq!(decimal("0.01", 1), exact(10_000));
    assert_eq!(decimal(".5", 1_000), exact(500_000));
    assert_eq!(decimal("2.", 1), exact(2_000_000));
    assert_eq!(decimal("0.0015", 1_000), Some(Decimal { millionths: 2_000, rounded: true, trailing: false }));
    assert_eq!(
        decimal("0.9996", 1_000),
        Some(Decimal { millionths: 1_000_000, rounded: true, trailing: false })
    );
    assert_eq!(decimal("5s", 1), Some(Decimal { millionths: 5, rounded: false, trailing: true }));
    assert_eq!(decimal("-1", 1), None);
    assert_eq!(decimal("abc", 1), None);
    assert_eq!(decimal(".", 1), None);
    assert_eq!(decimal("99999999999999999999", 1), exact(u64::MAX));
}

#[test]
fn addresses() {
    let v4: IpAddr = "192.0.2.9".parse().unwrap();
    assert_eq!(address("192.0.2.9"), Some((v4, None)));
    assert_eq!(address("192.0.2.9/24"), Some((v4, Some("24"))));
    assert_eq!(address("192.0.2.9/"), Some((v4, Some(""))));
    assert_eq!(address("2001:db8::1/64").map(|(a, p)| (a.is_ipv6(), p)), Some((true, Some("64"))));
    assert_eq!(address("192.0.2"), None);
    assert_eq!(address("host"), None);
}

#[test]
fn commands_are_split_in_two_stages() {
    let argv = |line: &str| {
        let words = command_words(line).unwrap();
        command_argv(&words[1]).unwrap()
    };
    assert_eq!(argv(r#"script "/bin/check -a 'b c' \x41""#), ["/bin/check", "-a", "b c", "A"]);
    assert_eq!(argv(r#"script '/bin/check "b c"'"#), ["/bin/check", "b c"]);
    assert_eq!(argv(r"script /bin/check a b"), ["/bin/check"]);
    // As 2.2.7 has them.
    assert_eq!(argv(r#"notify "/bin/n.sh \"a b\" c""#), ["/bin/n.sh", "a b", "c"]);
    assert_eq!(argv(r#"notify "/bin/n.sh \"a 'b' c\"""#), ["/bin/n.sh", "a 'b' c"]);
    assert_eq!(argv(r#"notify "/bin/n.sh a\\'b""#), ["/bin/n.sh", "a'b"]);
    assert_eq!(argv(r#"notify "/bin/n.sh \\x41 a\nb a\\\\b""#), ["/bin/n.sh", "A", "a", "b", r"a\b"]);
    let words = command_words(r#"notify "/bin/n.sh a\'b""#).unwrap();
    assert_eq!(command_argv(&words[1]), Err(OpenQuote));
    assert_eq!(
        command_words("notify \"/bin/n.sh 'x y'\" nobody").unwrap(),
        ["notify", "/bin/n.sh 'x y'", "nobody"]
    );
    assert_eq!(command_words(r"a b\ c").unwrap(), ["a", "b c"]);
    assert_eq!(protected_words(r"a b\ c").unwrap(), ["a", r"b\ c"]);
    assert_eq!(command_argv(r"a\tb \101\n \cA \z \x4142").unwrap(), ["a\tb", "A\n", "\u{1}", "z", "A42"]);
}

#[test]
fn commands_may_end_badly() {
    assert_eq!(command_words("script \"/bin/x"), Err(OpenQuote));
    assert_eq!(command_words("script /bin/x'y"), Err(OpenQuote));
    assert_eq!(command_argv("a\\"), Ok(vec!["a".into()]));
    assert_eq!(command_argv(""), Ok(vec![]));
}
