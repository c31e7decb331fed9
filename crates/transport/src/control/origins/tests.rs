use journal::Options;
use journal::raw::Writer;
use message::{Arrival, Provenance};

use super::*;

fn origin(journal: &str, message_num: u64, after: u64) -> Origin {
    Origin {
        journal: journal.to_owned(),
        name: "laptop".to_owned(),
        message_num,
        after,
    }
}

fn code_of(admission: &Admission) -> Option<(&str, Option<u64>)> {
    match admission {
        Admission::Refused(failure) => Some((&failure.code, failure.details.last)),
        _ => None,
    }
}

#[test]
fn only_the_message_behind_the_last_one_is_taken() {
    let mut origins = Origins::new("here".to_owned());
    assert_eq!(origins.admit(&origin("a", 7, 0)), Admission::Next);
    origins.submitted(&origin("a", 7, 0), 1);
    assert_eq!(origins.admit(&origin("a", 7, 0)), Admission::Pending(1));
    assert_eq!(origins.admit(&origin("a", 9, 7)), Admission::Next);
    let early = origins.admit(&origin("a", 9, 8));
    assert_eq!(code_of(&early), Some((code::ORIGIN_GAP, Some(0))));
    origins.settled(&origin("a", 7, 0), Some(100));
    assert_eq!(
        origins.admit(&origin("a", 7, 0)),
        Admission::Recorded(Some(100))
    );
    assert_eq!(origins.admit(&origin("a", 3, 2)), Admission::Recorded(None));
    let gap = origins.admit(&origin("a", 9, 8));
    assert_eq!(code_of(&gap), Some((code::ORIGIN_GAP, Some(7))));
    assert_eq!(origins.admit(&origin("b", 1, 0)), Admission::Next);
    let own = origins.admit(&origin("here", 1, 0));
    assert_eq!(code_of(&own), Some((code::BAD_REQUEST, None)));
}

#[test]
fn one_that_could_not_be_recorded_may_come_again() {
    let mut origins = Origins::new("here".to_owned());
    origins.submitted(&origin("a", 1, 0), 1);
    origins.submitted(&origin("a", 2, 1), 2);
    origins.settled(&origin("a", 1, 0), Some(5));
    origins.settled(&origin("a", 2, 1), None);
    assert_eq!(origins.admit(&origin("a", 2, 1)), Admission::Next);
    assert_eq!(origins.list()[0].message_num, 1);
}

#[test]
fn what_is_stored_never_claims_a_record_that_may_be_missing_in_it() {
    let mut origins = Origins::new("here".to_owned());
    origins.submitted(&origin("a", 1, 0), 1);
    origins.settled(&origin("a", 1, 0), Some(50));
    assert_eq!(origins.kept(70).through, 70);
    origins.submitted(&origin("a", 2, 1), 2);
    assert_eq!(origins.kept(70).through, 50, "it may be number 51");
}

fn record(writer: &mut Writer, from: Option<(&str, u64)>) {
    let mut group = writer.group();
    let arrival = Arrival {
        provenance: from.map(|(journal, message_num)| Provenance {
            journal,
            name: "laptop",
            message_num,
        }),
        key_name: Some("somebody"),
        ..Arrival::at("2025-11-20T04:30:00.123Z")
    };
    let payload = r#"{"origin":{"journal":"x","name":"y","message_num":1}}"#;
    let pushed = group.push_with(|out| message::encode_arrival(&["t", payload], arrival, out));
    pushed.unwrap();
    writer.commit(&[&group]).unwrap();
}

fn last(journal: &str, message_num: u64, recorded_as: u64) -> LastOf {
    LastOf {
        journal: journal.to_owned(),
        name: "laptop".to_owned(),
        message_num,
        recorded_as,
    }
}

#[test]
fn it_is_read_back_from_all_sessions_once_and_then_only_what_is_new() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, _) = Writer::open(dir.path(), Options::default()).unwrap();
    assert!(!is_there(dir.path()));
    assert_eq!(origins_known_through(dir.path()).unwrap(), None);
    record(&mut writer, Some(("a", 3)));
    record(&mut writer, Some(("b", 1)));
    writer.archive(None).unwrap();
    record(&mut writer, Some(("a", 8)));
    record(&mut writer, None);
    let kept = load(dir.path(), writer.next_number()).unwrap();
    let expected = [("a", last("a", 8, 3)), ("b", last("b", 1, 2))];
    let expected = expected.map(|(journal, last)| (journal.to_owned(), last));
    assert_eq!(kept.through, 4);
    assert_eq!(kept.last, BTreeMap::from(expected));
    assert_eq!(origins_known_through(dir.path()).unwrap(), Some(4));

    // The closed session is not needed any more.
    for archive in std::fs::read_dir(dir.path().join("archive")).unwrap() {
        std::fs::remove_file(archive.unwrap().path()).unwrap();
    }
    record(&mut writer, Some(("a", 9)));
    let kept = load(dir.path(), writer.next_number()).unwrap();
    assert_eq!(kept.last["a"], last("a", 9, 5));
    assert_eq!(kept.last["b"], last("b", 1, 2));
}

#[test]
fn a_file_that_is_damaged_is_not_taken_for_none() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("origins.json"), "{\"through\":7,").unwrap();
    let error = load(dir.path(), 1).unwrap_err().to_string();
    assert!(
        error.contains("origins.json") && error.contains("remove it"),
        "{error}"
    );
    assert!(origins_known_through(dir.path()).is_err());
}
