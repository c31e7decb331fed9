//! What is shown around matches, and how text goes to other programs.

use std::fs;

use crate::util::Logs;

/// Ten messages, of which the fourth and the sixth say `needle`.
fn talk() -> Logs {
    let line = |number: u64| {
        let text = match number {
            4 | 6 => "a needle",
            _ => "hay",
        };
        format!(r#"{{"message_num":{number},"sender":"s","content":"{text} {number}"}}"#) + "\n"
    };
    let logs = Logs::new();
    logs.write_current((1..=10).map(line).collect::<String>());
    logs
}

fn around(options: &[&str]) -> Vec<u64> {
    let ended = talk().view(&[&["--grep", "needle"], options].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.report());
    ended.numbers()
}

#[test]
fn messages_around_each_match_are_shown_once_and_in_order() {
    assert_eq!(around(&[]), [4, 6]);
    assert_eq!(around(&["-A", "1"]), [4, 5, 6, 7]);
    assert_eq!(around(&["-B", "2"]), [2, 3, 4, 5, 6]);
    assert_eq!(around(&["-C", "1"]), [3, 4, 5, 6, 7]);
    assert_eq!(around(&["-C", "100"]), (1..=10).collect::<Vec<_>>());
    assert_eq!(around(&["-A", "1", "-B", "2"]), [2, 3, 4, 5, 6, 7]);
    // The newest match, and what is around it.
    assert_eq!(around(&["-C", "1", "--limit", "1"]), [5, 6, 7]);
    assert_eq!(around(&["-A", "0"]), [4, 6]);
}

#[test]
fn nothing_is_around_where_nothing_matches() {
    let ended = talk().view(&["--grep", "nowhere", "-C", "3"]);
    assert_eq!(
        (ended.numbers().len(), ended.code),
        (0, Some(0)),
        "{}",
        ended.report()
    );
}

#[test]
fn a_table_for_excel_begins_with_a_byte_order_mark() {
    let logs = talk();
    let plain = logs.view(&["-o", "csv", "--limit", "1"]);
    let marked = logs.view(&["-o", "csv", "--limit", "1", "--bom"]);
    assert_eq!(marked.stdout, format!("\u{feff}{}", plain.stdout));
    assert!(
        plain.stdout.starts_with("message_num,"),
        "{}",
        plain.report()
    );
}

#[test]
fn a_database_says_how_to_get_text_from_it() {
    let logs = talk();
    let path = logs.dir().join("state.vscdb");
    fs::write(&path, b"SQLite format 3\0\x10\0rest").unwrap();
    let ended = logs.view(&[path.to_str().unwrap()]);
    ended.failed("is a SQLite database, which is not read; export");
}
