//! Speed of appending and reading records: `cargo bench -p journal`.

use std::path::Path;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use journal::raw::{Group, Writer};
use journal::{Options, Reader};

const SIZES: [usize; 3] = [256, 1_024, 16_384];
const MAX_LINE: usize = 1 << 20;
/// How much is committed, or scanned, at a time.
const STRETCH: usize = 1 << 20;

fn main() {
    divan::main();
}

/// Builds a record's body of `size` bytes.
fn body(size: usize) -> Vec<u8> {
    let mut body = br#"{"content":""#.to_vec();
    body.resize(size - 2, b'x');
    body.extend_from_slice(br#""}"#);
    body
}

/// Fills a group up to its limit.
fn fill(group: &mut Group, body: &[u8]) {
    while group.bytes().len() < STRETCH {
        let pushed = group.push_with(|out| out.extend_from_slice(body));
        pushed.expect("a small JSON object");
    }
}

/// Numbers, seals and collects records in memory.
#[divan::bench(args = SIZES)]
fn push(bencher: Bencher<'_, '_>, size: usize) {
    let body = body(size);
    let mut group = Group::new(1, MAX_LINE);
    bencher.counter(BytesCount::new(STRETCH)).bench_local(|| {
        group.reset(1);
        fill(&mut group, black_box(&body));
    });
}

/// Puts a group of that many bytes on disk.
#[divan::bench(args = [500, 65_536, 1_048_576], sample_size = 1)]
fn commit(bencher: Bencher<'_, '_>, size: usize) {
    let dir = scratch();
    let (mut writer, _) = Writer::open(dir.path(), Options::default()).expect("a new directory");
    let body = body(size.min(1_024));
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        let mut group = writer.group();
        while group.bytes().len() + body.len() <= size || group.is_empty() {
            let pushed = group.push_with(|out| out.extend_from_slice(&body));
            pushed.expect("a small JSON object");
        }
        writer.commit(&[&group]).expect("a disk with room")
    });
}

/// Reads and checks all lines of a file in the cache.
#[divan::bench(args = SIZES)]
fn scan(bencher: Bencher<'_, '_>, size: usize) {
    let dir = scratch();
    let (mut writer, _) = Writer::open(dir.path(), Options::default()).expect("a new directory");
    let mut group = writer.group();
    fill(&mut group, &body(size));
    writer.commit(&[&group]).expect("a disk with room");
    let path = writer.session_path();
    bencher
        .counter(BytesCount::new(group.bytes().len()))
        .bench_local(|| {
            Reader::open(&path)
                .expect("a session")
                .map(|line| line.expect("our own line").number)
                .sum::<u64>()
        });
}

/// Makes a directory on the disk that has the build, which is rarely in memory.
fn scratch() -> tempfile::TempDir {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tempfile::tempdir_in(target).expect("a place beside the build")
}
