use super::*;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A program in a fresh directory, with these permission bits.
fn program(mode: u32) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o755);
    let path = dir.path().join("check");
    fs::write(&path, "#!/bin/sh\n").unwrap();
    set_mode(&path, mode);
    (dir, path)
}

#[test]
fn executable_files_are_no_configuration() {
    let (dir, path) = program(0o755);
    assert_eq!(SystemLoader.read(&path), Err(ReadError::Executable));
    set_mode(&path, 0o600);
    assert_eq!(SystemLoader.read(&path), Ok(b"#!/bin/sh\n".to_vec()));
    assert_eq!(SystemLoader.read(dir.path()), Err(ReadError::Directory));
    assert_eq!(SystemLoader.read(Path::new("/dev/null")), Err(ReadError::NotRegular));
    assert_eq!(SystemLoader.read(&dir.path().join("none")), Err(ReadError::NotFound));
}

#[test]
fn patterns_match_in_order_and_skip_hidden_files() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b.conf", "a.conf", ".c.conf", "d.txt"] {
        fs::write(dir.path().join(name), "").unwrap();
    }
    let names = |pattern: &str| -> Vec<String> {
        let found = SystemLoader.glob(&dir.path().join(pattern));
        found.iter().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(names("*.conf"), ["a.conf", "b.conf"]);
    assert_eq!(names("[ad].*"), ["a.conf", "d.txt"]);
    assert_eq!(names("a.conf"), ["a.conf"]);
    assert!(names("none").is_empty());
}

#[test]
fn patterns_go_through_directories() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b/x", "a/x", "a/y", ".h/x", "a/deep/x"] {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    fs::write(dir.path().join("file"), "").unwrap();
    std::os::unix::fs::symlink("a", dir.path().join("link")).unwrap();
    let paths = |pattern: &str| -> Vec<String> {
        let found = SystemLoader.glob(&dir.path().join(pattern));
        found.iter().map(|p| p.strip_prefix(dir.path()).unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(paths("*/x"), ["a/x", "b/x", "link/x"]);
    assert_eq!(paths("?/[xy]"), ["a/x", "a/y", "b/x"]);
    // As in glob(3), and not whatever is below.
    assert_eq!(paths("**/x"), ["a/x", "b/x", "link/x"]);
    assert_eq!(paths(".h/*"), [".h/x"]);
    assert_eq!(paths("a/../b/*"), ["a/../b/x"]);
    assert_eq!(paths("file/*"), [""; 0]);
    assert_eq!(paths("[a/x"), [""; 0]);
}

#[test]
fn the_user_decides_what_is_executable() {
    let (_dir, path) = program(0o700);
    let name = path.to_str().unwrap();
    let owner = fs::metadata(&path).unwrap();
    assert!(SystemLoader.program(name, owner.uid(), owner.gid()).is_ok());
    assert_eq!(SystemLoader.program(name, 65_534, 65_534), Err(ProgramError::NotExecutable));
    set_mode(&path, 0o755);
    assert!(SystemLoader.program(name, 65_534, 65_534).is_ok());
    set_mode(path.parent().unwrap(), 0o700);
    assert_eq!(SystemLoader.program(name, 65_534, 65_534), Err(ProgramError::NotFound("Permission denied")));
    set_mode(&path, 0o644);
    assert_eq!(SystemLoader.program(name, 0, 0), Err(ProgramError::NotExecutable));
    let missing = Err(ProgramError::NotFound("No such file or directory"));
    assert_eq!(SystemLoader.program("/none/such", 0, 0), missing);
    let below_a_file = path.join("x");
    let below_a_file = SystemLoader.program(below_a_file.to_str().unwrap(), 0, 0);
    assert_eq!(below_a_file, Err(ProgramError::NotFound("Not a directory")));
    assert_eq!(SystemLoader.program("none-such", 0, 0), Err(ProgramError::NotInPath));
    assert_eq!(SystemLoader.program("", 0, 0), Err(ProgramError::NotInPath));
}

#[test]
fn what_others_can_write_is_insecure() {
    let (_dir, path) = program(0o777);
    let found = SystemLoader.program(path.to_str().unwrap(), 0, 0).unwrap();
    assert_eq!(found.insecure.as_deref(), Some(fs::canonicalize(&path).unwrap().as_path()));
}

#[test]
fn programs_without_a_slash_are_searched() {
    let found = SystemLoader.program("sh", 0, 0).unwrap();
    assert!(found.path.is_absolute());
    assert_eq!(found.insecure, None);
}

#[test]
fn the_machine_knows_itself() {
    assert!(SystemLoader.interface_exists(&IfName::new("lo").unwrap()));
    assert!(!SystemLoader.interface_exists(&IfName::new("nonesuch0").unwrap()));
    assert_eq!(SystemLoader.user("root"), Some((0, 0)));
    assert_eq!(SystemLoader.group("root"), Some(0));
    assert_eq!(SystemLoader.user("no-such-user"), None);
    assert!(!SystemLoader.node_name().is_empty());
}

#[test]
fn reasons_have_the_systems_words() {
    let denied = read_error(&std::io::Error::from_raw_os_error(libc::EACCES));
    assert_eq!(denied, ReadError::Unreadable("Permission denied".to_owned()));
}
