//! What the viewer prints, to the letter where people know it by heart.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::util::broker::{Broker, viewer};
use crate::util::client::{Publisher, publish};
use crate::util::dir::Dir;
use crate::util::process::{Ended, run};
use crate::util::wait::until;

/// What a line is made of; the rest is the same for all.
#[derive(Clone, Copy)]
struct Entry<'a> {
    num: usize,
    topic: &'a str,
    sender: &'a str,
    tier: &'a str,
    chain: &'a str,
    tags: &'a str,
    content: &'a str,
}

const PLAIN: Entry<'_> = Entry {
    num: 1,
    topic: "general",
    sender: "claude_code",
    tier: "E",
    chain: "unknown",
    tags: "[]",
    content: r#"{"message":"hi"}"#,
};

/// A line as a person would write it by hand; strings are JSON without their quotes.
fn line(entry: &Entry<'_>) -> String {
    let Entry {
        num,
        topic,
        sender,
        tier,
        chain,
        tags,
        content,
    } = entry;
    format!(
        r#"{{"message_num":{num},"topic":"{topic}","sender":"{sender}","timestamp":"2025-11-20T12:{minute:02}:45.123Z","tier":"{tier}","chain_type":"{chain}","shl_tags":{tags},"message_id":"msg_{num:03}","content":{content}}}"#,
        minute = num % 60,
    ) + "\n"
}

fn lines(entries: &[Entry<'_>]) -> String {
    entries.iter().map(line).collect()
}

/// Four messages that differ in everything a filter looks at.
fn conversation() -> String {
    let content =
        r#"{"message":"Gemini, please review Phase 1 designs","action":"design_review_request"}"#;
    let tags = r#"["@Status-Ready","@A-Tier:Design-Review"]"#;
    lines(&[
        Entry {
            num: 1,
            topic: "claude_design",
            tier: "A",
            chain: "system_architecture",
            tags,
            content,
            ..PLAIN
        },
        Entry {
            num: 2,
            topic: "gemini_reply",
            sender: "gemini_cli",
            tier: "C",
            chain: "photo_capture",
            ..PLAIN
        },
        Entry {
            num: 3,
            chain: "photo_capture",
            content: r#"{"z":1,"a":[1.50,1e400],"z":2}"#,
            ..PLAIN
        },
        Entry {
            num: 4,
            chain: "photo_capture",
            content: r#""only words""#,
            ..PLAIN
        },
    ])
}

fn dir_with(session: impl AsRef<[u8]>) -> Dir {
    let dir = Dir::new();
    dir.write_current(session);
    dir
}

#[track_caller]
fn view(dir: &Dir, options: &[&str]) -> Ended {
    run(&mut viewer(dir, options))
}

/// Numbers of the messages shown, in the order shown.
fn shown(ended: &Ended) -> Vec<usize> {
    let heads = ended
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("[#"));
    heads
        .map(|head| head.split(']').next().unwrap().parse().unwrap())
        .collect()
}

#[test]
fn a_message_looks_as_people_know_it() {
    let dir = dir_with(conversation().lines().next().unwrap().to_owned() + "\n");
    let rule = "=".repeat(80);
    let expected = format!(
        r#"[*] Loaded 1 message from {path}
[*] Showing 1 of 1 message

[RECENT MESSAGES]:

{rule}
[#1] claude_code → claude_design
[TIME] 2025-11-20T12:01:45.123Z
[TIER] A | [CHAIN] system_architecture
[ID] msg_001
[SHL] @Status-Ready, @A-Tier:Design-Review

[CONTENT]:
{{
  "message": "Gemini, please review Phase 1 designs",
  "action": "design_review_request"
}}
{rule}
"#,
        path = dir.current().display()
    );
    let ended = view(&dir, &[]).with_code(0).without_warning();
    assert_eq!(ended.stdout.trim_end(), expected.trim_end());
}

#[test]
fn content_keeps_the_senders_order_and_numbers() {
    let dir = dir_with(conversation());
    view(&dir, &["--limit", "2"])
        .with_code(0)
        .says("{\n  \"z\": 1,\n  \"a\": [\n    1.50,\n    1e400\n  ],\n  \"z\": 2\n}\n")
        .says("only words");
}

#[test]
fn the_newest_50_are_shown_unless_told_otherwise() {
    let session: String = (1..=60).map(|num| line(&Entry { num, ..PLAIN })).collect();
    let dir = dir_with(session);
    let ended = view(&dir, &[])
        .with_code(0)
        .says("[*] Showing 50 of 60 messages\n");
    assert_eq!(shown(&ended), (11..=60).collect::<Vec<_>>());
    let ended = view(&dir, &["--limit", "3"]).says("[*] Showing 3 of 60 messages\n");
    assert_eq!(shown(&ended), [58, 59, 60]);
    let ended = view(&dir, &["--limit", "0"]).says("[*] Showing 60 of 60 messages\n");
    assert_eq!(shown(&ended), (1..=60).collect::<Vec<_>>());
}

#[test]
fn filters_combine() {
    let dir = dir_with(conversation());
    for (options, numbers) in [
        (vec!["--tier", "E"], vec![3, 4]),
        (vec!["--chain", "photo_capture"], vec![2, 3, 4]),
        (vec!["--sender", "gemini_cli"], vec![2]),
        (vec!["--topic", "general"], vec![3, 4]),
        // As a subscription: what the topic begins with.
        (vec!["--topic", "ge"], vec![2, 3, 4]),
        (vec!["--topic", "design"], vec![]),
        (
            vec!["--chain", "photo_capture", "--sender", "claude_code"],
            vec![3, 4],
        ),
        (
            vec![
                "--chain",
                "photo_capture",
                "--sender",
                "claude_code",
                "--limit",
                "1",
            ],
            vec![4],
        ),
        (vec!["--tier", "A", "--topic", "general"], vec![]),
    ] {
        let mut ended = view(&dir, &options).with_code(0);
        if !numbers.is_empty() {
            // An empty answer says why it is empty.
            ended = ended.without_warning();
        }
        assert_eq!(shown(&ended), numbers, "{options:?}");
        ended
            .says("[*] Loaded 4 messages from ")
            .says(&format!("[*] Showing {} of ", numbers.len()));
    }
}

/// The block of statistics without its blank lines.
fn statistics(ended: &Ended) -> Vec<&str> {
    let lines = ended.stdout.lines().filter(|line| !line.trim().is_empty());
    lines
        .skip_while(|line| *line != "[CONVERSATION STATISTICS]")
        .collect()
}

#[test]
fn statistics_count_tiers_chains_senders_and_the_time() {
    let dir = dir_with(conversation());
    let ended = view(&dir, &["--stats", "--brief"])
        .with_code(0)
        .without_warning();
    assert_eq!(
        statistics(&ended),
        [
            "[CONVERSATION STATISTICS]",
            "[ACE Tier Distribution]",
            "  A-Tier: 1 message (25%)",
            "  C-Tier: 1 message (25%)",
            "  E-Tier: 2 messages (50%)",
            "[Domain Chains]",
            "  photo_capture: 3 messages",
            "  system_architecture: 1 message",
            "[Senders]",
            "  claude_code: 3 messages",
            "  gemini_cli: 1 message",
            "[Time Range]",
            "  From: 2025-11-20T12:01:45.123Z",
            "  To:   2025-11-20T12:04:45.123Z",
        ]
    );
}

#[test]
fn filters_apply_to_statistics() {
    let dir = dir_with(conversation());
    let ended = view(
        &dir,
        &[
            "--stats",
            "--brief",
            "--chain",
            "photo_capture",
            "--sender",
            "claude_code",
        ],
    );
    let ended = ended
        .with_code(0)
        .never_says("gemini_cli")
        .never_says("system_architecture");
    assert!(
        statistics(&ended).contains(&"  E-Tier: 2 messages (100%)"),
        "{}",
        ended.report()
    );
}

#[test]
fn archives_are_listed_and_one_is_shown_by_its_name() {
    let dir = dir_with(line(&Entry { num: 9, ..PLAIN }));
    let session = conversation();
    let padding = " ".repeat(159_949 - session.len() - 1) + "\n";
    dir.write_archive("session_20251120_143022.jsonl", session + &padding);
    dir.write_archive(
        "session_20251121_080000.jsonl",
        line(&Entry { num: 5, ..PLAIN }),
    );

    view(&dir, &["--list-archives"])
        .with_code(0)
        .says("[*] Archived sessions in ")
        .says(". session_20251120_143022.jsonl (156.2 KB) - 2025-11-20 14:30:22  4 messages ")
        .says("  1. session_")
        .says("  2. session_");

    for name in ["session_20251120_143022", "session_20251120_143022.jsonl"] {
        let ended = view(&dir, &["--archive", name]).with_code(0);
        assert_eq!(shown(&ended), [1, 2, 3, 4], "{name}");
    }
    let filtered = view(
        &dir,
        &["--archive", "session_20251120_143022", "--tier", "C"],
    );
    assert_eq!(shown(&filtered), [2]);
    let counted = view(
        &dir,
        &[
            "--archive",
            "session_20251120_143022",
            "--tier",
            "C",
            "--stats",
            "--brief",
        ],
    );
    assert!(
        statistics(&counted).contains(&"  C-Tier: 1 message (100%)"),
        "{}",
        counted.report()
    );
}

#[test]
fn an_archive_is_taken_from_the_list_only() {
    let dir = dir_with(conversation());
    dir.write_archive("session_20251120_143022.jsonl", conversation());
    std::fs::write(dir.path().join("secret.jsonl"), conversation()).unwrap();
    let absolute = dir.path().join("secret.jsonl");
    for name in [
        "../secret",
        "../../secret.jsonl",
        "../current_session",
        "current_session.jsonl",
        "archive/session_20251120_143022.jsonl",
        "./session_20251120_143022.jsonl",
        "session_20990101_000000",
        absolute.to_str().unwrap(),
        "",
    ] {
        let ended = view(&dir, &["--archive", name]).with_code(1);
        ended.warns("session_20251120_143022").never_says("[#");
    }
}

#[test]
fn what_could_drive_a_terminal_is_shown_as_visible_escapes() {
    let nasty = r"a\u001b[2J\u0007\u202e\u200b\u009b\r\u0000";
    let content = format!("{{\"{nasty}\": \"{nasty}\u{202e}\u{9b}\"}}");
    let entry = Entry {
        topic: nasty,
        sender: nasty,
        tier: nasty,
        chain: nasty,
        tags: &format!("[\"{nasty}\"]"),
        content: &content,
        ..PLAIN
    };
    let dir = dir_with(line(&entry));
    dir.write_archive("session_20251120_143022.jsonl", "");
    for options in [&[][..], &["--stats", "--brief"], &["--full"]] {
        let ended = view(&dir, options).with_code(0);
        let hidden =
            |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}\u{feff}".contains(c);
        let raw: String = ended.stdout.chars().filter(|c| hidden(*c)).collect();
        assert!(raw.is_empty(), "{raw:?} gets through\n{}", ended.report());
        let visible = ["\\u001b", "\\u{1b}", "\\x1b"];
        assert!(
            visible
                .iter()
                .any(|escape| ended.stdout.to_lowercase().contains(escape)),
            "no visible escape\n{}",
            ended.report()
        );
    }
    // The same for what it says of a name that the user gave.
    let ended = view(&dir, &["--archive", "x\u{1b}[2J"]).with_code(1);
    assert!(!ended.stderr.contains('\u{1b}'), "{}", ended.report());
}

#[test]
fn long_content_is_cut_with_a_note_and_full_shows_it_all() {
    let mut content = "{".to_owned();
    for number in 0..500 {
        write!(content, "\"key{number}\":{number},").unwrap();
    }
    content += "\"last\":true}";
    let dir = dir_with(line(&Entry {
        content: &content,
        ..PLAIN
    }));
    view(&dir, &[])
        .with_code(0)
        .says("\"key0\": 0")
        .says("--full")
        .never_says("\"last\": true");
    let full = view(&dir, &["--full"])
        .with_code(0)
        .says("\"last\": true")
        .never_says("--full");
    assert!(full.stdout.lines().count() > 500);
}

#[test]
fn damaged_lines_are_counted_with_their_places() {
    let good = conversation();
    let first = good.find('\n').unwrap() + 1;
    let mut session = good.clone().into_bytes();
    session.splice(first..first, b"{\"torn\n".iter().copied());
    let last = session.len();
    session.extend(b"\xff\xfe\n");
    let dir = dir_with(session);

    let ended = view(&dir, &[])
        .with_code(0)
        .says("[*] Loaded 4 messages from ");
    assert_eq!(shown(&ended), [1, 2, 3, 4]);
    ended
        .warns("2 damaged lines were skipped")
        .warns(&format!("line 2: 6 bytes at offset {first}: "))
        .warns(&format!("line 6: 2 bytes at offset {last}: "));
    view(&dir, &["--stats", "--brief"])
        .with_code(0)
        .warns("2 damaged lines were skipped")
        .warns(&format!("offset {first}: "));
}

#[test]
fn a_missing_directory_or_file_is_a_sentence() {
    let dir = Dir::new();
    for options in [
        &[][..],
        &["--stats", "--brief"],
        &["--list-archives"],
        &["--archive", "x"],
    ] {
        let ended = view(&dir, options).with_code(1).warns("conversation_logs");
        assert!(!ended.stderr.contains("panicked"), "{}", ended.report());
    }
}

#[test]
fn bad_options_are_usage_errors() {
    let dir = dir_with("");
    for option in ["--limit=few", "--no-such-option", "--limit=-1"] {
        view(&dir, &[option]).with_code(2).warns("--");
    }
}

#[test]
fn an_empty_session_is_no_error() {
    let dir = dir_with("");
    view(&dir, &[])
        .with_code(0)
        .without_warning()
        .says("[*] Loaded 0 messages from ");
    view(&dir, &["--stats", "--brief"])
        .with_code(0)
        .without_warning();
}

#[test]
fn a_closed_pipe_is_silent() {
    let session: String = (1..=20_000)
        .map(|num| line(&Entry { num, ..PLAIN }))
        .collect();
    let dir = dir_with(session);
    let mut command = viewer(&dir, &["--limit", "0"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert!(
        first.starts_with("[*] Loaded 20,000 messages from "),
        "{first}"
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn it_works_while_the_broker_writes() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let mut publisher = Publisher::connect(broker.ports.publish);
    publisher.begin_burst("load", 1, 10_000, 500);
    dir.wait_lines(100);
    let mut last = 0;
    until("the last message in the viewer", || {
        let ended = view(&dir, &["--limit", "1"]).with_code(0).without_warning();
        let newest = shown(&ended)[0];
        assert!(newest >= last, "#{newest} after #{last}");
        last = newest;
        (last == 10_000).then_some(())
    });
    view(&dir, &["--stats", "--brief"]).says("  load: 10,000 messages\n");
}

#[test]
fn it_shows_what_agents_sent_through_the_broker() {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    let message = crate::util::message::agent("greeting", "claude_code", "msg_001");
    publish(broker.ports.publish, &[message]);
    dir.wait_lines(1);
    view(&dir, &[])
        .with_code(0)
        .without_warning()
        .says("[#1] claude_code → greeting\n[TIME] 2025-11-20T04:30:00Z\n[TIER] A | [CHAIN] system_architecture\n[ID] msg_001\n[SHL] @Status-Ready\n\n[CONTENT]:\n{\n  \"message\": \"this is msg_001\",\n  \"action\": \"greet\"\n}\n");
}
