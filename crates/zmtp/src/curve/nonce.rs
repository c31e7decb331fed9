//! Numbers that are used once: no two boxes under the same secret may share one.

/// The part of a nonce that travels, where it is a counter.
pub(super) const SHORT: usize = 8;
/// The part of a nonce that travels, where it is random.
pub(super) const LONG: usize = 16;

/// What goes into a box beside its secret.
pub(super) type Nonce = [u8; 24];

/// A purpose and a counter.
pub(super) fn counted(purpose: &[u8; 24 - SHORT], counter: u64) -> Nonce {
    let mut nonce = [0; 24];
    let (front, back) = nonce.split_at_mut(purpose.len());
    front.copy_from_slice(purpose);
    back.copy_from_slice(&counter.to_be_bytes());
    nonce
}

/// A purpose and random bytes.
pub(super) fn random(purpose: &[u8; 24 - LONG], random: &[u8; LONG]) -> Nonce {
    let mut nonce = [0; 24];
    let (front, back) = nonce.split_at_mut(purpose.len());
    front.copy_from_slice(purpose);
    back.copy_from_slice(random);
    nonce
}

/// The counter that a box came with has to be above all before it.
///
/// A box that was recorded and is sent again is seen by this; that some are left
/// out is no attack by itself, since the connection carries bytes in order.
pub(super) fn advance(heard: &mut u64, counter: u64) -> bool {
    let newer = counter > *heard;
    *heard = counter.max(*heard);
    newer
}
