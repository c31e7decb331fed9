//! The inputs that fuzzing and mutations begin with.
//!
//! They lie in `fuzz/seeds/`. After a change of what a line looks like they are
//! written anew by `WRITE_SEEDS=1 cargo test -p fuzz-targets seeds`.

use std::fs;
use std::path::PathBuf;

use fuzz_targets::TARGETS;
use journal::raw::Group;

const NOW: &str = "2025-11-20T04:30:00.123Z";
const OLDER: &[u8] = include_bytes!("../../../../tests/fixtures/older_recorder.jsonl");

/// Payloads that are hard to keep, and one as agents send it.
const PAYLOADS: &[&[u8]] = &[
    br#"{"sender_id": "claude_code", "message_id": "msg_001", "timestamp": "2025-11-20T04:30:00Z", "content": {"message": "...", "action": "design_review_request"}, "metadata": {"sender_role": "Agent", "ace_tier": "A", "chain_type": "system_architecture", "shl_tags": ["@Status-Ready"]}}"#,
    br#"{"from": "gemini", "to": "all", "timestamp": "2025-12-02T16:44:26.701044", "content": {"a": [1, -0, 1e400, 1.10]}}"#,
    b"",
    b"\0\0\0\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b"{\"content\":1,\"c\\u006fntent\":2}",
    b"{\"content\":\"\\ud800\"}",
    b"{\"a\":\r\n1,\"content\":\t[2]}",
    b"{\"a\":NaN,\"content\":-Infinity}",
    b"{\"content\":{\"message_num\":{\"message_num\":1}}}",
    b"\xff{\"message_num\":1,\"crc\":\"00000000\"}",
    b"{\"metadata\":{\"shl_tags\":[\"x\",7]},\"shl_tags\":[\"a\",\n\"b\"]}",
    b"{\"envelope\":0,\"content_at\":1,\"payload\":2,\"frames\":3,\"more\":[],\"content\":[]}",
    "{\"content\":\"\\u001b[2J\u{9b}31m\u{202e}\u{200b}\u{e0041} \\ud83e\\udd80\"}".as_bytes(),
    b"\x1b]0;title\x07 plain words\nand more",
    br#"[[[[[[[[[[[[{"a":[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]}]]]]]]]]]]]]"#,
];

/// A seed: its name and its bytes.
type Seed = (String, Vec<u8>);

fn named(name: &str, bytes: impl Into<Vec<u8>>) -> Seed {
    (name.to_owned(), bytes.into())
}

fn line(number: u64, frames: &[&[u8]]) -> Vec<u8> {
    let mut group = Group::new(number, usize::MAX);
    let added = group.push_with(|out| message::encode(frames, NOW, out));
    added.expect("what is encoded is a record");
    group.bytes().to_vec()
}

fn lines() -> Vec<Vec<u8>> {
    let payloads = PAYLOADS.iter().zip(1..);
    let mut lines: Vec<Vec<u8>> = payloads
        .map(|(payload, number)| line(number, &[b"design_review", payload]))
        .collect();
    lines.push(line(40, &[]));
    lines.push(line(41, &[b"\xff topic", b"{}", b"third", b"\xfe"]));
    lines.extend(
        OLDER
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec),
    );
    lines.push(br#"{"message_num": 50, "sender": "by hand", "tier": 7, "content": NaN}"#.to_vec());
    lines.push(b"\r\rNaN".to_vec());
    lines.push(
        br#"{"Message": {"a": Infinity}, "Metadata": null, "SpeakerName": "\ud800"}"#.to_vec(),
    );
    lines
}

fn sessions() -> Vec<Seed> {
    let short = |number| line(number, &[b"t", br#"{"from":"gemini","content":1}"#]);
    let (one, two, three) = (short(1), short(2), short(3));
    let half = &two[..two.len() / 2];
    let text = String::from_utf8(two.clone()).expect("a line is text");
    let mut flipped = two.clone();
    flipped[two.len() / 3] ^= 0x04;
    let far = |number: u64| {
        let mut group = Group::new(number, usize::MAX);
        group.push(&serde_json::json!({})).expect("it is a record");
        group.bytes().to_vec()
    };
    vec![
        named("empty", []),
        named("whole", [&one[..], &two, &three].concat()),
        named("torn", [&one[..], half].concat()),
        named("fenced", [&one[..], half, b"\n", &three].concat()),
        named("glued", [&one[..], half, &three].concat()),
        named("no-newline", [&one[..], two.trim_ascii_end()].concat()),
        named("joined", [one.trim_ascii_end(), &two[..]].concat()),
        named("flipped", [&one[..], &flipped, &three].concat()),
        named(
            "altered",
            [
                &one[..],
                text.replace("gemini", "claude").as_bytes(),
                &three,
            ]
            .concat(),
        ),
        named("altered-number", text.replace(":2,", ":9000,")),
        named(
            "spoilt-checksum",
            [&one[..], text.replace("\"crc\"", "\"crd\"").as_bytes()].concat(),
        ),
        named("repeated", [&three[..], &one, &three].concat()),
        named("zeros", [&one[..], &[0; 40], b"\n", &three].concat()),
        named("zeros-glued", [&one[..], &[0; 40], &three].concat()),
        named(
            "windows",
            [b"\xEF\xBB\xBF", one.trim_ascii_end(), b"\r\n", &two].concat(),
        ),
        named("blank", [b"\n \r\n\n", &one[..], b"\t"].concat()),
        named("not-utf8", [&one[..], b"\xff\xfe\n", &two].concat()),
        named("no-object", [&one[..], b"[1]\n7\n\"a\"\n", &two].concat()),
        named("last-number", [far(u64::MAX / 2 - 2), far(1)].concat()),
        named("numbers-exhausted", far(u64::MAX)),
        named("older", OLDER),
        named(
            "mixed",
            [OLDER, b"{\"message_num\":77,\"a\":1}\n", &short(78), half].concat(),
        ),
    ]
}

fn messages() -> Vec<Seed> {
    let mut seeds = vec![named("none", []), named("one-empty", [b'|'])];
    for (number, payload) in PAYLOADS.iter().enumerate() {
        let cut = (1..=u8::MAX).find(|byte| !payload.contains(byte));
        let cut = [cut.expect("no payload has all bytes")];
        let data = [&cut, &b"design_review"[..], &cut, payload].concat();
        seeds.push(named(&format!("payload-{number:02}"), data));
    }
    seeds.push(named("one", b"|{\"content\":1}".to_vec()));
    seeds.push(named(
        "many",
        b"|\xff topic|{\"content\":1}||third|\xfe\xff".to_vec(),
    ));
    seeds
}

/// Everything that a viewer may come upon, in two files and line by line.
fn shown() -> Vec<Seed> {
    let lines = lines();
    let mut seeds: Vec<Seed> = sessions()
        .into_iter()
        .filter(|(name, _)| name == "mixed")
        .collect();
    for (number, lines) in lines.chunks(4).enumerate() {
        seeds.push(named(&format!("lines-{number:02}"), lines.concat()));
    }
    seeds
}

fn questions() -> Vec<Seed> {
    let heads = [
        "",
        "=A",
        "\u{1f}=unknown",
        "\u{1f}\u{1f}=gemini",
        "\u{1f}\u{1f}\u{1f}=design",
        "=E\u{1f}=testing_validation\u{1f}=gemini_cli\u{1f}=gen",
        "=\u{1f}=\u{1f}=\u{1f}=",
    ];
    let chunks = lines();
    let chunks = heads.iter().zip(chunks.chunks(3)).enumerate();
    let mut seeds: Vec<Seed> = chunks
        .map(|(number, (head, lines))| {
            let data = [head.as_bytes(), b"\n", &lines.concat()].concat();
            named(&format!("question-{number}"), data)
        })
        .collect();
    seeds.push(named("older", ["=A\n".as_bytes(), OLDER].concat()));
    seeds
}

fn all(target: &str) -> Vec<Seed> {
    match target {
        "session" => sessions(),
        "frames" => messages(),
        "line" => {
            let lines = lines().into_iter().enumerate();
            lines
                .map(|(number, line)| named(&format!("line-{number:02}"), line))
                .collect()
        }
        "rendering" => shown(),
        "filters" => questions(),
        "wire" => streams(),
        "curve" => guarded(),
        _ => Vec::new(),
    }
}

/// Peers' streams: how they are read, a handshake, messages and commands.
fn streams() -> Vec<Seed> {
    let mut greeting = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL".to_vec();
    greeting.resize(zmtp::GREETING_BYTES, 0);
    let ready = |role: &str| -> Vec<u8> {
        let mut body = b"\x05READY\x0bSocket-Type\0\0\0".to_vec();
        body.extend(u8::try_from(role.len()));
        body.extend_from_slice(role.as_bytes());
        [&[4], &[u8::try_from(body.len()).unwrap_or(0)], &body[..]].concat()
    };
    let mut messages = Vec::new();
    zmtp::push_message(&mut messages, [&b"topic"[..], b"{}"]);
    messages.extend_from_slice(b"\x01\x01t\x04\x0a\x04PING\0\x0aabc\0\x03{ }");
    zmtp::push_message(&mut messages, [&[b'x'; 290][..], b""]);
    messages.extend_from_slice(b"\x04\x0f\x09SUBSCRIBEtopic");
    messages.extend_from_slice(b"\x02\0\0\0\0\0\0\x7f\xff");
    let mut seeds = vec![
        named("messages", [&[9], &messages[..]].concat()),
        named("http", &b"\x00GET / HTTP/1.1\r\n\r\n"[..]),
    ];
    for (how, role) in [(6, "SUB"), (7, "PUB"), (7, "SUB"), (255, "XPUB")] {
        let stream = [&[how], &greeting[..], &ready(role), &messages].concat();
        seeds.push(named(&format!("{role}-{how}"), stream));
    }
    seeds
}

/// What comes over connections with keys: greetings and commands without their boxes,
/// changes in the handshake, and boxes in and out of order.
fn guarded() -> Vec<Seed> {
    let mut greeting = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01CURVE".to_vec();
    greeting.resize(zmtp::GREETING_BYTES, 0);
    let mut hello = b"\x04\xc8\x05HELLO\x01".to_vec();
    hello.resize(202, 0);
    let mut welcome = b"\x04\xa8\x07WELCOME".to_vec();
    welcome.resize(170, 7);
    vec![
        named("stranger", [&[0xfc], &greeting[..], &hello].concat()),
        named("impostor", [&[0xfd], &greeting[..], &welcome].concat()),
        named(
            "refused",
            [&[9], &greeting[..], b"\x04\x07\x05ERROR\x00"].concat(),
        ),
        named("untouched", [2]),
        named("hello", [2, 0, 0, 0, 0, 0, 0, 0, 100, 1]),
        named(
            "initiate",
            [2, 0, 70, 0, 0, 70, 0, 0, 70, 0, 0, 70, 0, 1, 44, 1],
        ),
        named("in-order", [3, 0, 1, 2, 3, 4, 5, 6, 7]),
        named("again", [3, 0, 2, 2, 1, 7]),
        named("changed", [3, 0, 9, 0, 36, 1, 2]),
        named("cut", [3, 0, 0x71, 2]),
    ]
}

fn dir(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../seeds")
        .join(target)
}

/// Reads the seeds of a target, in the order of their names.
pub(crate) fn committed(target: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(dir(target)).expect("the seeds are there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| fs::read(path).expect("a seed can be read"))
        .collect()
}

#[test]
fn every_seed_keeps_the_promises() {
    for (name, run) in TARGETS {
        let seeds = committed(name);
        assert!(!seeds.is_empty(), "no seeds for {name}");
        seeds.iter().for_each(|seed| run(seed));
    }
}

/// The seeds are those that the code above makes; `WRITE_SEEDS=1` writes them.
#[test]
fn the_seeds_are_up_to_date() {
    let write = std::env::var_os("WRITE_SEEDS").is_some();
    for (target, _) in TARGETS {
        let dir = dir(target);
        for (name, bytes) in all(target) {
            if write {
                fs::create_dir_all(&dir).unwrap();
                fs::write(dir.join(&name), &bytes).unwrap();
            }
            let there = fs::read(dir.join(&name)).unwrap_or_default();
            assert!(
                there == bytes,
                "{target}/{name} is out of date: run with WRITE_SEEDS=1"
            );
        }
    }
}
