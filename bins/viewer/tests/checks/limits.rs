//! What is at the edge of what can be recorded, or of what there is to count.

use journal::Options;
use journal::raw::Writer;
use serde_json::{Value, json};

use crate::util::Logs;

#[test]
fn what_the_broker_records_with_a_raised_limit_is_shown_found_and_verified() {
    const LARGE: usize = 80 << 20;
    let logs = Logs::new();
    let options = Options {
        max_line: 3 * LARGE,
        ..Options::default()
    };
    let (mut writer, _) = Writer::open(logs.dir(), options).unwrap();
    let mut group = writer.group();
    let content = "x".repeat(LARGE);
    for content in ["before", &content, "needle"] {
        let payload = format!(r#"{{"sender":"a","content":"{content}"}}"#);
        let time = "2025-11-20T04:30:00.123Z";
        group
            .push_with(|out| message::encode(&["t", &payload], time, out))
            .unwrap();
    }
    writer.commit(&[&group]).unwrap();
    drop(writer);
    assert_eq!(logs.view(&["--limit", "0"]).numbers(), [1, 2, 3]);
    assert_eq!(logs.view(&["--grep", "needle"]).numbers(), [3]);
    assert_eq!(logs.view(&["--grep", "xxxx", "--count"]).stdout, "1\n");
    let raw = logs.view(&["--from", "2", "--to", "2", "-o", "raw"]).stdout;
    assert_eq!(raw.len(), LARGE + r#"{"sender":"a","content":""}"#.len());
    assert_eq!(logs.view(&["verify"]).code, Some(0));
}

#[test]
fn questions_are_open_where_other_programs_alone_say_what_they_answer() {
    let logs = Logs::new();
    std::fs::create_dir_all(logs.dir()).unwrap();
    let line = |kind: &str, id: u32, parent: Option<u32>, text: &str| {
        let parent = parent.map(|parent| format!("u{parent}"));
        let content = json!({"role": kind, "content": text});
        let time = format!("2025-11-20T12:00:0{id}.000Z");
        let message = json!({
            "parentUuid": parent, "sessionId": "s", "type": kind, "message": content,
            "uuid": format!("u{id}"), "timestamp": time,
        });
        format!("{message}\n")
    };
    let talk = [
        line("user", 1, None, "Where is the needle?"),
        line("assistant", 2, Some(1), "In the haystack."),
        line("user", 3, None, "And where is the thread?"),
    ];
    let path = logs.dir().join("claude.jsonl");
    std::fs::write(&path, talk.concat()).unwrap();
    let path = path.to_str().unwrap();
    let stats = logs.view(&[path, "--stats", "-o", "json"]).stdout;
    let stats: Value = serde_json::from_str(&stats).unwrap();
    assert_eq!(stats["replies"]["count"], 1, "{stats}");
    let open = &stats["open_questions"];
    assert_eq!(open["count"], 1, "{open}");
    assert_eq!(open["newest"][0]["text"], "And where is the thread?");
    let shown = logs.view(&[path, "--stats"]);
    shown.says("1 without a reply, the newest:");
    shown.says("And where is the thread?");
}
