//! Compares the viewer with other tools that are installed, on one journal.
//!
//! ```console
//! $ just bench-query
//! $ cargo run --release -p query --example bench_query -- VIEWER DIR [ROUNDS]
//! ```
//!
//! Each round runs every command once, one after the other, so that a busy
//! moment hits all of them alike. What is printed are the medians over all
//! rounds of the whole process's time, as multiples of `cat` of the same file.
//! What begins with "closed" is asked of a closed session with an index and without
//! (`ARCHIVES` of at least 1 for `generate`, and `viewer index`), "current" of the one
//! being written, and the last ones of its messages without checksums, and with
//! Python's spacing besides, which are written beside it on first use.
//! DuckDB is found as the program `duckdb` or as a module of `PYTHON` (python3).

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A question, and how each tool is asked.
struct Question {
    title: &'static str,
    /// Tool and shell command; `$V` is the viewer, `$J` the journal's file,
    /// `$D` its directory.
    commands: Vec<(&'static str, String)>,
    /// Whether all of them print the same number.
    is_count: bool,
}

const TWO_FIELDS: &str = "--count --sender claude_code --tier A";
const HOUR: &str = "--count --since 2025-11-20T09:00:00Z --until 2025-11-20T10:00:00Z";

/// The journal's messages in lines of another shape.
struct Shape {
    file: &'static str,
    titles: [&'static str; 5],
    /// Makes its line of a journal's line.
    write: fn(&[u8], &mut Vec<u8>),
}

const SHAPES: [Shape; 2] = [
    Shape {
        file: "unsealed.jsonl",
        titles: [
            "without checksums: statistics",
            "without checksums: how many with two given fields",
            "without checksums: the last 20",
            "without checksums: the last 50 of a frequent sender",
            "without checksums: one hour",
        ],
        write: unsealed,
    },
    Shape {
        file: "spaced.jsonl",
        titles: [
            "Python's spacing: statistics",
            "Python's spacing: how many with two given fields",
            "Python's spacing: the last 20",
            "Python's spacing: the last 50 of a frequent sender",
            "Python's spacing: one hour",
        ],
        write: spaced,
    },
];

/// Leaves the checksum out.
fn unsealed(line: &[u8], out: &mut Vec<u8>) {
    const FIELD: usize = ",\"crc\":\"00000000\"}".len();
    let end = line.len().saturating_sub(FIELD);
    out.extend_from_slice(line.get(..end).unwrap_or_default());
    out.push(b'}');
}

/// Puts a space behind each colon and comma, too, as Python does.
fn spaced(line: &[u8], out: &mut Vec<u8>) {
    let mut whole = Vec::new();
    unsealed(line, &mut whole);
    let (mut in_string, mut is_escaped) = (false, false);
    let mut bytes = whole.iter().peekable();
    while let Some(byte) = bytes.next() {
        out.push(*byte);
        if is_escaped {
            is_escaped = false;
        } else if in_string && *byte == b'\\' {
            is_escaped = true;
        } else if *byte == b'"' {
            in_string = !in_string;
        } else if !in_string && matches!(byte, b':' | b',') && bytes.peek() != Some(&&b' ') {
            out.push(b' ');
        }
    }
}

impl Shape {
    /// Makes its file of a journal's, unless it is there.
    fn make(&self, journal: &str, dir: &str) -> Result<String, Box<dyn Error>> {
        let path = Path::new(dir).join(self.file);
        let text = path.to_str().ok_or("the path is no text")?.to_owned();
        if path.exists() {
            return Ok(text);
        }
        let mut input = BufReader::new(fs::File::open(journal)?);
        let mut out = BufWriter::new(fs::File::create(&path)?);
        let (mut line, mut made) = (Vec::new(), Vec::new());
        while input.read_until(b'\n', &mut line)? > 0 {
            made.clear();
            (self.write)(line.trim_ascii_end(), &mut made);
            made.push(b'\n');
            out.write_all(&made)?;
            line.clear();
        }
        out.flush()?;
        Ok(text)
    }
}

struct Tools {
    duckdb: Option<String>,
    installed: Vec<&'static str>,
}

impl Tools {
    fn find() -> Self {
        let has = |command: &str| {
            let mut shell = Command::new("sh");
            let shell = shell
                .arg("-c")
                .arg(command)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            shell.status().is_ok_and(|status| status.success())
        };
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let duckdb = if has("duckdb --version") {
            Some("duckdb -csv -noheader -c".to_owned())
        } else if has(&format!("{python} -c 'import duckdb'")) {
            let run =
                "import duckdb,sys; print(*(r[0] for r in duckdb.sql(sys.argv[1]).fetchall()))";
            Some(format!("{python} -c '{run}'"))
        } else {
            None
        };
        let others = ["rg", "jq", "hl"].into_iter();
        let installed = others
            .filter(|tool| has(&format!("command -v {tool}")))
            .collect();
        Self { duckdb, installed }
    }

    fn question(
        &self,
        title: &'static str,
        is_count: bool,
        commands: &[(&'static str, &str)],
    ) -> Question {
        let usable = commands.iter().filter_map(|(tool, command)| match *tool {
            "duckdb" => {
                let columns = "topic:'VARCHAR',sender:'VARCHAR',timestamp:'VARCHAR',tier:'VARCHAR',chain_type:'VARCHAR',recorded_at:'VARCHAR',content:'JSON'";
                let used: Vec<_> = columns
                    .split(',')
                    .filter(|column| command.contains(column.split(':').next().unwrap_or(column)))
                    .collect();
                let table = format!(
                    "read_json('$J',format='newline_delimited',columns={{{}}})",
                    used.join(",")
                );
                let sql = command.replace("JOURNAL", &table);
                Some((*tool, format!("{} \"{sql}\"", self.duckdb.as_ref()?)))
            }
            "cat" | "viewer" | "no index" => Some((*tool, (*command).to_owned())),
            tool => {
                let name = tool.split(' ').next().unwrap_or(tool);
                let is_there = self.installed.contains(&name);
                is_there.then(|| (tool, (*command).to_owned()))
            }
        });
        Question {
            title,
            commands: usable.collect(),
            is_count,
        }
    }

    #[rustfmt::skip]
    fn questions(&self) -> Vec<Question> {
        let two_fields = r#"rg -c '^\{"message_num":[0-9]+,"topic":"[^"]*","sender":"claude_code","timestamp":"[^"]*","tier":"A"' $J"#;
        vec![
            self.question("the whole file, for comparison", false, &[("cat", "cat $J")]),
            self.question("statistics", false, &[
                ("viewer --brief", "$V --dir $D --current --no-index --stats --brief"),
                ("viewer", "$V --dir $D --current --no-index --stats"),
                ("duckdb", "SELECT (tier,chain_type,sender,count(*),min(timestamp),max(timestamp))::VARCHAR FROM JOURNAL GROUP BY tier,chain_type,sender"),
                ("jq", "jq -c '[.tier,.chain_type,.sender]' $J | sort | uniq -c"),
            ]),
            self.question("how many with two given fields", true, &[
                ("viewer", "$V --dir $D --current --no-index --count --sender claude_code --tier A"),
                ("duckdb", "SELECT count(*) FROM JOURNAL WHERE sender='claude_code' AND tier='A'"),
                ("rg (trusts the order)", two_fields),
            ]),
            self.question("how many with a common word in the text", true, &[
                ("viewer", "$V --dir $D --current --no-index --count --grep recovery"),
                ("duckdb", "SELECT count(*) FROM JOURNAL WHERE content->>'message' LIKE '%recovery%' OR content->>'action' LIKE '%recovery%'"),
                ("rg (in any field)", "rg -c recovery $J"),
            ]),
            self.question("how many with an absent word", true, &[
                ("viewer", "$V --dir $D --current --no-index --count --grep zebra"),
                ("duckdb", "SELECT count(*) FROM JOURNAL WHERE content->>'message' LIKE '%zebra%'"),
            ]),
            self.question("the last 20", false, &[
                ("viewer", "$V --dir $D --current --no-index --limit 20"),
            ]),
            self.question("the last 50 of a frequent sender", false, &[
                ("viewer", "$V --dir $D --current --no-index --limit 50 --sender claude_code"),
                ("rg (tac)", r#"tac $J | rg -m50 '"sender":"claude_code"' | tac"#),
            ]),
            self.question("one hour", true, &[
                ("viewer", "$V --dir $D --current --no-index --count --since 2025-11-20T09:00:00Z --until 2025-11-20T10:00:00Z"),
                ("duckdb", "SELECT count(*) FROM JOURNAL WHERE recorded_at>='2025-11-20T09:00:00' AND recorded_at<'2025-11-20T10:00:00'"),
                ("hl", "hl --since 2025-11-20T09:00:00Z --until 2025-11-20T10:00:00Z -P $J | wc -l"),
            ]),
        ]
    }

    /// Asks a session with its index and without.
    fn with_and_without(
        &self,
        session: &str,
        questions: &[(&'static str, bool, &str)],
    ) -> Vec<Question> {
        let asked = questions.iter().map(|(title, is_count, options)| {
            let viewer = format!("$V --dir $D {session} {options}");
            let without = format!("{viewer} --no-index");
            self.question(
                title,
                *is_count,
                &[("viewer", &viewer), ("no index", &without)],
            )
        });
        asked.collect()
    }

    /// Questions to the session being written, with the index of its beginning.
    fn questions_to_current(&self) -> Vec<Question> {
        let questions = [
            ("current: statistics", false, "--stats"),
            ("current: how many with two given fields", true, TWO_FIELDS),
            ("current: one hour", true, HOUR),
            (
                "current: nobody's messages",
                true,
                "--count --sender nobody",
            ),
        ];
        self.with_and_without("--current", &questions)
    }

    /// Questions to the same messages as others write them.
    fn questions_to_shape(&self, shape: &Shape, path: &str) -> Vec<Question> {
        let [statistics, fields, last, sender, hour] = shape.titles;
        let last_of = "$V $J --limit 50 --sender claude_code";
        let mut questions = vec![
            self.question(statistics, false, &[
                ("cat", "cat $J"),
                ("viewer --brief", "$V $J --stats --brief"),
                ("viewer", "$V $J --stats"),
                ("duckdb", "SELECT (tier,chain_type,sender,count(*),min(timestamp),max(timestamp))::VARCHAR FROM JOURNAL GROUP BY tier,chain_type,sender"),
            ]),
            self.question(fields, true, &[
                ("viewer", &format!("$V $J {TWO_FIELDS}")),
                ("duckdb", "SELECT count(*) FROM JOURNAL WHERE sender='claude_code' AND tier='A'"),
            ]),
            self.question(last, false, &[("viewer", "$V $J --limit 20")]),
            self.question(sender, false, &[("viewer", last_of)]),
            self.question(hour, true, &[("viewer", &format!("$V $J {HOUR}"))]),
        ];
        let commands = questions
            .iter_mut()
            .flat_map(|question| &mut question.commands);
        commands.for_each(|(_, command)| *command = command.replace("$J", path));
        questions
    }

    /// Questions to a closed session, with its index and without.
    fn questions_to_archive(&self, name: &str) -> Vec<Question> {
        let questions = [
            ("closed: statistics", false, "--stats"),
            ("closed: how many with two given fields", true, TWO_FIELDS),
            (
                "closed: how many with a tag",
                true,
                "--count --tag @Decision",
            ),
            (
                "closed: the last 50 of a frequent sender",
                false,
                "--limit 50 --sender claude_code",
            ),
            (
                "closed: the last 50 of a rare kind",
                false,
                "--limit 50 --sender human --chain incident",
            ),
            ("closed: nobody's messages", true, "--count --sender nobody"),
            ("closed: one hour", true, HOUR),
            (
                "closed: a range of numbers",
                true,
                "--count --from 500000 --to 600000",
            ),
        ];
        self.with_and_without(&format!("--archive {name}"), &questions)
    }
}

/// Runs a command; returns how long it took, and the last number it printed.
fn run(command: &str) -> Result<(Duration, Option<u64>), Box<dyn Error>> {
    let begin = Instant::now();
    let mut shell = Command::new("sh");
    let shell = shell
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    if command.starts_with("cat ") {
        shell.stdout(Stdio::null()).status()?;
        return Ok((begin.elapsed(), None));
    }
    let output = shell.output()?;
    let time = begin.elapsed();
    let text = String::from_utf8_lossy(&output.stdout);
    let number = text.trim().rsplit(['\n', ' ']).next();
    Ok((time, number.and_then(|number| number.parse().ok())))
}

/// Returns the most memory that a command took, in MiB; only Linux tells.
fn memory(command: &str) -> Option<u64> {
    let mut shell = Command::new("sh");
    let shell = shell.arg("-c").arg(format!("exec {command}"));
    let mut child = shell
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut most = None;
    while let Ok(None) = child.try_wait() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()));
        let status = status.unwrap_or_default();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| {
            line.trim()
                .trim_end_matches(" kB")
                .trim()
                .parse::<u64>()
                .ok()
        });
        most = most.max(kib);
        std::thread::sleep(Duration::from_millis(1));
    }
    most.map(|kib| kib.div_ceil(1 << 10))
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::print_stdout, reason = "the table is what it is for")]
fn print(question: &Question, times: &[Vec<Duration>], answers: &[Option<u64>], cat: Duration) {
    println!("\n{}", question.title);
    for (at, (tool, command)) in question.commands.iter().enumerate() {
        let time = median(&times[at]);
        let ratio = time.as_secs_f64() / cat.as_secs_f64();
        let answer = match answers[at].filter(|_| question.is_count) {
            Some(answer) => format!("  answer {answer}"),
            None => String::new(),
        };
        let memory = match (*tool == "viewer").then(|| memory(command)).flatten() {
            Some(mib) => format!("  {mib} MiB of its own"),
            None => String::new(),
        };
        println!(
            "  {tool:24} {:8.1} ms {ratio:8.2} x cat{answer}{memory}",
            time.as_secs_f64() * 1e3
        );
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: bench_query VIEWER DIR [ROUNDS]";
    let (viewer, dir) = (
        arguments.next().ok_or(usage)?,
        arguments.next().ok_or(usage)?,
    );
    let rounds = arguments
        .next()
        .map_or(Ok(5), |text| text.parse::<usize>())?;
    let journal = journal::current_session(&dir);
    let journal = Path::new(&journal).to_str().ok_or("the path is no text")?;
    let tools = Tools::find();
    let mut questions = tools.questions();
    let indexed = journal::list_archives(&dir)?;
    let mut indexed = indexed
        .iter()
        .filter(|archive| query::has_index(&archive.path));
    if let Some(archive) = indexed.next() {
        questions.extend(tools.questions_to_archive(&archive.name));
    }
    questions.extend(tools.questions_to_current());
    for shape in &SHAPES {
        let path = shape.make(journal, &dir)?;
        questions.extend(tools.questions_to_shape(shape, &path));
    }
    for (_, command) in questions
        .iter_mut()
        .flat_map(|question| &mut question.commands)
    {
        *command = command
            .replace("$V", &viewer)
            .replace("$J", journal)
            .replace("$D", &dir);
    }
    let mut times: Vec<Vec<Vec<Duration>>> = Vec::new();
    let mut answers: Vec<Vec<Option<u64>>> = Vec::new();
    for question in &questions {
        times.push(vec![Vec::new(); question.commands.len()]);
        answers.push(vec![None; question.commands.len()]);
    }
    // The first round only warms up.
    for round in 0..=rounds {
        for (at, question) in questions.iter().enumerate() {
            for (tool, (_, command)) in question.commands.iter().enumerate() {
                let (time, answer) = run(command)?;
                answers[at][tool] = answer;
                if round > 0 {
                    times[at][tool].push(time);
                }
            }
        }
    }
    let cat = median(&times[0][0]);
    for (at, question) in questions.iter().enumerate() {
        print(question, &times[at], &answers[at], cat);
    }
    Ok(())
}
