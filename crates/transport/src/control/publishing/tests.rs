use super::*;
use crate::control::origins::Kept;
use crate::testing::Bench;

/// Publishing with a journal that nobody writes, and intake's box.
fn publishing(window: u64) -> (Bench, Publishing, Arc<PublishQueue>) {
    let bench = Bench::new(10);
    let publishes = Arc::new(PublishQueue::new(100, 1 << 20));
    let path = Path {
        publishes: Arc::clone(&publishes),
        answer: Arc::new(|_, _| {}),
        health: Arc::default(),
        tail: Arc::clone(&bench.tail),
        max_message: 1 << 20,
        max_waiting: 1 << 20,
    };
    let origins = Origins::new("here".to_owned());
    let publishing = Publishing::new(path, window, Keys::default(), origins);
    (bench, publishing, publishes)
}

fn request(id: u64, payload: &str) -> Publish {
    Publish {
        peer: Peer::default(),
        id: Id::from(id),
        frames: vec![b"t".to_vec(), payload.as_bytes().to_vec()],
        key_name: None,
        origin: None,
        sequence: None,
    }
}

const NAMED: &str = r#"{"sender":"a","message_id":"1"}"#;

fn said(reply: &Reply) -> serde_json::Value {
    serde_json::from_str(&reply.1).unwrap()
}

#[test]
fn who_sends_again_is_never_told_that_nothing_was_recorded_where_something_may_be() {
    let (_bench, mut publishing, publishes) = publishing(100);
    publishing.know(Ok(Vec::new()));
    assert!(publishing.publish(request(1, NAMED)).is_none());
    let ack = publishes.take(1).remove(0).ack.id();
    // It is on its way, and the broker stops.
    let refused = said(&publishing.publish_no_more(&request(2, NAMED)));
    assert_eq!(refused["code"], "shutting_down");
    assert!(refused["recorded"].is_null(), "{refused}");
    // The disk has failed: nobody knows.
    publishing.settle(ack, &Outcome::Unknown);
    let refused = said(&publishing.publish_no_more(&request(3, NAMED)));
    assert!(refused["recorded"].is_null(), "{refused}");
    let other = r#"{"sender":"a","message_id":"2"}"#;
    let refused = said(&publishing.publish_no_more(&request(4, other)));
    assert_eq!(refused["recorded"], false, "it never came before");
    let nameless = said(&publishing.publish_no_more(&request(5, "x")));
    assert_eq!(
        nameless["recorded"], false,
        "it is never taken for a repetition"
    );
}

#[test]
fn what_is_recorded_is_told_also_when_nothing_more_is_taken() {
    let (_bench, mut publishing, publishes) = publishing(100);
    publishing.know(Ok(Vec::new()));
    assert!(publishing.publish(request(1, NAMED)).is_none());
    let ack = publishes.take(1).remove(0).ack.id();
    publishing.settle(ack, &Outcome::Recorded(7));
    let again = said(&publishing.publish_no_more(&request(2, NAMED)));
    assert_eq!(
        (&again["type"], &again["message_num"]),
        (&"reply".into(), &7.into())
    );
    assert_eq!(again["duplicate"], true);
}

#[test]
fn while_the_journal_is_not_read_nobody_knows_of_earlier_requests() {
    let (_bench, mut publishing, _publishes) = publishing(100);
    assert!(publishing.publish(request(1, NAMED)).is_none(), "it waits");
    let replies = publishing.end();
    assert_eq!(replies.len(), 1);
    assert!(said(&replies[0])["recorded"].is_null(), "{}", replies[0].1);
}

#[test]
fn another_journals_message_is_taken_once_and_its_name_plays_no_part() {
    let (_bench, mut publishing, publishes) = publishing(100);
    publishing.know(Ok(Vec::new()));
    let foreign = |id: u64, message_num: u64, after: u64| Publish {
        origin: Some(Arc::new(Origin {
            journal: "there".to_owned(),
            name: "laptop".to_owned(),
            message_num,
            after,
        })),
        ..request(id, NAMED)
    };
    assert!(publishing.publish(request(1, NAMED)).is_none());
    assert!(
        publishing.publish(foreign(2, 5, 0)).is_none(),
        "it waits for the journal"
    );
    assert!(
        publishing.wants_origins() && !publishing.wants_origins(),
        "once"
    );
    assert!(publishing.know_origins(Ok(Kept::default())).is_empty());
    let taken = publishes.take(usize::MAX);
    assert_eq!(
        taken.len(),
        2,
        "the same sender and message_id, and another journal"
    );
    assert!(
        publishing.publish(foreign(3, 5, 0)).is_none(),
        "it is on its way"
    );
    let replies = publishing.settle(taken[1].ack.id(), &Outcome::Recorded(2));
    let told: Vec<_> = replies
        .iter()
        .map(|reply| said(reply)["duplicate"].clone())
        .collect();
    assert_eq!(told, [false, true]);
    let again = said(&publishing.publish(foreign(4, 5, 0)).unwrap());
    assert_eq!(
        (&again["message_num"], &again["duplicate"]),
        (&2.into(), &true.into())
    );
    let gap = said(&publishing.publish(foreign(5, 9, 8)).unwrap());
    assert_eq!(
        (&gap["code"], &gap["last"]),
        (&"origin_gap".into(), &5.into())
    );
}

#[test]
fn a_journal_that_can_not_be_read_refuses_other_journals_messages_and_no_others() {
    let (_bench, mut publishing, publishes) = publishing(0);
    let origin = Arc::new(Origin {
        journal: "there".to_owned(),
        name: "laptop".to_owned(),
        message_num: 1,
        after: 0,
    });
    let foreign = Publish {
        origin: Some(origin),
        ..request(1, NAMED)
    };
    assert!(publishing.publish(foreign).is_none());
    assert!(
        publishing.publish(request(2, "x")).is_none(),
        "it keeps its place"
    );
    let replies = publishing.know_origins(Err("damaged".to_owned()));
    assert_eq!(replies.len(), 1);
    assert_eq!(said(&replies[0])["code"], "not_ready");
    assert_eq!(publishes.take(usize::MAX).len(), 1);
}
