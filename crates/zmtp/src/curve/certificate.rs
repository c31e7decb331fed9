//! Keys in files, as `zmq.auth` of pyzmq writes and reads them.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::keys::{Keypair, PublicKey, SecretKey};

/// What a certificate's file says.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The key that everybody may know.
    pub public: PublicKey,
    /// The key that only its owner may know, in the file that only its owner has.
    pub secret: Option<SecretKey>,
}

/// Why a text is no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The line with the public key is missing.
    #[error("it has no line such as: public-key = \"40 characters of Z85\"")]
    Missing,
    /// A line has something else in the place of the key.
    #[error("what follows {name} is no key: 40 characters of Z85")]
    Key {
        /// The line's name.
        name: &'static str,
    },
    /// The two keys do not belong together.
    #[error("its secret key is not the one of its public key")]
    Mismatch,
}

const PUBLIC: &str = "public-key";
const SECRET: &str = "secret-key";

impl Certificate {
    /// Reads the text of a file that ends in `.key` or `.key_secret`.
    ///
    /// # Errors
    /// [`CertificateError`] where there is no key in it, or the keys do not belong
    /// together.
    pub fn parse(text: &str) -> Result<Self, CertificateError> {
        let public = find(text, PUBLIC).ok_or(CertificateError::Missing)?;
        let wrong = |name| CertificateError::Key { name };
        let public: PublicKey = public.parse().map_err(|_| wrong(PUBLIC))?;
        let secret = find(text, SECRET).map(str::parse::<SecretKey>);
        let secret = secret.transpose().map_err(|_| wrong(SECRET))?;
        if let Some(secret) = &secret
            && Keypair::from(secret.clone()).public != public
        {
            return Err(CertificateError::Mismatch);
        }
        Ok(Self { public, secret })
    }

    /// Returns the text of the file that may be given to others.
    #[must_use]
    pub fn public_text(public: &PublicKey) -> String {
        let mut text =
            "# A public CURVE key of ZeroMQ. Give it to those who shall know its owner.\n\n"
                .to_owned();
        text.push_str("metadata\ncurve\n");
        push(&mut text, PUBLIC, &public.to_string());
        text
    }

    /// Returns the text of the file that only the keys' owner may have.
    #[must_use]
    pub fn secret_text(pair: &Keypair) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(512));
        text.push_str("# A SECRET CURVE key of ZeroMQ: who has this file is its owner.\n");
        text.push_str("# Keep it where nobody else can read it.\n\nmetadata\ncurve\n");
        push(&mut text, PUBLIC, &pair.public.to_string());
        push(&mut text, SECRET, &pair.secret.to_z85());
        text
    }
}

fn push(text: &mut String, name: &str, key: &str) {
    // Writing to a string can't fail.
    let _written = writeln!(text, "    {name} = \"{key}\"");
}

/// Finds a key. A key may contain `#` and `=`: a comment is a whole line, and
/// only the first `=` divides.
fn find<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let lines = text.lines().map(str::trim);
    let mut values = lines.filter_map(|line| {
        let (found, value) = line.split_once('=')?;
        (found.trim_end() == name).then_some(value)
    });
    let value = values.next()?.trim();
    Some(value.trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As pyzmq's `create_certificates` writes it.
    const OF_PYZMQ: &str = "#   ****  Generated on 2025-11-20 04:30:00 by pyzmq  ****\n\
        #   ZeroMQ CURVE **Secret** Certificate\n\
        #   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.\n\n\
        metadata\n    email = \"a=b\"\ncurve\n    \
        public-key = \"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"\n    \
        secret-key = \"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs\"\n";

    #[test]
    fn the_files_of_pyzmq_are_read() {
        let read = Certificate::parse(OF_PYZMQ).unwrap();
        let public = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
        assert_eq!(read.public.to_string(), public);
        assert!(read.secret.is_some());
        let without: String = OF_PYZMQ
            .split_inclusive('\n')
            .filter(|line| !line.contains("secret-key"))
            .collect();
        assert!(Certificate::parse(&without).unwrap().secret.is_none());
    }

    #[test]
    fn what_is_written_is_read_back_whatever_characters_the_key_has() {
        for _ in 0..200 {
            let pair = Keypair::generate().unwrap();
            let read = Certificate::parse(&Certificate::secret_text(&pair)).unwrap();
            assert_eq!(read.public, pair.public);
            assert_eq!(read.secret.unwrap().to_z85(), pair.secret.to_z85());
            let public = Certificate::public_text(&pair.public);
            assert!(!public.contains(pair.secret.to_z85().as_str()));
            let read = Certificate::parse(&public).unwrap();
            assert_eq!((read.public, read.secret.is_none()), (pair.public, true));
        }
    }

    #[test]
    fn what_is_no_certificate_is_refused_by_name() {
        let parse = |text: &str| Certificate::parse(text).unwrap_err();
        assert_eq!(parse(""), CertificateError::Missing);
        assert_eq!(parse("# public-key = \"x\""), CertificateError::Missing);
        let name = PUBLIC;
        assert_eq!(parse("public-key = \"x\""), CertificateError::Key { name });
        let other = Keypair::generate().unwrap().public.to_string();
        let swapped = OF_PYZMQ.replace("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", &other);
        assert_eq!(parse(&swapped), CertificateError::Mismatch);
    }
}
