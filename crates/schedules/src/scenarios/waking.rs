//! The waker: a flag and a pipe.

use shuttle::thread;

use crate::net::{Sleeper, Waker, rest, sleeper};
use crate::sync::{Arc, Mutex, allow_early_ends};

type Work = Arc<Mutex<Vec<usize>>>;

/// Three threads leave work and wake a fourth, which sleeps where it finds none: it gets
/// all of it, and no wake-up ends more than one wait.
pub fn nothing_that_is_left_for_a_sleeper_stays() {
    let (mut sleeper, work) = (sleeper().unwrap(), Work::default());
    let producers = producers(&sleeper, &work);
    let (mut got, mut woken_for_nothing) = (0, 0);
    while got < 6 {
        sleeper.about_to_sleep();
        let nothing = work.lock().unwrap().is_empty();
        let woken = rest(&mut sleeper, nothing);
        let taken = std::mem::take(&mut *work.lock().unwrap()).len();
        woken_for_nothing += usize::from(woken && taken == 0);
        got += taken;
    }
    assert!(woken_for_nothing <= 6, "{woken_for_nothing} of 6 wake-ups");
    for producer in producers {
        producer.join().unwrap();
    }
    quiet_down(&mut sleeper);
}

/// The same where something else ends the waits: the sleeper goes on before those who
/// have claimed to wake it have written.
pub fn what_is_written_late_ends_one_wait() {
    let (mut sleeper, work) = (sleeper().unwrap(), Work::default());
    let producers = producers(&sleeper, &work);
    for _ in 0..6 {
        sleeper.about_to_sleep();
        rest(&mut sleeper, false);
    }
    for producer in producers {
        producer.join().unwrap();
    }
    quiet_down(&mut sleeper);
    assert_eq!(work.lock().unwrap().len(), 6);
}

fn producers(sleeper: &Sleeper, work: &Work) -> Vec<thread::JoinHandle<()>> {
    let produce = |_| {
        let (waker, work) = (sleeper.waker(), Arc::clone(work));
        thread::spawn(move || leave(&waker, &work))
    };
    (0..3).map(produce).collect()
}

fn leave(waker: &Waker, work: &Work) {
    for item in 0..2 {
        work.lock().unwrap().push(item);
        waker.wake();
    }
}

/// Once nobody wakes it any more, at most one wait ends at once, and a later wake-up
/// still gets through.
fn quiet_down(sleeper: &mut Sleeper) {
    allow_early_ends(0);
    sleeper.about_to_sleep();
    rest(sleeper, false);
    sleeper.about_to_sleep();
    assert!(!rest(sleeper, false), "every later wait would end at once");
    sleeper.about_to_sleep();
    sleeper.waker().wake();
    assert!(rest(sleeper, true), "it was woken");
    sleeper.about_to_sleep();
    assert!(!rest(sleeper, false), "once");
}
