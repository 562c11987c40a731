use super::super::diagnostic::Severity;
use super::super::reader::Reader;
use super::super::{Options, Report};
use crate::sim::loader::MemoryLoader;

/// The logical lines of a configuration, and how many errors there were.
fn lines(text: &str) -> (Vec<String>, usize) {
    let loader = MemoryLoader::with_main(text)
        .file("/etc/keepalived/more.conf", "more ${X}\n")
        .file("/etc/keepalived/loop.conf", "include loop.conf\n");
    lines_of(&loader)
}

fn lines_of(loader: &MemoryLoader) -> (Vec<String>, usize) {
    let options = Options { main: MemoryLoader::MAIN.into(), config_id: None, all_files: false };
    let mut report = Report::default();
    let mut reader = Reader::new(loader, &options, 1 << 20, &mut report);
    let mut found = Vec::new();
    while let Some(line) = reader.next(false, &mut report) {
        found.push(line.text().to_owned());
    }
    (found, report.list.iter().filter(|d| d.severity == Severity::Error).count())
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let (found, diagnostics) = lines(text);
    assert_eq!(found, expected, "{text}");
    assert_eq!(diagnostics, 0, "{text}");
}

#[test]
fn definitions_are_substituted() {
    check("$NET=10.20.30\na $NET\n", &["a 10.20.30"]);
    check("$NET=10.20.30\na ${NET}.1/24 \"${NET}\"\n", &["a 10.20.30.1/24 \"10.20.30\""]);
    check("  $L=one  two   ! x\na $L\n", &["a one  two"]);
    check("$E=\na ${E}b\n", &["a b"]);
    check("$N=1\na $N/24 \"$N\" $Nx $N, $N)\n", &["a $N/24 \"$N\" $Nx 1, 1)"]);
    check("$N=1\na \\$N $$N\n", &["a \\1 $1"]);
    check("$A=$B\n$B=7\na $A\n$B=8\na $A\n", &["a 7", "a 8"]);
    check("$PFX = 24\n", &["$PFX = 24"]);
    check("$X=a#b\nq ${X}\n", &["q a"]);
}

#[test]
fn undefined_names_stay_and_their_braces_split() {
    check("a $UNDEF b\n", &["a $UNDEF b"]);
    let split = |name: &str| (["a $", "{", name, "}"].map(str::to_owned).to_vec(), 1);
    assert_eq!(lines("a ${UNDEF}\n"), split("UNDEF"));
    assert_eq!(lines("$X=1\na ${X y}\n"), split("X y"));
    check("a \"${UNDEF}\"\n", &["a \"${UNDEF}\""]);
    check("blk { ~SEQ(N, 1, 2) k${N} }\n", &["blk", "{", "k1", "}", "k2", "}"]);
}

#[test]
fn definitions_of_several_lines() {
    let text = "$VI=\\\n v V_${N} { \\\n  id ${N} \\\n\t\\\n # comment\n }\n$N=10\n$VI\n";
    check(text, &["v V_10", "{", "id 10", "}"]);
    check("$M=\\\n a\\\n b\nx $M\n", &["x a", "b"]);
    check("$M=\\\n a\\\n b\nx $M y\n", &["x $M y"]);
    check("$M=\\\n a\\\n\nc\n$M\n", &["c", "a"]);
    check("$I=\\\n a\\\n b\n$O=\\\n $I\\\n c\n$O\n", &["a", "b", "c"]);
    check("$M=\\\n @node1 a\\\n @other b\n$M\n", &["a"]);
}

#[test]
fn conditions() {
    check("@node1 a\n@^node1 b\n@other c\n@^other d\n@node1\n@node1 @node1 x\n", &["a", "d", "@node1 x"]);
    check("@node1 $X=1\n@other $X=2\na $X\n", &["a 1"]);
    check("blk { @node1 a }\n", &["blk", "{", "a", "}"]);
}

#[test]
fn sequences() {
    check("~SEQ(N,3) a $N\n", &["a 1", "a 2", "a 3"]);
    check("~SEQ(N,-2) a $N\n", &["a -1", "a -2"]);
    // Behind a blank stock skips a word, and what is not there is 0.
    check("~SEQ(N 2 3) a $N\n", &["a 1", "a 2", "a 3"]);
    check("~SEQ(N 7, 1) a $N\n", &["a 0", "a 1"]);
    check("~SEQ(N , 2, 3) a $N\n", &["a 2", "a 3"]);
    check("~LST({},{}) a\n", &["a"]);
    check("~SEQ (N, 5, 3) a $N\nb $N\n", &["a 5", "a 4", "a 3", "b 3"]);
    check("~SEQ(N,1,4,10) a $N\n", &["a 1", "a 5", "a 9"]);
    check("~SEQx(N, 0x9, 0xb) a $N\n", &["a 9", "a a", "a b"]);
    check(
        "$E=2\n~SEQ(N,$E) ~SEQ(M,$E) a $N$M ${N}.${M}\n",
        &["a $N1 1.1", "a $N2 1.2", "a $N1 2.1", "a $N2 2.2"],
    );
    check("blk { ~SEQ(N,1,2) k$N }\n", &["blk", "{", "k1", "}", "k2", "}"]);
    check("$V=\\\n a $N\\\n b\n~SEQ(N,1,2) $V\n", &["a 1", "b", "a 2", "b"]);
}

#[test]
fn lists() {
    check("~LST(V,a,b,c) x $V\n", &["x a", "x b", "x c"]);
    check("~LST({V,W},{a,1},{b}) x ${V}${W}\n", &["x a1", "x b"]);
    check("~LST(V,,x) y${V}\n", &["y", "yx"]);
}

#[test]
fn malformed_repetition_is_one_diagnostic() {
    for text in [
        "~SEQ(N,1,0,2) a",
        "~SEQ(N ) a",
        "~LST(X) a",
        "~LST({X,Y}) a",
        "~SEQ(N,1,-1,2) a",
        "~SEQ(N,3 a",
        "~SEQ N,3) a",
        "~SEQ(N,x) a",
        "~SEQx(N,-3) a",
        "~LST(V,a a",
        "~LST({A,B},{1,2,3}) a",
        "~LST() a",
        "~SEQ(N,9999999999999999999) a",
    ] {
        assert_eq!(lines(text), (vec![], 1), "{text}");
    }
}

#[test]
fn what_hangs_stock_is_one_diagnostic() {
    assert_eq!(lines("$A=$A\nx $A\n"), (vec![], 1));
    assert_eq!(lines("$A=\\\n$A\\\n\n$A\n").1, 1);
    assert_eq!(lines("$A=${B}${B}\n$B=${C}${C}\n$C=${A}\nx $A\n"), (vec![], 1));
    assert_eq!(lines("x ${_ENV}\n").1, 1);
    assert_eq!(lines("include loop.conf\n"), (vec![], 1));
}

#[test]
fn growth_is_bounded() {
    let (found, diagnostics) = lines("~SEQ(N,99999999) ~SEQ(M,99999999) $X=1\nend\n");
    assert_eq!((found, diagnostics), (vec!["end".to_owned()], 1));
}

#[test]
fn growth_is_bounded_whatever_it_comes_of() {
    // References to nothing, long values, files that include others twice, lists of files.
    let empty =
        format!("$E=\n$A={}\n$B={}\n{}end\n", "${E}".repeat(99), "${A}".repeat(99), "x ${B}\n".repeat(2_000));
    let long = format!("$A={}\n{}end\n", "x".repeat(5_000), "$A\n".repeat(40_000));
    let sets = format!("~LST({{{}}},{}{{}}) x\nend\n", "A,".repeat(3_000) + "A", "{},".repeat(3_000));
    for text in [empty, long, sets] {
        let (found, diagnostics) = lines(&text);
        assert_eq!((found.last().map(String::as_str), diagnostics > 0), (Some("end"), true), "{:.20}", text);
    }
    let mut loader = MemoryLoader::with_main("include 0\n");
    for n in 0..60 {
        loader = loader.file(&format!("/etc/keepalived/{n}"), format!("include {0}\ninclude {0}\n", n + 1));
    }
    assert_eq!(lines_of(&loader.file("/etc/keepalived/60", "x\n")).1, 1);
}

#[test]
fn many_files_side_by_side_are_not_nested() {
    let mut loader = MemoryLoader::with_main("include conf.d/*\n");
    for n in 0..99 {
        loader = loader.file(&format!("/etc/keepalived/conf.d/{n:02}"), "include /etc/keepalived/shared\n");
    }
    let (found, diagnostics) = lines_of(&loader.file("/etc/keepalived/shared", "a\n"));
    assert_eq!((found.len(), diagnostics), (99, 0));
    let twins = MemoryLoader::with_main("include {a,b}\n")
        .file("/etc/keepalived/a", "include b\na\n")
        .file("/etc/keepalived/b", "b\n");
    assert_eq!(lines_of(&twins), (["b", "a", "b"].map(str::to_owned).to_vec(), 0));
}

#[test]
fn a_definition_inside_itself_does_not_double() {
    let (found, diagnostics) = lines("$A=\\\n$A\\\n$A\n\n$A\nend\n");
    assert_eq!((found, diagnostics), (vec!["end".to_owned()], 2));
    let (found, diagnostics) = lines("$A=\\\n$B\\\n$B\n\n$B=\\\n$A\\\n$A\n\n$A\nend\n");
    assert_eq!((found, diagnostics), (vec!["end".to_owned()], 4));
}

#[test]
fn predefined_names() {
    check("x ${_INSTANCE} ${_PWD} ${_ENV NONE}y\n", &["x node1 /etc/keepalived y"]);
    check("x \"a${_HASH}b\" c${_BANG}d\n", &["x \"a#b\" c"]);
    check("$_INSTANCE=mine\nx ${_INSTANCE}\n", &["x mine"]);
}

#[test]
fn includes_are_expanded_first() {
    check("$X=7\n$F=more.conf\ninclude $F\nend\n", &["more 7", "end"]);
    check("$X=7\n@node1 include m*.conf\n", &["more 7"]);
}
