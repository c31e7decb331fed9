//! What is wrong with a peer that asks for CURVE.

use super::keys::PublicKey;

/// Why a peer that asks for CURVE can't be talked with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CurveError {
    /// A step of the handshake has not the form that it should have, or comes when
    /// another one is due.
    #[error("its {expected} is malformed, or something else came in its place")]
    Malformed {
        /// The command that was expected.
        expected: &'static str,
    },
    /// A box that was not made for this end, or that was changed on its way.
    #[error("its {command} can't be opened: {reason}")]
    Box {
        /// The command that carried it.
        command: &'static str,
        /// What is most likely wrong.
        reason: &'static str,
    },
    /// A box came again, or out of order.
    #[error("its {command} has the nonce {nonce}, and {last} was used before")]
    Nonce {
        /// The command that carried it.
        command: &'static str,
        /// The box's nonce.
        nonce: u64,
        /// The last one before it.
        last: u64,
    },
    /// The peer owns a key that nobody has let in.
    #[error("its key {key} is not among the authorized ones")]
    Unknown {
        /// The peer's public key.
        key: PublicKey,
    },
    /// The system gave no random bytes, without which there is no security.
    #[error("the system gives no random bytes")]
    Random,
}
