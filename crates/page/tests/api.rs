//! The API, asked as any program may ask it.

#![allow(
    clippy::unwrap_used,
    reason = "a failing test is to stop and to say why; clippy sees only #[test] functions as tests"
)]

mod support;

use std::fs;

use journal::Journal;
use page::Options;
use query::Criteria;
use query::testing::{self, Message, recorded_at};
use serde_json::Value;
use serde_json::value::RawValue;
use support::Running;

/// Messages of three senders, a second apart, some of which answer others.
fn session(numbers: std::ops::RangeInclusive<u64>) -> Vec<u8> {
    let senders = ["claude", "gemini", "llama"];
    let line = |number: u64| {
        let sender = senders[(number % 3) as usize];
        let topic = if number.is_multiple_of(2) {
            "design"
        } else {
            "review"
        };
        let time = format!(
            "2025-11-20T04:{:02}:{:02}.000Z",
            number / 60 % 60,
            number % 60
        );
        let payload = format!(
            r#"{{"from":"{sender}","id":"m{number}","in_reply_to":"m{}","content":{{"message":"number {number} <b>"}},"metadata":{{"ace_tier":"A","shl_tags":["@t{}"]}}}}"#,
            number - 1,
            number % 5
        );
        recorded_at(number, &time, topic, &payload)
    };
    numbers.flat_map(line).collect()
}

fn served(session: &[u8]) -> (tempfile::TempDir, Running) {
    let dir = testing::dir_with(session);
    let running = Running::of(dir.path());
    (dir, running)
}

fn numbers(answer: &Value) -> Vec<u64> {
    let messages = answer["messages"].as_array().unwrap().iter();
    messages
        .map(|message| message["number"].as_u64().unwrap())
        .collect()
}

fn expected(messages: &[Message], criteria: Criteria) -> Vec<u64> {
    let found = testing::matching(messages, &criteria);
    found.iter().map(|message| message.number).collect()
}

/// The address that is printed is the page's, and its files are found from there.
#[test]
fn the_page_is_at_the_address_that_is_told() {
    let (_dir, server) = served(&session(1..=3));
    let page = server.get("");
    assert_eq!(page.status, 200, "{}", page.head);
    assert!(page.head.contains("text/html"), "{}", page.head);
    let quoted = page
        .body
        .split('"')
        .filter(|part| part.ends_with(".js") || part.ends_with(".css"));
    let files: Vec<&str> = quoted.map(|part| part.trim_start_matches("./")).collect();
    assert!(
        files.contains(&"page.css") && files.contains(&"main.js"),
        "{files:?}"
    );
    for file in files {
        assert_eq!(server.get(file).status, 200, "{file}");
    }
}

#[test]
fn answers_are_those_of_the_reference() {
    let bytes = session(1..=500);
    let (_dir, server) = served(&bytes);
    let all = testing::messages(&bytes);
    let some = |text: &str| vec![text.to_owned()];
    let claude = || Criteria {
        sender: some("claude"),
        ..Criteria::default()
    };
    for (question, criteria) in [
        ("", Criteria::default()),
        ("sender=claude", claude()),
        (
            "sender=!claude&topic=design",
            Criteria {
                sender: some("!claude"),
                topic: some("design"),
                ..Criteria::default()
            },
        ),
        (
            "tag=%40t3&tag=%40t4",
            Criteria {
                tag: vec!["@t3".into(), "@t4".into()],
                ..Criteria::default()
            },
        ),
        (
            "grep=number%20(7%7C8)%5Cb",
            Criteria {
                grep: some("number (7|8)\\b"),
                ..Criteria::default()
            },
        ),
        (
            "from=100&to=220&sender=claude",
            Criteria {
                from: Some(100),
                to: Some(220),
                ..claude()
            },
        ),
        (
            "since=2025-11-20T04:05:00Z&until=2025-11-20T04:06:00Z",
            Criteria {
                since: query::Instant::parse("2025-11-20T04:05:00Z"),
                until: query::Instant::parse("2025-11-20T04:06:00Z"),
                ..Criteria::default()
            },
        ),
        (
            "id=m77",
            Criteria {
                id: some("m77"),
                ..Criteria::default()
            },
        ),
    ] {
        let expected = expected(&all, criteria);
        let count = expected.len();
        let answer = server.ask(&format!("count?{question}"));
        assert_eq!(answer["matching"], count, "{question}");
        let newest = server.ask(&format!("messages?limit=30&{question}"));
        assert_eq!(
            numbers(&newest),
            expected[count.saturating_sub(30)..],
            "{question}"
        );
        assert_eq!(newest["more"], count > 30);
        let oldest = server.ask(&format!("messages?limit=30&order=oldest&{question}"));
        assert_eq!(numbers(&oldest), expected[..count.min(30)], "{question}");
        let runs = server.ask(&format!("numbers?{question}"));
        assert_eq!(runs["count"], count);
        let runs: Vec<(u64, u64)> = serde_json::from_value(runs["runs"].clone()).unwrap();
        let flat: Vec<u64> = runs
            .into_iter()
            .flat_map(|(first, last)| first..=last)
            .collect();
        assert_eq!(flat, expected, "{question}");
        let histogram = server.ask(&format!("histogram?buckets=7&{question}"));
        let buckets = histogram["buckets"].as_array().unwrap();
        let sum: u64 = buckets
            .iter()
            .map(|bucket| bucket["messages"].as_u64().unwrap())
            .sum();
        assert_eq!(
            (sum, buckets.len() <= 7),
            (count as u64, true),
            "{question}"
        );
        assert_eq!(
            buckets.first().map(|bucket| bucket["first"].as_u64()),
            expected.first().map(|first| Some(*first))
        );
    }
    assert_eq!(server.ask("numbers?quick=1"), server.ask("numbers"));
    assert_eq!(server.ask("values")["senders"][0]["messages"], 167);
    let senders = server.ask("values/senders");
    assert_eq!(senders[0]["messages"], 167);
    let thread = server.ask("thread/m5");
    assert_eq!(numbers(&thread).len(), 500);
    assert_eq!(thread["messages"][6]["depth"], 6);
    let graph = server.ask("graph");
    let answers: u64 = graph["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| edge["messages"].as_u64().unwrap())
        .sum();
    assert_eq!(answers, 499);
    assert_eq!(server.ask("statistics")["messages"], 500);
    assert_eq!(server.ask("health")["newest"], 500);
}

#[test]
fn one_message_is_given_with_its_line() {
    let bytes = session(1..=3);
    let (_dir, server) = served(&bytes);
    let message = server.ask("messages/2");
    let line = String::from_utf8(bytes)
        .unwrap()
        .lines()
        .nth(1)
        .unwrap()
        .to_owned();
    assert_eq!(message["line"], line);
    assert_eq!(message["content"]["message"], "number 2 <b>");
    assert_eq!(server.get("api/messages/9").status, 404);
    for wrong in [
        "messages?limit=x",
        "messages?sendr=a",
        "messages?grep=(",
        "messages?since=soon",
        "messages?order=x",
        "live?only=x",
    ] {
        let reply = server.get(&format!("api/{wrong}"));
        assert_eq!(reply.status, 400, "{wrong}: {}", reply.body);
        assert!(reply.body.starts_with("{\"error\":\""), "{}", reply.body);
    }
}

#[test]
fn nobody_gets_an_answer_who_should_not() {
    let (_dir, server) = served(&session(1..=3));
    let question = format!("{}api/count", server.path);
    let host = server.host.clone();
    let port = host.rsplit_once(':').unwrap().1.to_owned();
    for (headers, status) in [
        (String::new(), 200),
        (format!("Host: localhost:{port}\r\n"), 200),
        (format!("Host: evil.example:{port}\r\n"), 403),
        (format!("Host: {host}\r\nHost: evil.example\r\n"), 403),
        (format!("Origin: http://{host}\r\n"), 200),
        ("Origin: http://evil.example\r\n".to_owned(), 403),
        ("Origin: null\r\n".to_owned(), 403),
        ("Sec-Fetch-Site: cross-site\r\n".to_owned(), 403),
        ("Sec-Fetch-Site: same-site\r\n".to_owned(), 403),
        ("Sec-Fetch-Site: same-origin\r\n".to_owned(), 200),
    ] {
        let reply = server.request("GET", &question, &headers);
        assert_eq!(reply.status, status, "{headers}: {}", reply.body);
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(
            server.request(method, &question, "").status,
            405,
            "{method}"
        );
    }
    assert_eq!(
        server.path.len(),
        34,
        "128 bits as hexadecimal digits: {}",
        server.path
    );
    for path in [
        "/api/count",
        "/",
        "/x/api/count",
        "/00000000000000000000000000000000/api/count",
    ] {
        let reply = server.request("GET", path, "");
        assert_eq!(reply.status, 404, "{path}");
        assert!(!reply.body.contains("matching"), "{path}");
        assert!(
            reply
                .head
                .contains("content-security-policy: default-src 'none'"),
            "{path}"
        );
    }
}

#[test]
fn without_a_token_the_address_has_none() {
    let dir = testing::dir_with(&session(1..=3));
    let server = Running::with(Options {
        has_token: false,
        ..Options::of(dir.path())
    });
    assert_eq!(server.path, "/");
    assert_eq!(server.ask("count")["matching"], 3);
    let page = server.get("");
    assert!(
        page.body
            .contains("<script type=\"module\" src=\"main.js\">")
    );
    for file in ["main.js", "list.js", "page.css", "message.css"] {
        assert_eq!(server.get(file).status, 200, "{file}");
    }
    assert_eq!(server.get("../../etc/passwd").status, 404);
}

#[test]
fn hostile_messages_are_text() {
    let nasty = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "\"><svg onload=alert(1)>",
        "![x](http://evil.example/a.png)",
        "\u{202e}gnp.exe\u{1b}[2J",
    ];
    let mut bytes = Vec::new();
    for (at, text) in nasty.into_iter().enumerate() {
        let payload = serde_json::json!({ "from": text, "id": text, "in_reply_to": text,
            "content": { "message": text, "more": text }, "metadata": { "shl_tags": [text] } });
        bytes.extend(testing::recorded(at as u64 + 1, text, &payload.to_string()));
    }
    let (_dir, server) = served(&bytes);
    let reply = server.get("api/messages?draw=1");
    assert!(reply.head.contains("content-type: application/json"));
    assert!(!reply.body.contains(['\u{202e}', '\u{1b}']));
    let answer: Value = serde_json::from_str(&reply.body).unwrap();
    for message in answer["messages"].as_array().unwrap() {
        let html = message["html"].as_str().unwrap().to_lowercase();
        for bad in ["<script", "<img", "<svg", "href=\"javascript"] {
            assert!(!html.contains(bad), "{bad}: {html}");
        }
    }
}

#[test]
fn files_of_any_program_are_served() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("a.jsonl"), dir.path().join("b.jsonl"));
    let line = r#"{"sender":"a","timestamp":"2025-11-20T05:00:01Z","content":"two"}"#;
    fs::write(&first, format!("{line}\n")).unwrap();
    let python = r#"{"Id":"x","Timestamp":"2025-11-20T05:00:00","SpeakerName":"gemini_cli","Message":"{\"message\": \"one\"}","Metadata":{"topic":"general"}}"#;
    fs::write(&second, format!("{python}\n")).unwrap();
    let server = Running::with(Options {
        files: vec![first, second],
        ..Options::of(dir.path())
    });
    let answer = server.ask("messages");
    assert_eq!(numbers(&answer), [1, 2]);
    let (one, two) = (&answer["messages"][0], &answer["messages"][1]);
    assert_eq!(
        (&one["sender"], &one["topic"], &one["text"]),
        (&"gemini_cli".into(), &"general".into(), &"one".into())
    );
    assert_eq!(two["content"], "two");
    assert_eq!(server.ask("messages/1")["line"], python);
}

fn append(journal: &Journal, text: &str) -> u64 {
    let payload = format!(r#"{{"from":"claude","content":"{text}"}}"#);
    let mut body = Vec::new();
    message::encode(&["t", &payload], "2025-11-20T04:30:00.123Z", &mut body);
    let body = RawValue::from_string(String::from_utf8(body).unwrap()).unwrap();
    journal.append(&body).unwrap()
}

#[test]
fn who_watches_gets_each_message_once_across_sessions_and_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    append(&journal, "before");
    let mut server = Running::of(dir.path());
    let mut events = server.watch("", "");
    let mut from_the_beginning = server.watch("after=0", "");
    for _ in 0..10 {
        append(&journal, "in the first session");
    }
    journal.archive(None).unwrap();
    for _ in 0..10 {
        append(&journal, "in the second session");
    }
    let seen: Vec<u64> = (0..20).map(|_| events.number()).collect();
    assert_eq!(seen, (2..=21).collect::<Vec<_>>());
    let seen: Vec<u64> = (0..21).map(|_| from_the_beginning.number()).collect();
    assert_eq!(seen, (1..=21).collect::<Vec<_>>());
    // While the server is away, more comes, and a session is closed.
    server.stop();
    for _ in 0..300 {
        append(&journal, "while nobody looked");
    }
    journal.archive(None).unwrap();
    append(&journal, "and after that");
    let server = Running::of(dir.path());
    let mut events = server.watch("", "Last-Event-ID: 21\r\n");
    append(&journal, "the last");
    let seen: Vec<u64> = (0..302).map(|_| events.number()).collect();
    assert_eq!(seen, (22..=323).collect::<Vec<_>>());
    // A filter and numbers alone.
    let mut some = server.watch("after=0&grep=nobody&only=numbers", "");
    let mut count = 0;
    while count < 300 {
        let (kind, _, data) = some.next();
        assert_eq!(kind, "numbers");
        count += serde_json::from_str::<Value>(&data).unwrap()["count"]
            .as_u64()
            .unwrap();
    }
    assert_eq!(count, 300);
}

#[test]
fn a_slow_watcher_delays_nobody_and_misses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    append(&journal, "before");
    let server = Running::of(dir.path());
    let mut slow = server.watch("", "");
    let mut others: Vec<_> = (0..100).map(|_| server.watch("", "")).collect();
    // More than the tail, its own queue and the socket hold.
    let long = "x".repeat(10_000);
    for _ in 0..3_000 {
        append(&journal, &long);
    }
    for other in &mut others[..3] {
        let seen: Vec<u64> = (0..3_000).map(|_| other.number()).collect();
        assert_eq!(seen, (2..=3_001).collect::<Vec<_>>());
    }
    assert_eq!(server.ask("count")["matching"], 3_001);
    let seen: Vec<u64> = (0..3_000).map(|_| slow.number()).collect();
    assert_eq!(seen, (2..=3_001).collect::<Vec<_>>());
}

#[test]
fn nothing_recorded_yet_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::of(dir.path());
    assert_eq!(server.ask("count")["matching"], 0);
    assert_eq!(server.ask("numbers")["count"], 0);
    assert_eq!(server.ask("health")["newest"], Value::Null);
    let mut events = server.watch("", "");
    let (journal, _) = Journal::open(dir.path()).unwrap();
    append(&journal, "the first");
    assert_eq!(events.number(), 1);
}

/// Runs the examples of the documentation as they stand there.
#[cfg(unix)]
#[test]
fn the_examples_of_the_documentation_run() {
    use std::process::Command;

    let (_dir, server) = served(&session(1..=120));
    let page = format!(
        "http://{}{}",
        server.host,
        server.path.trim_end_matches('/')
    );
    let document = include_str!("../../../docs/page.md");
    let examples: Vec<&str> = document
        .lines()
        .filter_map(|line| line.strip_prefix("$ curl"))
        .collect();
    assert!(examples.len() >= 10);
    for example in examples {
        // A stream is read for as long as it takes to get something.
        let is_live = example.contains("/api/live");
        let end = if is_live { " | head -n 6" } else { "" };
        let line = format!("curl{example}{end}");
        let run = Command::new("sh")
            .args(["-c", &line])
            .env("PAGE", &page)
            .output()
            .unwrap();
        let out = String::from_utf8(run.stdout).unwrap();
        if is_live {
            assert!(out.contains("event: message"), "{line}: {out}");
        } else {
            assert!(
                run.status.success(),
                "{line}: {}",
                String::from_utf8_lossy(&run.stderr)
            );
            let _json: Value = serde_json::from_str(&out).unwrap();
        }
    }
}
