use std::thread;

use serde_json::{Value, json};

use super::*;
use crate::testing::{Accepted, Router, answer, greeting};

/// A time that only a test that fails needs.
const LONG: Duration = Duration::from_secs(60);

/// Takes a request, and checks what it asks for; returns its id.
fn request(peer: &mut Accepted, op: &str) -> Value {
    let header: Value = serde_json::from_slice(&peer.receive()[0]).unwrap();
    assert_eq!(header["op"], op);
    header["id"].clone()
}

/// Lets a client work beside a broker that has greeted it.
fn beside<T>(broker: impl FnOnce(&mut Accepted) + Send, work: impl FnOnce(&mut Client) -> T) -> T {
    let router = Router::new();
    thread::scope(|scope| {
        let serving = scope.spawn(|| {
            let mut peer = router.accept();
            let id = request(&mut peer, "hello");
            answer(&mut peer, &greeting(&id, 77));
            broker(&mut peer);
        });
        let mut client = Client::connect(&router.endpoint, LONG).unwrap();
        let result = work(&mut client);
        serving.join().unwrap();
        result
    })
}

fn refused(id: &Value, code: &str) -> Value {
    json!({"type": "error", "id": id, "code": code, "message": "why"})
}

#[test]
fn it_publishes_in_the_sequence_that_the_broker_has_begun() {
    let sequence = beside(|_| (), |client| client.connection.sequence);
    assert_eq!(sequence, Some(77));
}

#[test]
fn only_the_answer_to_a_request_is_taken_for_it() {
    let told = beside(
        |peer| {
            let id = request(peer, "status");
            let earlier = id.as_u64().unwrap() - 1;
            answer(peer, &refused(&json!(earlier), "busy"));
            answer(peer, &json!({"type": "message", "id": "x"}));
            answer(peer, &json!({"type": "reply", "id": id, "newer": 1}));
        },
        Client::status_json,
    );
    let told: Value = serde_json::from_slice(&told.unwrap()).unwrap();
    assert_eq!(told["newer"], 1);
}

#[test]
fn a_refusal_is_told_with_its_code_and_its_message() {
    let error = beside(
        |peer| {
            let id = request(peer, "origins");
            answer(peer, &refused(&id, "not_ready"));
        },
        Client::origins,
    );
    let error = error.unwrap_err();
    assert_eq!(
        (error.code(), error.to_string()),
        (Some("not_ready"), "why".to_owned())
    );
}

#[test]
fn an_archive_is_told_by_its_name_and_an_empty_session_by_none() {
    let archived = |id: &Value, name: Option<&str>, messages: u64| json!({"type": "reply", "id": id, "archive": name, "messages": messages, "bytes": 1});
    let told = beside(
        |peer| {
            let id = request(peer, "archive");
            answer(peer, &archived(&id, Some("a.jsonl"), 3));
            let id = request(peer, "archive");
            answer(peer, &archived(&id, None, 0));
        },
        |client| [client.archive(Some("a")), client.archive(None)].map(Result::unwrap),
    );
    let archived = Archived {
        name: "a.jsonl".to_owned(),
        messages: 3,
    };
    assert_eq!(told, [Some(archived), None]);
}

#[test]
fn an_archive_without_an_answer_is_not_asked_for_again() {
    let error = beside(
        // What comes next on the same connection is the next request.
        |peer| {
            request(peer, "archive");
            let id = request(peer, "status");
            answer(peer, &json!({"type": "reply", "id": id}));
        },
        |client| {
            client.set_timeout(Duration::ZERO);
            let error = client.archive(None).unwrap_err();
            client.set_timeout(LONG);
            client.status_json().unwrap();
            error
        },
    );
    assert!(matches!(error, Error::NoAnswer { .. }), "{error}");
    assert!(error.may_pass());
}

#[test]
fn who_does_not_answer_in_time_is_named() {
    let router = Router::new();
    let Err(error) = Client::connect(&router.endpoint, Duration::ZERO) else {
        panic!("nobody has answered");
    };
    assert!(error.to_string().contains(&router.endpoint), "{error}");
}

#[test]
fn who_answers_something_else_is_no_broker() {
    let error = beside(
        |peer| {
            request(peer, "status");
            peer.send(&[b"HTTP/1.1 400 Bad Request".to_vec()]);
        },
        Client::status,
    );
    let Err(Error::NoBroker { found, .. }) = error else {
        panic!("it is none");
    };
    assert!(found.starts_with("HTTP/1.1"), "{found}");
}
