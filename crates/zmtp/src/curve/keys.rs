//! Keys.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use super::boxes::{KEY, public_of};
use super::z85;

/// A key that everybody may know. It is shown as Z85.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey(pub(super) [u8; KEY]);

/// A key that only its owner may know: it is never shown, and wiped when it is dropped.
#[derive(Clone)]
pub struct SecretKey(pub(super) Zeroizing<[u8; KEY]>);

/// A secret key and the public one that belongs to it.
#[derive(Debug, Clone)]
pub struct Keypair {
    /// What others know.
    pub public: PublicKey,
    /// What only its owner knows.
    pub secret: SecretKey,
}

/// The system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes: {reason}")]
pub struct RandomError {
    /// What the system says.
    reason: getrandom::Error,
}

/// Text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no key: a key is 40 characters of Z85")]
pub struct KeyError;

/// Returns bytes that nobody can guess.
pub(super) fn random<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|reason| RandomError { reason })?;
    Ok(bytes)
}

impl Keypair {
    /// Makes a new one.
    ///
    /// # Errors
    /// [`RandomError`] where the system gives no random bytes.
    pub fn generate() -> Result<Self, RandomError> {
        let secret = SecretKey(Zeroizing::new(random()?));
        Ok(secret.into())
    }
}

impl From<SecretKey> for Keypair {
    fn from(secret: SecretKey) -> Self {
        let public = PublicKey(public_of(&secret.0));
        Self { public, secret }
    }
}

impl SecretKey {
    /// Returns the key as Z85, to be stored where only its owner can read it.
    #[must_use]
    pub fn to_z85(&self) -> Zeroizing<String> {
        Zeroizing::new(z85::encode(&*self.0))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&z85::encode(&self.0))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        read(text).map(|bytes| Self(*bytes))
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        read(text).map(Self)
    }
}

fn read(text: &str) -> Result<Zeroizing<[u8; KEY]>, KeyError> {
    let bytes = Zeroizing::new(z85::decode(text).ok_or(KeyError)?);
    let bytes = bytes.as_slice().try_into().map_err(|_| KeyError)?;
    Ok(Zeroizing::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_follows_from_its_secret_one() {
        // The pair of the CURVE examples in libzmq's manual.
        let secret: SecretKey = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs".parse().unwrap();
        let pair = Keypair::from(secret);
        let public = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
        assert_eq!(pair.public.to_string(), public);
        assert_eq!(public.parse(), Ok(pair.public));
        assert_ne!(Keypair::generate().unwrap().public, pair.public);
    }

    #[test]
    fn what_is_no_key_is_refused_and_a_secret_one_is_not_shown() {
        for text in ["", "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hI", "HelloWorld"] {
            assert_eq!(text.parse::<PublicKey>(), Err(KeyError), "{text}");
        }
        let pair = Keypair::generate().unwrap();
        let shown = format!("{pair:?}");
        assert!(!shown.contains(pair.secret.to_z85().as_str()), "{shown}");
    }
}
