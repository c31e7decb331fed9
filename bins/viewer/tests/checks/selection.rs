//! Which messages are shown: files, ranges, times, text.

use std::fs::File;
use std::io::Write;
use std::process::Stdio;

use crate::checks::lines;
use crate::util::{Ended, Logs};

/// Two closed sessions and the current one, of three messages each.
fn sessions() -> Logs {
    let logs = Logs::new();
    logs.write_archive("session_20251119_000000.jsonl", lines(1..=3));
    logs.write_archive("session_20251120_000000.jsonl", lines(4..=6));
    logs.write_current(lines(7..=9));
    logs
}

/// A message of the broker with this payload, recorded in that minute.
fn recorded(number: u64, minute: u32, payload: &str) -> String {
    let time = format!("2025-11-20T12:{minute:02}:00.000Z");
    let mut group = journal::raw::Group::new(number, usize::MAX);
    group
        .push_with(|out| message::encode(&["t", payload], &time, out))
        .unwrap();
    String::from_utf8(group.bytes().to_vec()).unwrap()
}

/// What somebody said about timeouts.
fn talk() -> Logs {
    let logs = Logs::new();
    let says = |number, minute, id: &str, tag: &str, text: &str| {
        let payload = format!(
            r#"{{"sender_id":"timeout","message_id":"{id}","content":{{"timeout":"{text}"}},"metadata":{{"shl_tags":["{tag}"]}}}}"#
        );
        recorded(number, minute, &payload)
    };
    logs.write_current(
        [
            says(1, 0, "m1", "@a", "a timeout"),
            says(2, 10, "m2", "@b", "Time out!"),
            says(3, 20, "m3", "@a", "nothing"),
            says(4, 30, "m4", "@b", "the \\u0074imeout"),
        ]
        .concat(),
    );
    logs
}

#[test]
fn all_sessions_are_shown_as_one() {
    let logs = sessions();
    let all = logs.view(&["--all", "--limit", "0"]);
    assert_eq!(all.numbers(), (1..=9).collect::<Vec<_>>());
    all.says("[*] Loaded 9 messages from ");
    assert_eq!(
        logs.view(&["--all", "--limit", "4"]).numbers(),
        [6, 7, 8, 9]
    );
    let stats = logs.view(&["--all", "--stats"]);
    assert_eq!(stats.counted("[Senders]"), 9);
}

#[test]
fn several_archives_are_shown_in_the_order_of_their_messages() {
    let logs = sessions();
    let names = [
        "--archive",
        "session_20251120_000000",
        "--archive",
        "session_20251119_000000",
    ];
    assert_eq!(logs.view(&names).numbers(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn the_newest_come_first_in_reverse() {
    let logs = sessions();
    let reverse = logs.view(&["--all", "--reverse", "--limit", "5"]);
    assert_eq!(reverse.numbers(), [9, 8, 7, 6, 5]);
}

#[test]
fn a_file_or_standard_input_can_be_read() {
    let logs = sessions();
    let path = logs.archive_dir().join("session_20251119_000000.jsonl");
    let file = logs.view(&["--file", path.to_str().unwrap(), "--limit", "2"]);
    assert_eq!(file.numbers(), [2, 3]);
    for options in [&["-"][..], &["--file", "-"]] {
        let mut command = logs.command(options);
        let input = File::open(&path).unwrap();
        let ended = Ended::new(command.stdin(input).output().unwrap());
        assert_eq!(ended.numbers(), [1, 2, 3], "{}", ended.report());
        let mut child = logs
            .command(&[options, &["--count"]].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(lines(5..=9).as_bytes()).unwrap();
        drop(pipe);
        Ended::new(child.wait_with_output().unwrap()).with(0, "5\n", "");
    }
}

#[test]
fn places_exclude_each_other() {
    let logs = sessions();
    for options in [
        &["--all", "--archive", "x"][..],
        &["--all", "--file", "x"],
        &["--current", "--all"],
        &["--current", "x.jsonl"],
        &["x"],
        &["--stats", "--count"],
        &["--ignore-case"],
    ] {
        assert_eq!(logs.view(options).code, Some(2), "{options:?}");
    }
}

#[test]
fn text_is_searched_in_the_content_only() {
    let logs = talk();
    for (options, numbers) in [
        (&["--grep", "timeout"][..], &[1, 4][..]),
        (&["--grep", "time ?out", "-i"], &[1, 2, 4]),
        (&["--grep", "^Time"], &[2]),
        (&["--grep", "nothing", "--grep", "!"], &[]),
        (&["--grep", "!timeout"], &[2, 3]),
        (&["--grep", "a", "--grep", "!timeout"], &[]),
    ] {
        assert_eq!(logs.view(options).numbers(), numbers, "{options:?}");
        let count = format!("{}\n", numbers.len());
        logs.view(&[options, &["--count"]].concat())
            .with(0, &count, "");
    }
    let wrong = logs.view(&["--grep", "a("]);
    wrong.with(
        2,
        "",
        "viewer: unclosed group in --grep: a(\n                                   ^\n",
    );
    // Wide characters take two columns.
    let ended = logs.view(&["--grep", "日本[", "--count"]);
    let caret = ended.stderr.lines().nth(1).map(str::len);
    let head = "viewer: unclosed character class in --grep: ".len();
    assert_eq!(caret, Some(head + 4 + 1), "{}", ended.report());
}

#[test]
fn ids_tags_numbers_and_times_select() {
    let logs = talk();
    for (options, numbers) in [
        (&["--id", "m2"][..], &[2][..]),
        (&["--id", "m2", "--id", "m3"], &[2, 3]),
        (&["--tag", "@a"], &[1, 3]),
        (&["--tag", "!@a"], &[2, 4]),
        (&["--from", "2", "--to", "3"], &[2, 3]),
        (&["--since", "2025-11-20T12:10:00Z"], &[2, 3, 4]),
        (&["--until", "2025-11-20T12:10:00Z"], &[1]),
        (
            &["--since", "2025-11-20 12:05", "--until", "2025-11-20 12:25"],
            &[2, 3],
        ),
        (&["--since", "-3h"], &[]),
        (&["--until", "2 days ago", "--limit", "1"], &[4]),
        (&["--sender", "!timeout"], &[]),
    ] {
        let output = logs.command(options).env("TZ", "UTC").output().unwrap();
        let ended = Ended::new(output);
        assert_eq!(ended.numbers(), numbers, "{options:?} {}", ended.report());
    }
    let wrong = logs.view(&["--since", "soon"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("2 days ago"), "{}", wrong.report());
}

#[test]
fn a_conversation_is_shown_as_a_tree() {
    let logs = Logs::new();
    let says = |number, id: &str, reply: &str| {
        let payload =
            format!(r#"{{"message_id":"{id}","in_reply_to":"{reply}","content":"\u001b[2J"}}"#);
        recorded(number, 0, &payload)
    };
    let lines = [
        says(1, "m1", ""),
        says(2, "m2", "elsewhere"),
        says(3, "m3", "m1"),
        says(4, "m4", "m3"),
        says(5, "m5", "m1"),
    ];
    logs.write_current(lines.concat());
    let chat = logs.view(&["--thread", "m4"]);
    chat.says("[*] Showing 4 of 4 messages\n");
    chat.says("\n    [#4] ");
    chat.says("  ↩ m3\n      \\u001b[2J\n");
    let ended = logs.view(&["--thread", "m4", "-o", "pretty"]);
    ended.says("[*] Showing 4 of 4 messages\n");
    let heads = ended
        .stdout
        .lines()
        .filter_map(|line| line.split_once(" unknown →"));
    let heads: Vec<&str> = heads.map(|(head, _)| head).collect();
    assert_eq!(heads, ["[#1]", "    [#3]", "        [#4]", "    [#5]"]);
    ended.says("        | \\u001b[2J\n");
    let filtered = logs.view(&["--thread", "m4", "--id", "m3", "--id", "m5", "-o", "pretty"]);
    filtered.says("[*] Showing 2 of 2 matching messages\n");
}

#[test]
fn who_said_it_is_found_by_its_key_with_and_without_an_index() {
    let logs = Logs::new();
    let came = |number, key: Option<&str>| {
        let arrival = message::Arrival {
            key_name: key,
            ..message::Arrival::at("2025-11-20T12:00:00.000Z")
        };
        let frames = ["t", r#"{"sender_id":"alice","content":"bob was here"}"#];
        let mut group = journal::raw::Group::new(number, usize::MAX);
        group
            .push_with(|out| message::encode_arrival(&frames, arrival, out))
            .unwrap();
        group.bytes().to_vec()
    };
    let session = [
        came(1, Some("alice")),
        came(2, Some("bob")),
        came(3, None),
        came(4, Some("bob")),
    ];
    logs.write_archive("session_20251120_130000.jsonl", session.concat());
    for has_index in [false, true] {
        if has_index {
            assert_eq!(logs.view(&["index"]).code, Some(0));
        }
        let shown = |key: &str| logs.view(&["--all", "--key", key]).numbers();
        assert_eq!(shown("alice"), [1]);
        assert_eq!(shown("bob"), [2, 4]);
        assert_eq!(shown("!bob"), [1, 3]);
        assert_eq!(
            logs.view(&["--all", "--count", "--key", "bob"]).stdout,
            "2\n"
        );
        let listed = logs.view(&["list", "keys", "--names"]);
        assert_eq!(listed.stdout, "bob\nalice\n", "{}", listed.report());
        let stats = logs.view(&["--all", "--stats", "-o", "json"]);
        let stats: serde_json::Value = serde_json::from_str(&stats.stdout).unwrap();
        assert_eq!(stats["keys"][0]["name"], "bob");
        assert_eq!(stats["keys"][0]["messages"], 2);
        assert_eq!(stats["keys"][1]["name"], "alice");
        logs.view(&["--all", "--stats"]).says("[Keys]");
    }
    let none = logs.view(&["--all", "--key", "bobb"]);
    assert!(
        none.stderr.contains("bob") || none.stdout.contains("bob"),
        "{}",
        none.report()
    );
}
