use super::*;
use crate::reader::Reader;
use crate::record::Line;

fn read(journal: &Journal) -> Vec<Line> {
    Reader::open(journal.session_path())
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[test]
fn many_threads_append_and_each_record_is_there_once() {
    const THREADS: u64 = 8;
    const EACH: u64 = 50;
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    let numbers: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let journal = journal.clone();
                scope.spawn(move || {
                    let append = |i| journal.append(&serde_json::json!({"t": thread, "i": i}));
                    (0..EACH).map(|i| append(i).unwrap()).collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let mut sorted = numbers;
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=THREADS * EACH).collect::<Vec<_>>());
    let lines = read(&journal);
    assert_eq!(
        lines.iter().map(|line| line.number).collect::<Vec<_>>(),
        sorted
    );
}

#[test]
fn numbering_goes_on_over_restart_and_archive() {
    let dir = tempfile::tempdir().unwrap();
    let record = serde_json::json!({"a": 1});
    {
        let (journal, _) = Journal::open(dir.path()).unwrap();
        assert_eq!(journal.append_all(&[&record, &record]).unwrap(), 2);
    }
    let (journal, found) = Journal::open(dir.path()).unwrap();
    assert_eq!((found.records, found.first, found.next), (2, 1, 3));
    let archived = journal.archive(Some("phase 2/../x")).unwrap().unwrap();
    assert_eq!(
        (archived.records, journal.archive(None).unwrap()),
        (2, None)
    );
    assert!(
        archived.name.ends_with("_phase-2----x.jsonl"),
        "{}",
        archived.name
    );
    drop(journal);
    let (journal, found) = Journal::open(dir.path()).unwrap();
    assert_eq!((found.records, found.next), (0, 3));
    assert_eq!(journal.append(&record).unwrap(), 3);
    assert_eq!(read(&journal)[0].number, 3);
}

#[test]
fn a_second_writer_is_told_who_holds_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let (_journal, _) = Journal::open(dir.path()).unwrap();
    let error = Journal::open(dir.path()).unwrap_err().to_string();
    assert!(
        error.contains(&format!("process {}", std::process::id())),
        "{error}"
    );
}

#[test]
fn a_refused_record_leaves_no_gap() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    assert!(matches!(journal.append(&5), Err(AppendError::Record(_))));
    assert_eq!(journal.append(&serde_json::json!({})).unwrap(), 1);
}
