//! Servers that want to know who comes: certificates, nkeys and credentials, none of which
//! is ever told.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair as TlsKey};
use serde_json::json;

use crate::util::bridge::Machine;
use crate::util::broker::Broker;
use crate::util::client::publish;
use crate::util::dir::Dir;
use crate::util::message::agents;
use crate::util::nats::Nats;

/// Writes a file into a directory, and returns its path as a text.
fn write(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A broker with three messages, and its bridge.
fn machine(nats: &Nats) -> (Dir, Broker, Machine) {
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    publish(broker.ports.publish, &agents("chat", 1, 3));
    let machine = Machine::new("pc", &dir, broker.ports, nats);
    (dir, broker, machine)
}

/// Ships the three messages; nothing of the secrets may be told.
#[track_caller]
fn assert_ships(machine: &Machine, secrets: &[&str]) {
    let bridge = machine.start(&["--log-level", "debug"]);
    machine.wait_shipped(3);
    let told = format!("{}{}", bridge.stdout.text(), bridge.stderr.text());
    for secret in secrets {
        assert!(!told.contains(secret), "{told}");
    }
    let verified = machine.run(&["verify"]).with_code(0);
    verified.says("3 records are the same");
}

/// Certificates of an authority that no system knows.
struct Authority {
    dir: tempfile::TempDir,
    issuer: Issuer<'static, TlsKey>,
}

impl Authority {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = TlsKey::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        write(dir.path(), "ca.pem", &certificate.pem());
        let issuer = Issuer::new(params, key);
        Self { dir, issuer }
    }

    /// Signs a certificate for this address; returns the paths of it and of its key.
    fn sign(&self, name: &str) -> (String, String) {
        let key = TlsKey::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let dir = self.dir.path();
        (
            write(dir, &format!("{name}.pem"), &certificate.pem()),
            write(dir, &format!("{name}.key"), &key.serialize_pem()),
        )
    }

    fn path(&self) -> String {
        self.dir.path().join("ca.pem").display().to_string()
    }
}

#[test]
fn over_tls_both_sides_show_certificates_of_an_authority_of_their_own() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign("server");
    let nats = Nats::start_with_config(&format!(
        "jetstream {{}}\ntls {{ cert_file: {certificate:?}, key_file: {key:?}, \
         ca_file: {:?}, verify: true, timeout: 20 }}",
        authority.path()
    ));
    let (_dir, _broker, mut machine) = machine(&nats);
    // Nobody vouches for the server.
    let ended = machine.run(&["--tls", "status"]).with_code(1);
    ended.warns("ertificate");
    // The server is right, and we are nobody.
    machine.nats_options = vec!["--tlsca".to_owned(), authority.path()];
    machine.run(&["status"]).with_code(1);
    let (certificate, key) = authority.sign("client");
    let secret = fs::read_to_string(&key).unwrap();
    let secret = secret.lines().nth(1).unwrap().to_owned();
    machine
        .nats_options
        .extend(["--tlscert".to_owned(), certificate]);
    machine.nats_options.extend(["--tlskey".to_owned(), key]);
    assert_ships(&machine, &[&secret]);
}

#[test]
fn a_certificate_of_another_authority_is_no_certificate() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.sign("server");
    let nats = Nats::start_with_config(&format!(
        "jetstream {{}}\ntls {{ cert_file: {certificate:?}, key_file: {key:?}, timeout: 20 }}"
    ));
    let (_dir, _broker, mut machine) = machine(&nats);
    machine.nats_options = vec!["--tlsca".to_owned(), other.path()];
    machine.run(&["status"]).with_code(1).warns("ertificate");
}

#[test]
fn an_nkey_is_shown_and_its_seed_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (right, wrong) = (KeyPair::new_user(), KeyPair::new_user());
    let nats = Nats::start_with_config(&format!(
        "jetstream {{}}\nauthorization {{ users = [ {{ nkey: {} }} ] }}",
        right.public_key()
    ));
    let (_dir, _broker, mut machine) = machine(&nats);
    let seed = wrong.seed().unwrap();
    let path = write(dir.path(), "wrong.nk", &seed);
    machine.nats_options = vec!["--nkey".to_owned(), path];
    let ended = machine.run(&["status"]).with_code(1).warns("authorization");
    assert!(!ended.stderr.contains(&seed), "{}", ended.stderr);
    // Neither is it told where it is no seed at all.
    let path = write(dir.path(), "broken.nk", "SUANOSEEDATALL");
    machine.nats_options = vec!["--nkey".to_owned(), path];
    let ended = machine.run(&["status"]).with_code(1);
    assert!(!ended.stderr.contains("NOSEED"), "{}", ended.stderr);
    let seed = right.seed().unwrap();
    let path = write(dir.path(), "right.nk", &seed);
    machine.nats_options = vec!["--nkey".to_owned(), path];
    assert_ships(&machine, &[&seed]);
}

/// A token as `nsc` makes them.
fn token(by: &KeyPair, of: &KeyPair, nats: serde_json::Value) -> String {
    let claims = json!({
        "jti": of.public_key(), "iat": 1_763_699_399, "iss": by.public_key(),
        "name": "conversations", "sub": of.public_key(), "nats": nats,
    });
    let header = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let encoded = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", encoded(&header), encoded(&claims));
    let signature = by.sign(text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Settings of a server whose accounts are signed by an operator, and one user's file.
fn operated(dir: &Path) -> (String, PathBuf, String) {
    let operator = KeyPair::new_operator();
    let (account, system) = (KeyPair::new_account(), KeyPair::new_account());
    let user = KeyPair::new_user();
    let claims = json!({"type": "operator", "version": 2});
    let operator_token = token(&operator, &operator, claims);
    let claims = |storage: i64| {
        json!({
            "type": "account", "version": 2, "default_permissions": {},
            "limits": {
                "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
                "wildcards": true, "conn": -1, "leaf": -1, "mem_storage": storage,
                "disk_storage": storage, "streams": storage, "consumer": storage,
            },
        })
    };
    let account_token = token(&operator, &account, claims(-1));
    let system_token = token(&operator, &system, claims(0));
    let claims = json!({
        "type": "user", "version": 2, "pub": {}, "sub": {}, "subs": -1, "data": -1,
        "payload": -1,
    });
    let user_token = token(&account, &user, claims);
    let seed = user.seed().unwrap();
    let file = format!(
        "-----BEGIN NATS USER JWT-----\n{user_token}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    );
    let path = dir.join("user.creds");
    fs::write(&path, file).unwrap();
    let config = format!(
        "jetstream {{}}\noperator: {operator_token}\nsystem_account: {system}\n\
         resolver: MEMORY\nresolver_preload: {{ {account}: {account_token}, \
         {system}: {system_token} }}\n",
        account = account.public_key(),
        system = system.public_key(),
    );
    (config, path, seed)
}

#[test]
fn a_file_of_credentials_is_used_and_never_told() {
    let dir = tempfile::tempdir().unwrap();
    let (config, path, seed) = operated(dir.path());
    let nats = Nats::start_with_config(&config);
    let (_dir, _broker, mut machine) = machine(&nats);
    machine.run(&["status"]).with_code(1).warns("authorization");
    machine.nats_options = vec!["--creds".to_owned(), path.display().to_string()];
    assert_ships(&machine, &[&seed]);
    // A file that is none is named, and not quoted.
    let broken = write(dir.path(), "broken.creds", "SUANOSEEDATALL");
    machine.nats_options = vec!["--creds".to_owned(), broken];
    let ended = machine.run(&["status"]).with_code(1).warns("broken.creds");
    assert!(!ended.stderr.contains("NOSEED"), "{}", ended.stderr);
}
