//! What cannot work ends with a sentence that says what, where and what to do.

use std::fs;
use std::net::{TcpListener, TcpStream};

use crate::util::broker::{Broker, Ports, broker, broker_on, free_port};
use crate::util::client::publish;
use crate::util::dir::Dir;
use crate::util::message::agents;
use crate::util::process::run;

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind(("127.0.0.1", free_port())).unwrap();
    let port = taken.local_addr().unwrap().port();
    for ports in [
        Ports {
            publish: port,
            ..Ports::default()
        },
        Ports {
            subscribe: port,
            ..Ports::default()
        },
        Ports {
            control: port,
            ..Ports::default()
        },
    ] {
        let dir = Dir::new();
        run(&mut broker_on(&dir, ports))
            .with_code(1)
            .warns(&port.to_string())
            .never_says("[*]");
    }
}

#[test]
fn a_file_in_the_place_of_the_directory_is_named() {
    let dir = Dir::new();
    fs::write(dir.logs(), "a file").unwrap();
    run(&mut broker_on(&dir, Ports::default()))
        .with_code(1)
        .warns("conversation_logs");
    assert_eq!(fs::read(dir.logs()).unwrap(), b"a file");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = Dir::new();
    fs::write(dir.path().join("file"), "").unwrap();
    let mut command = broker();
    command.args([
        "--pub-port",
        "0",
        "--sub-port",
        "0",
        "--control-port",
        "0",
        "--dir",
    ]);
    run(command.arg(dir.path().join("file/below")))
        .with_code(1)
        .warns("below");
}

#[test]
fn a_second_broker_names_the_first_and_does_it_no_harm() {
    let dir = Dir::new();
    let first = Broker::start(&dir);
    let pid = first.child.id().to_string();
    run(&mut broker_on(&dir, Ports::default()))
        .with_code(1)
        .warns(&pid)
        .warns("conversation_logs")
        .never_says("[*]");
    publish(first.ports.publish, &agents("t", 1, 1));
    dir.wait_lines(1);
}

#[test]
fn bad_options_are_usage_errors() {
    for (option, value) in [
        ("--pub-port", "70000"),
        ("--sub-port", "x"),
        ("--control-port", "-1"),
        ("--history", "many"),
        ("--dedupe-window", "-1"),
        ("--rotate-at", "25:00"),
        ("--max-message-size", "1 lightyear"),
        ("--max-session-size", "-5"),
        ("--bind", "not an address"),
        ("--log-level", "shouting"),
        ("--no-such-option", "1"),
    ] {
        let dir = Dir::new();
        run(broker()
            .current_dir(dir.path())
            .arg(format!("{option}={value}")))
        .with_code(2)
        .warns(option);
        assert!(!dir.logs().exists(), "nothing is touched");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    let help = run(broker().arg("--help")).with_code(0).without_warning();
    for option in [
        "--dir",
        "--bind",
        "--pub-port",
        "--sub-port",
        "--control-port",
        "--history",
        "--rotate-at",
        "--max-message-size",
        "--max-session-size",
        "--stop-timeout",
        "--log-level",
        "BROKER_PUB_PORT",
        "5555",
        "5556",
        "5558",
        "10000",
        "00:00",
    ] {
        assert!(
            help.stdout.contains(option),
            "no {option} in\n{}",
            help.stdout
        );
    }
    run(broker().arg("--version")).with_code(0).says("broker ");
}

#[test]
fn options_come_from_the_environment_and_the_command_line_wins() {
    let dir = Dir::new();
    let port = free_port();
    let mut command = broker();
    command
        .current_dir(dir.path())
        .env("BROKER_DIR", dir.path().join("elsewhere"))
        .env("BROKER_PUB_PORT", port.to_string())
        .env("BROKER_SUB_PORT", port.to_string())
        .env("BROKER_CONTROL_PORT", "0")
        .env("BROKER_HISTORY", "7")
        .env("BROKER_BIND", "127.0.0.1")
        .env("BROKER_ROTATE_AT", "off")
        .env("BROKER_MAX_MESSAGE_SIZE", "1MiB")
        .env("BROKER_MAX_SESSION_SIZE", "1GiB")
        .env("BROKER_LOG_LEVEL", "info")
        .args(["--sub-port", "0"]);
    let broker = Broker::ready(&mut command);
    assert_eq!(broker.ports.publish, port);
    assert_ne!(broker.ports.subscribe, port);
    let stdout = broker.stdout.text();
    assert!(
        stdout.contains("[*] Storing last 7 messages in memory.\n"),
        "{stdout}"
    );
    assert!(dir.path().join("elsewhere/current_session.jsonl").is_file());
}

#[test]
fn a_bad_value_in_the_environment_is_a_usage_error() {
    let dir = Dir::new();
    let mut command = broker();
    command
        .current_dir(dir.path())
        .env("BROKER_ROTATE_AT", "noon");
    run(&mut command).with_code(2).warns("noon");
}

#[test]
fn the_directory_is_conversation_logs_unless_told_otherwise() {
    let dir = Dir::new();
    let mut command = broker();
    command.current_dir(dir.path());
    command.args(["--pub-port", "0", "--sub-port", "0", "--control-port", "0"]);
    let _broker = Broker::ready(&mut command);
    assert!(dir.current().is_file());
}

#[cfg(target_os = "linux")]
#[test]
fn it_listens_on_several_addresses_with_the_same_ports() {
    let dir = Dir::new();
    let started = Broker::start_with(&dir, &["--bind", "127.0.0.2,127.0.0.3"]);
    let said = started.stdout.text();
    assert!(said.contains("Bound to 127.0.0.2, 127.0.0.3"), "{said}");
    let ports = started.ports;
    for port in [ports.publish, ports.subscribe, ports.control] {
        TcpStream::connect(("127.0.0.2", port)).unwrap();
        TcpStream::connect(("127.0.0.3", port)).unwrap();
        TcpStream::connect(("127.0.0.1", port)).unwrap_err();
    }
    let status = |address: &str| {
        let port = ports.control.to_string();
        run(broker().args(["status", "--bind", address, "--control-port", &port]))
    };
    status("127.0.0.2").with_code(0);
    status("127.0.0.3").with_code(0);
    let mut command = broker();
    command.current_dir(dir.path());
    run(command.args(["--bind", "127.0.0.2,0.0.0.0"]))
        .with_code(2)
        .warns("--bind 0.0.0.0 lets in");
}

/// All of 127.0.0.0/8 is the machine itself, so another address of it shows what is bound.
#[cfg(target_os = "linux")]
#[test]
fn it_listens_on_loopback_only_and_elsewhere_when_told() {
    let dir = Dir::new();
    let mut broker = Broker::start(&dir);
    let all = |ports: Ports| [ports.publish, ports.subscribe, ports.control];
    for port in all(broker.ports) {
        TcpStream::connect(("127.0.0.1", port)).unwrap();
        TcpStream::connect(("127.0.0.2", port)).unwrap_err();
    }
    broker.kill9();
    let broker = Broker::start_with(&dir, &["--bind", "127.0.0.2"]);
    for port in all(broker.ports) {
        TcpStream::connect(("127.0.0.2", port)).unwrap();
        TcpStream::connect(("127.0.0.1", port)).unwrap_err();
    }
}
