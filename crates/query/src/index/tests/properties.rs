use std::fs;
use std::path::Path;

use crc_fast::crc32_iscsi as crc32c;
use proptest::prelude::*;

use super::answers::{answers, assert_same};
use super::{archived, path};
use crate::bytes::Span;
use crate::filter::{Criteria, Filter};
use crate::index::build::build;
use crate::index::directory::Shape;
use crate::index::{header, index_path, index_state};
use crate::source::Source;
use crate::source::Tuning;
use crate::testing::{criteria, journal};
use crate::{IndexContents, IndexState};

/// Gives an index right checksums, whatever is in it.
fn reseal(bytes: &mut [u8]) {
    let directory = header::Header::SIZE - 4 - 4 - Span::SIZE;
    let number = |at: usize, size: usize| {
        let mut value = [0; 8];
        value[..size].copy_from_slice(&bytes[at..at + size]);
        usize::try_from(u64::from_le_bytes(value)).unwrap_or(usize::MAX)
    };
    let (offset, length) = (number(directory, 8), number(directory + 8, 4));
    if let Some(piece) = bytes.get(offset..offset.saturating_add(length)) {
        let crc = crc32c(piece).to_le_bytes();
        bytes[directory + 12..directory + 16].copy_from_slice(&crc);
    }
    let size = header::Header::SIZE;
    let body = crc32c(&bytes[size..]).to_le_bytes();
    bytes[size - 8..size - 4].copy_from_slice(&body);
    let crc = crc32c(&bytes[..size - 4]).to_le_bytes();
    bytes[size - 4..size].copy_from_slice(&crc);
}

fn is_good(session: &Path) -> bool {
    matches!(index_state(session), IndexState::Good { .. })
}

/// How the work is cut up.
fn cuts() -> impl Strategy<Value = Tuning> {
    let chunk = prop_oneof![100..5_000_u64, Just(1 << 20)];
    (chunk, 1..3_usize).prop_map(|(chunk, threads)| Tuning {
        chunk,
        threads,
        ..Tuning::default()
    })
}

/// Sessions of any lines, and how they are cut up for their indexes.
fn sessions() -> impl Strategy<Value = (Vec<Vec<u8>>, Shape)> {
    let shape = (1..3_000_u32, 1..5_u32).prop_map(|(block, group)| Shape { block, group });
    let ours = (1..40_u64).prop_map(|count| {
        let lines = (1..=count).flat_map(|number| {
            let sender = ["claude", "gemini", "llama"][usize::try_from(number % 3).unwrap()];
            let text = ["gem", "xx", "word"][usize::try_from(number / 3 % 3).unwrap()];
            let tier = if number % 7 == 0 { "A" } else { "E" };
            let payload = format!(
                r#"{{"sender_id":"{sender}","message_id":"id-{}","content":{{"text":"{text}?"}},"in_reply_to":"id-{}","metadata":{{"ace_tier":"{tier}","shl_tags":["@a"]}}}}"#,
                number % 5,
                number % 4,
            );
            crate::testing::recorded_at(
                number,
                &format!("2025-11-20T04:30:{:02}.123Z", number * 7 % 60),
                ["design", "design_review", "x"][usize::try_from(number % 3).unwrap()],
                &payload,
            )
        });
        lines.collect::<Vec<u8>>()
    });
    let any = journal().prop_map(|parts| {
        let bytes = parts.iter().flat_map(|part| part.bytes.clone());
        bytes.collect::<Vec<u8>>()
    });
    let session = prop_oneof![2 => ours, 1 => any]
        .prop_filter("an empty file is no archive", |bytes| !bytes.is_empty());
    (prop::collection::vec(session, 1..4), shape)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn with_and_without_an_index_the_answers_are_the_same(
        (sessions, shape) in sessions(),
        asked in criteria(),
        tuning in cuts(),
        indexed in prop::collection::vec(any::<bool>(), 3),
    ) {
        let dir = archived(&sessions);
        for (at, is_indexed) in (0..sessions.len()).zip(indexed) {
            if is_indexed {
                let path = path(&dir, at);
                build(&path, IndexContents::FieldsAndText, shape, &mut || true).unwrap();
                prop_assert!(is_good(&path));
            }
        }
        assert_same(&dir, &asked, tuning);
        assert_same(&dir, &Criteria::default(), tuning);
    }

    #[test]
    fn an_index_that_was_changed_in_any_way_is_not_believed(
        (sessions, shape) in sessions(),
        asked in criteria(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
        more in prop::option::weighted(0.1, prop::collection::vec(any::<u8>(), 1..40)),
    ) {
        let dir = archived(&sessions[..1]);
        let path = path(&dir, 0);
        build(&path, IndexContents::FieldsAndText, shape, &mut || true).unwrap();
        let index = index_path(&path);
        let whole = fs::read(&index).unwrap();
        let mut bytes = whole.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] ^= byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes.extend(more.unwrap_or_default());
        fs::write(&index, &bytes).unwrap();
        if bytes != whole {
            prop_assert!(matches!(index_state(&path), IndexState::Bad(_)));
        }
        assert_same(&dir, &asked, Tuning::default());
        assert_same(&dir, &Criteria::default(), Tuning::default());
    }

    #[test]
    fn a_forged_index_does_no_more_than_tell_lies(
        (sessions, shape) in sessions(),
        asked in criteria(),
        // Most of the directory stands at the end.
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..6),
    ) {
        let dir = archived(&sessions[..1]);
        let path = path(&dir, 0);
        build(&path, IndexContents::FieldsAndText, shape, &mut || true).unwrap();
        let index = index_path(&path);
        let mut bytes = fs::read(&index).unwrap();
        for (at, byte, is_late) in changes {
            let range = if is_late { bytes.len() - bytes.len() / 3 } else { 0 };
            let at = range + at.index(bytes.len() - range);
            bytes[at] = byte;
        }
        reseal(&mut bytes);
        fs::write(&index, &bytes).unwrap();
        let filter = Filter::compile(&asked).unwrap();
        for filter in [&filter, &Filter::default()] {
            let source = Source::all(dir.path()).unwrap();
            answers(&source, &source, filter);
        }
    }
}
