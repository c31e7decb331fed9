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
    (
        "programs/claude_stream.jsonl",
        &[
            "claude_code",
            "user",
            "user",
            "system",
            "assistant",
            "user",
            "claude_code",
            "assistant",
            "assistant",
            "system",
            "assistant",
        ],
        "needle",
        11,
    ),
    ("programs/claude_history.jsonl", &["user"], "needle", 1),
    (
        "programs/codex_old.jsonl",
        &[
            "codex",
            "codex",
            "user",
            "assistant",
            "assistant",
            "tool",
            "assistant",
        ],
        "needle",
        6,
    ),
    (
        "programs/codex_new.jsonl",
        &[
            "codex",
            "user",
            "assistant",
            "assistant",
            "tool",
            "codex",
            "assistant",
            "assistant",
            "codex",
            "codex",
            "assistant",
            "assistant",
        ],
        "needle",
        12,
    ),
    (
        "programs/codex_exec.jsonl",
        &[
            "system",
            "system",
            "assistant",
            "tool",
            "tool",
            "assistant",
            "system",
        ],
        "needle",
        7,
    ),
    (
        "programs/gemini_session.json",
        &["user", "gemini", "gemini", "system"],
        "needle",
        4,
    ),
    (
        "programs/gemini_stream.jsonl",
        &[
            "system",
            "user",
            "assistant",
            "tool",
            "assistant",
            "assistant",
        ],
        "needle",
        6,
    ),
    (
        "programs/gemini_checkpoint.json",
        &["user", "model", "user", "model"],
        "needle",
        4,
    ),
    (
        "programs/copilot_events.jsonl",
        &[
            "system",
            "user",
            "assistant",
            "tool",
            "tool",
            "assistant",
            "system",
        ],
        "needle",
        7,
    ),
    (
        "programs/copilot_old.json",
        &["user", "assistant", "tool"],
        "needle",
        3,
    ),
    (
        "programs/cursor_stream.jsonl",
        &["system", "user", "assistant", "assistant", "assistant"],
        "needle",
        5,
    ),
    (
        "programs/kimi_context.jsonl",
        &["_checkpoint", "user", "assistant", "tool", "_usage"],
        "needle",
        5,
    ),
    (
        "programs/kimi_wire.jsonl",
        &[
            "kimi",
            "user",
            "kimi",
            "assistant",
            "assistant",
            "tool",
            "kimi",
        ],
        "needle",
        7,
    ),
    ("programs/opencode_toolpart.json", &["tool"], "needle", 1),
    (
        "programs/opencode_run.jsonl",
        &["opencode", "assistant", "assistant"],
        "needle",
        3,
    ),
    (
        "programs/openai_completion.jsonl",
        &["assistant", "assistant", "assistant"],
        "needle",
        3,
    ),
    (
        "programs/openai_responses.jsonl",
        &["assistant", "user"],
        "needle",
        2,
    ),
    (
        "programs/openai_batch.jsonl",
        &["system", "user", "assistant"],
        "needle",
        2,
    ),
    (
        "programs/openai_tools.jsonl",
        &[
            "developer",
            "user",
            "assistant",
            "tool",
            "assistant",
            "unknown",
            "unknown",
        ],
        "needle",
        7,
    ),
    (
        "programs/chatgpt.json",
        &["system", "user", "assistant", "python", "user", "assistant"],
        "needle",
        5,
    ),
    (
        "programs/sharegpt_more.jsonl",
        &[
            "system",
            "human",
            "gpt",
            "function_call",
            "observation",
            "unknown",
            "unknown",
            "human",
            "gpt",
        ],
        "needle",
        8,
    ),
    (
        "programs/autogen02.jsonl",
        &["user_proxy", "coder", "user_proxy"],
        "needle",
        3,
    ),
    (
        "programs/autogen02_file.log",
        &["unknown", "user_proxy", "coder"],
        "needle",
        3,
    ),
    (
        "programs/autogen04.jsonl",
        &[
            "user", "coder", "coder", "coder", "a", "user", "a", "unknown",
        ],
        "needle",
        8,
    ),
    (
        "programs/langchain_more.jsonl",
        &[
            "human",
            "ai",
            "f",
            "human",
            "ai",
            "ChatOpenAI",
            "AgentExecutor",
            "human",
            "bot",
            "unknown",
        ],
        "needle",
        10,
    ),
    (
        "programs/crewai.json",
        &["Senior Researcher", "Senior Researcher"],
        "needle",
        2,
    ),
    ("programs/otel_py.json", &["user", "assistant"], "needle", 2),
    ("programs/otel_span_py.json", &["openai"], "needle", 1),
    (
        "programs/otel_otlp_events.jsonl",
        &["openai", "otel", "assistant"],
        "needle",
        3,
    ),
    (
        "programs/mcp_more.jsonl",
        &[
            "client", "server", "client", "server", "client", "client", "server", "client",
        ],
        "needle",
        8,
    ),
    (
        "programs/mcp_desktop.log",
        &["unknown", "client", "server"],
        "needle",
        3,
    ),
    (
        "programs/pino.jsonl",
        &["unknown", "svc", "unknown", "unknown"],
        "needle",
        3,
    ),
    ("programs/bunyan_error.jsonl", &["svc", "svc"], "needle", 2),
    (
        "programs/python_json.jsonl",
        &[
            "app", "app.db", "app", "unknown", "app", "app", "unknown", "app",
        ],
        "needle",
        8,
    ),
    (
        "programs/slack_export.json",
        &["Ada L", "bot", "U2", "U3", "U1"],
        "needle",
        5,
    ),
    ("programs/slack_api.json", &["U1", "U2"], "needle", 2),
    (
        "programs/nats_more.jsonl",
        &["unknown", "unknown", "unknown", "unknown", "gemini", "a"],
        "needle",
        6,
    ),
    (
        "programs/journals.jsonl",
        &[
            "gemini",
            "unknown",
            "gemini",
            "gemini_cli",
            "app",
            "sshd",
            "sshd",
        ],
        "needle",
        7,
    ),
    (
        "programs/carried.jsonl",
        &[
            "unknown",
            "gemini",
            "bob",
            "unknown",
            "unknown",
            "unknown",
            "assistant",
            "assistant",
            "assistant",
            "assistant",
        ],
        "needle",
        10,
    ),
    (
        "programs/prefix.log",
        &["a", "a", "a", "a", "a", "a", "a", "a", "unknown"],
        "needle",
        9,
    ),
    (
        "programs/bracketlog.log",
        &["unknown", "unknown", "unknown"],
        "needle",
        3,
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

#[test]
fn calls_and_thoughts_beside_a_text_are_shown_and_found() {
    for (name, at, text) in [
        (
            "programs/kimi_context.jsonl",
            2,
            "[thinking] hm needle\n\nLook\n\n[tool call] Shell {\"command\": \"needle\"}",
        ),
        (
            "programs/gemini_session.json",
            1,
            "[thinking] Thinking: about the needle\n\n[tool call] read_file {\"path\": \"needle\"}\n\n[tool result] needle text",
        ),
        (
            "programs/copilot_events.jsonl",
            2,
            "[tool call] bash {\"command\":\"needle\"}",
        ),
        (
            "programs/carried.jsonl",
            6,
            "Let me look\n\n[tool call] ls {\"p\":\"needle\"}",
        ),
        (
            "programs/gemini_stream.jsonl",
            2,
            "[tool call] Bash {\"command\":\"needle\"}",
        ),
        ("programs/codex_old.jsonl", 5, "[tool result] needle.txt"),
    ] {
        assert_eq!(messages(name)[at][2], text, "{name}");
    }
}

#[test]
fn a_message_that_a_line_carries_has_its_own_fields() {
    let row = |name: &str, at: usize| -> Value {
        let fields = "topic,sender,tier,chain_type,shl_tags,message_id";
        let ended = view(name, &["-o", "json", "--fields", fields]);
        let rows: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
        rows[at].clone()
    };
    let expected = serde_json::json!({
        "topic": "t", "sender": "gemini", "tier": "A", "chain_type": "c1",
        "shl_tags": ["@X"], "message_id": "m1",
    });
    assert_eq!(row("programs/journals.jsonl", 0), expected);
    assert_eq!(row("programs/journals.jsonl", 2)["message_id"], "m2");
    assert_eq!(row("programs/carried.jsonl", 1)["tier"], "A");
    let found = view("programs/journals.jsonl", &["--tag", "@X", "--count"]);
    assert_eq!(found.stdout, "2\n");
}

#[test]
fn an_answer_is_told_from_what_it_answers() {
    for (name, at, id, reply) in [
        ("programs/mcp_more.jsonl", 3, Value::Null, "a"),
        ("programs/codex_new.jsonl", 4, Value::Null, "c1"),
        ("programs/kimi_wire.jsonl", 5, Value::Null, "t"),
        (
            "programs/openai_batch.jsonl",
            2,
            "batch_req_1".into(),
            "request-1",
        ),
    ] {
        let ended = view(name, &["-o", "json", "--fields", "message_id,in_reply_to"]);
        let rows: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
        let expected = serde_json::json!({"message_id": id, "in_reply_to": reply});
        assert_eq!(rows[at], expected, "{name}");
    }
}

#[test]
fn what_a_log_says_before_a_message_tells_its_time() {
    let times: Vec<_> = messages("programs/prefix.log")
        .into_iter()
        .map(|[_, time, _]| time)
        .collect();
    assert_eq!(times[0], "2025-11-20T12:00:00.000000000Z");
    assert_eq!(times[1], "2025-11-20T12:00:01Z");
    assert_eq!(times[5], "2025-11-20 12:00:05.123");
    assert_eq!(times[8], "2025-11-20 12:00:08");
    let text = &messages("programs/prefix.log")[8][2];
    assert_eq!(
        text,
        "2025-11-20 12:00:08 [pid 5] {\"a\":[1]} plain text with needle"
    );
    let since = ["--since", "2025-11-20T12:00:06Z", "--count"];
    assert_eq!(view("programs/bracketlog.log", &since).stdout, "1\n");
}

#[test]
fn packed_files_are_verified_and_salvaged_like_others() {
    let logs = Logs::new();
    logs.write_current(crate::checks::sealed(3));
    for name in ["ok.jsonl.gz", "ok.jsonl.zst"] {
        let path = case(name);
        let path = path.to_str().unwrap();
        let ended = logs.view(&["verify", "--file", path]);
        ended.says("[CLEAN]");
        ended.says("Records: 2");
        let out = logs.dir().join("out.jsonl");
        let salvage = ["salvage", out.to_str().unwrap(), "--file", path];
        logs.view(&salvage).says("Kept: 2");
        let plain = std::fs::read(case("ok.jsonl")).unwrap();
        assert_eq!(std::fs::read(&out).unwrap(), plain, "{name}");
        std::fs::remove_file(&out).unwrap();
        let session = format!("session_20251120_143022{}", &name[2..]);
        logs.write_archive(&session, std::fs::read(path).unwrap());
        let ended = logs.view(&["verify", "--archive", "session_20251120_143022"]);
        ended.says("[CLEAN]");
        ended.says("Records: 2");
        let salvage = ["salvage", out.to_str().unwrap(), "--archive", &session];
        logs.view(&salvage).says("Kept: 2");
        std::fs::remove_file(&out).unwrap();
        std::fs::remove_file(logs.archive_dir().join(session)).unwrap();
    }
}

#[test]
fn a_file_that_is_named_twice_is_read_once() {
    let path = case("ok.jsonl");
    let other = path.parent().unwrap().join("../cases/ok.jsonl");
    let paths = [&path, &other, &path].map(|path| path.to_str().unwrap());
    let options = [&paths[..], &["--count"]].concat();
    assert_eq!(Logs::new().view(&options).stdout, "2\n");
}

#[test]
fn what_stands_behind_packed_bytes_is_damage_at_its_place() {
    let logs = Logs::new();
    let packed = std::fs::read(case("ok.jsonl.gz")).unwrap();
    let path = logs.dir().join("../x.jsonl.gz");
    let path = path.to_str().unwrap();
    let place = format!("14 bytes at offset {}", packed.len());
    for (behind, count, said) in [
        (&b"garbage behind"[..], "2\n", &*place),
        (&[0; 100], "2\n", ""),
        (&packed, "4\n", ""),
    ] {
        std::fs::create_dir_all(logs.dir()).unwrap();
        std::fs::write(path, [&packed[..], behind].concat()).unwrap();
        let ended = logs.view(&[path, "--count"]);
        assert_eq!(ended.stdout, count, "{}", ended.report());
        assert_eq!(
            ended.stderr.is_empty(),
            said.is_empty(),
            "{}",
            ended.report()
        );
        assert!(ended.stderr.contains(said), "{}", ended.report());
    }
}
