use std::time::{Duration, UNIX_EPOCH};

use tempfile::TempDir;

use super::*;
use crate::closed::{archive_dir, choose};

/// A journal's directory with these archives, each of a line with its place as number.
fn archived(names: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(archive_dir(dir.path())).unwrap();
    for (number, name) in names.iter().enumerate() {
        let line = format!("{{\"message_num\":{}}}\n", number + 1);
        fs::write(archive_dir(dir.path()).join(name), line).unwrap();
    }
    dir
}

#[test]
fn the_time_is_in_the_name() {
    for (name, time) in [
        ("session_20251120_143022.jsonl", Some("2025-11-20 14:30:22")),
        (
            "session_20251120_143022_2.jsonl",
            Some("2025-11-20 14:30:22"),
        ),
        (
            "session_20251120_143022_phase-2_3.jsonl",
            Some("2025-11-20 14:30:22"),
        ),
        (
            "session_design_20240229_000000.jsonl",
            Some("2024-02-29 00:00:00"),
        ),
        (
            "session_12345678_20240229_000000.jsonl",
            Some("2024-02-29 00:00:00"),
        ),
        ("session_20250229_000000.jsonl", None),
        ("session_20251120_250000.jsonl", None),
        ("session_20251120-143022.jsonl", None),
        ("session_+0251120_143022.jsonl", None),
        ("session_2025é120_143022.jsonl", None),
        ("session_.jsonl", None),
    ] {
        assert_eq!(stamp(name).as_deref(), time, "{name}");
    }
}

#[test]
fn a_name_without_time_gets_that_of_the_file() {
    let dir = archived(&["session_odd.jsonl"]);
    let path = archive_dir(dir.path()).join("session_odd.jsonl");
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_763_649_022))
        .unwrap();
    let listed = list_archives(dir.path()).unwrap();
    let closed = Closed::Changed("2025-11-20 14:30:22".to_owned());
    assert_eq!(
        listed,
        [ArchivedSession {
            name: "session_odd.jsonl".to_owned(),
            bytes: 18,
            closed
        }]
    );
}

#[test]
fn sessions_are_listed_in_the_order_of_their_messages() {
    let dir = archived(&["session_b.jsonl", "session_a.jsonl"]);
    let listed = list_archives(dir.path()).unwrap();
    let names: Vec<_> = listed.iter().map(|archive| &*archive.name).collect();
    assert_eq!(names, ["session_b.jsonl", "session_a.jsonl"]);
}

#[test]
fn a_name_is_chosen_with_or_without_its_suffix() {
    let dir = archived(&["session_a.jsonl", "session_a.jsonl.jsonl"]);
    for (name, file) in [
        ("session_a", "session_a.jsonl"),
        ("session_a.jsonl", "session_a.jsonl"),
        ("session_a.jsonl.jsonl", "session_a.jsonl.jsonl"),
    ] {
        let path = choose(dir.path(), name).unwrap();
        assert_eq!(path, archive_dir(dir.path()).join(file), "{name}");
    }
}

#[test]
fn what_is_not_in_the_list_is_refused_with_the_choices() {
    let dir = archived(&["session_a.jsonl"]);
    let outside = dir.path().join("session_b.jsonl");
    fs::write(&outside, "{}\n").unwrap();
    let inside = archive_dir(dir.path()).join("session_a.jsonl");
    for name in [
        "",
        ".jsonl",
        "session_",
        "SESSION_A",
        "../session_b",
        "./session_a",
        "session_a/",
        "../archive/session_a.jsonl",
        outside.to_str().unwrap(),
        inside.to_str().unwrap(),
    ] {
        match choose(dir.path(), name) {
            Err(Error::NoArchive { names, .. }) => assert_eq!(names, ["session_a.jsonl"]),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_missing_directory_is_told_from_one_without_archives() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(list_archives(dir.path()).unwrap(), []);
    let missing = dir.path().join("missing");
    assert!(matches!(list_archives(&missing), Err(Error::NoDirectory { dir }) if dir == missing));
}
