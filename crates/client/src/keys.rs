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

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a file, and returns its path.
    fn file(dir: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_client_has_its_own_keys_and_the_brokers_public_one() {
        let dir = tempfile::tempdir().unwrap();
        let [own, server] = [(); 2].map(|()| Keypair::generate().unwrap());
        let secret = file(&dir, "a.key_secret", &Certificate::secret_text(&own));
        let public = file(&dir, "b.key", &Certificate::public_text(&server.public));
        let keys = Keys::read(&secret, &public).unwrap();
        assert_eq!((keys.own.public, keys.server), (own.public, server.public));
    }

    #[test]
    fn a_file_that_can_not_be_used_is_named_with_what_is_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let own = Keypair::generate().unwrap();
        let secret = file(&dir, "a.key_secret", &Certificate::secret_text(&own));
        let public = file(&dir, "a.key", &Certificate::public_text(&own.public));
        let (text, absent) = (file(&dir, "text", "hello"), dir.path().join("absent"));
        let no_secret = Keys::read(&public, &public).unwrap_err();
        assert!(matches!(&no_secret, KeysError::NoSecret { path } if *path == public));
        assert!(no_secret.to_string().contains(".key_secret"));
        let unreadable = Keys::read(&secret, &absent).unwrap_err();
        assert!(matches!(unreadable, KeysError::Read { path, .. } if path == absent));
        let no_key = Keys::read(&text, &public).unwrap_err();
        assert!(matches!(no_key, KeysError::Certificate { path, .. } if path == text));
    }
}
