//! The one place that knows the library of the cryptography: NaCl's boxes, which
//! are X25519, XSalsa20 and Poly1305.

use dryoc::classic::crypto_box::{
    crypto_box_beforenm, crypto_box_detached_afternm_inplace,
    crypto_box_open_detached_afternm_inplace,
};
use dryoc::classic::crypto_core::crypto_scalarmult_base;
use zeroize::Zeroizing;

use super::nonce::Nonce;

/// How many bytes of a box prove that nobody has changed it.
pub(super) const MAC: usize = 16;
/// The length of a key in bytes.
pub(super) const KEY: usize = 32;

/// What two ends have in common: each made it of its own secret key and of the
/// other's public one. It is wiped when it is dropped.
#[derive(Clone)]
pub(super) struct Shared(Zeroizing<[u8; KEY]>);

impl Shared {
    /// Agrees with the owner of a key; `None` where the key is one of the few that
    /// would give the same secret with everybody.
    pub(super) fn agree(theirs: &[u8; KEY], ours: &[u8; KEY]) -> Option<Self> {
        let shared = crypto_box_beforenm(theirs, ours).ok()?;
        Some(Self(Zeroizing::new(shared)))
    }

    /// Encrypts in place; returns what proves it.
    pub(super) fn seal(&self, data: &mut [u8], nonce: &Nonce) -> [u8; MAC] {
        let mut mac = [0; MAC];
        crypto_box_detached_afternm_inplace(data, &mut mac, nonce, &self.0);
        mac
    }

    /// Decrypts in place; false, and the data as it was, where the box is none that
    /// the other end has made.
    #[must_use]
    pub(super) fn open(&self, data: &mut [u8], mac: &[u8; MAC], nonce: &Nonce) -> bool {
        crypto_box_open_detached_afternm_inplace(data, mac, nonce, &self.0).is_ok()
    }

    /// Appends a box: what proves it, and then `parts`, encrypted.
    pub(super) fn push(&self, out: &mut Vec<u8>, parts: &[&[u8]], nonce: &Nonce) {
        let start = out.len();
        out.extend_from_slice(&[0; MAC]);
        parts.iter().for_each(|part| out.extend_from_slice(part));
        let (mac, data) = out.split_at_mut(start).1.split_at_mut(MAC);
        mac.copy_from_slice(&self.seal(data, nonce));
    }

    /// Opens a small box into memory of its own, which is wiped behind it.
    pub(super) fn take(&self, sealed: &[u8], nonce: &Nonce) -> Option<Zeroizing<Vec<u8>>> {
        let (mac, data) = sealed.split_first_chunk()?;
        let mut data = Zeroizing::new(data.to_vec());
        self.open(&mut data, mac, nonce).then_some(data)
    }
}

/// The secret is never shown.
impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

/// Returns the public key that belongs to a secret one.
pub(super) fn public_of(secret: &[u8; KEY]) -> [u8; KEY] {
    let mut public = [0; KEY];
    crypto_scalarmult_base(&mut public, secret);
    public
}
