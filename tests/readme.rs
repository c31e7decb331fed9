//! What the README says of the options is what the programs say of them.

use std::collections::BTreeMap;
use std::fs;

use crate::util::broker::{broker, viewer};
use crate::util::dir::Dir;
use crate::util::process::run;
use crate::util::programs::workspace;

/// Long options with their defaults, which are empty where there is none.
type Options = BTreeMap<String, String>;

/// The long options of a program's `--help`.
fn of_help(help: &str) -> Options {
    let mut options = Options::new();
    let mut last = String::new();
    // A default that did not fit its line stands on the next one.
    let help: Vec<&str> = help.split("[default:").collect();
    let help: Vec<&str> = help.iter().map(|part| part.trim_start()).collect();
    let help = help.join("[default: ");
    for line in help.lines() {
        // What is indented more explains an option, and may begin with the name of another one.
        let explains = line.starts_with("       ");
        let line = line.trim_start();
        // An option's line may begin with its short form, as in "-h, --help".
        let long = match line.strip_prefix('-').filter(|_| !explains) {
            Some(rest) if rest.starts_with('-') => Some(line),
            Some(rest) => rest.get(1..).and_then(|rest| rest.strip_prefix(", ")),
            None => None,
        };
        if let Some(name) = long.and_then(|long| long.split([' ', '=', '[', '<']).next()) {
            last = name.to_owned();
            options.insert(last.clone(), String::new());
        }
        if let Some((_, default)) = line.split_once("[default: ") {
            let default = default.trim_end_matches(']').to_owned();
            options.insert(last.clone(), default);
        }
    }
    // Every program has these two.
    options.remove("--help");
    options.remove("--version");
    options
}

/// The long options of the README's table under a heading.
fn of_readme(heading: &str) -> Options {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let section = readme
        .split("\n## ")
        .find(|section| section.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("no section {heading:?}"));
    let rows = section.lines().filter(|line| line.starts_with("| `--"));
    rows.map(|row| {
        let cells: Vec<&str> = row
            .split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .collect();
        let name = cells[1].split(' ').next().expect("a name");
        (name.to_owned(), cells[2].to_owned())
    })
    .collect()
}

#[test]
fn the_brokers_options_and_defaults_are_those_of_its_help() {
    let help = run(broker().arg("--help")).with_code(0).stdout;
    let options = of_help(&help);
    assert!(options.len() > 8, "{options:?} of\n{help}");
    assert_eq!(of_readme("Options of the broker"), options);
    for name in options.keys() {
        let name = name.trim_start_matches('-').replace('-', "_");
        let variable = format!("BROKER_{}", name.to_uppercase());
        assert!(help.contains(&variable), "no {variable} in\n{help}");
    }
}

#[test]
fn the_viewers_options_and_defaults_are_those_of_its_help() {
    let dir = Dir::new();
    let help = run(&mut viewer(&dir, &["--help"])).with_code(0).stdout;
    let options = of_help(&help);
    assert!(options.len() > 8, "{options:?} of\n{help}");
    assert_eq!(of_readme("Options of the viewer"), options);
}

/// Both recipes against loss run as they are printed, but for the port.
#[test]
fn the_recipes_against_loss_work() {
    use std::process::Command;

    use crate::util::broker::Broker;
    use crate::util::python::python;

    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let recipes: Vec<&str> = readme
        .split("```python\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(recipes.len(), 2, "one with XPUB, one with PUB");
    let dir = Dir::new();
    let broker = Broker::start(&dir);
    for recipe in recipes {
        let recipe = recipe.replace(":5555", &format!(":{}", broker.ports.publish));
        run(Command::new(python()).arg("-c").arg(&recipe))
            .with_code(0)
            .without_warning();
    }
    dir.wait_lines(1);
    let records = dir.records();
    assert_eq!(records.len(), 1, "the first one sends a message");
    assert_eq!(records[0].value("sender"), "me");
    assert_eq!(records[0].value("topic"), "greeting");
}
