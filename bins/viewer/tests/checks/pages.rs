//! `-o html --out`: many pages instead of one.

use std::fs;

use crate::util::{Logs, line};

fn logs(count: u64) -> Logs {
    let logs = Logs::new();
    let lines: String = (1..=count)
        .map(|number| line(number, "t", "a", "A", "c"))
        .collect();
    logs.write_current(lines);
    logs
}

#[test]
fn a_transcript_is_written_as_pages_into_a_new_directory() {
    let logs = logs(2_500);
    let out = logs.dir().join("talk");
    let words = ["-o", "html", "--limit", "0", "--out", out.to_str().unwrap()];
    let ended = logs.view(&words);
    let index = out.join("index.html");
    ended.with(0, &format!("{}\n", index.display()), "");
    let names = |folder: &str| {
        let entries = fs::read_dir(out.join(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("pages"), ["0001.html", "0002.html", "0003.html"]);
    assert_eq!(names("links"), ["0001.js", "0002.js", "0003.js"]);
    assert_eq!(names("search"), ["0001.js", "0002.js", "0003.js"]);
    let page = fs::read_to_string(out.join("pages/0003.html")).unwrap();
    assert_eq!(page.matches("<article").count(), 500);
    // Nothing is written among what is there.
    let before = fs::read(&index).unwrap();
    logs.view(&words).failed("talk is not empty");
    assert_eq!(fs::read(&index).unwrap(), before);
}

#[test]
fn what_is_hidden_is_hidden_on_pages_and_in_their_search() {
    let logs = Logs::new();
    logs.write_current(line(1, "t", "max@mail.example.org", "A", "c"));
    let out = logs.dir().join("talk");
    let ended = logs.view(&["-o", "html", "--redact", "--out", out.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{}", ended.report());
    assert_eq!(ended.stderr, "viewer: hidden in 1 places of 1 messages\n");
    for name in [
        "index.html",
        "pages/0001.html",
        "search/0001.js",
        "links/0001.js",
    ] {
        let text = fs::read_to_string(out.join(name)).unwrap();
        assert!(!text.contains("max@"), "{name}");
    }
}

#[test]
fn very_many_messages_on_one_page_are_written_and_pages_are_named() {
    let ended = logs(5_001).view(&["-o", "html", "--limit", "0"]);
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stdout.matches("<article").count(), 5_001);
    assert!(
        ended
            .stderr
            .contains("5,001 messages are many for one page: with --out DIR"),
        "{}",
        ended.stderr
    );
    assert_eq!(logs(5_000).view(&["-o", "html", "--limit", "0"]).stderr, "");
}

#[test]
fn pages_are_of_html_alone() {
    for words in [
        &["--out", "x"][..],
        &["-o", "md", "--out", "x"],
        &["-f", "-o", "html", "--out", "x"],
    ] {
        let ended = logs(1).view(words);
        assert_eq!(
            (ended.code, &*ended.stdout),
            (Some(2), ""),
            "{}",
            ended.report()
        );
    }
}
