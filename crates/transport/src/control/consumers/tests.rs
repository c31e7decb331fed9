use serde_json::json;

use super::world::{TIMEOUT, World, ack, credit, named, told};
use super::*;

#[test]
fn no_more_messages_come_than_there_is_credit_for() {
    let mut world = World::new(&["a"; 5]);
    let (mut far, peer) = world.door.connect();
    let request = json!({"from": "start", "credit": 2});
    let handle = world.start(&peer, request).unwrap();
    let heard = world.heard(&mut far, &peer);
    assert_eq!(heard, ["began after 0", "message 1", "message 2"]);
    let credited = world.consumers.credit(&peer, &credit(handle, 1, 2));
    assert_eq!(credited.unwrap().credit, 1);
    assert_eq!(world.heard(&mut far, &peer), ["message 3"]);
}

#[test]
fn what_was_not_acknowledged_comes_again_to_the_next_consumer_of_the_name() {
    let mut world = World::new(&["a"; 3]);
    let (mut far, peer) = world.door.connect();
    let handle = world.start(&peer, named("n")).unwrap();
    world.run();
    world.store();
    let heard = world.heard(&mut far, &peer);
    let all = ["began after 0", "message 1", "message 2", "message 3"];
    assert_eq!(heard, all);
    world
        .consumers
        .ack(&peer, &8.into(), &ack(handle, 1))
        .unwrap();
    world.store();
    world.consumers.cancel(&peer, handle).unwrap();

    let (mut other, next) = world.door.connect();
    world.start(&next, named("n")).unwrap();
    let heard = world.heard(&mut other, &next);
    assert_eq!(heard, ["began after 1", "message 2", "message 3"]);
}

#[test]
fn a_named_consumer_has_begun_only_when_its_beginning_is_on_the_disk() {
    let mut world = World::new(&["a"]);
    let (mut far, peer) = world.door.connect();
    world.start(&peer, named("n")).unwrap();
    assert!(world.heard(&mut far, &peer).is_empty());
    world.store();
    let kept = crate::control::named_positions(world.bench.dir.path()).unwrap();
    assert_eq!((kept.len(), kept[0].number), (1, Some(0)));
    let heard = world.heard(&mut far, &peer);
    assert_eq!(heard, ["began after 0", "message 1"]);
}

#[test]
fn the_newest_consumer_of_a_name_takes_it_when_it_has_begun_and_not_before() {
    let mut world = World::new(&["a"]);
    let (mut far, peer) = world.door.connect();
    let (mut other, next) = world.door.connect();
    world.start(&peer, named("n")).unwrap();
    world.run();
    world.store();
    let impossible = json!({"name": "n", "from": 99, "credit": 1});
    world.start(&next, impossible).unwrap();
    assert_eq!(world.heard(&mut other, &next), ["beyond_head"]);
    let heard = world.heard(&mut far, &peer);
    assert_eq!(heard, ["began after 0", "message 1"], "it goes on");
    world.start(&next, named("n")).unwrap();
    let heard = world.heard(&mut other, &next);
    assert_eq!(heard, ["began after 0", "message 1"]);
    assert_eq!(world.heard(&mut far, &peer), ["replaced 1"]);
    world.bench.record(&["a"]);
    assert_eq!(world.heard(&mut other, &next), ["message 2"]);
    assert!(world.heard(&mut far, &peer).is_empty());
}

#[test]
fn a_consumer_obeys_the_connection_alone_on_which_it_was_asked_for() {
    let mut world = World::new(&["a"]);
    let (_far, peer) = world.door.connect();
    let (_other, stranger) = world.door.connect();
    let handle = world.start(&peer, named("n")).unwrap();
    world.run();
    world.store();
    let World { consumers, .. } = &mut world;
    let refused = [
        consumers.credit(&stranger, &credit(handle, 1, 0)).err(),
        consumers.ack(&stranger, &8.into(), &ack(handle, 1)).err(),
        consumers.cancel(&stranger, handle).err(),
    ];
    for refusal in refused {
        assert_eq!(refusal.unwrap().code, code::UNKNOWN_CONSUMER);
    }
    assert!(consumers.credit(&peer, &credit(handle, 1, 1)).is_ok());
    assert!(consumers.cancel(&peer, handle).is_ok());
    let gone = consumers.credit(&peer, &credit(handle, 1, 1)).unwrap_err();
    assert_eq!(gone.code, code::UNKNOWN_CONSUMER);
}

#[test]
fn a_client_that_is_silent_for_too_long_loses_its_consumers_and_who_is_heard_keeps_them() {
    let mut world = World::new(&["a"]);
    let (_far, silent) = world.door.connect();
    let (_other, heard) = world.door.connect();
    world.start(&silent, named("silent")).unwrap();
    world.start(&heard, named("heard")).unwrap();
    world.run();
    let World { consumers, .. } = &mut world;
    assert!(consumers.expire(TIMEOUT).is_empty(), "it is not too long");
    consumers.heard(&heard);
    let replies = consumers.expire(Duration::from_millis(1));
    assert_eq!(
        (told(&replies), replies.len()),
        (vec!["expired 1".to_owned()], 1)
    );
    assert_eq!(replies[0].0, silent);
    assert!(consumers.uses("heard") && !consumers.uses("silent"));
}

#[test]
fn a_consumer_ends_when_its_client_has_left() {
    let mut world = World::new(&["a"]);
    let (far, peer) = world.door.connect();
    world.start(&peer, named("n")).unwrap();
    world.run();
    world.store();
    drop(far);
    while !world.door.router.connected().is_empty() {
        world.door.serve();
    }
    world.bench.record(&["a"]);
    world.run();
    assert!(!world.consumers.uses("n"));
    world.run();
    assert_eq!(world.workers.count(), 0, "its thread is over");
}

#[test]
fn behind_the_end_all_that_was_read_may_be_acknowledged_and_no_other_end_is_told() {
    let mut world = World::new(&["a", "b"]);
    let (mut far, peer) = world.door.connect();
    let mut request = named("n");
    request["filter"] = json!({"topic": "a"});
    request["follow"] = json!(false);
    let handle = world.start(&peer, request).unwrap();
    world.run();
    world.store();
    let heard = world.heard(&mut far, &peer);
    assert_eq!(heard, ["began after 0", "message 1", "head 2"]);
    let World { consumers, .. } = &mut world;
    let acked = consumers.ack(&peer, &8.into(), &ack(handle, 2));
    assert_eq!(acked, Ok(()), "the second one did not match");
    let beyond = consumers.ack(&peer, &8.into(), &ack(handle, 3));
    assert!(beyond.is_err(), "nobody has read it");
    assert!(consumers.end().is_empty());
}

#[test]
fn what_a_full_connection_does_not_take_comes_in_its_order_when_there_is_room() {
    let mut world = World::new(&["a"; 3]);
    let (mut far, peer) = world.door.connect();
    let filling = "x".repeat(256 << 10);
    let mut filled = 0;
    while world.door.router.send(&peer, &filling, []) == Sent::Whole {
        filled += 1;
    }
    let request = json!({"from": "start", "credit": 10});
    world.start(&peer, request).unwrap();
    assert_eq!(world.run(), Served::Full);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| (0..filled).for_each(|_| drop(far.receive())));
        while !world.door.router.is_flushed() {
            world.door.serve();
        }
        reading.join().unwrap();
    });
    let heard = world.heard(&mut far, &peer);
    let all = ["began after 0", "message 1", "message 2", "message 3"];
    assert_eq!(heard, all);
}

#[test]
fn one_consumer_too_many_is_refused_until_another_one_is_over() {
    let mut world = World::new(&[]);
    let (_far, peer) = world.door.connect();
    let request = || json!({"credit": 1});
    for _ in 0..limits::CONSUMERS {
        world.start(&peer, request()).unwrap();
    }
    let refused = world.start(&peer, request()).unwrap_err();
    assert_eq!(refused.code, code::LIMIT);
    let oldest = world.consumers.next - limits::CONSUMERS as u64 + 1;
    world.consumers.cancel(&peer, oldest).unwrap();
    assert!(world.start(&peer, request()).is_ok());
}

#[test]
fn all_are_told_how_far_they_were_when_the_broker_stops() {
    let mut world = World::new(&["a"; 3]);
    let (_far, peer) = world.door.connect();
    world
        .start(&peer, json!({"from": "start", "credit": 2}))
        .unwrap();
    world
        .start(&peer, json!({"from": "now", "credit": 2}))
        .unwrap();
    world.run();
    let replies = world.consumers.end();
    assert_eq!(told(&replies), ["shutting_down 2", "shutting_down 3"]);
    assert!(world.consumers.end().is_empty());
}

#[test]
fn status_tells_of_each_name_once_whether_its_client_is_there_or_not() {
    let mut world = World::new(&["a"; 3]);
    let (_far, peer) = world.door.connect();
    let away = world.start(&peer, named("away")).unwrap();
    world.start(&peer, named("there")).unwrap();
    world.run();
    world.store();
    world
        .consumers
        .ack(&peer, &8.into(), &ack(away, 2))
        .unwrap();
    world.store();
    world.consumers.cancel(&peer, away).unwrap();
    let all = world.consumers.status();
    let all = all.iter().map(|it| {
        (
            it.name.as_deref().unwrap(),
            it.connected,
            it.position,
            it.lag,
            it.acked,
        )
    });
    let expected = [
        ("there", true, Some(3), Some(0), Some(0)),
        ("away", false, Some(2), Some(1), Some(2)),
    ];
    assert!(all.eq(expected));
}
