use std::cell::RefCell;

use super::*;

/// Does all that waits, and returns the answers in order.
fn answers(positions: &Positions) -> Vec<(u64, What)> {
    let told = RefCell::new(Vec::new());
    positions.end();
    let tell = |orders: Vec<Order>, result| {
        assert_eq!(result, Ok(()));
        let answer = |order: Order| match order.id {
            Id::Number(id) => (id, order.what),
            other => panic!("{other:?}"),
        };
        told.borrow_mut().extend(orders.into_iter().map(answer));
    };
    while positions.turn(&tell) == Next::More {}
    told.into_inner()
}

fn at(number: u64) -> Position {
    let crc = Some(format!("{number:08x}"));
    Position { number, crc }
}

fn keep(positions: &Positions, id: u64, name: &str, number: u64) {
    positions.keep(Peer::default(), id.into(), name.to_owned(), at(number));
}

fn forget(positions: &Positions, id: u64, name: &str) {
    positions.forget(Peer::default(), id.into(), name.to_owned());
}

#[test]
fn what_is_forgotten_behind_an_acknowledgement_stays_forgotten_and_both_are_answered() {
    let logs = tempfile::tempdir().unwrap();
    let positions = Positions::open(logs.path());
    keep(&positions, 1, "a", 5);
    keep(&positions, 2, "b", 6);
    forget(&positions, 3, "a");
    forget(&positions, 4, "a");
    let expected = [
        (1, What::Keep(at(5))),
        (2, What::Keep(at(6))),
        (3, What::Forget { there: true }),
        (4, What::Forget { there: false }),
    ];
    assert_eq!(answers(&positions), expected);
    assert_eq!(positions.get("a"), Ok(None));
    let names: Vec<String> = Positions::open(logs.path()).list().into_keys().collect();
    assert_eq!(names, ["b"]);
}

#[test]
fn a_name_that_is_forgotten_while_its_position_is_written_stays_forgotten() {
    let logs = tempfile::tempdir().unwrap();
    let positions = Positions::open(logs.path());
    keep(&positions, 1, "a", 5);
    let orders = positions.next_orders().unwrap();
    forget(&positions, 2, "a");
    positions.store(&orders).unwrap();
    assert_eq!(positions.get("a"), Ok(None));
    assert_eq!(answers(&positions), [(2, What::Forget { there: true })]);
    assert!(Positions::open(logs.path()).list().is_empty());
    keep(&positions, 3, "a", 7);
    assert_eq!(answers(&positions), [(3, What::Keep(at(7)))]);
    assert_eq!(positions.get("a"), Ok(Some(at(7))));
    assert_eq!(highest(logs.path()), 7);
}

#[test]
fn a_consumer_that_has_acknowledged_nothing_is_known_by_where_it_began() {
    let logs = tempfile::tempdir().unwrap();
    let positions = Positions::open(logs.path());
    let begin = |name: &str, number| {
        positions.begin(Peer::default(), 9.into(), name.to_owned(), number);
    };
    begin("a", 3);
    keep(&positions, 1, "b", 5);
    // What was acknowledged counts, on its way to the disk and there.
    begin("b", 2);
    let three = Position {
        number: 3,
        crc: None,
    };
    let expected = [(9, What::Begin(three)), (1, What::Keep(at(5)))];
    assert_eq!(answers(&positions), expected);
    begin("a", 1);
    begin("b", 1);
    assert_eq!(answers(&positions), []);
    let named = named_positions(logs.path()).unwrap();
    let named: Vec<_> = named.into_iter().map(|it| (it.name, it.number)).collect();
    assert_eq!(
        named,
        [("a".to_owned(), Some(3)), ("b".to_owned(), Some(5))]
    );
}
