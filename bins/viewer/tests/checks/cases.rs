//! Lines of other programs, and files that are no plain lines: small ones of each
//! lie in `tests/cases`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::util::Logs;

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(name)
}

fn view(name: &str, options: &[&str]) -> crate::util::Ended {
    let path = case(name);
    let path = path.to_str().unwrap();
    Logs::new().view(&[&[path, "--utc", "--limit", "0"], options].concat())
}

/// Sender, time and text of each message.
fn messages(name: &str) -> Vec<[String; 3]> {
    let ended = view(name, &["-o", "json", "--fields", "sender,time,text"]);
    assert_eq!(ended.code, Some(0), "{name}: {}", ended.report());
    let rows: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fields = ["sender", "time", "text"];
    rows.iter()
        .map(|row| fields.map(|field| text(&row[field])))
        .collect()
}

/// Each file, the senders in it, and a pattern with how many of its messages match.
const FILES: &[(&str, &[&str], &str, usize)] = &[
    ("nocontent.jsonl", &["user"], "needle", 1),
    ("payloads.jsonl", &["claude_code"], "payload line", 1),
    ("epoch.jsonl", &["x"], "epoch", 1),
    ("glued_nocrc.jsonl", &["x", "y", "x"], "hand made", 3),
    ("torn_glued_nocrc.jsonl", &["y", "x"], "hand made", 2),
    ("surrogate.jsonl", &["a", "a"], "paired", 1),
    ("vs16.jsonl", &["a"], "Warning", 1),
    (
        "parts.jsonl",
        &["a", "a", "a", "a"],
        "Hello|nested|member|deeper",
        4,
    ),
    ("dockerlog.jsonl", &["x", "y"], "hand made", 2),
    ("utf16le.jsonl", &["x", "y"], "hand made", 2),
    ("bom_start.jsonl", &["a", "a"], "one|two", 2),
    ("nan.jsonl", &["x", "y"], "hand made|NaN", 2),
    ("array.json", &["x", "y"], "hand made", 2),
    ("pretty.json", &["x"], "hand made", 1),
    ("ok.jsonl", &["a", "a"], "hi|plain", 2),
    ("ok.jsonl.gz", &["a", "a"], "hi|plain", 2),
    ("ok.jsonl.zst", &["a", "a"], "hi|plain", 2),
    ("three.jsonl", &["a", "a", "a"], "m[123]", 3),
    ("shapes/autogen.jsonl", &["planner", "planner"], "needle", 2),
    ("shapes/mcp.jsonl", &["client"], "needle", 1),
    (
        "shapes/openai_chat.jsonl",
        &["system", "user", "assistant"],
        "needle",
        1,
    ),
    ("shapes/pino.jsonl", &["svc"], "needle", 1),
    ("shapes/sharegpt.jsonl", &["human", "gpt"], "needle", 1),
    (
        "programs/aider.md",
        &["aider", "user", "assistant", "aider"],
        "needle",
        3,
    ),
    (
        "programs/autogen.jsonl",
        &["planner", "coder", "planner/default"],
        "needle",
        3,
    ),
    ("programs/bunyan.jsonl", &["svc"], "needle", 1),
    (
        "programs/claude_code.jsonl",
        &["claude_code", "user", "assistant", "user"],
        "needle",
        4,
    ),
    (
        "programs/codex.jsonl",
        &[
            "codex",
            "user",
            "assistant",
            "assistant",
            "assistant",
            "tool",
        ],
        "needle",
        6,
    ),
    (
        "programs/copilot.jsonl",
        &["user", "assistant", "tool"],
        "needle",
        3,
    ),
    ("programs/crewai.jsonl", &["Researcher"], "needle", 1),
    ("programs/cursor.jsonl", &["user", "assistant"], "needle", 2),
    (
        "programs/embedded.jsonl",
        &["gemini", "gemini", "unknown"],
        "needle",
        3,
    ),
    ("programs/gemini.json", &["user", "gemini"], "needle", 2),
    ("programs/kimi.jsonl", &["user", "assistant"], "needle", 2),
    (
        "programs/langchain.jsonl",
        &["human", "ai", "ai"],
        "needle",
        3,
    ),
    ("programs/mcp.jsonl", &["client", "server"], "needle", 2),
    ("programs/nats.jsonl", &["gemini", "unknown"], "needle", 2),
    (
        "programs/opencode.json",
        &["user", "assistant"],
        "needle",
        2,
    ),
    (
        "programs/otel.jsonl",
        &["user", "assistant", "helper"],
        "needle",
        3,
    ),
    ("programs/payload.jsonl", &["claude", "llama"], "needle", 2),
    (
        "programs/python_logging.jsonl",
        &["app.db", "app", "app"],
        "needle",
        3,
    ),
    ("programs/qwen.jsonl", &["user", "assistant"], "needle", 2),
    ("programs/slack.json", &["Ada", "U2"], "needle", 2),
    ("programs/unknown.jsonl", &["unknown"], "needle", 1),
    (
        "programs/latin1.jsonl",
        &["user", "user"],
        "café|naïve “quoted”",
        2,
    ),
    (
        "programs/table.csv",
        &["unknown", "unknown", "unknown"],
        "needle",
        2,
    ),
    (
        "programs/front_matter.jsonl",
        &["unknown", "unknown", "unknown", "user"],
        "needle",
        2,
    ),
];

#[test]
fn each_message_has_its_sender_and_its_text() {
    for (name, senders, pattern, matching) in FILES {
        let found = messages(name);
        let found_senders: Vec<_> = found.iter().map(|[sender, ..]| sender.as_str()).collect();
        assert_eq!(found_senders, *senders, "{name}");
        for [_, _, text] in &found {
            assert!(!text.is_empty() && text != "null", "{name}: {found:?}");
        }
        let grep = view(name, &["--grep", pattern, "--count"]);
        assert_eq!(
            grep.stdout,
            format!("{matching}\n"),
            "{name}: {}",
            grep.report()
        );
    }
}

#[test]
fn all_formats_show_the_same_messages() {
    for (name, senders, ..) in FILES {
        let count = senders.len();
        assert_eq!(
            view(name, &["--count"]).stdout,
            format!("{count}\n"),
            "{name}"
        );
        let stats = view(name, &["--stats", "-o", "json"]);
        let stats: Value = serde_json::from_str(&stats.stdout).unwrap();
        assert_eq!(stats["messages"], count, "{name}");
        let csv = view(name, &["-o", "csv", "--fields", "sender"]);
        assert_eq!(csv.stdout.lines().count(), count + 1, "{name}");
        for (format, mark) in [("compact", ""), ("md", "\n### "), ("html", "<article")] {
            let ended = view(name, &["-o", format]);
            let shown = match mark {
                "" => ended.stdout.lines().count(),
                mark => ended.stdout.matches(mark).count(),
            };
            assert_eq!(shown, count, "{name} as {format}: {}", ended.report());
        }
    }
}

#[test]
fn other_programs_times_are_times() {
    for (name, at, time) in [
        ("programs/kimi.jsonl", 0, "2025-11-20 12:00:00"),
        ("programs/opencode.json", 1, "2025-11-20 12:00:01"),
        ("programs/slack.json", 0, "2025-11-20 12:00:00"),
        ("programs/python_logging.jsonl", 0, "2025-11-20 12:00:00"),
        ("programs/embedded.jsonl", 1, "2025-11-20 12:00:00"),
        ("shapes/pino.jsonl", 0, "2024-11-18 12:00:00"),
    ] {
        let shown = view(name, &["-o", "compact", "--fields", "time"]).stdout;
        assert_eq!(shown.lines().nth(at), Some(time), "{name}: {shown}");
        let since = format!("{time}Z");
        let found = view(name, &["--since", &since, "--count"]).stdout;
        assert_ne!(found, "0\n", "{name}");
    }
}

#[test]
fn times_are_filtered_however_they_are_spelled() {
    let during = [
        "--since",
        "2024-01-13T00:33:05Z",
        "--until",
        "2024-01-13T00:33:06Z",
        "--count",
    ];
    assert_eq!(view("ts.jsonl", &during).stdout, "8\n");
    let during = [
        "--since",
        "2025-11-20T00:00:00Z",
        "--until",
        "2025-11-21T00:00:00Z",
        "--count",
    ];
    assert_eq!(view("ts.jsonl", &during).stdout, "14\n");
}

#[test]
fn an_impossible_time_does_not_stretch_the_chart() {
    let stats = view("ts.jsonl", &["--stats", "-o", "json"]);
    let stats: Value = serde_json::from_str(&stats.stdout).unwrap();
    let buckets = stats["activity"]["buckets"].as_array().unwrap();
    assert!(buckets.len() <= 80, "{buckets:?}");
    assert!(!stats.to_string().contains("9999"), "{stats}");
    assert!(
        view("ts.jsonl", &[])
            .stdout
            .contains("9999-12-31T23:59:59Z")
    );
}

#[test]
fn half_a_pair_costs_one_character() {
    let found = messages("surrogate.jsonl");
    assert_eq!(found[0][2], "half \u{fffd} here and paired \u{1f600}");
}

#[test]
fn emoji_and_joined_words_are_shown() {
    let shown = view("vs16.jsonl", &[]).stdout;
    for text in [
        "⚠\u{fe0f}",
        "1\u{fe0f}\u{20e3}",
        "👨\u{200d}👩\u{200d}👧",
        "می\u{200c}خواهم",
        "क्\u{200d}ष",
        "🇩🇪",
    ] {
        assert!(shown.contains(text), "no {text}: {shown}");
    }
    assert!(shown.contains("soft\\u00adhyphen"), "{shown}");
}

#[test]
fn parts_are_readable() {
    let found = messages("programs/claude_code.jsonl");
    assert_eq!(
        found[2][2],
        "[thinking] needle?\n\nThe needle is here.\n\n[tool call] Bash {\"command\": \"ls needle\"}"
    );
    assert_eq!(found[3][2], "[tool result] needle.txt");
}

#[test]
fn what_does_not_read_is_damage_with_its_place() {
    let ended = view("torn_glued_nocrc.jsonl", &["--count"]);
    assert!(
        ended.stderr.contains("line 1: 50 bytes at offset 0"),
        "{}",
        ended.report()
    );
    for (name, cut) in [("ok.jsonl.gz", 60), ("ok.jsonl.zst", 60)] {
        let logs = Logs::new();
        let bytes = std::fs::read(case(name)).unwrap();
        logs.write_current("");
        let path = logs.dir().join(name);
        std::fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
        let ended = logs.view(&["--file", path.to_str().unwrap(), "--count"]);
        assert_eq!(ended.code, Some(0), "{}", ended.report());
        assert!(
            ended.stderr.contains("cannot be unpacked"),
            "{}",
            ended.report()
        );
        assert!(ended.stderr.contains("at offset"), "{}", ended.report());
    }
}

#[test]
fn several_files_are_merged_by_time() {
    let paths = [
        "shapes/pino.jsonl",
        "programs/codex.jsonl",
        "nocontent.jsonl",
        "epoch.jsonl",
    ]
    .map(case);
    let paths: Vec<_> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let options = [
        &paths[..],
        &["-o", "compact", "--fields", "sender", "--limit", "0"],
    ]
    .concat();
    let senders = Logs::new().view(&options).stdout;
    let senders: Vec<_> = senders.lines().map(str::trim).collect();
    assert_eq!(
        senders,
        [
            "x",
            "svc",
            "codex",
            "user",
            "assistant",
            "assistant",
            "assistant",
            "tool",
            "user"
        ]
    );
    let newest = [
        &paths[..],
        &[
            "-o",
            "compact",
            "--fields",
            "sender",
            "--limit",
            "2",
            "--reverse",
        ],
    ]
    .concat();
    let newest = Logs::new().view(&newest).stdout;
    assert_eq!(
        newest.lines().map(str::trim).collect::<Vec<_>>(),
        ["user", "tool"]
    );
}

#[test]
fn packed_archives_are_sessions() {
    let logs = Logs::new();
    logs.write_current(crate::checks::sealed(3));
    for name in ["ok.jsonl.gz", "ok.jsonl.zst"] {
        let bytes = std::fs::read(case(name)).unwrap();
        let ending = name.strip_prefix("ok").unwrap();
        let session = format!("session_20251120_143022{ending}");
        logs.write_archive(&session, bytes);
        assert_eq!(logs.view(&["--all"]).numbers(), [1, 2, 3], "{name}");
        assert_eq!(
            logs.view(&["--archive", "session_20251120_143022"])
                .numbers(),
            [1, 2]
        );
        logs.view(&["--list-archives"]).says(&session);
        std::fs::remove_file(logs.archive_dir().join(session)).unwrap();
    }
}
