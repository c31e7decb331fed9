use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::*;

/// The headers of all examples, in their order: true where the client sends it.
fn examples() -> Vec<(bool, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol.md");
    let page = std::fs::read_to_string(path).unwrap();
    let mut headers: Vec<(bool, String)> = Vec::new();
    let blocks = page.split("```protocol\n").skip(1);
    for line in blocks.flat_map(|block| block.split("```").next().unwrap().lines()) {
        if let Some(header) = line.strip_prefix("C: ") {
            headers.push((true, header.to_owned()));
        } else if let Some(header) = line.strip_prefix("B: ") {
            headers.push((false, header.to_owned()));
        } else if !line.starts_with(" | ") {
            headers.last_mut().unwrap().1.push_str(line);
        }
    }
    headers
}

fn value(header: &str) -> Value {
    serde_json::from_str(header).unwrap()
}

/// Reads an answer, and writes the same again, member for member.
fn again<T: DeserializeOwned + Serialize>(header: &str, head: &Head) -> T {
    let read: T = read(header.as_bytes()).unwrap_or_else(|error| panic!("{error}: {header}"));
    let written = answer(head.kind, &head.id, &read);
    assert_eq!(value(&written), value(header));
    read
}

#[test]
fn every_documented_example_is_read_as_its_type_and_written_the_same() {
    let mut requests: Vec<(Id, Request)> = Vec::new();
    let (mut answers, mut bad) = (0, 0);
    for (from_client, header) in examples() {
        if from_client {
            let (id, request) = parse(header.as_bytes());
            match request {
                Ok(request) => {
                    assert_eq!(value(&request.header(&id)), value(&header));
                    requests.push((id, request));
                }
                Err(Wrong::Operation { .. }) => bad += 1,
                Err(wrong) => panic!("{wrong}: {header}"),
            }
            continue;
        }
        answers += 1;
        let head: Head = read(header.as_bytes()).unwrap();
        let request = requests.iter().find(|(id, _)| *id == head.id);
        match (head.kind, request.map(|(_, request)| request)) {
            (Kind::Error, _) => drop(again::<Failure>(&header, &head)),
            (Kind::Message, _) => drop(again::<Message>(&header, &head)),
            (Kind::End, _) => drop(again::<End>(&header, &head)),
            (Kind::Reply, Some(Request::Hello(_))) => drop(again::<Greeting>(&header, &head)),
            (Kind::Reply, Some(Request::Ping)) => drop(again::<Nothing>(&header, &head)),
            (Kind::Reply, Some(Request::Publish(publish))) => match publish.origin {
                Some(_) => drop(again::<Carried>(&header, &head)),
                None => drop(again::<Published>(&header, &head)),
            },
            (Kind::Reply, Some(Request::Origins)) => drop(again::<Origins>(&header, &head)),
            (Kind::Reply, Some(Request::Consume(_))) => drop(again::<Started>(&header, &head)),
            (Kind::Reply, Some(Request::Credit(_))) => drop(again::<Credited>(&header, &head)),
            (Kind::Reply, Some(Request::Ack(_))) => drop(again::<Acknowledged>(&header, &head)),
            (Kind::Reply, Some(Request::Cancel(_))) => drop(again::<Cancelled>(&header, &head)),
            (Kind::Reply, Some(Request::Forget(_))) => drop(again::<Forgotten>(&header, &head)),
            (Kind::Reply, Some(Request::Status)) => drop(again::<Status>(&header, &head)),
            (Kind::Reply, Some(Request::Archive(_))) => drop(again::<Archived>(&header, &head)),
            (kind, request) => panic!("{kind:?} for {request:?}: {header}"),
        }
    }
    assert!(answers > 20 && requests.len() > 15 && bad == 1);
}

#[test]
fn a_member_that_is_missing_is_named_and_one_that_is_new_ignored() {
    let (_, status) = examples()
        .into_iter()
        .find(|(from_client, header)| !from_client && header.contains("uptime_seconds"))
        .unwrap();
    let Value::Object(whole) = value(&status) else {
        panic!("{status}")
    };
    let mut more = whole.clone();
    more.insert("new".to_owned(), Value::Null);
    assert!(read::<Status>(Value::Object(more).to_string().as_bytes()).is_ok());
    for name in whole
        .keys()
        .filter(|name| !["type", "id"].contains(&&***name))
    {
        let mut less = whole.clone();
        less.remove(name);
        let error = read::<Status>(Value::Object(less).to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
    }
}

#[test]
fn what_is_certain_of_a_message_is_told_apart_from_nothing_said() {
    let recorded = |member: &str| {
        let header = format!(r#"{{"code":"busy","message":""{member}}}"#);
        read::<Failure>(header.as_bytes()).unwrap().recorded
    };
    assert_eq!(recorded(""), None);
    assert_eq!(recorded(r#","recorded":null"#), Some(None));
    assert_eq!(recorded(r#","recorded":false"#), Some(Some(false)));
    let unknown = Failure {
        recorded: Some(None),
        ..Failure::new(code::UNKNOWN_OUTCOME, "")
    };
    assert!(unknown.header(&Id::Unknown).contains(r#""recorded":null"#));
}

#[test]
fn an_answer_of_a_newer_broker_is_of_an_unknown_kind() {
    let head: Head = read(br#"{"type":"news","id":null}"#).unwrap();
    assert_eq!((head.kind, head.id), (Kind::Unknown, Id::Unknown));
    let ended: End = read(br#"{"consumer":1,"reason":"new","message_num":2}"#).unwrap();
    assert_eq!(ended.reason, Ended::Unknown);
}
