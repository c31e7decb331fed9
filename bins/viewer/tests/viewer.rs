//! The program as people start it: outputs, exit codes, and what goes where.

mod checks;
mod util;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use util::{Ended, Logs, line};

/// Four messages that differ in everything a filter looks at.
fn conversation() -> Logs {
    let logs = Logs::new();
    logs.write_current(
        [
            line(1, "design", "claude", "A", "architecture"),
            line(2, "design_reply", "gemini", "C", "photo"),
            line(3, "general", "claude", "E", "photo"),
            line(4, "general", "claude", "E", "photo"),
        ]
        .concat(),
    );
    logs
}

#[test]
fn messages_look_as_specified() {
    let logs = Logs::new();
    logs.write_current(concat!(
        r#"{"message_num":228,"topic":"claude_design_request","sender":"claude_code","timestamp":"2025-11-20T12:30:45.123Z","tier":"A","chain_type":"system_architecture","shl_tags":["@Status-Ready","@A-Tier:Design-Review"],"message_id":"msg_001","content":{"message":"Gemini, please review Phase 1 designs","action":"design_review_request"}}"#,
        "\n",
        r#"{"message_num":229,"topic":"t","sender":"s","timestamp":"now","tier":"E","chain_type":"c","shl_tags":[],"message_id":null,"content":[1e400,{}]}"#,
        "\n",
    ));
    let rule = "=".repeat(80);
    let expected = format!(
        r#"[*] Loaded 2 messages from {path}
[*] Showing 2 of 2 messages

[RECENT MESSAGES]:

{rule}
[#228] claude_code → claude_design_request
[TIME] 2025-11-20T12:30:45.123Z
[TIER] A | [CHAIN] system_architecture
[ID] msg_001
[SHL] @Status-Ready, @A-Tier:Design-Review

[CONTENT]:
{{
  "message": "Gemini, please review Phase 1 designs",
  "action": "design_review_request"
}}
{rule}

{rule}
[#229] s → t
[TIME] now
[TIER] E | [CHAIN] c

[CONTENT]:
[
  1e400,
  {{}}
]
{rule}
"#,
        path = logs.current().display()
    );
    logs.view(&[]).with(0, &expected, "");
}

#[test]
fn statistics_look_as_specified() {
    let expected = "[CONVERSATION STATISTICS]

[ACE Tier Distribution]
  A-Tier: 1 message (25%)
  C-Tier: 1 message (25%)
  E-Tier: 2 messages (50%)

[Domain Chains]
  photo: 3 messages
  architecture: 1 message

[Senders]
  claude: 3 messages
  gemini: 1 message

[Time Range]
  From: 2025-11-20T12:01:45.123Z
  To:   2025-11-20T12:04:45.123Z
";
    conversation()
        .view(&["--stats", "--brief"])
        .with(0, expected, "");
    // With all that there is to tell, each sender is there once, and more is said of it.
    let more = conversation().view(&["--stats", "--utc"]);
    for line in expected.lines() {
        let count = more
            .stdout
            .lines()
            .filter(|found| *found == line || found.starts_with(&format!("{line} ")))
            .count();
        assert!(line.is_empty() || count == 1, "{line}: {}", more.report());
    }
    assert_eq!(
        more.stdout.matches("gemini").count(),
        1,
        "{}",
        more.report()
    );
}

#[test]
fn archives_look_as_specified() {
    let logs = Logs::new();
    logs.write_current("");
    let archives = logs.archive_dir();
    let none = format!("[*] No archived sessions in {}\n", archives.display());
    logs.view(&["--list-archives"]).with(0, &none, "");

    let session = line(1, "t", "s", "E", "c");
    let padding = " ".repeat(159_949 - session.len() - 1) + "\n";
    logs.write_archive("session_20251120_143022.jsonl", session + &padding);
    logs.write_archive(
        "session_20251121_080000_phase-2.jsonl",
        line(2, "t", "s", "E", "c"),
    );
    let expected = format!(
        "[*] Archived sessions in {}:\n  \
         1. session_20251120_143022.jsonl (156.2 KB) - 2025-11-20 14:30:22        \
         1 message   2025-11-20 12:01:45 to 2025-11-20 12:01:45  s\n  \
         2. session_20251121_080000_phase-2.jsonl (0.1 KB) - 2025-11-21 08:00:00  \
         1 message   2025-11-20 12:02:45 to 2025-11-20 12:02:45  s\n",
        archives.display()
    );
    let mut command = logs.command(&["--list-archives"]);
    let ended = Ended::new(command.env("TZ", "UTC").output().unwrap());
    ended.with(0, &expected, "");
}

#[test]
fn the_newest_50_are_shown_unless_told_otherwise() {
    let logs = Logs::new();
    let lines: String = (1..=60)
        .map(|number| line(number, "t", "s", "E", "c"))
        .collect();
    logs.write_current(lines);
    for (options, first) in [
        (&[][..], 11),
        (&["--limit", "3"][..], 58),
        (&["--limit", "0"][..], 1),
        (&["--limit", "5000"][..], 1),
        (&["--limit", "60"][..], 1),
    ] {
        let ended = logs.view(options);
        assert_eq!(
            ended.numbers(),
            (first..=60).collect::<Vec<_>>(),
            "{options:?}"
        );
        let count = 61 - first;
        ended.says(&format!(
            "[*] Loaded 60 messages from {}\n",
            logs.current().display()
        ));
        ended.says(&format!("[*] Showing {count} of 60 messages\n"));
    }
}

#[test]
fn filters_combine_and_apply_everywhere() {
    let logs = conversation();
    logs.write_archive(
        "session_20251120_143022.jsonl",
        std::fs::read(logs.current()).unwrap(),
    );
    for (filters, numbers) in [
        (&["--tier", "E"][..], &[3, 4][..]),
        (&["--chain", "photo"], &[2, 3, 4]),
        (&["--sender", "gemini"], &[2]),
        (&["--topic", "design"], &[1, 2]),
        (&["--topic", "design_"], &[2]),
        (&["--chain", "photo", "--sender", "claude"], &[3, 4]),
        (
            &["--chain", "photo", "--topic", "design", "--tier", "A"],
            &[],
        ),
    ] {
        let count = numbers.len();
        for session in [&[][..], &["--archive", "session_20251120_143022"][..]] {
            let options = [filters, session].concat();
            let ended = logs.view(&options);
            assert_eq!(ended.numbers(), numbers, "{options:?}");
            let messages = if count == 1 { "message" } else { "messages" };
            ended.says(&format!(
                "[*] Showing {count} of {count} matching {messages}\n"
            ));
            let stats = logs.view(&[&options[..], &["--stats"]].concat());
            assert_eq!(stats.counted("[Senders]"), count, "{}", stats.report());
            assert_eq!(
                stats.counted("[ACE Tier Distribution]"),
                count,
                "{}",
                stats.report()
            );
        }
    }
}

#[test]
fn an_archive_is_taken_from_the_list_only() {
    let logs = conversation();
    logs.write_archive("session_20251120_143022.jsonl", line(7, "t", "s", "E", "c"));
    for name in ["session_20251120_143022", "session_20251120_143022.jsonl"] {
        assert_eq!(logs.view(&["--archive", name]).numbers(), [7], "{name}");
    }
    let absolute = logs.archive_dir().join("session_20251120_143022.jsonl");
    for name in [
        "",
        "../current_session",
        "../current_session.jsonl",
        "./session_20251120_143022.jsonl",
        "archive/session_20251120_143022.jsonl",
        "session_20251120_143022.jsonl\u{1b}[2J",
        absolute.to_str().unwrap(),
    ] {
        let ended = logs.view(&["--archive", name]);
        ended.failed("choose one of session_20251120_143022.jsonl");
        assert!(!ended.stderr.contains('\u{1b}'), "{}", ended.report());
    }
}

#[test]
fn damage_is_reported_with_its_places_and_no_failure() {
    let logs = Logs::new();
    let good = line(1, "t", "s", "E", "c");
    let mut session = good.clone().into_bytes();
    for _ in 0..12 {
        session.extend_from_slice(b"\xff\xfe\n");
    }
    session.extend_from_slice(line(2, "t", "s", "E", "c").as_bytes());
    session.extend_from_slice(b"{\"torn");
    logs.write_current(session);

    let path = logs.current();
    let place = |index: usize| {
        let offset = good.len() + 3 * index;
        format!(
            "  {}: line {}: 2 bytes at offset {offset}: not UTF-8\n",
            path.display(),
            index + 2
        )
    };
    let places: String = (0..10).map(place).collect();
    let expected = format!("[!] 13 damaged lines were skipped:\n{places}  and 3 more\n");
    let ended = logs.view(&[]);
    assert_eq!(
        (ended.code, &ended.stderr),
        (Some(0), &expected),
        "{}",
        ended.report()
    );
    assert_eq!(ended.numbers(), [1, 2]);
    let stats = logs.view(&["--stats"]);
    assert_eq!(
        (stats.code, &stats.stderr),
        (Some(0), &expected),
        "{}",
        stats.report()
    );
}

#[test]
fn an_altered_message_is_shown_and_reported() {
    let logs = Logs::new();
    let (journal, _) = journal::Journal::open(logs.dir()).unwrap();
    let payload = serde_json::json!({ "topic": "t", "sender": "s", "content": "the truth" });
    journal.append(&payload).unwrap();
    drop(journal);
    let session = std::fs::read_to_string(logs.current()).unwrap();
    logs.write_current(session.replace("the truth", "a lie"));
    let expected = format!(
        "[!] 1 message was altered after being recorded:\n  \
         {}: message #1: {} bytes at offset 0: the checksum does not fit\n",
        logs.current().display(),
        session.len() - 1 - "the truth".len() + "a lie".len(),
    );
    let ended = logs.view(&[]);
    assert_eq!(
        (ended.code, &ended.stderr),
        (Some(0), &expected),
        "{}",
        ended.report()
    );
    ended.says("| a lie\n");
}

#[test]
fn what_is_missing_is_a_sentence() {
    let logs = Logs::new();
    let dir = logs.dir();
    for options in [
        &[][..],
        &["--stats"],
        &["--list-archives"],
        &["--archive", "x"],
    ] {
        logs.view(options)
            .failed(&format!("there is no directory {}", dir.display()));
    }
    std::fs::create_dir(&dir).unwrap();
    logs.view(&[]).failed("nothing was recorded here yet");
    logs.view(&["--archive", "x"]).failed("there are none yet");
    logs.write_archive("session_20251120_143022.jsonl", line(1, "t", "s", "E", "c"));
    logs.view(&["--current"])
        .failed("there is 1 archived session");
}

#[test]
fn a_name_cannot_drive_the_terminal() {
    let logs = Logs::new();
    let nasty = "logs\u{1b}[2J\u{202e}";
    let missing = logs.view(&["--dir", nasty]);
    missing.failed("logs\\u001b[2J\\u202e");
    assert!(
        !missing.stderr.contains(['\u{1b}', '\u{202e}']),
        "{}",
        missing.report()
    );
    let usage = logs.view(&["--limit", nasty]);
    assert_eq!(usage.code, Some(2), "{}", usage.report());
    assert!(
        !usage.stderr.contains(['\u{1b}', '\u{202e}']),
        "{}",
        usage.report()
    );
}

#[test]
fn wrong_options_are_usage_errors() {
    let logs = conversation();
    for (options, reason) in [
        (&["--limit=few"][..], "expected a whole number"),
        (&["--limit=-1"], "--limit"),
        (&["--nonsense"], "--nonsense"),
        (&["session"], "session"),
        (&["--list-archives", "--stats"], "--stats"),
    ] {
        let ended = logs.view(options);
        assert_eq!(
            (ended.code, &*ended.stdout),
            (Some(2), ""),
            "{}",
            ended.report()
        );
        assert!(ended.stderr.contains(reason), "{}", ended.report());
    }
}

#[test]
fn help_has_examples_and_every_option() {
    let ended = Logs::new().view(&["--help"]);
    assert_eq!(
        (ended.code, &*ended.stderr),
        (Some(0), ""),
        "{}",
        ended.report()
    );
    ended.says("Examples:\n");
    let (_, filters) = ended
        .stdout
        .split_once("Filters (they combine):\n")
        .unwrap();
    let filters = filters.split("\n\n").next().unwrap();
    let options = filters
        .lines()
        .filter(|line| line.trim_start().starts_with('-'));
    assert_eq!(options.count(), 14, "{filters}");
    for option in [
        "all",
        "count",
        "follow",
        "thread",
        "file",
        "from",
        "grep",
        "id",
        "ignore-case",
        "reverse",
        "since",
        "tag",
        "to",
        "until",
        "dir",
        "limit",
        "tier",
        "chain",
        "sender",
        "topic",
        "stats",
        "list-archives",
        "archive",
        "full",
    ] {
        ended.says(&format!("--{option}"));
    }
}

#[test]
fn long_content_is_cut_unless_told_otherwise() {
    let logs = Logs::new();
    let content: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    logs.write_current(format!(
        "{{\"message_num\":1,\"content\":[{}]}}\n",
        content.join(",")
    ));
    let cut = logs.view(&[]);
    cut.says("[... 462 more lines: --full shows all]\n");
    assert!(!cut.stdout.contains(" 499\n"), "{}", cut.report());
    let full = logs.view(&["--full"]);
    full.says(" 499\n");
    assert!(!full.stdout.contains("--full"), "{}", full.report());
}

#[test]
fn a_closed_pipe_is_silent() {
    let logs = Logs::new();
    let lines: String = (1..=20_000)
        .map(|number| line(number, "t", "s", "E", "c"))
        .collect();
    logs.write_current(lines);
    let mut command = logs.command(&["--limit", "0"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert!(first.starts_with("[*] Loaded 20,000 messages"), "{first}");
    let ended = Ended::new(child.wait_with_output().unwrap());
    assert_eq!(
        (ended.code, &*ended.stderr),
        (Some(0), ""),
        "{}",
        ended.report()
    );
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let logs = conversation();
    let output = logs.command(&[]).stdout(full).output().unwrap();
    Ended::new(output).failed("cannot write the output");
}

#[test]
fn an_empty_session_is_no_error() {
    let logs = Logs::new();
    logs.write_current("");
    let path = logs.current();
    let expected = format!(
        "[*] Loaded 0 messages from {}\n[*] Showing 0 of 0 messages\n",
        path.display()
    );
    logs.view(&[]).with(0, &expected, "");
    logs.view(&["--stats"])
        .with(0, "[CONVERSATION STATISTICS]\n\n  No messages.\n", "");
}
