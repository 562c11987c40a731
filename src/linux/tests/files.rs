//! Files that are tracked.

use std::fs;
use std::future::poll_fn;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{on_a_plane, soon};
use crate::host::{FileChanges, Files};
use crate::linux::files::LocalFiles;

#[test]
fn files_are_read_and_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    assert_eq!(LocalFiles.read_start(&path, 127), None);
    LocalFiles.write(&path, b"7\n", false).unwrap();
    LocalFiles.write(&path, b"8\n", false).unwrap();
    assert_eq!(LocalFiles.read_start(&path, 127), Some(b"7\n".to_vec()), "it was there");
    LocalFiles.write(&path, b"9", true).unwrap();
    assert_eq!(LocalFiles.read_start(&path, 127), Some(b"9".to_vec()));
    fs::write(&path, [b'1'; 500]).unwrap();
    assert_eq!(LocalFiles.read_start(&path, 127), Some(vec![b'1'; 127]));
    assert_eq!(LocalFiles.read_start(folder.path(), 127), None, "a directory");
    assert!(LocalFiles.write(&folder.path().join("no/f"), b"1", true).is_err());
}

#[test]
fn a_mark_is_for_everybody_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("mark"), folder.path().join("link"));
    fs::write(&path, "left behind").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let mark = LocalFiles.mark(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    drop(mark);
    assert!(!path.exists());
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(LocalFiles.mark(&link).is_err(), "a link may lead anywhere");
    assert!(LocalFiles.mark(folder.path()).is_err(), "a directory");
    fs::write(&path, "").unwrap();
    LocalFiles.remove(&path).unwrap();
    LocalFiles.remove(&path).unwrap();
    assert!(!path.exists());
    assert!(LocalFiles.remove(folder.path()).is_err(), "a directory");
}

#[test]
fn a_replaced_file_is_there_as_a_whole() {
    on_a_plane(|_| async move {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("f"), folder.path().join("other"));
        fs::write(&other, "precious").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        LocalFiles.replace(path.clone(), b"new".to_vec(), 0o600).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(fs::symlink_metadata(&path).unwrap().is_file(), "in the place of the link");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
        assert!(LocalFiles.replace(folder.path().to_owned(), Vec::new(), 0o600).await.is_err());
        assert!(LocalFiles.replace(folder.path().join("no/f"), Vec::new(), 0o600).await.is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
    });
}

/// Reads changes until file 0 of `changes` says `expected`.
async fn says(changes: &mut Box<dyn FileChanges>, path: &Path, expected: Option<&str>) {
    while LocalFiles.read_start(path, 127).as_deref() != expected.map(str::as_bytes) {
        poll_fn(|cx| changes.poll_change(cx)).await;
    }
}

#[test]
fn whatever_changes_a_file_is_reported() {
    on_a_plane(|plane| async move {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        let path = at("a/b/f");
        let mut changes = LocalFiles.watch(&[path.clone(), at("other")]).unwrap();
        // Each of these takes effect at once; what is waited for is the report.
        let steps: [(&str, &dyn Fn()); 10] = [
            ("the directories appear", &|| {
                fs::create_dir(at("a")).unwrap();
                fs::create_dir(at("a/b")).unwrap();
            }),
            ("written", &|| fs::write(&path, "1").unwrap()),
            ("written again", &|| fs::write(&path, "2").unwrap()),
            ("replaced", &|| {
                fs::write(at("a/b/new"), "3").unwrap();
                fs::rename(at("a/b/new"), &path).unwrap();
            }),
            ("moved away", &|| fs::rename(&path, at("a/b/old")).unwrap()),
            ("linked to", &|| std::os::unix::fs::symlink("old", &path).unwrap()),
            ("removed", &|| fs::remove_file(&path).unwrap()),
            ("the directory is replaced", &|| {
                fs::rename(at("a/b"), at("a/gone")).unwrap();
                fs::create_dir(at("a/b")).unwrap();
            }),
            ("written there", &|| fs::write(&path, "4").unwrap()),
            ("all removed", &|| fs::remove_dir_all(at("a")).unwrap()),
        ];
        for (what, step) in steps {
            step();
            soon(&plane, what, async { while poll_fn(|cx| changes.poll_change(cx)).await != 0 {} }).await;
        }
        fs::create_dir_all(at("a/b")).unwrap();
        fs::write(&path, "5").unwrap();
        soon(&plane, "all is back", says(&mut changes, &path, Some("5"))).await;
        fs::write(at("other"), "1").unwrap();
        soon(&plane, "the other file", async { while poll_fn(|cx| changes.poll_change(cx)).await != 1 {} })
            .await;
    });
}
