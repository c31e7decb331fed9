use std::fs;
use std::path::PathBuf;

use super::{LEGACY, altered, lines, logs, sealed, torn};
use crate::util::{Ended, Logs};

/// Where the new file is to be: beside the log directory.
fn out(logs: &Logs) -> PathBuf {
    logs.dir().with_file_name("rescued.jsonl")
}

fn salvage(logs: &Logs, options: &[&str]) -> Ended {
    let out = out(logs);
    let out = out.to_str().unwrap();
    logs.view(&[&["salvage"], options, &[out]].concat())
}

#[test]
fn a_clean_session_is_copied_byte_for_byte() {
    let session = LEGACY.to_owned() + &lines(2..=4);
    let logs = logs(&session);
    let expected = format!(
        "[SALVAGED] from {} to {}
  Kept: 4
    Verified: 3
    Unverified (without a checksum): 1
    Altered: 0
  Damaged stretches left out: 0
    Bytes in them: 0
[*] The new file was read back: its records are the same.
",
        logs.current().display(),
        out(&logs).display()
    );
    salvage(&logs, &[]).with(0, &expected, "");
    assert_eq!(fs::read_to_string(out(&logs)).unwrap(), session);
}

#[test]
fn all_that_is_readable_is_kept_and_the_result_is_clean() {
    let damaged = [
        sealed(1),
        torn(2),
        lines(2..=3),
        "\0\0\0\n".to_owned(),
        torn(4),
    ]
    .concat();
    let logs = logs(&damaged);
    let ended = salvage(&logs, &[]);
    assert_eq!(ended.code, Some(3), "{}", ended.report());
    ended.says("Verified: 3\n");
    ended.says("Damaged stretches left out: 3\n");
    let bytes = torn(2).len() + 3 + torn(4).len();
    ended.says(&format!("Bytes in them: {bytes}\n"));
    let kept = fs::read(out(&logs)).unwrap();
    assert_eq!(String::from_utf8(kept.clone()).unwrap(), lines(1..=3));
    logs.write_archive("session_20251120_000000.jsonl", kept);
    let ended = logs.view(&["verify", "--archive", "session_20251120_000000"]);
    assert_eq!(ended.code, Some(0), "{}", ended.report());
}

#[test]
fn an_altered_record_is_kept_as_it_stands() {
    let session = sealed(1) + &altered(2);
    let logs = logs(&session);
    let ended = salvage(&logs, &[]);
    assert_eq!(ended.code, Some(3), "{}", ended.report());
    ended.says("Altered: 1\n");
    assert_eq!(fs::read_to_string(out(&logs)).unwrap(), session);
}

#[test]
fn a_last_record_that_lacks_only_its_newline_is_kept() {
    let session = lines(1..=2);
    let logs = logs(session.trim_end());
    assert_eq!(salvage(&logs, &[]).code, Some(0));
    assert_eq!(fs::read_to_string(out(&logs)).unwrap(), session);
}

#[test]
fn the_source_stays_untouched() {
    let session = sealed(1) + &torn(2) + &sealed(2) + &torn(3);
    let logs = logs(&session);
    let before = fs::metadata(logs.current()).unwrap();
    let mut permissions = before.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(logs.current(), permissions).unwrap();
    assert_eq!(salvage(&logs, &[]).code, Some(3));
    let after = fs::metadata(logs.current()).unwrap();
    assert_eq!(after.modified().unwrap(), before.modified().unwrap());
    assert_eq!(fs::read_to_string(logs.current()).unwrap(), session);
}

#[test]
fn archives_and_other_files_can_be_read() {
    let logs = logs("");
    logs.write_archive("session_20251120_000000.jsonl", lines(1..=2));
    let name = ["--archive", "session_20251120_000000"];
    assert_eq!(salvage(&logs, &name).code, Some(0));
    assert_eq!(fs::read_to_string(out(&logs)).unwrap(), lines(1..=2));
    fs::remove_file(out(&logs)).unwrap();
    let copy = logs.dir().with_file_name("copy");
    fs::write(&copy, torn(1) + &sealed(2)).unwrap();
    let ended = salvage(&logs, &["--file", copy.to_str().unwrap()]);
    assert_eq!(ended.code, Some(3), "{}", ended.report());
    assert_eq!(fs::read_to_string(out(&logs)).unwrap(), sealed(2));
}

#[test]
fn an_existing_file_is_not_overwritten() {
    let logs = logs(lines(1..=2));
    fs::write(out(&logs), "mine").unwrap();
    salvage(&logs, &[]).failed("is there already");
    assert_eq!(fs::read_to_string(out(&logs)).unwrap(), "mine");
}

#[test]
fn the_journal_is_no_place_for_the_new_file() {
    let logs = logs(lines(1..=2));
    logs.write_archive("session_20251120_000000.jsonl", lines(1..=2));
    let inside = [
        "archive/session_20251121_000000.jsonl",
        "archive/../archive/x",
        "current_session.jsonl",
        "Current_Session.jsonl",
        "journal.lock",
    ];
    for name in inside {
        let place = logs.dir().join(name);
        let ended = logs.view(&["salvage", place.to_str().unwrap()]);
        ended.failed("would be taken for a file of the journal");
    }
    assert_eq!(fs::read_dir(logs.archive_dir()).unwrap().count(), 1);
    // Nor is the journal that a named file belongs to.
    let file = logs.archive_dir().join("session_20251120_000000.jsonl");
    let place = logs.archive_dir().join("session_20251121_000000.jsonl");
    let (file, place) = (file.to_str().unwrap(), place.to_str().unwrap());
    logs.view(&["--dir", "elsewhere", "salvage", "--file", file, place])
        .failed("would be taken for a file of the journal");
}

#[test]
fn a_failure_leaves_nothing_behind() {
    let logs = logs(lines(1..=2));
    salvage(&logs, &["--archive", "nothing"]).failed("there is no archived session");
    let dir = logs.dir();
    salvage(&logs, &["--file", dir.to_str().unwrap()]).failed("is no regular file");
    assert!(!out(&logs).exists());
}

#[cfg(unix)]
#[test]
fn the_new_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let logs = logs(lines(1..=2));
    assert_eq!(salvage(&logs, &[]).code, Some(0));
    let mode = fs::metadata(out(&logs)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
