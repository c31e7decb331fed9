//! `broker keygen`: makes keys, in files that pyzmq's `zmq.auth` reads as well.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use transport::curve::{Certificate, Keypair, LONGEST_KEY_NAME};

use crate::exit::Exit;
use crate::line::line;
use crate::platform::{private_dir, private_file};

/// The broker's own keys, where no name is given.
const SERVER: &str = "server";
/// Where the broker looks for those who are let in.
const AUTHORIZED: &str = "authorized";

#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// The folder to put them in; it is created where it is missing
    #[arg(long, value_name = "DIR", env = "BROKER_CURVE", default_value = "keys")]
    pub(crate) out: PathBuf,

    /// Whom the keys are for; without a name it is the broker itself
    #[arg(value_name = "NAME", value_parser = parse_name)]
    pub(crate) names: Vec<String>,
}

/// A name becomes a file's name, and stands in records.
fn parse_name(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if text.is_empty() || text.starts_with('.') || !text.chars().all(fine) {
        return Err("expected letters, digits, _, - and ., as in claude_code".to_owned());
    }
    if text.len() > LONGEST_KEY_NAME {
        return Err(format!("a name has at most {LONGEST_KEY_NAME} bytes"));
    }
    Ok(text.to_owned())
}

/// Makes the keys; never in place of others.
pub(crate) fn run(options: &Keygen, out: &mut impl Write) -> anyhow::Result<Exit> {
    let dir = &options.out;
    make_dir(dir)?;
    if options.names.is_empty() {
        make_dir(&dir.join(AUTHORIZED))?;
        make(dir, SERVER, out)?;
        line(
            out,
            &format!(
                "[*] Start the broker with: broker --curve {}\n\
                 [*] Clients need {}, and their own public keys belong in {}",
                dir.display(),
                dir.join(file(SERVER, "key")).display(),
                dir.join(AUTHORIZED).display(),
            ),
        )?;
    }
    for name in &options.names {
        make(dir, name, out)?;
        line(
            out,
            &format!(
                "[*] Put {name}.key into the broker's folder {AUTHORIZED}, and give \
                 {name}.key_secret to {name} alone"
            ),
        )?;
    }
    Ok(Exit::Done)
}

fn make_dir(dir: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    private_dir(&mut builder);
    let made = builder.recursive(true).create(dir);
    made.with_context(|| format!("cannot make the folder {}", dir.display()))
}

fn make(dir: &Path, name: &str, out: &mut impl Write) -> anyhow::Result<()> {
    let pair = Keypair::generate()?;
    let secret = dir.join(file(name, "key_secret"));
    let public = dir.join(file(name, "key"));
    // The public one first: a secret key must not be left without it.
    write(
        &public,
        Certificate::public_text(&pair.public).as_bytes(),
        false,
    )?;
    if let Err(error) = write(&secret, Certificate::secret_text(&pair).as_bytes(), true) {
        // It was made a moment ago, and is of no use to anybody.
        let _removed = fs::remove_file(&public);
        return Err(error);
    }
    line(
        out,
        &format!(
            "[*] Made {} and {}: {}",
            public.display(),
            secret.display(),
            pair.public
        ),
    )?;
    Ok(())
}

fn file(name: &str, kind: &str) -> String {
    format!("{name}.{kind}")
}

fn write(path: &Path, text: &[u8], secret: bool) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if secret {
        private_file(&mut options);
    }
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text)?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => anyhow::anyhow!(
            "{} is there already: keys are never written over; choose another name or \
             folder, or move it away",
            path.display()
        ),
        _ => anyhow::Error::from(error).context(format!("cannot write {}", path.display())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_not_leave_the_folder() {
        for name in ["claude_code", "gemini-2.5", "Zo\u{eb}"] {
            assert_eq!(parse_name(name).as_deref(), Ok(name));
        }
        for name in [
            "",
            "..",
            ".hidden",
            "a/b",
            "a\\b",
            "a b",
            "a\n",
            &"x".repeat(65),
        ] {
            assert!(parse_name(name).is_err(), "{name:?}");
        }
    }
}
