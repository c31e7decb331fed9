//! Which rooms lie on a circle?

use std::collections::{BTreeMap, BTreeSet};

/// One file's use of a name of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrow {
    /// The module that uses it.
    pub(crate) from: Vec<String>,
    /// The module that defines it.
    pub(crate) to: Vec<String>,
    /// What it uses.
    pub(crate) name: String,
}

/// The arrows between the children of one module, by both ends.
type Rooms<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Vec<&'a Arrow>>>;

/// The circles, each as the module, the rooms on it and the arrows between them.
pub(crate) fn circles(arrows: &[Arrow]) -> Vec<String> {
    let mut levels: BTreeMap<&[String], Rooms<'_>> = BTreeMap::new();
    for arrow in arrows {
        let shared = (arrow.from.iter().zip(&arrow.to))
            .take_while(|(from, to)| from == to)
            .count();
        // A parent and what is below it may know each other.
        let (Some(from), Some(to)) = (arrow.from.get(shared), arrow.to.get(shared)) else {
            continue;
        };
        let rooms = levels.entry(&arrow.from[..shared]).or_default();
        let ends = rooms.entry(from).or_default();
        ends.entry(to).or_default().push(arrow);
    }
    levels
        .iter()
        .flat_map(|(module, rooms)| {
            groups(rooms)
                .into_iter()
                .map(|group| describe(module, &group, rooms))
        })
        .collect()
}

/// Rooms of which each reaches each other one.
fn groups<'a>(rooms: &Rooms<'a>) -> Vec<BTreeSet<&'a str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        (rooms.keys().map(|&room| (room, reach(rooms, room)))).collect();
    let mut groups: Vec<BTreeSet<&str>> = Vec::new();
    for (&room, targets) in &reached {
        if !targets.contains(room) || groups.iter().any(|group| group.contains(room)) {
            continue;
        }
        let back = |other: &&&str| reached.get(**other).is_some_and(|its| its.contains(room));
        groups.push(targets.iter().filter(back).copied().collect());
    }
    groups
}

/// All rooms that arrows lead to, from `start` on.
fn reach<'a>(rooms: &Rooms<'a>, start: &str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut ahead = vec![start];
    while let Some(room) = ahead.pop() {
        for &next in rooms.get(room).into_iter().flat_map(BTreeMap::keys) {
            if seen.insert(next) {
                ahead.push(next);
            }
        }
    }
    seen
}

/// One circle in words.
fn describe(module: &[String], group: &BTreeSet<&str>, rooms: &Rooms<'_>) -> String {
    let mut text = format!("circle in crate::{} of {group:?}", module.join("::"));
    for (from, ends) in rooms.iter().filter(|(from, _)| group.contains(*from)) {
        for (to, arrows) in ends.iter().filter(|(to, _)| group.contains(*to)) {
            text.push_str(&format!("\n  {from} -> {to}:"));
            for arrow in arrows {
                text.push_str(&format!(
                    "\n    {} uses {}::{}",
                    arrow.from.join("::"),
                    arrow.to.join("::"),
                    arrow.name
                ));
            }
        }
    }
    text
}
