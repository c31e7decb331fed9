use super::{LEGACY, altered, lines, logs, sealed, torn};
use crate::util::{Ended, Logs};

/// The lines in front of the summary; checks the exit code and that there is one.
#[track_caller]
fn findings(ended: &Ended) -> Vec<String> {
    let (findings, summary) = ended
        .stdout
        .split_once("[")
        .unwrap_or_else(|| panic!("{}", ended.report()));
    let is_clean = summary.starts_with("CLEAN]");
    let code = if is_clean { 0 } else { 3 };
    assert_eq!(ended.code, Some(code), "{}", ended.report());
    assert_eq!(ended.stderr, "", "{}", ended.report());
    findings.lines().map(str::to_owned).collect()
}

/// Checks the current session; findings without the file's path.
#[track_caller]
fn verified(session: impl AsRef<[u8]>) -> (Ended, Vec<String>) {
    let logs = logs(session);
    let ended = logs.view(&["verify"]);
    let path = format!("{}: ", logs.current().display());
    let found = findings(&ended);
    let found = found.iter().map(|line| line.replace(&path, "")).collect();
    (ended, found)
}

#[test]
fn a_clean_session_looks_as_specified() {
    let session = lines(1..=3);
    let expected = format!(
        "[CLEAN]
  Files: 1
  Bytes: {}
  Records: 3
    Verified: 3
    Unverified (without a checksum): 0
    Altered: 0
  Records that cannot be rebuilt: 0
  Damaged stretches: 0
    Bytes in them: 0
  Missing numbers: 0
  Repeated numbers: 0
  Out of order: 0
",
        session.len()
    );
    logs(session).view(&["verify"]).with(0, &expected, "");
}

#[test]
fn a_flipped_byte_is_an_alteration() {
    let (ended, found) = verified(sealed(1) + &altered(2) + &sealed(3));
    let (offset, length) = (sealed(1).len(), sealed(2).len() - 1);
    let expected = format!(
        "line 2: {length} bytes at offset {offset}: message #2 is altered: the checksum does not fit"
    );
    assert_eq!(found, [expected]);
    ended.says("Altered: 1\n");
}

#[test]
fn a_torn_line_is_damage_and_its_number_is_missing() {
    let (ended, found) = verified(sealed(1) + &torn(2) + "\n" + &sealed(3));
    let (offset, length) = (sealed(1).len(), torn(2).len());
    assert_eq!(
        found[0],
        format!("line 2: {length} bytes at offset {offset}: damaged: not JSON")
    );
    assert!(found[1].starts_with("line 3: "), "{found:?}");
    assert!(found[1].ends_with("gap: number 2 is missing before this message"));
    ended.says("Missing numbers: 1\n    2\n");
}

#[test]
fn a_record_glued_behind_a_torn_one_is_read() {
    let (ended, found) = verified(sealed(1) + &torn(2) + &lines(2..=3));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("line 2: "), "{found:?}");
    ended.says("Verified: 3\n");
}

#[test]
fn a_deleted_line_is_a_gap() {
    let (ended, found) = verified(lines([4, 5, 8, 10]));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].ends_with("numbers 6 to 7 are missing before this message"));
    ended.says("Missing numbers: 3\n    6-7, 9\n");
}

#[test]
fn a_duplicated_line_is_a_repeat() {
    let (ended, found) = verified(lines([1, 2, 2, 3]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("line 3: "), "{found:?}");
    assert!(found[0].ends_with("repeat: message #2 was there before"));
    ended.says("Repeated numbers: 1\n");
}

#[test]
fn swapped_lines_are_out_of_order() {
    let (ended, found) = verified(lines([1, 3, 2, 4]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("out of order: message #2 comes after #3"));
    ended.says("Out of order: 1\n");
    ended.says("Missing numbers: 0\n");
}

#[test]
fn messages_of_older_recorders_are_clean_but_counted() {
    let (ended, found) = verified(LEGACY.repeat(2) + &lines(3..=4));
    assert_eq!(found, [""; 0]);
    ended.says("Unverified (without a checksum): 2\n");
}

#[test]
fn an_empty_session_is_clean() {
    let (ended, found) = verified("");
    assert_eq!(found, [""; 0]);
    ended.says("Records: 0\n");
}

#[test]
fn a_last_line_that_is_being_written_is_no_finding() {
    let (ended, found) = verified(lines(1..=2) + &torn(3));
    assert_eq!(found, [""; 0]);
    ended.says("Records: 2\n");
    let bytes = torn(3).len();
    ended.says(&format!("The last line has no end yet ({bytes} bytes)."));
}

/// Two closed sessions whose names are not in their order, and the current one.
fn sessions(current: impl IntoIterator<Item = u64>) -> Logs {
    let logs = logs(lines(current));
    logs.write_archive("session_20251121_000000.jsonl", lines(1..=3));
    logs.write_archive("session_20251120_000000.jsonl", lines(4..=6));
    logs
}

#[test]
fn numbers_go_on_from_session_to_session() {
    let ended = sessions(7..=8).view(&["verify", "--all"]);
    assert_eq!(findings(&ended), [""; 0]);
    ended.says("Files: 3\n");
    ended.says("Records: 8\n");
    let found = findings(&sessions(9..=10).view(&["verify", "--all"]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("current_session.jsonl: line 1: "),
        "{found:?}"
    );
    assert!(found[0].ends_with("gap: numbers 7 to 8 are missing before this message"));
    let found = findings(&sessions(6..=7).view(&["verify", "--all"]));
    assert!(
        found[0].ends_with("repeat: message #6 was there before"),
        "{found:?}"
    );
}

#[test]
fn a_session_that_is_gone_is_a_gap() {
    let logs = sessions(7..=8);
    std::fs::remove_file(logs.archive_dir().join("session_20251121_000000.jsonl")).unwrap();
    let found = findings(&logs.view(&["verify", "--all"]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("numbers 1 to 3 are missing before this message"));
}

#[test]
fn archives_are_chosen_by_name() {
    let logs = sessions([9]);
    let ended = logs.view(&[
        "verify",
        "--archive",
        "session_20251120_000000",
        "session_20251121_000000.jsonl",
    ]);
    assert_eq!(findings(&ended), [""; 0]);
    ended.says("Files: 2\n");
    logs.write_archive("session_20251121_000000.jsonl", sealed(1) + &torn(2));
    let found = findings(&logs.view(&["verify", "--archive", "session_20251121_000000"]));
    assert!(
        found[0].ends_with("damaged: the line has no end"),
        "{found:?}"
    );
}

#[test]
fn an_unknown_archive_is_a_failure() {
    let logs = sessions([7]);
    let known = "session_20251120_000000";
    for name in ["nothing", "../current_session.jsonl"] {
        logs.view(&["verify", "--archive", known, name])
            .failed("there is no archived session");
    }
    Logs::new()
        .view(&["verify"])
        .failed("there is no directory");
}

#[test]
fn nothing_of_a_file_drives_the_terminal() {
    let body = "{\"topic\":\"t\",\"content\":1,\"frames\":\"\u{9b}31m\",\"recorded_at\":\"\"}";
    let mut group = journal::raw::Group::new(1, usize::MAX);
    group
        .push_with(|out| out.extend_from_slice(body.as_bytes()))
        .unwrap();
    let (ended, found) = verified(group.bytes());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("message #1 cannot be rebuilt: "),
        "{found:?}"
    );
    ended.says("\\u009b31m");
    assert!(!ended.stdout.contains('\u{9b}'), "{}", ended.report());
}

#[test]
fn the_options_for_messages_stay_as_they_are() {
    let logs = sessions(7..=8);
    assert_eq!(logs.view(&[]).numbers(), [7, 8]);
    let ended = logs.view(&["--stats", "verify"]);
    assert_eq!(
        (ended.code, &*ended.stdout),
        (Some(2), ""),
        "{}",
        ended.report()
    );
}
