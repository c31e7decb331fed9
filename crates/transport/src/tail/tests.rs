use crate::testing::{Bench, TAIL};

#[test]
fn the_tail_is_bounded_by_number() {
    let mut bench = Bench::new(5);
    for _ in 0..30 {
        bench.record(&["a"; 100]);
    }
    let state = bench.tail.lock();
    let kept: usize = state
        .recent
        .iter()
        .map(|recorded| recorded.batch.len())
        .sum();
    assert!((1024..1224).contains(&kept), "{kept}");
    assert_eq!(state.next, 3001);
    let memory: usize = state.recent.iter().map(|recorded| recorded.memory).sum();
    assert_eq!(state.memory, memory);
}

#[test]
fn the_tail_is_bounded_by_bytes() {
    let mut bench = Bench::new(u64::MAX);
    let topic = "x".repeat(8 << 20);
    for _ in 0..10 {
        bench.record(&[&topic]);
    }
    let state = bench.tail.lock();
    assert!(state.memory <= TAIL, "{}", state.memory);
    assert!(state.recent.len() >= 6, "{}", state.recent.len());
}

#[test]
fn a_window_begins_inside_a_batch_where_it_has_to() {
    let mut bench = Bench::new(100);
    bench.record(&["a"; 10]);
    let window = bench.tail.window(3);
    let (recorded, index) = window.memory.unwrap();
    assert_eq!((window.first, recorded.batch.first(), index), (8, 1, 7));
}
