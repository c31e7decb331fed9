//! Each scenario under many schedules. `just schedules` tries as many as one likes.

use schedules::check::check;
use schedules::scenarios;

/// Makes a test of each scenario, named as it is.
macro_rules! schedules {
    ($($of:ident: $($scenario:ident),+;)+) => {$(
        mod $of {
            $(
                #[test]
                fn $scenario() {
                    let runs = super::check(super::scenarios::$of::$scenario);
                    println!("{runs} schedules");
                }
            )+
        }
    )+};
}

schedules! {
    waking: nothing_that_is_left_for_a_sleeper_stays,
        what_is_written_late_ends_one_wait;
    handing_over: a_full_queue_is_gone_on_with_when_there_is_room,
        a_stop_reaches_whoever_sleeps,
        a_stop_reaches_intake_that_is_idle;
    recording: numbers_keep_their_order_and_requests_are_heard,
        a_request_at_the_end_is_not_left_alone,
        a_full_disk_is_waited_for,
        a_failure_on_another_thread_ends_the_recorder;
    serving: what_is_recorded_reaches_all,
        a_stop_reaches_those_who_sleep,
        what_fails_elsewhere_ends_its_own_thread;
    feeding: credit_and_messages_wake_each_other, what_is_put_back_comes_first;
    telling: what_is_told_arrives,
        the_end_of_recording_is_noticed,
        whoever_asks_gets_an_answer;
    appending: all_that_is_appended_is_committed,
        a_group_that_fails_lets_all_of_it_go,
        a_leader_that_panics_leaves_nobody_waiting;
    scanning: chunks_come_in_order,
        a_caller_that_has_enough_ends_all,
        an_error_ends_all,
        a_worker_that_is_gone_ends_all;
}
