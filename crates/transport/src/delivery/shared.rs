//! What all subscribers' threads share.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use crate::delivery::Registry;
use crate::intake::Counters;
use crate::keys::Keys;
use crate::shutdown::Phase;
use crate::tail::Tail;

/// What all subscribers' threads share.
pub(crate) struct Delivery {
    pub(crate) tail: Arc<Tail>,
    pub(crate) phase: Arc<Phase>,
    /// How many of the session's newest messages a new subscription gets.
    pub(crate) history: u64,
    /// How many subscribers are connected.
    pub(crate) connected: AtomicUsize,
    /// Who they are.
    pub(crate) registry: Arc<Registry>,
    /// Whose keys are let in; `None` where none are needed.
    pub(crate) keys: Option<Arc<Keys>>,
    pub(crate) counters: Arc<Counters>,
}
