//! What a program tells Prometheus.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::process::Process;

/// Waits until a program says where its metrics are, and returns the address.
#[track_caller]
pub(crate) fn metrics_of(process: &mut Process) -> String {
    process.wait_stdout("the address of the metrics", |text| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("[*] Metrics on http://"));
        line.and_then(|line| line.strip_suffix("/metrics"))
            .map(str::to_owned)
    })
}

/// Asks for a page; returns the head and the body of the reply.
pub(crate) fn get(address: &str, path: &str) -> (String, String) {
    let mut connection = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    connection.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// Returns the value of a metric.
#[track_caller]
pub(crate) fn value(body: &str, name: &str) -> f64 {
    let found = body
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found
        .unwrap_or_else(|| panic!("{name} in {body}"))
        .parse()
        .unwrap()
}
