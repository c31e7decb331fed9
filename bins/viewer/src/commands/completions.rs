//! `completions`: what a shell needs to complete command lines.

use std::fmt::Write as _;
use std::io::Write;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::{Args, Completions};
use crate::{output, program};

/// Options whose values `viewer list` knows.
const VALUES: [(&str, &str); 6] = [
    ("sender", "senders"),
    ("key", "keys"),
    ("topic", "topics"),
    ("tag", "tags"),
    ("chain", "chains"),
    ("archive", "sessions"),
];

pub(crate) fn run(options: &Completions) -> anyhow::Result<()> {
    // Generating panics where it can't write, as into a pipe that was closed.
    let mut script = Vec::new();
    let name = program::name();
    let mut command = Args::command().name(name);
    clap_complete::generate(options.shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script);
    let mut out = output::results();
    out.write_all(with_values(&script, options.shell, name).as_bytes())
        .and_then(|()| out.flush())
        .context("cannot write the output")
}

/// Adds that values which messages have are asked of the program itself.
fn with_values(script: &str, shell: Shell, name: &str) -> String {
    match shell {
        Shell::Bash => script.to_owned() + &bash(name),
        Shell::Fish => script.to_owned() + &fish(name),
        Shell::Zsh => zsh(script, name),
        _ => script.to_owned(),
    }
}

fn bash(name: &str) -> String {
    // The name of the function that clap has made.
    let generated = name.replace('-', "__");
    let mut cases = String::new();
    for (option, what) in VALUES {
        let _infallible = writeln!(cases, "        --{option}) what={what} ;;");
    }
    format!(
        r#"
_viewer_values() {{
    local what= IFS=$'\n'
    case "${{COMP_WORDS[COMP_CWORD-1]}}" in
{cases}    esac
    if [[ -z $what ]]; then
        unset IFS
        _{generated} "$@"
        return
    fi
    COMPREPLY=($(compgen -W "$({name} list "$what" --names 2>/dev/null)" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -F _viewer_values -o bashdefault -o default {name}
"#
    )
}

fn fish(name: &str) -> String {
    let mut lines = String::new();
    for (option, what) in VALUES {
        let _infallible = writeln!(
            lines,
            "complete -c {name} -l {option} -x -a '({name} list {what} --names 2>/dev/null)'"
        );
    }
    lines
}

/// There each option names what completes its value.
fn zsh(script: &str, name: &str) -> String {
    let mut lines = String::with_capacity(script.len() * 2);
    for line in script.lines() {
        let is_of = |option: &str| line.contains(&format!("--{option}=["));
        let found = VALUES.iter().find(|(option, _)| is_of(option));
        match (found, line.strip_suffix(":_default' \\")) {
            (Some((_, what)), Some(front)) => {
                let values = r#"{compadd -- ${(f)"$(NAME list WHAT --names 2>/dev/null)"}}"#;
                let values = values.replace("WHAT", what).replace("NAME", name);
                let _infallible = writeln!(lines, "{front}:{values}' \\");
            }
            _ => {
                lines.push_str(line);
                lines.push('\n');
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_asks_for_values() {
        let shells = [Shell::Bash, Shell::Fish, Shell::Zsh];
        for (shell, name) in shells
            .iter()
            .flat_map(|shell| [(*shell, "viewer"), (*shell, "zmq-viewer")])
        {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command().name(name), name, &mut script);
            let script = with_values(&String::from_utf8(script).unwrap(), shell, name);
            assert!(script.contains(&format!("{name} list")), "{shell}");
            for (_, what) in VALUES {
                assert!(script.contains(what), "{shell}: {what}");
            }
            assert!(script.contains("--names"), "{shell}");
        }
    }
}
