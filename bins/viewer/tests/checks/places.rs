//! Where messages are looked for, and what is said where none is found.

use crate::checks::{lines, sealed};
use crate::util::Logs;

/// A message of some sender, recorded then.
fn at(number: u64, time: &str, sender: &str) -> String {
    let body = format!(
        r#"{{"topic":"t","sender":"{sender}","timestamp":"{time}","tier":"E","chain_type":"c","shl_tags":["@Decision"],"message_id":"m{number}","content":"text of {number}","recorded_at":"{time}"}}"#
    );
    let mut group = journal::raw::Group::new(number, usize::MAX);
    group
        .push_with(|out| out.extend_from_slice(body.as_bytes()))
        .unwrap();
    String::from_utf8(group.bytes().to_vec()).unwrap()
}

/// Two closed sessions of two days, and a current one.
fn days() -> Logs {
    let logs = Logs::new();
    let one = at(1, "2025-11-18T10:00:00.000Z", "claude_code")
        + &at(2, "2025-11-18T11:00:00.000Z", "gemini");
    logs.write_archive("session_20251118_235959.jsonl", one);
    let two =
        at(3, "2025-11-19T10:00:00.000Z", "gemini") + &at(4, "2025-11-19T11:00:00.000Z", "gemini");
    logs.write_archive("session_20251119_235959.jsonl", two);
    logs.write_current(at(5, "2025-11-20T10:00:00.000Z", "llama"));
    logs
}

#[test]
fn what_is_looked_for_is_found_in_any_session() {
    let logs = days();
    for (options, numbers) in [
        (
            &[
                "--since",
                "2025-11-18T10:30:00Z",
                "--until",
                "2025-11-19T10:30:00Z",
            ][..],
            &[2, 3][..],
        ),
        (&["--from", "2", "--to", "4"], &[2, 3, 4]),
        (&["--id", "m1"], &[1]),
        (&["--grep", "text of [14]"], &[1, 4]),
        (&["--thread", "m3"], &[3]),
        (&[], &[5]),
        (&["--sender", "llama"], &[5]),
        (&["--current", "--from", "2"], &[5]),
        (&["--all"], &[1, 2, 3, 4, 5]),
    ] {
        assert_eq!(logs.view(options).numbers(), numbers, "{options:?}");
        if options.first() != Some(&"--thread") {
            let count = logs.view(&[options, &["--count"]].concat());
            count.with(0, &format!("{}\n", numbers.len()), "");
        }
    }
}

#[test]
fn an_empty_session_is_not_the_answer() {
    let logs = days();
    logs.write_current("");
    let ended = logs.view(&[]);
    assert_eq!(ended.numbers(), [3, 4]);
    assert!(
        ended
            .stderr
            .contains("the newest closed one, session_20251119_235959.jsonl"),
        "{}",
        ended.report()
    );
    std::fs::remove_file(logs.current()).unwrap();
    assert_eq!(logs.view(&["--count"]).stdout, "2\n");
    assert_eq!(logs.view(&["--current"]).code, Some(1));
}

#[test]
fn an_empty_answer_says_where_more_is() {
    let logs = days();
    let ended = logs.view(&["--sender", "gemini", "--count"]);
    ended.with(
        0,
        "0\n",
        "viewer: 2 closed sessions hold 4 more messages; 3 of them match: add --all\n",
    );
    let ended = logs.view(&["--sender", "Claude_Code"]);
    assert!(
        ended.stderr.contains("did you mean 'claude_code'?"),
        "{}",
        ended.report()
    );
    let ended = logs.view(&["--tag", "Decision"]);
    assert!(
        ended.stderr.contains("did you mean '@Decision'?"),
        "{}",
        ended.report()
    );
}

#[test]
fn what_is_shown_already_is_not_counted_as_elsewhere() {
    let logs = days();
    logs.write_current("");
    let ended = logs.view(&["--sender", "nobody", "--count"]);
    let said = "viewer: 1 closed session holds 2 more messages; none of them matches\n";
    assert!(ended.stderr.ends_with(said), "{}", ended.report());
    for (range, said) in [
        (
            &["--from", "5000"][..],
            "the newest message has the number 5",
        ),
        (
            &["--from", "4", "--to", "3"],
            "no number is 4 or more and 3 or less",
        ),
        (
            &["--since", "2030-01-01"],
            "the 5 messages that there are came from 2025-11-18 ",
        ),
    ] {
        let ended = days().view(range);
        assert!(ended.stderr.contains(said), "{}", ended.report());
    }
}

#[test]
fn one_message_is_not_several() {
    let logs = Logs::new();
    logs.write_current(at(1, "2025-11-20T10:00:00.000Z", "llama"));
    logs.view(&["--since", "2030-01-01", "--count"]).with(
        0,
        "0\n",
        "viewer: the only message that there is came at 2025-11-20 10:00:00\n",
    );
}

/// What indexes know is said at any size; where too much would have to be read, that is.
#[test]
fn a_hint_reads_no_more_than_a_little_without_an_index() {
    let logs = days();
    let mut text = std::fs::read_to_string(logs.current()).unwrap();
    let line = text.clone();
    while text.len() < 4 << 20 {
        text.push_str(&line);
    }
    let many = (257 << 20) / text.len() + 1;
    let mut file = std::fs::File::create(logs.current()).unwrap();
    (0..many).for_each(|_| std::io::Write::write_all(&mut file, text.as_bytes()).unwrap());
    let ended = logs.view(&["--sender", "Claude_Code", "--current"]);
    assert!(
        ended
            .stderr
            .contains("more is not said, since 260.0 MB without an index"),
        "{}",
        ended.report()
    );
    assert!(!ended.stderr.contains("did you mean"), "{}", ended.report());
    // Nothing is counted for what needs no count.
    let ended = logs.view(&["--grep", "nowhere", "--count"]);
    ended.with(0, "0\n", "");
}

#[test]
fn what_is_nowhere_is_a_failure_in_a_sentence() {
    let logs = days();
    for (options, sentence) in [
        (
            ["--thread", "nobody"],
            "no message and no context is named 'nobody'",
        ),
        (["--id", "nobody"], "no message is named 'nobody'"),
    ] {
        let ended = logs.view(&options);
        assert_eq!(ended.code, Some(1), "{}", ended.report());
        assert!(ended.stderr.contains(sentence), "{}", ended.report());
    }
}

#[test]
fn archives_are_chosen_by_patterns() {
    let logs = days();
    for (names, numbers) in [
        (&["--archive", "latest"][..], &[3, 4][..]),
        (&["--archive", "session_2025*"], &[1, 2, 3, 4]),
        (
            &["--archive", "*1118*", "--archive", "latest"],
            &[1, 2, 3, 4],
        ),
        (&["--archive", "session_2025111?_235959"], &[1, 2, 3, 4]),
    ] {
        assert_eq!(logs.view(names).numbers(), numbers, "{names:?}");
    }
    logs.view(&["--archive", "session_2024*"])
        .failed("choose one of");
}

#[test]
fn a_list_of_archives_fits_a_narrow_terminal() {
    let logs = days();
    let wide = logs.view(&["--list-archives", "--width", "200"]).stdout;
    let narrow = logs.view(&["--list-archives", "--width", "65"]).stdout;
    assert!(
        narrow.lines().skip(1).all(|line| line.len() <= 65),
        "{narrow}"
    );
    // The same words, on three lines for each session.
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(words(&wide), words(&narrow));
    let sessions = wide.lines().count() - 1;
    assert_eq!(narrow.lines().count(), 1 + 3 * sessions, "{narrow}");
}

#[test]
fn values_are_listed_with_their_counts() {
    let logs = days();
    let ended = logs.view(&["list", "senders", "--utc"]);
    assert_eq!(ended.code, Some(2), "{}", ended.report());
    let mut command = logs.command(&["list", "senders"]);
    let ended = crate::util::Ended::new(command.env("TZ", "UTC").output().unwrap());
    ended.with(
        0,
        "3  2025-11-19 11:00:00  gemini\n1  2025-11-18 10:00:00  claude_code\n1  2025-11-20 10:00:00  llama\n",
        "",
    );
    logs.view(&["list", "tags", "--names"])
        .with(0, "@Decision\n", "");
    logs.view(&["list", "chains", "--names"]).with(0, "c\n", "");
    logs.view(&["list", "sessions", "--names"])
        .says("latest\nsession_20251119_235959.jsonl\n");
}

#[test]
fn the_directory_may_come_from_the_environment() {
    let logs = days();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_viewer"));
    let output = command
        .arg("--count")
        .env("BROKER_DIR", logs.dir())
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"1\n");
}

#[test]
fn files_are_read_wherever_they_lie() {
    let logs = days();
    let path = logs.archive_dir().join("session_20251118_235959.jsonl");
    let path = path.to_str().unwrap();
    assert_eq!(logs.view(&[path]).numbers(), [1, 2]);
    let current = logs.current();
    assert_eq!(
        logs.view(&[current.to_str().unwrap(), path]).numbers(),
        [1, 2, 5]
    );
    assert_eq!(
        logs.view(&[logs.dir().to_str().unwrap()]).numbers(),
        [1, 2, 3, 4, 5]
    );
    logs.view(&["nothing.jsonl"]).failed("cannot open");
    assert_eq!(logs.view(&["verfy"]).code, Some(2));
    let _unused = (lines(1..2), sealed(1));
}

#[test]
fn files_of_a_directory_that_is_no_journals_are_read_and_their_values_listed() {
    let logs = days();
    let project = logs.dir().join("../project");
    std::fs::create_dir_all(project.join("deep")).unwrap();
    let line = |name: &str, time: &str| {
        format!("{{\"sender\":\"{name}\",\"timestamp\":\"{time}\",\"content\":\"x\"}}\n")
    };
    let later = line("later", "2025-11-20T12:00:02Z");
    std::fs::write(project.join("a.jsonl"), later).unwrap();
    let earlier = line("earlier", "2025-11-20T12:00:01Z");
    std::fs::write(project.join("deep/b.ndjson"), earlier).unwrap();
    std::fs::write(project.join("picture.png"), [0x89, b'P', 0xff]).unwrap();
    let path = project.to_str().unwrap();
    let senders = ["-o", "compact", "--fields", "sender"];
    let shown = logs.view(&[&[path], &senders[..]].concat()).stdout;
    let shown: Vec<_> = shown.lines().map(str::trim).collect();
    assert_eq!(shown, ["earlier", "later"]);
    let listed = logs.view(&["list", "senders", "--names", path]).stdout;
    assert_eq!(listed, "earlier\nlater\n");
    let ended = logs.view(&["list", "sessions", path]);
    ended.failed("sessions are those of a directory");
}
