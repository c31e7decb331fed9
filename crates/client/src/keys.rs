//! The keys that a client shows and expects.

use std::fs;
use std::path::{Path, PathBuf};

use zmtp::curve::{Certificate, CertificateError, Keypair, PublicKey};

/// The keys of a client, and the one of the broker that it knows.
#[derive(Debug, Clone)]
pub struct Keys {
    pub(crate) own: Keypair,
    pub(crate) server: PublicKey,
}

/// Why a file of keys can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// A file can't be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is no certificate.
    #[error("{} is no key file: {source}", path.display())]
    Certificate {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: CertificateError,
    },
    /// A file has the public key alone.
    #[error("{} has no secret key: the file that ends in .key_secret is needed", path.display())]
    NoSecret {
        /// Which.
        path: PathBuf,
    },
}

impl Keys {
    /// Reads a client's file, which ends in `.key_secret`, and the broker's public key.
    /// Both are made by `broker keygen`, or by `zmq.auth` of pyzmq.
    ///
    /// # Errors
    /// [`KeysError`] where a file can't be read or has no key.
    pub fn read(own: &Path, server: &Path) -> Result<Self, KeysError> {
        let secret = read(own)?.secret;
        Ok(Self {
            own: secret
                .ok_or_else(|| KeysError::NoSecret {
                    path: own.to_owned(),
                })?
                .into(),
            server: read(server)?.public,
        })
    }
}

fn read(path: &Path) -> Result<Certificate, KeysError> {
    let text = fs::read_to_string(path).map_err(|source| KeysError::Read {
        path: path.to_owned(),
        source,
    })?;
    Certificate::parse(&text).map_err(|source| KeysError::Certificate {
        path: path.to_owned(),
        source,
    })
}
