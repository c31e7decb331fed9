use super::*;
use crate::net::{Sleeper, sleeper};
use crate::testing::batch;

/// A time that only a test that fails needs.
const LONG: Duration = Duration::from_secs(60);

/// A queue of up to this many bytes, and what intake sleeps with.
fn queue(limit: usize) -> (Queue, Sleeper) {
    let intake = sleeper().unwrap();
    (Queue::new(limit, intake.waker()), intake)
}

fn taken(queue: &Queue) -> Vec<Batch> {
    match queue.take() {
        Taken::Batches(batches) => batches,
        other => panic!("{other:?}"),
    }
}

fn numbers(batches: &[Batch]) -> Vec<u64> {
    batches.iter().map(Batch::first).collect()
}

#[test]
fn batches_are_taken_in_the_order_in_which_they_came() {
    let (queue, _intake) = queue(1 << 30);
    for number in 1..=3 {
        queue.put(batch(number, 10));
    }
    assert_eq!(queue.waiting(), 3);
    assert_eq!(numbers(&taken(&queue)), [1, 2, 3]);
    assert_eq!(queue.waiting(), 0);
    assert!(matches!(queue.take(), Taken::Nothing));
}

#[test]
fn a_group_is_bounded_but_a_large_batch_is_taken_alone() {
    let (queue, _intake) = queue(1 << 30);
    let sizes = [10, GROUP_BYTES + 10, 10, GROUP_BYTES / 2, GROUP_BYTES / 2];
    for (number, size) in (1..).zip(sizes) {
        let mut batch = Batch::new(journal::raw::Group::new(number, 2 * GROUP_BYTES));
        let mut wire = Vec::new();
        zmtp::push_message(&mut wire, [b"t".as_slice(), &vec![b'x'; size]]);
        batch
            .push(wire.into(), "2025-11-20T04:30:00.123Z", None)
            .unwrap();
        queue.put(batch);
    }
    let groups = [(); 4].map(|()| numbers(&taken(&queue)));
    assert_eq!(groups, [vec![1], vec![2], vec![3, 4], vec![5]]);
}

#[test]
fn behind_the_end_nothing_comes_in_and_what_came_before_is_still_taken() {
    let (queue, _intake) = queue(1 << 30);
    queue.put(batch(1, 10));
    queue.end();
    assert!(queue.has_ended());
    queue.put(batch(2, 10));
    assert_eq!(numbers(&taken(&queue)), [1]);
    assert!(matches!(queue.take(), Taken::End));
}

#[test]
fn what_was_taken_takes_room_until_it_is_recorded_and_intake_is_woken_then_and_not_before() {
    let sizes = [batch(1, 100).memory(), batch(2, 100).memory()];
    let (queue, intake) = queue(sizes[0]);
    assert!(!queue.is_full());
    intake.about_to_sleep();
    queue.put(batch(1, 100));
    assert!(queue.is_full());
    queue.put(batch(2, 100));
    drop(taken(&queue));
    assert!(queue.is_full(), "it is not on the disk yet");
    queue.release(sizes[0]);
    assert!(queue.is_full() && intake.is_announced(), "there is no room");
    queue.release(sizes[1]);
    assert!(!queue.is_full());
    assert!(!intake.is_announced(), "it was woken");
}

#[test]
fn the_recorder_does_not_wait_where_there_is_something_to_do() {
    let (queue, _intake) = queue(1 << 30);
    queue.put(batch(1, 10));
    queue.wait(LONG);
    drop(taken(&queue));
    queue.nudge();
    queue.wait(LONG);
    assert!(matches!(queue.take(), Taken::Nothing));
    queue.nudge();
    queue.pause(LONG);
    queue.end();
    queue.wait(LONG);
    queue.pause(LONG);
    assert!(matches!(queue.take(), Taken::End));
}

#[test]
fn a_recorder_that_waits_goes_on_when_something_comes() {
    type Call = fn(&Queue);
    let calls: [Call; 3] = [|it| it.put(batch(1, 10)), Queue::nudge, Queue::end];
    for call in calls {
        let (queue, _intake) = queue(1 << 30);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.wait(Duration::MAX));
            call(&queue);
            waiting.join().unwrap();
        });
    }
}

#[test]
fn nobody_else_comes_before_a_recorder_that_was_woken() {
    let (queue, _intake) = queue(1 << 30);
    assert!(queue.is_idle());
    queue.put(batch(1, 10));
    assert!(!queue.is_idle());
    queue.wait(LONG);
    drop(taken(&queue));
    assert!(queue.is_idle());
    // Woken by the time alone, it looks at its other duties first.
    queue.wait(Duration::ZERO);
    assert!(!queue.is_idle());
    assert!(matches!(queue.take(), Taken::Nothing));
    assert!(queue.is_idle());
    queue.nudge();
    assert!(!queue.is_idle());
    queue.pause(LONG);
    assert!(queue.is_idle(), "a pause answers to a nudge by itself");
    queue.end();
    assert!(!queue.is_idle());
}
