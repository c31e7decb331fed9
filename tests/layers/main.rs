//! Rooms: within a module, its children (each with everything under it) form no circle.
//!
//! `docs/architecture.md` has the rule. It is read out of the sources: a name that a file
//! imports is an arrow to the file where that name is defined, however many re-exports
//! lie between. Tests are left out, and so is what a parent and its own children know of
//! each other.
#![allow(
    clippy::unwrap_used,
    reason = "a failing test is to stop and to say why"
)]

mod circles;
mod sources;

use std::path::Path;

use circles::Arrow;
use sources::Crate;

/// All packages whose sources are held to the rule.
fn packages() -> Vec<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut packages: Vec<_> = ["crates", "bins"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        // Its files are those of others, compiled over other types.
        .filter(|package| !package.ends_with("schedules"))
        .collect();
    packages.sort();
    packages
}

#[test]
fn no_rooms_know_each_other() {
    let mut found = Vec::new();
    for package in packages() {
        let arrows = Crate::read(&package.join("src")).arrows();
        for circle in circles::circles(&arrows) {
            found.push(format!("{}: {circle}", package.display()));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_circle_is_seen() {
    let arrow = |from: &str, to: &str| Arrow {
        from: from.split("::").map(String::from).collect(),
        to: to.split("::").map(String::from).collect(),
        name: "T".to_string(),
    };
    let parent_and_child = [arrow("a", "a::b"), arrow("a::b", "a")];
    assert!(circles::circles(&parent_and_child).is_empty());
    let one_way = [arrow("a::b", "c::d"), arrow("a", "c"), arrow("c", "e")];
    assert!(circles::circles(&one_way).is_empty());
    let through_children = [arrow("a::b", "c::d"), arrow("c::e", "a::f")];
    assert_eq!(circles::circles(&through_children).len(), 1);
    let inside = [arrow("a::b", "a::c"), arrow("a::c::d", "a::b")];
    assert_eq!(circles::circles(&inside).len(), 1);
}
