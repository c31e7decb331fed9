//! The files that the keys are in.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use message::LONGEST_KEY_NAME;
use zmtp::curve::{Certificate, CertificateError, Keypair};

use super::rights::{List, Rights, RightsError};
use super::{Member, Members};
use crate::platform::others_can_read;

/// The broker's own keys.
const OWN: &str = "server.key_secret";
/// The name under which their owner is known.
const OWN_NAME: &str = "server";
/// The folder of those who are let in.
const AUTHORIZED: &str = "authorized";
/// What they may do.
const RIGHTS: &str = "rights";
/// No file with a key is longer.
const LONGEST: u64 = 64 << 10;

/// Why a folder of keys can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// A file or a folder can't be read.
    #[error("cannot read {}: {source}{}", path.display(), help(path))]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is no certificate.
    #[error("{} is no key file: {source}", path.display())]
    Certificate {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: CertificateError,
    },
    /// The file of the broker's own keys has the public one alone.
    #[error("{} has no secret key; make a pair with: broker keygen", path.display())]
    NoSecret {
        /// Which.
        path: PathBuf,
    },
    /// The file of rights can't be understood.
    #[error("{}, line {line}: {source}", path.display())]
    Rights {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        source: RightsError,
    },
}

fn help(path: &Path) -> &'static str {
    match path.file_name() {
        Some(name) if name == OWN => "; make the broker's keys with: broker keygen --out FOLDER",
        _ => "",
    }
}

/// What the files look like from outside: the name, the time and the length of each.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen(Vec<(PathBuf, SystemTime, u64)>);

impl Seen {
    /// Tells whether a later change would look different: the time of a file may
    /// count in steps of up to two seconds.
    pub(super) fn is_settled(&self) -> bool {
        let newest = self.0.iter().map(|(_, time, _)| *time).max();
        let age = newest.and_then(|newest| SystemTime::now().duration_since(newest).ok());
        age.is_some_and(|age| age > Duration::from_secs(2))
    }
}

/// Looks at the files without reading them; `None` where that is not possible.
pub(super) fn seen(dir: &Path) -> Option<Seen> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir.join(AUTHORIZED)).ok()? {
        let path = entry.ok()?.path();
        // Through links, as the keys are read.
        if let Ok(found) = fs::metadata(&path) {
            all.push((path, found.modified().ok()?, found.len()));
        }
    }
    for path in [dir.join(AUTHORIZED), dir.join(RIGHTS)] {
        if let Ok(found) = fs::metadata(&path) {
            all.push((path, found.modified().ok()?, found.len()));
        }
    }
    all.sort();
    Some(Seen(all))
}

/// Reads the broker's own keys.
pub(super) fn read_own(dir: &Path) -> Result<Keypair, KeysError> {
    let path = dir.join(OWN);
    let secret = read_certificate(&path)?.secret;
    if others_can_read(&path) {
        log::warn!(
            "others on this machine can read the secret key {}: take that right away (chmod 600)",
            path.display()
        );
    }
    match secret {
        Some(secret) => Ok(secret.into()),
        None => Err(KeysError::NoSecret { path }),
    }
}

fn read_certificate(path: &Path) -> Result<Certificate, KeysError> {
    let text = read(path)?;
    Certificate::parse(&text).map_err(|source| KeysError::Certificate {
        path: path.to_owned(),
        source,
    })
}

fn read(path: &Path) -> Result<zeroize::Zeroizing<String>, KeysError> {
    let text = fs::metadata(path).and_then(|found| {
        if !found.is_file() || found.len() > LONGEST {
            return Err(io::Error::other(
                "it is no file, or far too long for one of keys",
            ));
        }
        fs::read_to_string(path)
    });
    text.map(zeroize::Zeroizing::new)
        .map_err(|source| KeysError::Read {
            path: path.to_owned(),
            source,
        })
}

/// Reads who is let in, and what they may do.
///
/// So is the owner of the broker's own keys, who could stand in its place anyway: a
/// program that runs beside it (`broker status`).
pub(super) fn read_members(dir: &Path, own: &Keypair) -> Result<Members, KeysError> {
    let rights = read_rights(&dir.join(RIGHTS))?;
    let folder = dir.join(AUTHORIZED);
    let failed = |source| KeysError::Read {
        path: folder.clone(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    // Of two names for one key the first is taken, always the same one.
    paths.sort();
    let itself = Member {
        name: OWN_NAME.into(),
        public: own.public,
        rights: Rights::ALL,
    };
    let mut by_key = HashMap::from([(own.public, Arc::new(itself))]);
    for path in paths {
        let Some((name, certificate)) = read_client(&path) else {
            continue;
        };
        let member = Member {
            rights: rights.of(&name),
            name,
            public: certificate.public,
        };
        if &*member.name == OWN_NAME && member.public != own.public {
            log::warn!(
                "not let in: {} has the name of the broker's own key",
                path.display()
            );
            continue;
        }
        if let Some(other) = by_key.get(&member.public) {
            log::warn!(
                "{} has the same key as {}.key: its owner is let in as {}",
                path.display(),
                other.name,
                other.name
            );
            continue;
        }
        by_key.insert(member.public, Arc::new(member));
    }
    for name in rights.names() {
        if !by_key.values().any(|member| &*member.name == name) {
            log::warn!(
                "{} gives rights to {name}, which no key in {} is named",
                dir.join(RIGHTS).display(),
                folder.display()
            );
        }
    }
    Ok(Members { by_key })
}

/// Reads a client's file, where it is one; says what is wrong with it.
fn read_client(path: &Path) -> Option<(Arc<str>, Certificate)> {
    let kind = path.extension().and_then(OsStr::to_str);
    if kind == Some("key_secret") {
        log::warn!(
            "a secret key lies in the folder of public ones: {}; it belongs to its owner alone, \
             who should make a new one if others could read it",
            path.display()
        );
    }
    if kind != Some("key") {
        return None;
    }
    let name = path.file_stem().and_then(OsStr::to_str);
    let fits = |name: &&str| name.len() <= LONGEST_KEY_NAME && !name.contains(char::is_control);
    let Some(name) = name.filter(fits) else {
        log::warn!(
            "not let in: the name of {path:?} is no text, or longer than {LONGEST_KEY_NAME} bytes"
        );
        return None;
    };
    match read_certificate(path) {
        Ok(certificate) => {
            if certificate.secret.is_some() {
                log::warn!(
                    "{} has a secret key in it: take it out, and let its owner make a new one",
                    path.display()
                );
            }
            Some((name.into(), certificate))
        }
        Err(error) => {
            log::warn!("not let in: {error}");
            None
        }
    }
}

fn read_rights(path: &Path) -> Result<List, KeysError> {
    let text = match read(path) {
        Ok(text) => text,
        Err(KeysError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(List::default());
        }
        Err(error) => return Err(error),
    };
    List::parse(&text).map_err(|(line, source)| KeysError::Rights {
        path: path.to_owned(),
        line,
        source,
    })
}
