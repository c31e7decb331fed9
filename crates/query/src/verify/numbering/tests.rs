use super::*;

/// Takes numbers; returns the steps that are none forward, and the gaps.
fn steps(mut numbering: Numbering<u64>, numbers: &[u64]) -> (Vec<(u64, Step)>, Vec<[u64; 3]>) {
    let mut faults = Vec::new();
    for &number in numbers {
        match numbering.see(number, || number) {
            Step::Follows => {}
            step => faults.push((number, step)),
        }
    }
    (faults, gaps(numbering))
}

/// Where each gap begins, where it ends, and which record follows it.
fn gaps(numbering: Numbering<u64>) -> Vec<[u64; 3]> {
    let gaps = numbering.finish();
    gaps.map(|gap| [gap.first, gap.last, gap.at]).collect()
}

#[test]
fn a_session_alone_begins_anywhere() {
    assert_eq!(steps(Numbering::anywhere(), &[7, 8, 9]), (vec![], vec![]));
}

#[test]
fn all_sessions_together_begin_with_1() {
    assert_eq!(
        steps(Numbering::from_one(Vec::new()), &[3, 4]),
        (vec![], vec![[1, 2, 3]])
    );
    assert_eq!(
        steps(Numbering::from_one(Vec::new()), &[1, 2]),
        (vec![], vec![])
    );
}

#[test]
fn numbers_that_never_come_are_gaps() {
    let (faults, gaps) = steps(Numbering::anywhere(), &[1, 3, 7, 8]);
    assert_eq!(faults, []);
    assert_eq!(gaps, [[2, 2, 3], [4, 6, 7]]);
}

#[test]
fn a_number_that_comes_twice_is_a_repeat() {
    let (faults, gaps) = steps(Numbering::anywhere(), &[1, 2, 2, 3, 1, 4]);
    assert_eq!(faults, [(2, Step::Repeated), (1, Step::Repeated)]);
    assert_eq!(gaps, <[[u64; 3]; 0]>::default());
}

#[test]
fn a_number_that_comes_late_is_out_of_order_and_no_gap() {
    let (faults, gaps) = steps(Numbering::anywhere(), &[1, 3, 2, 4]);
    assert_eq!(faults, [(2, Step::OutOfOrder { after: 3 })]);
    assert_eq!(gaps, <[[u64; 3]; 0]>::default());
}

#[test]
fn a_stray_number_is_one_finding_and_not_one_for_each_record_behind_it() {
    let (faults, gaps) = steps(Numbering::anywhere(), &[1, 2, 9000, 3, 4, 5]);
    assert_eq!(faults, [(3, Step::OutOfOrder { after: 9000 })]);
    assert_eq!(gaps, [[6, 8999, 9000]]);
}

#[test]
fn numbers_go_on_from_file_to_file() {
    let mut numbering = Numbering::from_one(Vec::new());
    numbering.see(1, || 1);
    numbering.next_file();
    numbering.see(3, || 3);
    numbering.next_file();
    assert_eq!(numbering.see(3, || 3), Step::Repeated);
    assert_eq!(gaps(numbering), [[2, 2, 3]]);
}

#[test]
fn lines_without_a_number_count_on() {
    let mut numbering = Numbering::anywhere();
    numbering.see(4, || 4);
    numbering.count(5);
    numbering.see(6, || 6);
    numbering.see(8, || 8);
    assert_eq!(gaps(numbering), [[7, 7, 8]]);
}

#[test]
fn older_lines_at_the_head_of_a_file_do_not_carry_the_numbering_away() {
    let mut numbering = Numbering::from_one(Vec::new());
    (1..=20).for_each(|number| assert_eq!(numbering.see(number, || 0), Step::Follows));
    numbering.next_file();
    (1..=5000).for_each(|counted| numbering.count(counted));
    numbering.next_file();
    assert_eq!(numbering.see(21, || 0), Step::Follows);
    numbering.next_file();
    (1..=30).for_each(|counted| numbering.count(counted));
    assert_eq!(numbering.see(31, || 0), Step::Follows);
    assert_eq!(gaps(numbering), <[[u64; 3]; 0]>::default());
}

#[test]
fn a_first_number_behind_older_lines_alone_is_no_gap() {
    let mut numbering = Numbering::from_one(Vec::new());
    numbering.count(1);
    numbering.next_file();
    numbering.see(8, || 8);
    assert_eq!(gaps(numbering), <[[u64; 3]; 0]>::default());
}

#[test]
fn a_record_of_unknown_number_stands_for_one_that_is_missing() {
    let mut numbering = Numbering::anywhere();
    numbering.see(1, || 1);
    numbering.pass();
    numbering.see(3, || 3);
    numbering.pass();
    numbering.see(6, || 6);
    assert_eq!(gaps(numbering), [[4, 5, 6]]);
}

#[test]
fn memory_is_bounded() {
    let mut numbering = Numbering::anywhere();
    let mut settled = Vec::new();
    for number in 0..=GAPS as u64 + 1 {
        numbering.see(2 * number + 1, || 0);
        settled.extend(numbering.overflow().map(|gap| gap.first));
    }
    assert_eq!(settled, [2]);
    let after = 2 * (GAPS as u64 + 1) + 1;
    assert_eq!(numbering.see(2, || 0), Step::OutOfOrder { after });
    assert_eq!(numbering.finish().count(), GAPS);
}

#[test]
fn what_was_removed_on_purpose_is_no_gap() {
    let gaps = |removed: &[(u64, u64)], numbers: &[u64]| {
        let mut numbering = Numbering::from_one(removed.to_vec());
        for number in numbers {
            numbering.see(*number, || ());
        }
        let gaps = numbering.finish();
        gaps.map(|gap| (gap.first, gap.last)).collect::<Vec<_>>()
    };
    assert_eq!(gaps(&[(1, 5), (6, 10)], &[11, 12]), []);
    assert_eq!(gaps(&[(6, 10), (2, 3)], &[11]), [(1, 1), (4, 5)]);
    assert_eq!(gaps(&[(1, 4)], &[3, 9]), [(5, 8)]);
    assert_eq!(gaps(&[(20, 30)], &[3]), [(1, 2)]);
}
