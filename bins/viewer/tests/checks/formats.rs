//! Every format of a journal with hostile content, against files kept beside it.
//!
//! With `WRITE_GOLDEN=1` in the environment the files are written anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::util::Logs;

const WIDE: [(&str, &[&str]); 12] = [
    ("pretty.txt", &[]),
    ("compact.txt", &["-o", "compact"]),
    (
        "columns.txt",
        &["-o", "compact", "--fields", "sender,in_reply_to,text"],
    ),
    (
        "coloured.txt",
        &["-o", "compact", "--color", "always", "--to", "5"],
    ),
    ("out.json", &["-o", "json"]),
    ("out.jsonl", &["-o", "jsonl"]),
    (
        "fields.jsonl",
        &["-o", "jsonl", "--fields", "message_num,shl_tags,content"],
    ),
    ("out.raw", &["-o", "raw"]),
    ("out.csv", &["-o", "csv"]),
    ("out.md", &["-o", "md"]),
    ("out.html", &["-o", "html"]),
    ("stats.txt", &["--stats"]),
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn view(options: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_viewer"));
    command.current_dir(fixtures()).env_remove("NO_COLOR");
    command
        .args(["--file", "hostile.jsonl", "--utc"])
        .args(options);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    output
}

fn text(options: &[&str]) -> String {
    String::from_utf8(view(options).stdout).unwrap()
}

#[test]
fn formats_are_as_they_were() {
    let stats = [("stats.json", &["--stats", "-o", "json"][..])];
    for (name, options) in WIDE.into_iter().chain(stats) {
        let path = fixtures().join("golden").join(name);
        let found = view(options).stdout;
        if std::env::var_os("WRITE_GOLDEN").is_some() {
            fs::write(&path, &found).unwrap();
        }
        let expected = fs::read(&path).unwrap();
        let (found, expected) = (
            String::from_utf8_lossy(&found),
            String::from_utf8_lossy(&expected),
        );
        assert_eq!(found, expected, "{name}: WRITE_GOLDEN=1 writes it anew");
    }
}

#[test]
fn what_people_read_holds_nothing_that_drives_a_terminal() {
    for options in [
        &[][..],
        &["-o", "compact"],
        &["-o", "json"],
        &["-o", "md"],
        &["-o", "html"],
        &["--stats"],
        &["--stats", "-o", "json"],
    ] {
        let shown = text(options);
        let bad = shown.chars().find(|c| {
            c.is_control() && !matches!(c, '\n' | '\t')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        });
        assert_eq!(bad, None, "{options:?}");
    }
}

#[test]
fn compact_is_one_line_for_each_message() {
    assert_eq!(text(&["-o", "compact"]).lines().count(), 13);
}

#[test]
fn json_is_what_the_lines_say() {
    let options = ["--to", "7", "--fields", "message_num,sender,content"];
    let all: Vec<Value> =
        serde_json::from_str(&text(&[&options[..], &["-o", "json"]].concat())).unwrap();
    let lines = text(&[&options[..], &["-o", "jsonl"]].concat());
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(all, lines);
    let verbatim = text(&["--to", "7", "-o", "jsonl"]);
    for (line, shown) in verbatim.lines().zip(&all) {
        let line: Value = serde_json::from_str(line).unwrap();
        if line.get("content").is_some() {
            assert_eq!(line["content"], shown["content"]);
            assert_eq!(line["sender"], shown["sender"]);
        }
    }
}

#[test]
fn lines_and_payloads_are_verbatim() {
    let journal = fs::read(fixtures().join("hostile.jsonl")).unwrap();
    for line in view(&["-o", "jsonl"]).stdout.split(|byte| *byte == b'\n') {
        assert!(journal.windows(line.len().max(1)).any(|at| at == line) || line.is_empty());
    }
    let bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(view(&["--topic", "bytes", "-o", "raw"]).stdout, bytes);
}

#[test]
fn payloads_of_lines_that_a_program_has_changed_are_told_and_hold_nobody_up() {
    let mut lines = String::new();
    for (number, payload) in [
        (1, r#"{"sender":"a","content":"whole","extra":1}"#),
        (2, r#"{ "extra": 1, "sender": "a", "content": [1] }"#),
        (3, r#"{"sender":"a","content":"behind it","extra":1}"#),
    ] {
        let mut body = Vec::new();
        message::encode(&["t", payload], "2025-11-20T04:30:00.123Z", &mut body);
        let body = String::from_utf8(body).unwrap();
        let line = format!(
            "{{\"message_num\":{number},{},\"crc\":\"00000000\"}}\n",
            &body[1..body.len() - 1]
        );
        // As jq does.
        lines += &line.replace("\": ", "\":").replace("{ ", "{");
    }
    let logs = Logs::new();
    logs.write_current(&lines);
    let shown = logs.view(&["-o", "raw"]);
    assert_eq!(shown.code, Some(3), "{}", shown.report());
    let payloads: Vec<&str> = shown.stdout.lines().collect();
    let whole = r#"{"sender":"a","content":"whole","extra":1}"#;
    assert_eq!(
        payloads,
        [whole, "[1]", &whole.replace("whole", "behind it")]
    );
    assert!(
        shown
            .stderr
            .contains("1 of the messages, the first of them #2"),
        "{}",
        shown.report()
    );
}

#[test]
fn a_page_has_no_markup_of_a_message() {
    let page = text(&["-o", "html"]);
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script").count(), 1);
    for word in [
        "<img",
        "<b>",
        "onerror=\"",
        "http://example.com/a.png\"",
        "style=\"",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("in reply to <a href=\"#m2\">#1</a>"));
}

#[test]
fn statistics_tell_how_a_conversation_went() {
    let report: Value = serde_json::from_str(&text(&["--stats", "-o", "json"])).unwrap();
    assert_eq!(report["schema"], 1);
    assert_eq!(report["messages"], 13);
    assert_eq!(report["damage"]["damaged_lines"], 2);
    assert_eq!(report["damage"]["altered_messages"], 1);
    assert_eq!(report["gaps"]["missing"], 4);
    assert_eq!(report["open_questions"]["count"], 1);
    assert_eq!(
        report["open_questions"]["newest"][0]["message_id"],
        "msg_012"
    );
    assert_eq!(report["replies"]["count"], 4);
}

#[test]
fn wrong_names_get_a_suggestion() {
    for (words, tip) in [
        (&["-o", "jsno"][..], "'json'"),
        (&["--fields", "sendr"], "'sender'"),
        (&["--sendr", "x"], "'--sender'"),
        (
            &["--fields", "sender"],
            "--fields is for -o compact, json, jsonl and csv",
        ),
        (&["-f", "-o", "html"], "--follow has no end"),
        (
            &["--stats", "-o", "csv"],
            "--stats can be shown with -o pretty or -o json",
        ),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_viewer"));
        let output = command.args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(tip), "{words:?}: {stderr}");
    }
}

#[test]
fn completions_and_the_manual_are_written() {
    for (words, expected) in [
        (&["completions", "bash"][..], "--since"),
        (&["completions", "zsh"], "--since"),
        (&["completions", "fish"], "since"),
        (&["completions", "powershell"], "--since"),
        (&["man"], "viewer \\-\\-stats"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_viewer"));
        let output = command.args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains(expected), "{words:?}: {stdout}");
    }
}

#[test]
fn what_is_shared_can_be_without_secrets() {
    let logs = Logs::new();
    let line = r#"{"message_num":1,"topic":"t","sender":"max@mail.example.org","content":{"message":"see /home/max and blue42","api_key":"abcdef"}}"#;
    logs.write_current(format!("{line}\n"));
    let options = ["--redact", "--redact-pattern", "blue\\d+"];
    for format in ["html", "md", "json", "csv"] {
        let ended = logs.view(&[&["-o", format], &options[..]].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.report());
        for secret in ["max@", "home/max", "blue42", "abcdef"] {
            assert!(!ended.stdout.contains(secret), "{}", ended.report());
        }
        ended.says("see [hidden]");
        assert_eq!(ended.stderr, "viewer: hidden in 4 places of 1 message\n");
    }
    let ended = logs.view(&["--redact"]);
    assert_eq!(ended.code, Some(2), "{}", ended.report());
    let ended = logs.view(&["-o", "md", "--redact-pattern", "("]);
    assert_ne!(ended.code, Some(0), "{}", ended.report());
}
