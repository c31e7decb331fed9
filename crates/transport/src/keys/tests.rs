use std::fs;
use std::time::{Duration, Instant};

use zmtp::curve::Certificate;

use super::*;
use crate::testing::guarded::{key_folder as folder, let_in};

fn name(keys: &Keys, pair: &Keypair) -> Option<String> {
    keys.name_of(&pair.public).map(|name| name.to_string())
}

#[test]
fn clients_are_known_by_the_names_of_their_files() {
    let (dir, pairs) = folder(&["alice", "bob"]);
    // None of these is a client's key.
    let authorized = dir.path().join("authorized");
    fs::write(authorized.join("README"), "public-key = \"x\"").unwrap();
    fs::write(authorized.join("broken.key"), "public-key = \"x\"").unwrap();
    let stranger = Keypair::generate().unwrap();
    let secret = Certificate::secret_text(&stranger);
    fs::write(authorized.join("carol.key_secret"), secret.as_bytes()).unwrap();
    fs::create_dir(authorized.join("dir.key")).unwrap();
    let keys = Keys::open(dir.path()).unwrap();
    assert_eq!(name(&keys, &pairs[0]).as_deref(), Some("alice"));
    assert_eq!(name(&keys, &pairs[1]).as_deref(), Some("bob"));
    assert_eq!(name(&keys, &stranger), None);
    assert!(keys.is_name("bob") && !keys.is_name("carol"));
    assert_eq!(keys.count(), 2);
}

#[test]
fn of_two_names_for_one_key_the_first_counts() {
    let (dir, pairs) = folder(&["bob"]);
    let authorized = dir.path().join("authorized");
    fs::copy(authorized.join("bob.key"), authorized.join("alice.key")).unwrap();
    let keys = Keys::open(dir.path()).unwrap();
    assert_eq!(name(&keys, &pairs[0]).as_deref(), Some("alice"));
    assert!(!keys.is_name("bob"));
}

#[test]
fn what_is_missing_is_named() {
    let (dir, _) = folder(&[]);
    let error = |dir: &tempfile::TempDir| Keys::open(dir.path()).unwrap_err().to_string();
    fs::write(dir.path().join("rights"), "alice fly").unwrap();
    assert!(
        error(&dir).contains("line 1: \"fly\" is no right"),
        "{}",
        error(&dir)
    );
    fs::remove_file(dir.path().join("rights")).unwrap();
    fs::remove_dir(dir.path().join("authorized")).unwrap();
    assert!(error(&dir).contains("authorized"), "{}", error(&dir));
    let own = Keypair::generate().unwrap();
    let path = dir.path().join("server.key_secret");
    fs::write(&path, Certificate::public_text(&own.public)).unwrap();
    assert!(error(&dir).contains("no secret key"), "{}", error(&dir));
    fs::remove_file(&path).unwrap();
    assert!(error(&dir).contains("broker keygen"), "{}", error(&dir));
}

/// Looks again until something has changed.
#[track_caller]
fn wait_for_change(keys: &Keys) {
    let begun = Instant::now();
    while !keys.refresh() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing changed");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_key_that_is_added_is_let_in_and_one_that_is_removed_is_shut_out() {
    let (dir, pairs) = folder(&["alice"]);
    let keys = Keys::open(dir.path()).unwrap();
    let peer = |pair: &Keypair| PeerKey::new(pair.public, "alice");
    let alice = keys.member(&peer(&pairs[0])).unwrap();
    assert!(keys.is_current(&alice) && !keys.refresh());
    let bob = let_in(&dir, "bob");
    wait_for_change(&keys);
    assert_eq!(name(&keys, &bob).as_deref(), Some("bob"));
    assert!(keys.is_current(&alice), "nothing has changed for her");
    let before = keys.version();
    fs::remove_file(dir.path().join("authorized/alice.key")).unwrap();
    wait_for_change(&keys);
    assert!(!keys.is_current(&alice) && keys.member(&peer(&pairs[0])).is_none());
    assert_ne!(keys.version(), before);
}

#[test]
fn rights_that_change_count_and_a_broken_file_changes_nothing() {
    let (dir, pairs) = folder(&["alice"]);
    let keys = Keys::open(dir.path()).unwrap();
    let peer = PeerKey::new(pairs[0].public, "alice");
    let alice = keys.member(&peer).unwrap();
    let rights = dir.path().join("rights");
    fs::write(&rights, "alice flies").unwrap();
    assert!(!keys.refresh() && keys.is_current(&alice));
    fs::write(&rights, "alice publish").unwrap();
    wait_for_change(&keys);
    assert!(!keys.is_current(&alice));
    assert!(!keys.member(&peer).unwrap().rights.has(Right::Subscribe));
}
